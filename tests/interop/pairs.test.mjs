// Every ordered pair of the common clients talks through the real binary.
//
// Each pair exchanges every kind of message both ways, pings, and sees a clean close. That each
// library answers the server's ping is shown by the survivor: it is queued again only after its
// pong (the fence).

import { after, before, test } from "node:test";
import { startServer } from "../server.mjs";
import { Agent, CLIENTS } from "./agent.mjs";

const text = (data) => ({ kind: "text", data: Buffer.from(data) });
const binary = (data) => ({ kind: "binary", data: Buffer.from(data) });

const WAITING = text("⌛ Waiting for another entrepreneur...");
const CONNECTED = text("🎯 Connected with an entrepreneur!");
const DISCONNECTED = text("⚠️ Partner disconnected.");

const MESSAGES = [
  text("hello"),
  text(""),
  text("Grüße, 你好, שלום, e\u0301, \u{1F469}\u200D\u{1F680}, \u0000, \u{10FFFF}"),
  binary(""),
  binary(Array.from({ length: 256 }, (_, byte) => byte)),
  text("0123456789".repeat(6_000)),
  binary(Buffer.alloc(60_000, 0xa5)),
];

let server;
const roles = { waiter: new Map(), newcomer: new Map() };

before(async () => (server = await startServer()));
after(async () => {
  for (const agents of Object.values(roles)) for (const agent of agents.values()) agent.kill();
  await server?.kill();
});

// Processes are kept from pair to pair: starting them would be most of the time.
function agent(role, name) {
  if (!roles[role].has(name)) roles[role].set(name, new Agent(name));
  return roles[role].get(name);
}

function dismiss(role, name) {
  agent(role, name).kill();
  roles[role].delete(name);
}

async function converse(waiter, newcomer) {
  const url = `ws://127.0.0.1:${server.port}/`;
  waiter.do("open", url);
  await waiter.expect("open");
  await waiter.expectMessage(WAITING);
  newcomer.do("open", url);
  await newcomer.expect("open");
  for (const side of [waiter, newcomer]) await side.expectMessage(CONNECTED);

  for (const message of MESSAGES) {
    waiter.send(message);
    await newcomer.expectMessage(message);
    newcomer.send(message);
    await waiter.expectMessage(message);
  }
  for (const side of [waiter, newcomer]) {
    side.do("ping");
    await side.expect("pong");
  }

  newcomer.do("close");
  await newcomer.expect("closed 1000");
  await waiter.expectMessage(DISCONNECTED);
  await waiter.expectMessage(WAITING);
  waiter.do("close");
  await waiter.expect("closed 1000");
}

for (const waiting of Object.keys(CLIENTS)) {
  for (const coming of Object.keys(CLIENTS)) {
    test(`${waiting} waits, ${coming} comes`, async () => {
      try {
        await converse(agent("waiter", waiting), agent("newcomer", coming));
      } catch (error) {
        // The next pair shall not inherit what this one left behind.
        dismiss("waiter", waiting);
        dismiss("newcomer", coming);
        throw error;
      }
    });
  }
}
