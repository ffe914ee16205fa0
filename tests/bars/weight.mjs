// How many bytes come over the line until somebody waits for a partner.
//
// Knows Chromium's account of what it loads. Must not know how much is too much.

import { launch } from "../browser/browser.mjs";
import { Person } from "../browser/person.mjs";

/**
 * In bytes, heads included, with an empty cache: what had been asked for when the waiting view was there, and
 * all that was loaded then, since the conversation's scripts are fetched while somebody waits.
 */
export async function measureWeight(host, encodings) {
  const browser = await launch("chromium");
  try {
    const person = await Person.open(browser, host);
    const loads = await watchLoads(person.page, encodings);
    await person.goes("/");
    await person.arrives("Ada");
    await person.sees("waiting");
    const asked = new Set(loads.keys());
    await person.until(() => document.querySelector("#ahead").textContent !== "");
    await person.page.waitForNetworkIdle({ idleTime: 1_000 });
    const sum = (entries) => entries.reduce((total, [, bytes]) => total + bytes, 0);
    return { waiting: sum([...loads].filter(([id]) => asked.has(id))), all: sum([...loads]) };
  } finally {
    await browser.close();
  }
}

async function watchLoads(page, encodings) {
  const session = await page.createCDPSession();
  const loads = new Map();
  session.on("Network.requestWillBeSent", ({ requestId }) => loads.set(requestId, 0));
  session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => loads.set(requestId, encodedDataLength));
  await session.send("Network.enable");
  await session.send("Network.setExtraHTTPHeaders", { headers: { "Accept-Encoding": encodings.join(", ") } });
  return loads;
}
