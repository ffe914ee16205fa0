// How many bytes come over the line until somebody waits for a partner.
//
// Knows Chromium's account of what it loads. Must not know how much is too much.

import { launch } from "../browser/browser.mjs";
import { Person } from "../browser/person.mjs";

/**
 * In bytes, heads included, with an empty cache: what had been asked for when the waiting view came, and all that
 * was loaded by the time when nothing more did, since the conversation's scripts are fetched while somebody waits.
 */
export async function measureWeight(host, encodings) {
  const browser = await launch("chromium");
  try {
    const person = await Person.open(browser, host);
    await person.page.evaluateOnNewDocument(noteTheWait);
    const loads = await watchLoads(person.page, encodings);
    await person.goes("/");
    await person.arrives("Ada");
    await person.sees("waiting");
    await person.until(() => document.querySelector("#ahead").textContent !== "");
    await person.page.waitForNetworkIdle({ idleTime: 1_000 });
    const since = await person.page.evaluate(() => globalThis.waitedSince);
    const sum = (each) => each.reduce((total, { bytes }) => total + bytes, 0);
    const all = [...loads.values()];
    return { waiting: sum(all.filter(({ at }) => at <= since)), all: sum(all) };
  } finally {
    await browser.close();
  }
}

/** In the page: when the waiting view came, in milliseconds since 1970. */
function noteTheWait() {
  new MutationObserver(() => {
    if (document.body?.dataset.view === "waiting") globalThis.waitedSince ??= Date.now();
  }).observe(document, { subtree: true, childList: true, attributeFilter: ["data-view"] });
}

async function watchLoads(page, encodings) {
  const session = await page.createCDPSession();
  const loads = new Map();
  session.on("Network.requestWillBeSent", ({ requestId, wallTime }) =>
    loads.set(requestId, { at: wallTime * 1_000, bytes: 0 }));
  session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) =>
    (loads.get(requestId).bytes = encodedDataLength));
  await session.send("Network.enable");
  await session.send("Network.setExtraHTTPHeaders", { headers: { "Accept-Encoding": encodings.join(", ") } });
  return loads;
}
