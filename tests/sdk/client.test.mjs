// The whole SDK in Node against the real server: real sockets, cut by a small proxy of this test.

import assert from "node:assert/strict";
import { test } from "node:test";

import { WebSocket as UndiciSocket } from "undici";
import { WebSocket as WsSocket } from "ws";

import { connect } from "../../web/vyoma.js";
import { patiently, startServer } from "../server.mjs";
import { client, isRefused, pair, proxy, server } from "./people.mjs";

for (const [name, WebSocket] of Object.entries({ ws: WsSocket, undici: UndiciSocket })) {
  test(`two people talk (${name})`, async () => {
    const [ada, ben] = await pair({ WebSocket }, { WebSocket });
    assert.deepEqual(ada.it.conversation.partner, { name: "Ben", languages: ["en"] });
    assert.equal(ada.it.state, "talking");
    ada.listen();
    ben.listen();

    const receipt = await ada.it.send({ text: "Grüße 👋", list: [1, null] });
    const { n, value } = await ben.hear("message");
    assert.deepEqual([n, value], [1, { text: "Grüße 👋", list: [1, null] }]);
    assert.equal(await receipt.delivered(), true);
    ben.it.read(1);
    await ada.hear("read");

    await ben.it.send(Uint8Array.of(0, 255));
    assert.deepEqual((await ada.hear("message")).bytes, Uint8Array.of(0, 255));
    ben.it.typing();
    assert.equal((await ada.hear("typing")).on, true);
    ben.it.signal({ sdp: "v=0" });
    assert.deepEqual((await ada.hear("signal")).value, { sdp: "v=0" });
    ada.it.report("Rude.");
    await ada.hear("done");

    ben.it.leave();
    const ended = await ada.hear("ended");
    assert.deepEqual(
      [ended.reason, ended.sentence, ended.complete], ["partner_left", "Your partner left.", true],
    );
    assert.equal(ada.it.conversation, null);
    await Promise.all([ada.it.close(), ben.it.close()]);
  });
}

test("the two who join with an invitation's code meet, and a third doesn't", async () => {
  const [ada, ben, eve] = [await client(), await client(), await client()];
  const asked = ada.it.invite();
  await assert.rejects(ada.it.invite(), isRefused("wrong_state"));
  const { code, expiresMs } = await patiently(asked, "an invitation");
  assert.match(code, /^([a-z]{4}-){3}[a-z]{4}$/);
  assert.equal(expiresMs, 24 * 60 * 60 * 1000);
  assert.throws(() => ada.it.join(undefined, { invite: "no c0de" }), isRefused("bad_value"));
  ada.it.join({ name: "Ada" }, { invite: code });
  await ada.hear("waiting");
  eve.it.join();
  await eve.hear("waiting");
  ben.it.join({ name: "Ben" }, { invite: code.toUpperCase().replaceAll("-", " ") });
  const matched = await ada.hear("matched");
  assert.deepEqual([matched.partner, matched.why], [{ name: "Ben" }, ["invited"]]);
  await ben.hear("matched");
  eve.it.leave();
  await eve.hear("ended");
  eve.it.join(undefined, { invite: code });
  assert.equal((await eve.hear("error")).name, "invite_used");
  const late = assert.rejects(ada.it.invite(), isRefused("closed"));
  await ada.it.close();
  await late;
});

test("in a pool where profiles decide, both hear what they have in common", async () => {
  const there = { pool: "founders" };
  const [ada, eve, ben] = [await client(there), await client(there), await client(there)];
  ada.it.join({ offers: ["Rust"], seeks: ["funding"] });
  assert.equal((await ada.hear("waiting")).pool, "founders");
  eve.it.join({ offers: ["law"] });
  await eve.hear("waiting");
  ben.it.join({ offers: ["Funding"], seeks: ["rust"], topics: ["looms"] });
  const { why, common } = await ada.hear("matched");
  assert.deepEqual([why, common], [["seeks_met", "offers_met"], { offers: ["Rust"], seeks: ["funding"] }]);
  assert.deepEqual((await ben.hear("matched")).common, { offers: ["Funding"], seeks: ["rust"] });
  // Also for who asks later.
  assert.deepEqual([ada.it.conversation.why, ada.it.conversation.common], [why, common]);
  assert.equal(eve.it.state, "queued");
  await Promise.all([ada, eve, ben].map(({ it }) => it.close()));
});

test("a language that is required is kept through a lost connection", async () => {
  const line = await proxy(server.port);
  const ada = await client({ port: line.port, pool: "founders" });
  const alike = { offers: ["looms"], seeks: ["looms"], languages: ["en"] };
  for (const languages of [["e"], "de", [1], Array(9).fill("de")]) {
    assert.throws(() => ada.it.join(alike, { languages }), isRefused("bad_value"));
  }
  ada.it.join(alike, { languages: ["de"] });
  await ada.hear("waiting");
  line.cut();
  await ada.hear("restored");
  await ada.hear("waiting");
  const [eve, ben] = [await client({ pool: "founders" }), await client({ pool: "founders" })];
  eve.it.join(alike);
  await eve.hear("waiting");
  ben.it.join({ ...alike, languages: ["DE"] }, { languages: ["en"] });
  assert.equal((await ben.hear("matched")).partner.languages[0], "en");
  assert.deepEqual((await ada.hear("matched")).partner.languages, ["DE"]);
  assert.equal(eve.it.state, "queued");
  // It may be asked for no longer.
  ada.it.next(undefined, { languages: [] });
  await ada.hear("matched");
  await eve.hear("matched");
  const open = await client();
  open.it.join(undefined, { languages: ["de"] });
  assert.equal((await open.hear("error")).name, "no_rules");
  await Promise.all([ada, eve, ben, open].map(({ it }) => it.close()));
});

test("what is said while the line is cut arrives, once and in order", async () => {
  const line = await proxy(server.port);
  const [ada, ben] = await pair({ port: line.port });
  ben.listen();
  const receipts = [];
  for (let round = 0; round < 20; round += 1) {
    const from = ada.heard.length;
    line.cut();
    for (let each = 0; each < 10; each += 1) receipts.push(await ada.it.send(receipts.length));
    await ada.hear("restored", from);
  }
  const delivered = await patiently(Promise.all(receipts.map((it) => it.delivered())), "receipts");
  assert.ok(delivered.every(Boolean));
  const values = ben.heard.filter(({ type }) => type === "message").map(({ value }) => value);
  assert.deepEqual(values, receipts.map((_, index) => index));
  await Promise.all([ada.it.close(), ben.it.close()]);
});

test("a client that starts again from its storage goes on where it was", async () => {
  let text = null;
  const storage = () => ({
    load: async () => text,
    // As slow as a disk.
    save: (now) => new Promise((resolve) => setTimeout(() => resolve((text = now)), 5)),
  });
  const [ada, ben] = await pair({ storage: storage() });
  const first = await ada.it.send("before");
  ben.listen();
  assert.ok(await first.delivered());
  await ada.it.close();
  await ben.hear("away");
  await ben.it.send("while you were away");

  const again = await client({ storage: storage() });
  assert.equal(again.it.conversation.partner.name, "Ben");
  again.listen();
  const { value, n } = await again.hear("message");
  assert.deepEqual([n, value], [1, "while you were away"]);
  const second = await again.it.send("after");
  assert.equal(second.n, 2);
  assert.ok(await second.delivered());
  await Promise.all([again.it.close(), ben.it.close()]);
});

test("a message counts as taken once its handler is done, also if that throws", async () => {
  const [ada, ben] = await pair();
  const receipts = [await ada.it.send(1), await ada.it.send(2), await ada.it.send(3)];
  let finish;
  const busy = new Promise((resolve) => (finish = resolve));
  const seen = [];
  ben.it.on("message", async ({ value }) => {
    seen.push(value);
    if (value === 1) await busy;
    if (value === 2) throw new Error("bad day");
  });
  // The server answers for the three, and the handler is in the first.
  await receipts[2].reached("accepted");
  assert.deepEqual(seen, [1]);
  assert.equal(receipts[0].stage, "accepted");
  finish();
  assert.ok(await receipts[2].delivered());
  assert.deepEqual(seen, [1, 2, 3]);
  const failed = ben.heard.find(({ type }) => type === "handler_failed");
  assert.deepEqual([failed.error.message, failed.event.n], ["bad day", 2]);
  await Promise.all([ada.it.close(), ben.it.close()]);
});

test("a full outbox makes senders wait, in order, and an end frees them", async () => {
  const [ada, ben] = await pair({ settings: { outbox_count: 4 } });
  const sends = Array.from({ length: 12 }, (_, index) => ada.it.send(index));
  await sends[3];
  const seen = [];
  ben.it.on("message", ({ value }) => seen.push(value));
  const receipts = await patiently(Promise.all(sends), "room in the outbox");
  assert.ok(await receipts.at(-1).delivered());
  assert.deepEqual(seen, sends.map((_, index) => index));

  const full = Array.from({ length: 6 }, () => ada.it.send("x"));
  ada.it.leave();
  const results = await Promise.allSettled(full);
  assert.ok(isRefused("no_partner")(results.at(-1).reason));
  await Promise.all([ada.it.close(), ben.it.close()]);
});

test("what is said to one partner is not said to the next", async () => {
  const [ada, ben] = await pair();
  // The application is busy, and doesn't hear that the conversation ends and another begins.
  let finish;
  const busy = new Promise((resolve) => (finish = resolve));
  ada.it.on("message", () => busy);
  await ben.it.send("hi");
  await ben.hear("accepted");
  ada.it.next();
  const eve = await client();
  eve.it.join();
  eve.listen();
  await eve.hear("matched");
  while (ada.it.state !== "talking") await new Promise((resolve) => setTimeout(resolve, 5));
  await assert.rejects(ada.it.send("for Ben"), isRefused("no_partner"));
  assert.throws(() => ada.it.block(), isRefused("wrong_state"));
  finish();
  await ada.hear("matched", ada.heard.findIndex(({ type }) => type === "ended"));
  await ada.it.send("for Eve");
  assert.equal((await eve.hear("message")).value, "for Eve");
  await Promise.all([ada, ben, eve].map(({ it }) => it.close()));
});

test("mistakes are told, and change nothing", async () => {
  await assert.rejects(connect("ftp://127.0.0.1/"), TypeError);
  await assert.rejects(connect("no address"), TypeError);
  await assert.rejects(connect("ws://127.0.0.1/", { settings: { patience: 1 } }), TypeError);
  await assert.rejects(connect("ws://127.0.0.1/", { storage: "disk" }), TypeError);
  const damaged = { load: () => "{", save() {} };
  await assert.rejects(connect("ws://127.0.0.1/", { WebSocket: WsSocket, storage: damaged }), {
    name: "BadSaved",
  });
  if (!globalThis.WebSocket) await assert.rejects(connect("ws://127.0.0.1/"), /package ws/);

  const [ada, ben] = await pair();
  assert.throws(() => ada.it.join(), isRefused("wrong_state"));
  assert.throws(() => ada.it.next({ name: "" }), isRefused("bad_value"));
  assert.throws(() => ada.it.read("1"), TypeError);
  const circle = {};
  circle.self = circle;
  await assert.rejects(ada.it.send(circle), TypeError);
  await assert.rejects(ada.it.send(undefined), isRefused("bad_json"));
  await assert.rejects(ada.it.send("\ud83d"), isRefused("bad_json"));
  await assert.rejects(ada.it.send("x".repeat(70_000)), isRefused("too_big"));
  const receipt = await ada.it.send("fine");
  ben.listen();
  assert.ok(await receipt.delivered());
  await ada.it.close();
  await assert.rejects(ada.it.send("late"), isRefused("closed"));
  assert.throws(() => ada.it.next(), isRefused("closed"));
  await ben.it.close();
});

test("a server that isn't there, and then is", async () => {
  const gone = await startServer();
  await gone.kill();
  const ada = await client({ port: gone.port });
  ada.it.join();
  const { problem } = await ada.hear("cannot_connect");
  assert.match(problem, /ECONNREFUSED/);
  const back = await startServer(gone.port);
  await ada.hear("waiting");
  await ada.it.close();
  await back.kill();
});

test("a server that speaks another dialect is named as such", async () => {
  const { WebSocketServer } = await import("ws");
  const plain = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => false });
  await new Promise((resolve) => plain.once("listening", resolve));
  const ada = await client({ port: plain.address().port, WebSocket: Lenient });
  ada.it.join();
  assert.match((await ada.hear("cannot_connect")).problem, /doesn't speak vyoma\.v1/);
  await ada.it.close();
  plain.close();
});

/** `ws` refuses such servers by itself; this one asks for nothing, and so takes what it gets. */
class Lenient extends WsSocket {
  constructor(url) {
    super(url);
  }
}

test("a storage that fails is told of, and the conversation goes on", async () => {
  const storage = { load: () => null, save: () => Promise.reject(new Error("disk full")) };
  const [ada, ben] = await pair({ storage });
  assert.equal((await ada.hear("not_kept")).error.message, "disk full");
  ben.listen();
  assert.ok(await (await ada.it.send("anyway")).delivered());
  await Promise.all([ada.it.close(), ben.it.close()]);
});
