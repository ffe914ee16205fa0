// How far the own messages have come. Receipts are cumulative, so a few numbers say it for all of them.
//
// Knows numbers. Must not know how that looks.

/** @typedef {"sending" | "sent" | "delivered" | "read" | "undelivered"} Mark */

/**
 * Up to which number the own messages have come how far, and which will never be confirmed.
 *
 * @typedef {object} Watermarks
 * @property {number} accepted
 * @property {number} delivered
 * @property {number} read
 * @property {[number, number][]} undelivered
 */

/** More ranges than that are only told of a server gone mad. */
const MOST_RANGES = 64;

/** @returns {Watermarks} */
export function noMarks() {
  return { accepted: 0, delivered: 0, read: 0, undelivered: [] };
}

/** @param {Watermarks} marks @param {number | null} n null: it has no number yet @returns {Mark} */
export function markOf(marks, n) {
  if (n === null) return "sending";
  if (n <= marks.read) return "read";
  if (n <= marks.delivered) return "delivered";
  if (marks.undelivered.some(([from, to]) => n >= from && n <= to)) return "undelivered";
  return n <= marks.accepted ? "sent" : "sending";
}

/**
 * Notes that messages up to `n` have come so far, which implies the stages before.
 *
 * @param {Watermarks} marks
 * @param {"accepted" | "delivered" | "read"} stage
 * @param {number} n
 */
export function raise(marks, stage, n) {
  marks[stage] = Math.max(marks[stage], n);
  if (stage === "read") raise(marks, "delivered", n);
  if (stage === "delivered") raise(marks, "accepted", n);
}

/** @param {Watermarks} marks @param {number} from @param {number} to */
export function lose(marks, from, to) {
  if (marks.undelivered.length < MOST_RANGES) marks.undelivered.push([from, to]);
}
