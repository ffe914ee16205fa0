// Starts and stops the real binary for the tests of this directory.
//
// Knows how to run `vyoma` and to learn its port. Must not know what it is tested for.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

// A hang guard, not a speed limit: how long a test waits for something that must happen. Less is for whoever
// works on a test that fails.
export const PATIENCE_MS = Number(process.env.VYOMA_PATIENCE_MS ?? 60_000);

/** Rejects with `what` if `promise` takes longer than the tests' patience. */
export function patiently(promise, what) {
  let timer;
  const guard = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`gave up waiting for ${what}`)), PATIENCE_MS);
  });
  return Promise.race([promise, guard]).finally(() => clearTimeout(timer));
}

function binary() {
  const path = process.env.VYOMA_BIN;
  if (path) return path;
  throw new Error("VYOMA_BIN does not name the binary: run these tests by `cargo xtask test`");
}

/**
 * Starts the server on `port` of the loopback address (0 takes a free one), or as plain `vyoma`
 * with every default if `port` is null, and with `more` options. Returns its port, and `kill`, which
 * ends it at once.
 */
export async function startServer(port = 0, more = []) {
  const args = port === null ? [] : ["--bind", "127.0.0.1", "--port", String(port), ...more];
  const env = { ...process.env };
  delete env.PORT;
  const child = spawn(binary(), args, { env, stdio: ["ignore", "pipe", "pipe"] });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const output = [];
  const listening = new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) =>
      reject(new Error(`the server ended with ${code} before it listened:\n${output.join("\n")}`)));
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        output.push(line);
        const found = /\bws:\/\/\S+?:(\d+)/.exec(line);
        if (found) resolve(Number(found[1]));
      });
    }
  });
  const actualPort = await patiently(listening, "the server to say where it listens");
  return {
    port: actualPort,
    kill: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
