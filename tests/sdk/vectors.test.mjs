// docs/vectors: what every SDK does, step by step; none is skipped.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

import {
  nothing, parseSaved, savedText, storedMessage, storedSeat,
} from "../../web/vyoma/saved.js";
import { Session } from "../../web/vyoma/session.js";
import { settings } from "../../web/vyoma/settings.js";

const folder = new URL("../../docs/vectors/", import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith(".json")).sort();
const names = new Set();

for (const file of files) {
  for (const vector of JSON.parse(readFileSync(new URL(file, folder), "utf8"))) {
    assert.ok(!names.has(vector.name), `${vector.name} comes twice`);
    names.add(vector.name);
    test(`${file}: ${vector.name}`, () => follow(vector));
  }
}

test("all vectors were found", () => assert.ok(names.size >= 130, `only ${names.size}`));

// --- Following one ------------------------------------------------------------------------------

const text = (value) => (typeof value === "string" ? value : JSON.stringify(value));
const bytes = (hex) => Uint8Array.from(Buffer.from(hex, "hex"));
const hex = (array) => Buffer.from(array).toString("hex");
const profile = (step) => (step.profile === null ? null : text(step.profile));

const rules = (step) => (step.rules === undefined ? null : text(step.rules));

const CALLS = {
  connected: (session, step) => session.connected(step.unix_ms, step.at),
  text: (session, step) => session.text(text(step.text), step.at),
  binary: (session, step) => session.binary(bytes(step.hex), step.at),
  heard: (session, step) => session.heard(step.at),
  disconnected: (session, step) => session.disconnected(step.code, step.at),
  wake: (session, step) => session.wake(step.at),
  tick: (session, step) => session.tick(step.at),
  join: (session, step) => session.join(profile(step), step.at, step.invite, rules(step)),
  invite: (session, step) => session.askInvitation(step.at),
  next: (session, step) => session.next(profile(step), step.at, rules(step)),
  leave: (session, step) => session.leave(step.at),
  block: (session, step) => session.block(step.at),
  report: (session, step) => session.report(step.reason),
  send: (session, step) => session.send(step.hex === undefined ? step.json : bytes(step.hex), step.at),
  taken: (session, step) => session.taken(step.n, step.at),
  read: (session, step) => session.read(step.n, step.at),
  typing: (session, step) => session.typing(step.on, step.at),
  signal: (session, step) => session.signal(step.json),
  close: (session, step) => session.close(step.at),
};

function follow(vector) {
  const saved = vector.saved ? parseSaved(JSON.stringify(vector.saved)) : nothing();
  if (vector.saved) assert.deepEqual(JSON.parse(savedText(saved)), vector.saved);
  const kept = structuredClone(saved);
  const given = settings({ jitter: 0.5, ...vector.settings });
  let session;
  vector.steps.forEach((step, index) => {
    const at = `step ${index} (${step.do} at ${step.at})`;
    let returned;
    if (step.do === "start") session = new Session(given, saved, step.at);
    else returned = call(session, step);
    const actions = session.actions();
    for (const action of actions) if (action.do === "save") apply(kept, action.change);
    assert.deepEqual(actions.map(told), step.expect ?? [], at);
    assert.equal(returned, step.returns, `${at}: what it returned`);
    if (step.deadline !== undefined) {
      assert.equal(session.deadline, step.deadline, `${at}: deadline`);
    }
    assert.deepEqual(session.saved, kept, `${at}: what was saved and what is known differ`);
    // What is kept can be read again, to the byte.
    assert.deepEqual(parseSaved(savedText(kept)), kept, at);
  });
}

function call(session, step) {
  assert.ok(Object.hasOwn(CALLS, step.do), `there is no ${step.do}`);
  try {
    return CALLS[step.do](session, step);
  } catch (refused) {
    if (refused.name !== "Refused") throw refused;
    return refused.reason;
  }
}

/** An action as docs/vectors/README.md writes it. */
function told(action) {
  if (action.do === "connect") return "connect";
  if (action.do === "close") return { close: action.code };
  if (action.do === "event") return { event: toldEvent(action.event) };
  if (action.do === "save") return { save: stored(action.change) };
  const { frame } = action;
  return typeof frame === "string" ? { write: JSON.parse(frame) } : { write_hex: hex(frame) };
}

function toldEvent(event) {
  // A sentence is for people: vectors don't hold it.
  const { sentence, bytes: array, ...rest } = event;
  return array ? { ...rest, hex: hex(array) } : rest;
}

function stored(change) {
  if (change.type === "sent") return { type: "sent", message: storedMessage(change.message) };
  if (change.type === "seat") return { type: "seat", seat: storedSeat(change.seat) };
  return change;
}

/** Makes a change to what is kept, as the table in docs/vectors/README.md says. */
function apply(kept, change) {
  const { type, ...what } = change;
  const { seat } = kept;
  if (type === "device" || type === "attempt") Object.assign(kept, what);
  else if (type === "seat") Object.assign(kept, { seat: structuredClone(what.seat), leaving: null });
  else if (type === "left") Object.assign(kept, { seat: null, leaving: what.conversation });
  else if (type === "free") Object.assign(kept, { seat: null, leaving: null });
  else if (!seat) return;
  else if (type === "token") Object.assign(seat, what);
  else if (type === "received") seat.received = what.n;
  else if (type === "partner") Object.assign(seat, { partner_stream: what.stream, received: 0 });
  else if (type === "acked") seat.outbox = seat.outbox.filter(({ n }) => n > what.n);
  else if (type === "sent") {
    seat.outbox.push(what.message);
    seat.next = what.message.n + 1;
  } else throw new Error(`there is no change ${type}`);
}
