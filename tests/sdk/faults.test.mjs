// Both SDKs in one house: clients in JavaScript and in Rust talk to each other while the server is
// killed and replaced, and connections break. CONTRIBUTING.md has the command for large numbers.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";

/** Runs vyoma-faults; what it printed, and its exit code. */
async function faults(...options) {
  const program = process.env.VYOMA_FAULTS;
  assert.ok(program, "VYOMA_FAULTS does not name vyoma-faults: run these tests by `cargo xtask test`");
  const args = ["--binary", process.env.VYOMA_BIN, "--conversations", "12", ...options];
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += data));
  const code = await new Promise((resolve) => child.once("exit", resolve));
  return { code, output };
}

for (const [name, javascript, options] of [
  ["a server that is killed, and JavaScript talks to Rust", "12", ["--kills", "3"]],
  ["broken connections, and JavaScript talks to JavaScript", "24", ["--faults", "20", "--pause", "200"]],
  ["a takeover", "12", ["--takeovers", "1"]],
]) {
  test(name, async () => {
    const { code, output } = await faults("--javascript", javascript, ...options);
    assert.equal(code, 0, output);
    assert.match(output, /every message came once and in order/);
    const [, messages] = /(\d+) messages/.exec(output);
    assert.ok(Number(messages) > 500, output);
  });
}
