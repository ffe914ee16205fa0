// Clients written for the first VyomaChat server run unchanged: plain `vyoma` on its default port,
// and the transcript of docs/protocol.md, byte for byte.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { connect } from "node:net";
import { once } from "node:events";
import { test } from "node:test";
import { patiently, startServer } from "../server.mjs";

const here = import.meta.dirname;

/** Runs the example; `printed(text)` waits until exactly `text` came out of it. */
function runExample() {
  const args = ["--import", `${here}/global_websocket.mjs`, `${here}/old_readme_example.js`];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let output = Buffer.alloc(0);
  child.stdout.on("data", (data) => (output = Buffer.concat([output, data])));
  const printed = async (text) => {
    const wanted = Buffer.from(text);
    while (output.length < wanted.length) {
      await patiently(once(child.stdout, "data"), `${JSON.stringify(text)} after ${output}`);
    }
    assert.deepEqual(output.toString("hex"), wanted.toString("hex"), `printed: ${output}`);
  };
  return { printed, kill: () => child.kill("SIGKILL") };
}

async function portIsTaken(port) {
  const socket = connect(port, "127.0.0.1");
  const taken = await once(socket, "connect").then(() => true, () => false);
  socket.destroy();
  return taken;
}

test("the old README's client, twice, on the default port", async (context) => {
  assert.ok(
    !(await portIsTaken(3001)),
    "port 3001 is taken: this test needs it, since the old clients name it; stop what listens there",
  );
  const server = await startServer(null);
  context.after(() => server.kill());
  assert.equal(server.port, 3001);

  const first = runExample();
  context.after(first.kill);
  await first.printed("⌛ Waiting for another entrepreneur...\n");

  const second = runExample();
  context.after(second.kill);
  await second.printed("🎯 Connected with an entrepreneur!\nHello!\n");
  await first.printed(
    "⌛ Waiting for another entrepreneur...\n🎯 Connected with an entrepreneur!\nHello!\n",
  );

  second.kill();
  await first.printed(
    "⌛ Waiting for another entrepreneur...\n🎯 Connected with an entrepreneur!\nHello!\n" +
      "\u26a0\ufe0f Partner disconnected.\n⌛ Waiting for another entrepreneur...\n",
  );
});
