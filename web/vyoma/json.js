// JSON as strict as the server takes it (docs/protocol.md, "Strict input").
//
// Knows syntax. Must not know envelopes.

/** The largest integer on the wire: 2^53 - 1. */
export const MAX_NUMBER = Number.MAX_SAFE_INTEGER;

/** The deepest nesting of objects and arrays, the outermost included. */
const MAX_DEPTH = 64;

// In a pattern with the u flag this is half a pair only (a whole pair is one character).
const LONE_SURROGATE = /\p{Surrogate}/u;
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const MINUS = 0x2d;
const COLON = 0x3a;
const OPEN = [0x7b, 0x5b];
const CLOSE = [0x7d, 0x5d];

/** Why a text was refused; `reason` is a name in docs/protocol.md's table of reasons. */
export class Fault extends Error {
  /**
   * @param {string} reason
   * @param {string} [field]
   */
  constructor(reason, field) {
    super(field ? `${reason}: ${field}` : reason);
    this.name = "Fault";
    this.reason = reason;
    this.field = field;
  }
}

/**
 * Reads JSON that lies inside `outside` objects and arrays.
 *
 * @param {string} text
 * @param {number} [outside]
 * @returns {{value: unknown, members: [string, string][] | null}} the value, and, if that is an
 *   object, its keys (as written, without quotes) and the texts of their values, in order
 * @throws {Fault} `bad_json`, `too_deep`, `huge_number`, `lone_surrogate`
 */
export function read(text, outside = 0) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Fault("bad_json");
  }
  if (LONE_SURROGATE.test(text)) throw new Fault("lone_surrogate");
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  const members = walk(text, MAX_DEPTH - outside);
  return { value, members: isObject ? members : null };
}

/**
 * Checks what JSON.parse lets pass, and finds the members of the outermost object.
 *
 * @param {string} text of which is known that it is JSON
 * @param {number} deepest
 */
function walk(text, deepest) {
  /** @type {[string, string][]} */
  const members = [];
  let depth = 0;
  let key = "";
  let start = -1;
  const member = (/** @type {number} */ end) => {
    if (depth === 1 && start >= 0) members.push([key, text.slice(start, end).trim()]);
  };
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const end = endOfString(text, at);
      if (depth === 1 && start < 0) key = text.slice(at + 1, end);
      at = end;
    } else if (code === MINUS || (code >= 0x30 && code <= 0x39)) {
      NUMBER.lastIndex = at;
      const [digits] = /** @type {RegExpExecArray} */ (NUMBER.exec(text));
      if (!Number.isFinite(Number(digits))) throw new Fault("huge_number");
      at += digits.length - 1;
    } else if (OPEN.includes(code)) {
      depth += 1;
      if (depth > deepest) throw new Fault("too_deep");
    } else if (CLOSE.includes(code)) {
      member(at);
      depth -= 1;
    } else if (code === COLON && depth === 1) {
      start = at + 1;
    } else if (code === COMMA && depth === 1) {
      member(at);
      start = -1;
    }
  }
  return members;
}

/**
 * Where the string that begins at `at` has its closing quote.
 *
 * @param {string} text
 * @param {number} at
 */
function endOfString(text, at) {
  let escaped = false;
  for (let end = at + 1; ; end += 1) {
    const code = text.charCodeAt(end);
    if (code === BACKSLASH) {
      escaped = true;
      end += 1;
    } else if (code === QUOTE) {
      if (escaped && LONE_SURROGATE.test(JSON.parse(text.slice(at, end + 1)))) {
        throw new Fault("lone_surrogate");
      }
      return end;
    }
  }
}

/**
 * JSON without the white space between its parts; strings as they were written.
 *
 * @param {string} text of which is known that it is JSON
 */
export function compact(text) {
  return text.replace(/("(?:[^"\\]+|\\.)*")|[ \t\n\r]+/g, "$1");
}

/**
 * The length of a text as UTF-8, in bytes.
 *
 * @param {string} text without half pairs of surrogates
 */
export function byteLength(text) {
  let length = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    // Each half of a pair has two of the pair's four bytes.
    if (code >= 0x80) length += code < 0x800 || (code >= 0xd800 && code < 0xe000) ? 1 : 2;
  }
  return length;
}
