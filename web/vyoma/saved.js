// What a client keeps so that it can resume, and its text (docs/vectors/README.md, "What is saved").
//
// Knows what is kept and when such a text can't be true. Must not know where it is kept.

import { numberOf, parseBinary } from "./envelopes.js";
import { MAX_NUMBER, byteLength } from "./json.js";

/** The version of the format. */
const VERSION = 1;

const CONVERSATION = /^[0-9a-f]{32}$/;
const STREAM = /^[0-9a-f]{16}$/;
const OPAQUE = /^[A-Za-z0-9_-]{1,256}$/;

/** @typedef {import("./outbox.js").Kept} Kept */

/**
 * A seat in a conversation. The token makes it a secret.
 *
 * @typedef {object} Seat
 * @property {string} conversation
 * @property {"a" | "b"} side
 * @property {string | null} partner its profile as JSON
 * @property {boolean} reliable whether the partner speaks `vyoma.v1`
 * @property {number} grace_ms how long the server keeps the seat without a connection
 * @property {string} token
 * @property {number} epoch the token's
 * @property {string} stream the own numbering
 * @property {string | null} partner_stream the partner's, if it is known
 * @property {number} next the number that is assigned next
 * @property {number} received the last number of the partner that the application took
 * @property {boolean} fresh all but the token was lost, and the server hasn't been told
 * @property {Kept[]} outbox what isn't acknowledged, by rising numbers; the last is `next` - 1
 */

/**
 * All that a client keeps.
 *
 * @typedef {object} Saved
 * @property {string | null} device the name of this installation, kept for good
 * @property {number} attempt the last that was used, 0 if none
 * @property {string | null} leaving the conversation that was left, if the server may not know
 * @property {Seat | null} seat
 */

/**
 * A change to what is kept: docs/vectors/README.md lists the types.
 *
 * @typedef {{type: "device", device: string}
 *   | {type: "attempt", attempt: number}
 *   | {type: "seat", seat: Seat}
 *   | {type: "token", token: string, epoch: number}
 *   | {type: "sent", message: Kept}
 *   | {type: "acked", n: number}
 *   | {type: "partner", stream: string}
 *   | {type: "received", n: number}
 *   | {type: "left", conversation: string}
 *   | {type: "free"}} Change
 */

/** What was saved can't be used. */
export class BadSaved extends Error {
  /** @param {string} why */
  constructor(why) {
    super(`what was saved can't be used: ${why}`);
    this.name = "BadSaved";
  }
}

/** What a new installation has. @returns {Saved} */
export function nothing() {
  return { device: null, attempt: 0, leaving: null, seat: null };
}

/** As JSON, in one line. @param {Saved} saved */
export function savedText({ device, attempt, leaving, seat }) {
  const stored = seat && storedSeat(seat);
  return JSON.stringify({ version: VERSION, device, attempt, leaving, seat: stored });
}

/** @param {Seat} seat */
export function storedSeat(seat) {
  return { ...seat, outbox: seat.outbox.map(storedMessage) };
}

/** @param {Kept} kept */
export function storedMessage({ n, frame }) {
  return typeof frame === "string" ? { n, text: frame } : { n, binary: toBase64(frame) };
}

/**
 * Reads what `savedText` wrote.
 *
 * @param {string} text
 * @returns {Saved}
 * @throws {BadSaved} if it is of another version, damaged, or can't be true
 */
export function parseSaved(text) {
  const stored = fromJson(text);
  if (stored.version !== VERSION) throw new BadSaved(`it has version ${stored.version}`);
  only(stored, ["version", "device", "attempt", "leaving", "seat"]);
  const saved = {
    device: orNull(stored.device, (device) => matching(device, OPAQUE, "device")),
    attempt: count(stored.attempt, "attempt"),
    leaving: orNull(stored.leaving, (id) => matching(id, CONVERSATION, "leaving")),
    seat: orNull(stored.seat, parseSeat),
  };
  if (saved.seat && saved.leaving) throw new BadSaved("it has a seat, and is leaving");
  if (saved.seat && !saved.device) throw new BadSaved("it has a seat, but no device");
  return saved;
}

/** @param {any} stored @returns {Seat} */
function parseSeat(stored) {
  only(stored, [
    "conversation", "side", "partner", "reliable", "grace_ms", "token", "epoch", "stream",
    "partner_stream", "next", "received", "fresh", "outbox",
  ]);
  if (!Array.isArray(stored.outbox)) throw new BadSaved("outbox");
  /** @type {Kept[]} */
  const outbox = stored.outbox.map(parseMessage);
  const next = number(stored.next, "next");
  const first = next - outbox.length;
  if (first < 1 || outbox.some((kept, index) => kept.n !== first + index)) {
    throw new BadSaved("its outbox doesn't end right below next");
  }
  const { side, partner, reliable, fresh } = stored;
  if (side !== "a" && side !== "b") throw new BadSaved("side");
  if (typeof partner !== "string" && partner !== null) throw new BadSaved("partner");
  if (typeof reliable !== "boolean" || typeof fresh !== "boolean") {
    throw new BadSaved("reliable, or fresh");
  }
  return {
    conversation: matching(stored.conversation, CONVERSATION, "conversation"),
    side,
    partner,
    reliable,
    grace_ms: count(stored.grace_ms, "grace_ms"),
    token: matching(stored.token, OPAQUE, "token"),
    epoch: count(stored.epoch, "epoch"),
    stream: matching(stored.stream, STREAM, "stream"),
    partner_stream: orNull(stored.partner_stream, (id) => matching(id, STREAM, "partner_stream")),
    next,
    received: count(stored.received, "received"),
    fresh,
    outbox,
  };
}

/** @param {any} stored @returns {Kept} */
function parseMessage(stored) {
  const { n, text, binary } = stored ?? {};
  try {
    const frame = typeof text === "string" ? text : fromBase64(binary);
    const written = typeof frame === "string" ? numberOf(frame) : parseBinary(frame).n;
    if (written === n && Object.keys(stored).length === 2) {
      return { n, frame, length: typeof frame === "string" ? byteLength(frame) : frame.length };
    }
  } catch {
    // Falls through: it is neither an envelope nor a binary message.
  }
  throw new BadSaved(`message ${n} is not what it says`);
}

/**
 * For a client that finds its token, but not the rest (docs/protocol.md, rule 11): the session will
 * begin anew under `stream`, which has to be random, and the partner hears of a gap. Store the
 * result, so that each attempt names the same stream.
 *
 * @param {Saved} saved
 * @param {string} stream 16 hex digits
 * @returns {Saved}
 */
export function loseState(saved, stream) {
  const lost = { next: 1, received: 0, stream, partner_stream: null, fresh: true, outbox: [] };
  return { ...saved, seat: saved.seat && { ...saved.seat, ...lost } };
}

/** @param {string} text */
function fromJson(text) {
  let stored;
  try {
    stored = JSON.parse(text);
  } catch {
    throw new BadSaved("it is no JSON");
  }
  if (typeof stored !== "object" || stored === null) throw new BadSaved("it is no object");
  return stored;
}

/** @type {(stored: object, keys: string[]) => void} */
function only(stored, keys) {
  const found = Object.keys(stored ?? {});
  const odd = found.find((key) => !keys.includes(key)) ?? keys.find((key) => !found.includes(key));
  if (odd) throw new BadSaved(odd);
}

/** @type {<T>(value: any, parse: (value: any) => T) => T | null} */
function orNull(value, parse) {
  return value === null ? null : parse(value);
}

/** @type {(value: any, pattern: RegExp, what: string) => string} */
function matching(value, pattern, what) {
  if (typeof value === "string" && pattern.test(value)) return value;
  throw new BadSaved(what);
}

/** @type {(value: any, what: string) => number} */
function count(value, what) {
  if (Number.isInteger(value) && value >= 0 && value <= MAX_NUMBER) return value;
  throw new BadSaved(what);
}

/** @type {(value: any, what: string) => number} */
function number(value, what) {
  if (value === 0) throw new BadSaved(what);
  return count(value, what);
}

/** @param {Uint8Array} bytes */
function toBase64(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** @param {string} base64 */
function fromBase64(base64) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  if (toBase64(bytes) !== base64) throw new BadSaved("base64");
  return bytes;
}
