// The envelopes of `vyoma.v1` (docs/protocol.md): what the server sends, read; what a client sends,
// written.
//
// Knows the form of each. Must not know what follows from one.

import { Fault, MAX_NUMBER, byteLength, compact, read } from "./json.js";

const MAX_KEYS = 24;
/** The longest `signal` envelope, in bytes. */
const MAX_SIGNAL = 16 * 1024;
/** The bytes of a number before a binary message. */
const HEADER = 8;

/**
 * A codec reads the text of a value; undefined, it is none of its kind.
 *
 * @typedef {(text: string) => unknown} Codec
 */

/** @type {(pattern: RegExp) => Codec} */
const word = (pattern) => (text) => {
  const inside = text.slice(1, -1);
  return text.startsWith('"') && pattern.test(inside) ? inside : undefined;
};
/** @type {Codec} */
const count = (text) =>
  /^\d+$/.test(text) && Number(text) <= MAX_NUMBER ? Number(text) : undefined;
/** @type {Codec} */
const number = (text) => count(text) || undefined;
/** @type {Codec} */
const flag = (text) => ({ true: true, false: false })[text];
/** @type {Codec} */
const json = (text) => text;
/** @type {Codec} */
const names = (text) => {
  const list = JSON.parse(text);
  const sound = (/** @type {unknown} */ item) => typeof item === "string" && NAME.test(item);
  return Array.isArray(list) && list.every(sound) ? list : undefined;
};
const NAME = /^[a-z0-9_]{1,32}$/;
const name = word(NAME);
const conversation = word(/^[0-9a-f]{32}$/);
const stream = word(/^[0-9a-f]{16}$/);
const opaque = word(/^[A-Za-z0-9_-]{1,256}$/);
const spoken = word(/^[A-Za-z .-]{1,64}$/);
const path = word(/^[a-z_.]{1,64}$/);
/** @type {Codec} */
const text = (value) => boundedText(value, 1, 500);
/** @type {Codec} */
const person = (value) => {
  profileFault(value);
  return compact(value);
};
/** @type {(...words: string[]) => Codec} */
const oneOf = (...words) => word(new RegExp(`^(?:${words.join("|")})$`));

/** @type {(codec: Codec) => Codec & {optional?: boolean}} */
const maybe = (codec) => Object.assign((/** @type {string} */ t) => codec(t), { optional: true });
/** @type {(codec: Codec) => Codec} */
const orNull = (codec) => (value) => (value === "null" ? null : codec(value));

/** @type {Record<string, Record<string, Codec & {optional?: boolean}>>} */
const SERVER = {
  hello: {
    version: number, max_message: count, credit: count, heartbeat_ms: count, grace_ms: count,
    device: opaque, features: names,
  },
  waiting: {
    pool: name, ahead: count, widened: maybe(count),
    estimate_from_ms: maybe(count), estimate_to_ms: maybe(count),
  },
  matched: {
    conversation, side: oneOf("a", "b"), stream, partner_stream: stream, partner: orNull(person),
    reliable: flag, why: names, common: maybe(person), token: opaque, epoch: number, grace_ms: count,
  },
  message: { n: number, payload: json },
  signal: { payload: json },
  accepted: { conversation, stream, n: count, level: oneOf("memory") },
  ack: { conversation, stream, n: count },
  read: { conversation, stream, n: count },
  typing: { on: flag },
  partner: { conversation, state: oneOf("away", "back"), stream: orNull(stream) },
  resumed: {
    conversation, stream, partner_stream: orNull(stream), received: count, read: count,
    expected: number, reliable: flag, grace_ms: count,
  },
  gap: { conversation, stream, from: number, to: orNull(number) },
  undelivered: { conversation, stream, from: number, to: number },
  ended: {
    conversation: orNull(conversation),
    reason: oneOf(
      "left", "partner_left", "partner_gone", "over", "state_conflict", "server_shutdown",
    ),
    stream: orNull(stream), last: orNull(count),
  },
  token: { token: opaque, epoch: number },
  invitation: { code: spoken, expires_ms: count },
  done: { about: oneOf("block", "report"), conversation },
  error: {
    code: number, name, sentence: text, about: maybe(name), field: maybe(path), n: maybe(number),
    conversation: maybe(conversation), retry_after_ms: maybe(count),
  },
  pong: { id: maybe(count) },
  goaway: { delay_ms: count },
};

/**
 * Reads what a server sent. Keys that the type doesn't have are passed over: later versions may add
 * some.
 *
 * @param {string} envelope
 * @returns {Record<string, any> & {type: string}} the fields, each as its kind: numbers, strings,
 *   booleans, lists of names; a payload or a profile as JSON text
 * @throws {Fault} of reason `unknown_type`, it is to be passed over, too
 */
export function parseServer(envelope) {
  const { members } = read(envelope);
  if (!members) throw new Fault("bad_json");
  const found = fieldsOf(members);
  const type = word(/^[^\\]*$/)(found.get("type") ?? "");
  if (typeof type !== "string") throw new Fault("no_type", "type");
  if (!Object.hasOwn(SERVER, type)) throw new Fault("unknown_type", "type");
  /** @type {Record<string, any> & {type: string}} */
  const read_ = { type };
  for (const [key, codec] of Object.entries(SERVER[type])) {
    const written = found.get(key);
    if (written === undefined) {
      if (codec.optional) continue;
      throw new Fault("missing_field", key);
    }
    read_[key] = codec(written);
    if (read_[key] === undefined) throw new Fault("bad_field", key);
  }
  return read_;
}

/** @param {[string, string][]} members */
function fieldsOf(members) {
  const fields = new Map();
  for (const [key, value] of members) {
    if (!/^[a-z_]{1,32}$/.test(key)) throw new Fault("bad_key");
    if (fields.has(key)) throw new Fault("repeated_key", key);
    if (fields.size === MAX_KEYS) throw new Fault("too_many_keys");
    fields.set(key, value);
  }
  return fields;
}

/**
 * Reads a binary message.
 *
 * @param {Uint8Array} message
 * @returns {{n: number, payload: Uint8Array}} the payload is a view
 * @throws {Fault} `bad_binary`
 */
export function parseBinary(message) {
  if (message.length < HEADER) throw new Fault("bad_binary");
  const view = new DataView(message.buffer, message.byteOffset, HEADER);
  const n = view.getUint32(0) * 2 ** 32 + view.getUint32(4);
  if (n < 1 || n > MAX_NUMBER) throw new Fault("bad_binary");
  return { n, payload: message.subarray(HEADER) };
}

/**
 * Writes a binary message.
 *
 * @param {number} n
 * @param {Uint8Array} payload
 */
export function writeBinary(n, payload) {
  const message = new Uint8Array(HEADER + payload.length);
  const view = new DataView(message.buffer);
  view.setUint32(0, Math.floor(n / 2 ** 32));
  view.setUint32(4, n % 2 ** 32);
  message.set(payload, HEADER);
  return message;
}

/**
 * Writes an envelope without white space; its fields in the order of docs/protocol.md.
 *
 * @param {string} type
 * @param {Record<string, unknown>} [fields] what is undefined is left out
 */
export function write(type, fields = {}) {
  return JSON.stringify({ type, ...fields });
}

/**
 * Writes `join` or `next`.
 *
 * @param {"join" | "next"} type
 * @param {string | null} profile as JSON
 * @param {Record<string, unknown>} [before] the fields before it
 * @param {Record<string, unknown>} [after] the fields behind it
 */
export function writeWithProfile(type, profile, before = {}, after = {}) {
  const person = profile === null ? "" : `,"profile":${profile}`;
  return `${write(type, before).slice(0, -1)}${person}${tail(after)}`;
}

/** @param {Record<string, unknown>} fields */
function tail(fields) {
  const inside = JSON.stringify(fields).slice(1);
  return inside === "}" ? inside : `,${inside}`;
}

/**
 * Writes a numbered message.
 *
 * @param {number} n
 * @param {string} payload JSON
 * @throws {Fault} if that isn't JSON as the server takes it
 */
export function writeMessage(n, payload) {
  read(payload, 1);
  return `{"type":"message","n":${n},"payload":${payload}}`;
}

/**
 * Writes a `signal`.
 *
 * @param {string} payload JSON
 * @throws {Fault} if the server wouldn't take it
 */
export function writeSignal(payload) {
  read(payload, 1);
  const envelope = `{"type":"signal","payload":${payload}}`;
  if (byteLength(envelope) > MAX_SIGNAL) throw new Fault("bad_field", "payload");
  return envelope;
}

/**
 * The number in a numbered text message of one's own; undefined if it isn't one.
 *
 * @param {string} envelope
 */
export function numberOf(envelope) {
  const { members } = read(envelope);
  const fields = fieldsOf(members ?? []);
  const sound = fields.get("type") === '"message"' && fields.has("payload");
  return sound ? number(fields.get("n") ?? "") : undefined;
}

/** Whether this can be an invitation's code. @param {unknown} code */
export function isCode(code) {
  return typeof code === "string" && spoken(JSON.stringify(code)) !== undefined;
}

/** Whether these words may be the reason of a report. @param {string} reason */
export function isReason(reason) {
  return boundedText(JSON.stringify(reason), 1, 500) !== undefined;
}

/**
 * A profile without white space.
 *
 * @param {string} written JSON
 * @returns {string}
 * @throws {Fault} if it is malformed or out of bounds
 */
export function profile(written) {
  read(written);
  return /** @type {string} */ (person(written.trim()));
}

/**
 * What a partner has to be like.
 *
 * @typedef {{languages?: string[]}} Rules
 */

/**
 * Rules from their JSON.
 *
 * @param {string} written
 * @returns {Rules}
 * @throws {Fault} if it is malformed or out of bounds
 */
export function rules(written) {
  read(written);
  partsFault(written.trim(), "rules", { languages: PROFILE.languages });
  return JSON.parse(written);
}

/** The most strings (0: it is no list), the fewest and the most bytes of each. */
/** @type {Record<string, [number, number, number]>} */
const PROFILE = {
  name: [0, 1, 64],
  headline: [0, 1, 200],
  offers: [16, 1, 64],
  seeks: [16, 1, 64],
  topics: [16, 1, 64],
  languages: [8, 2, 16],
};

/** @param {string} written */
function profileFault(written) {
  partsFault(written, "profile", PROFILE);
}

/** @param {string} written @param {string} field @param {Record<string, [number, number, number]>} parts */
function partsFault(written, field, parts) {
  const { members } = read(written);
  if (!members) throw new Fault("bad_field", field);
  const seen = new Set();
  for (const [key, value] of members) {
    if (!Object.hasOwn(parts, key)) throw new Fault("unknown_key", field);
    if (seen.has(key)) throw new Fault("repeated_key", `${field}.${key}`);
    seen.add(key);
    const [most, shortest, longest] = parts[key];
    const parsed = JSON.parse(value);
    const texts = most === 0 ? [parsed] : parsed;
    const fits = Array.isArray(texts) && texts.length <= (most || 1);
    const sound = fits && texts.every((item) => isBounded(item, shortest, longest));
    if (!sound) throw new Fault("bad_field", `${field}.${key}`);
  }
}

/** @type {(value: string, shortest: number, longest: number) => string | undefined} */
function boundedText(value, shortest, longest) {
  const parsed = JSON.parse(value);
  return isBounded(parsed, shortest, longest) ? parsed : undefined;
}

/** @type {(value: unknown, shortest: number, longest: number) => boolean} */
function isBounded(value, shortest, longest) {
  if (typeof value !== "string" || /\p{Surrogate}/u.test(value)) return false;
  const length = byteLength(value);
  return length >= shortest && length <= longest;
}
