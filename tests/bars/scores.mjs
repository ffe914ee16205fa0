// What Lighthouse says of an address, as on a phone with a slow line.
//
// Knows Lighthouse. Must not know what is good enough.

import lighthouse from "lighthouse";
import { launch } from "../browser/browser.mjs";

const RUNS = 5;
const CATEGORIES = ["performance", "accessibility", "best-practices"];

/** The median of the runs in each category, of 100; each run has a browser of its own. */
export async function measureScores(url) {
  const runs = [];
  for (let run = 0; run < RUNS; run += 1) runs.push(await once(url));
  for (const { id, title, detail } of runs[0].faults) console.error(`      ${url}: ${id}: ${title} ${detail}`);
  return Object.fromEntries(
    CATEGORIES.map((category) => [category, median(runs.map(({ scores }) => scores[category]))]),
  );
}

async function once(url) {
  const { browser, close } = await launch("chromium");
  try {
    const port = Number(new URL(browser.wsEndpoint()).port);
    // Its defaults are a phone of the middle class, and simulated throttling.
    const { lhr } = await lighthouse(url, { port, output: "json", logLevel: "error", onlyCategories: CATEGORIES });
    if (lhr.runtimeError) throw new Error(`Lighthouse: ${lhr.runtimeError.message}`);
    const scores = CATEGORIES.map((category) => [category, Math.round(lhr.categories[category].score * 100)]);
    return { scores: Object.fromEntries(scores), faults: faults(lhr) };
  } finally {
    await close();
  }
}

/** What costs points, for whoever wants to mend it. */
function faults({ audits, categories }) {
  const counted = CATEGORIES.flatMap((category) => categories[category].auditRefs)
    .filter(({ weight }) => weight > 0)
    .map(({ id }) => audits[id]);
  return counted
    .filter(({ score }) => score !== null && score < 0.9)
    .map(({ id, title, displayValue }) => ({ id, title, detail: displayValue ?? "" }));
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}
