// Whether the page is as quick, as small and as sturdy as promised: measured in Chromium on this machine,
// which should have nothing else to do. Started by `cargo xtask page`.
//
// Knows the bars and prints them. How each is measured is in the other files.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startServer } from "../server.mjs";
import { measureBurst } from "./burst.mjs";
import { measureScores } from "./scores.mjs";
import { measureWeight } from "./weight.mjs";

const directory = mkdtempSync(join(tmpdir(), "vyoma-bars-"));
const server = await startServer(0, ["--data-dir", directory]);
const host = `127.0.0.1:${server.port}`;
let failed = 0;

/** Prints a figure beside its bar. `holds` says whether it is good enough. */
function bar(what, figure, holds, wanted) {
  if (!holds) failed += 1;
  console.log(`${holds ? "pass" : "FAIL"}  ${what.padEnd(52)} ${String(figure).padStart(12)}   ${wanted}`);
}

try {
  for (const path of ["/", "/demo"]) {
    const scores = await measureScores(`http://${host}${path}`);
    for (const [category, score] of Object.entries(scores)) {
      bar(`Lighthouse on a phone, ${path}: ${category}`, score, score >= 95, ">= 95");
    }
  }
  for (const encodings of [["br", "gzip"], ["gzip"]]) {
    const { waiting, all } = await measureWeight(host, encodings);
    const by = encodings.join(" or ");
    bar(`to the waiting view by ${by}`, kib(waiting), waiting < 60 * 1024, "< 60 KiB");
    console.log(`      with the conversation's scripts, by ${by}: ${kib(all)}`);
  }
  const burst = await measureBurst(host);
  bar(`10,000 messages in ${burst.seconds} s: longest task`, `${burst.longestMs} ms`, burst.longestMs <= 200, "<= 200 ms");
  bar("its heap afterwards", mib(burst.heap), burst.heap < 50 * 1024 ** 2, "< 50 MiB");
  bar("its heap at most, sampled each second", mib(burst.heapPeak), burst.heapPeak < 50 * 1024 ** 2, "< 50 MiB");
  bar("all of them came, and the list can be used", burst.trouble ?? "yes", burst.trouble === null, "");
} finally {
  await server.kill();
  rmSync(directory, { recursive: true, force: true });
}
process.exitCode = failed > 0 ? 1 : 0;

function kib(bytes) {
  return `${(bytes / 1024).toFixed(1)} KiB`;
}

function mib(bytes) {
  return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}
