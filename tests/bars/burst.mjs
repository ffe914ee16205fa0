// What becomes of a page whose partner says 10,000 things in a minute.
//
// Knows the page as a person does, and Chromium's account of its work. Must not know what is good enough.

import { launch } from "../browser/browser.mjs";
import { Person } from "../browser/person.mjs";
import { partner } from "../browser/partner.mjs";

const MESSAGES = 10_000;
const SECONDS = 60;

/** The longest task in milliseconds, the heap in bytes, and what was wrong with the list, if anything. */
export async function measureBurst(host) {
  const browser = await launch("chromium");
  try {
    const ada = await Person.open(browser, host);
    await ada.goes("/");
    await ada.arrives("Ada");
    await ada.sees("waiting");
    const mallory = await partner(host, { name: "Mallory" });
    await ada.sees("conversation");
    await ada.finds(".vy-draft");
    await ada.page.evaluate(watchTasks);
    const session = await ada.page.createCDPSession();
    await session.send("Performance.enable");
    const { seconds, heapPeak } = await burst(mallory, session);
    await ada.hears(`message ${MESSAGES}`);
    const trouble = await use(ada, mallory).then(() => null, (error) => error.message);
    const longestMs = Math.round(await ada.page.evaluate(() => Math.max(0, ...globalThis.tasks)));
    await session.send("HeapProfiler.collectGarbage");
    const heap = await heapOf(session);
    await mallory.close();
    return { seconds, longestMs, heap, heapPeak, trouble };
  } finally {
    await browser.close();
  }
}

/** In the page: notes the length of each task over 50 ms, in milliseconds. */
function watchTasks() {
  globalThis.tasks = [];
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) globalThis.tasks.push(duration);
  }).observe({ type: "longtask" });
}

/** A burst each tick of 20 ms, evenly over the minute; the heap is looked at each second. */
async function burst(mallory, session) {
  const started = performance.now();
  let sent = 0;
  let heapPeak = 0;
  let looked = 0;
  while (sent < MESSAGES) {
    const elapsed = (performance.now() - started) / 1000;
    const due = Math.min(MESSAGES, Math.floor((elapsed / SECONDS) * MESSAGES));
    for (; sent < due; sent += 1) await mallory.client.send(text(sent + 1));
    if (elapsed - looked >= 1) {
      looked = elapsed;
      heapPeak = Math.max(heapPeak, await heapOf(session));
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return { seconds: Math.round((performance.now() - started) / 1000), heapPeak };
}

/** Every hundredth is long; the last ones are short, to be found again. */
function text(n) {
  const long = n % 100 === 0 && n < MESSAGES - 100;
  return long ? `message ${n} ${"https://example.org/ and words ".repeat(60)}` : `message ${n}`;
}

async function heapOf(session) {
  const { metrics } = await session.send("Performance.getMetrics");
  return metrics.find(({ name }) => name === "JSHeapUsedSize").value;
}

/** What a person would do now: write, send, and look at what came before. */
async function use(ada, mallory) {
  const shown = await ada.page.$$eval(".vy-message", (all) => all.length);
  if (shown > 1_000) throw new Error(`${shown} messages in the page`);
  await ada.says("Enough now");
  await mallory.hears("message", ({ value }) => value === "Enough now");
  await ada.page.$eval(".vy-list", (list) => (list.scrollTop = 0));
  await ada.presses(".vy-older");
  await ada.until((least) => document.querySelector(".vy-message[data-side=theirs]").dataset.n <= least, MESSAGES - shown);
}
