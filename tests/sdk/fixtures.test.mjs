// docs/fixtures: what the SDK reads, and what it would write, is judged as the server judges it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import {
  isReason, numberOf, parseBinary, parseServer, profile, writeBinary, writeMessage, writeSignal,
} from "../../web/vyoma/envelopes.js";

const fixtures = (name) =>
  JSON.parse(readFileSync(new URL(`../../docs/fixtures/${name}.json`, import.meta.url), "utf8"));

/** The reason for which something is refused; null if it isn't. */
function verdict(make) {
  try {
    make();
    return null;
  } catch (fault) {
    if (fault.name !== "Fault") throw fault;
    return fault;
  }
}

for (const { name, text, type, error, field } of fixtures("server")) {
  test(`the server's: ${name}`, () => {
    const fault = verdict(() => assert.equal(parseServer(text).type, type));
    assert.equal(fault?.reason, error);
    assert.equal(fault?.field, field);
  });
}

for (const { name, hex, n, payload, error } of fixtures("binary")) {
  test(`binary: ${name}`, () => {
    const message = Uint8Array.from(Buffer.from(hex, "hex"));
    const fault = verdict(() => {
      const read = parseBinary(message);
      assert.deepEqual([read.n, Buffer.from(read.payload).toString("hex")], [n, payload]);
      assert.deepEqual(writeBinary(n, read.payload), message);
    });
    assert.equal(fault?.reason, error);
  });
}

// What an application hands over, taken out of the client's fixtures.
const HANDED_OVER = {
  message: { start: '{"type":"message","n":1,"payload":', judge: (json) => writeMessage(1, json) },
  signal: { start: '{"type":"signal","payload":', judge: writeSignal },
  join: { start: '{"type":"join","profile":', judge: profile },
  next: { start: '{"type":"next","profile":', judge: profile },
};

const judged = new Map();
for (const { name, text, error } of fixtures("client")) {
  for (const [type, { start, judge }] of Object.entries(HANDED_OVER)) {
    if (!text.startsWith(start) || !text.endsWith("}")) continue;
    const json = text.slice(start.length, -1);
    // Only what is wrong inside the value: other fields aren't the application's.
    if (error === "unknown_key" && !name.startsWith("a profile")) continue;
    judged.set(type, (judged.get(type) ?? 0) + 1);
    test(`handed over for ${type}: ${name}`, () => {
      const fault = verdict(() => judge(json));
      assert.equal(fault !== null, error !== undefined, `${fault}`);
    });
  }
}

test("there was something to judge of each type", () => {
  for (const type of Object.keys(HANDED_OVER)) assert.ok(judged.get(type) >= 1, type);
  assert.ok([...judged.values()].reduce((sum, count) => sum + count) >= 30);
});

test("reasons of reports", () => {
  const reports = fixtures("client").filter(({ text }) => text.startsWith('{"type":"report"'));
  let count = 0;
  for (const { text, error, field } of reports) {
    const reason = JSON.parse(text).reason;
    if (typeof reason !== "string" || (error !== undefined && field !== "reason")) continue;
    assert.equal(isReason(reason), error === undefined, text);
    count += 1;
  }
  assert.ok(count >= 3);
});

test("a stored message tells its number, and nothing else does", () => {
  assert.equal(numberOf('{ "x_a" : 1, "payload" : [] , "n" : 7, "type" : "message" }'), 7);
  assert.equal(numberOf('{"type":"message","n":7}'), undefined);
  assert.equal(numberOf('{"type":"signal","n":7,"payload":1}'), undefined);
  assert.equal(numberOf('{"type":"message","n":0,"payload":1}'), undefined);
});
