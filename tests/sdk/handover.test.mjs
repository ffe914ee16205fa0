// A client hands its conversation over to another one of the same person, and nothing is lost or told twice.

import assert from "node:assert/strict";
import { test } from "node:test";

import { BadSaved } from "../../web/vyoma.js";
import { patiently } from "../server.mjs";
import { client, isRefused, pair, proxy, server } from "./people.mjs";

test("a client hands its conversation over, with what isn't delivered, and keeps nothing of it", async () => {
  const texts = [];
  const storage = { load: () => null, save: (text) => void texts.push(text) };
  const [ada, ben] = await pair({ storage });
  await ada.it.send("before");
  // Ben takes no message yet: it is on its way when Ada moves.
  const seat = await ada.it.handOver();
  assert.equal(JSON.parse(texts.at(-1)).seat, null, "a reloaded tab has no seat to come back to");
  await assert.rejects(ada.it.handOver(), isRefused("closed"));

  const kept = [];
  const moved = await client({ seat, storage: { load: () => null, save: (text) => void kept.push(text) } });
  assert.equal(kept[0], seat, "it is kept before anything else");
  assert.deepEqual(moved.it.conversation.partner, { name: "Ben", languages: ["en"] });
  moved.listen();
  await moved.it.send("after");
  ben.listen();
  await patiently(new Promise((resolve) => moved.it.on("delivered", ({ n }) => n === 2 && resolve())), "both");
  const values = ben.heard.filter(({ type }) => type === "message").map(({ value }) => value);
  assert.deepEqual(values, ["before", "after"]);
  await ben.it.send("welcome");
  assert.equal((await moved.hear("message")).value, "welcome");
});

test("a seat that makes no sense is refused", async () => {
  await assert.rejects(client({ seat: '{"version":1}' }), BadSaved);
});

const broken = () => ({ load: () => null, save: () => Promise.reject(new Error("disk full")) });

test("a storage that fails keeps nobody from handing over, nor from going on", async () => {
  const [ada, ben] = await pair({ storage: broken() });
  await ada.it.send("before");
  const seat = await ada.it.handOver();
  const moved = await client({ seat, storage: broken() });
  assert.equal((await moved.hear("not_kept")).error.message, "disk full");
  await moved.it.send("after");
  ben.listen();
  await ben.hear("message");
  await patiently(new Promise((resolve) => moved.it.on("delivered", ({ n }) => n === 2 && resolve())), "both");
  await Promise.all([moved.it.close(), ben.it.close()]);
});

test("what is being taken while a client hands over isn't told to the next one again", async () => {
  const [ada, ben] = await pair();
  const { promise: kept, resolve: keep } = gate();
  const { promise: begun, resolve: begin } = gate();
  ada.it.on("message", () => (begin(), kept));
  await ben.it.send("first");
  await ben.it.send("second");
  await begun;
  const given = ada.it.handOver();
  await assert.rejects(ada.it.handOver(), isRefused("closed"));
  await assert.rejects(ada.it.send("too late"), isRefused("closed"));
  keep();
  const moved = await client({ seat: await given });
  moved.listen();
  const { n, value } = await moved.hear("message");
  assert.deepEqual([n, value], [2, "second"]);
  await Promise.all([moved.it.close(), ben.it.close()]);
});

test("a handler may hand over, and hears the message again elsewhere", async () => {
  const [ada, ben] = await pair();
  const given = new Promise((resolve) => ada.it.on("message", async () => resolve(await ada.it.handOver())));
  await ben.it.send("first");
  const moved = await client({ seat: await patiently(given, "a seat") });
  moved.listen();
  assert.equal((await moved.hear("message")).n, 1);
  await Promise.all([moved.it.close(), ben.it.close()]);
});

test("a client hands over without a connection, too; who waits for room hears that it is closed", async () => {
  const line = await proxy(server.port);
  const [ada, ben] = await pair({ port: line.port, settings: { outbox_count: 1 } });
  line.cut();
  await ada.hear("lost");
  await ada.it.send("in the outbox");
  const waits = ada.it.send("waits for room");
  const [seat] = await Promise.all([ada.it.handOver(), assert.rejects(waits, isRefused("closed"))]);
  const moved = await client({ seat });
  await moved.it.send("after");
  ben.listen();
  await patiently(new Promise((resolve) => moved.it.on("delivered", ({ n }) => n === 2 && resolve())), "both");
  const values = ben.heard.filter(({ type }) => type === "message").map(({ value }) => value);
  assert.deepEqual(values, ["in the outbox", "after"]);
  await Promise.all([moved.it.close(), ben.it.close()]);
});

test("who queues has no seat to hand over", async () => {
  const eve = await client();
  eve.it.join();
  await eve.hear("waiting");
  const idle = await client({ seat: await eve.it.handOver() });
  assert.equal(idle.it.state, "idle");
});

test("of two clients with one seat the later has it", async () => {
  const [ada, ben] = await pair();
  const seat = await ada.it.handOver();
  const first = await client({ seat });
  await first.hear("restored");
  const second = await client({ seat });
  assert.equal((await first.hear("ended")).reason, "superseded");
  await second.hear("restored");
  await second.it.send("here");
  ben.listen();
  assert.equal((await ben.hear("message")).value, "here");
  await Promise.all([second.it.close(), ben.it.close()]);
});

function gate() {
  /** @type {any} */
  const parts = {};
  parts.promise = new Promise((resolve) => (parts.resolve = resolve));
  return parts;
}
