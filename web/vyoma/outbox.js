// The own messages that the partner's application isn't known to have.
//
// Knows numbers, weights, and how far each stage has come. Must not know connections or envelopes.

import { MAX_NUMBER } from "./json.js";

/** What each message costs beside its bytes (docs/protocol.md, "Credit"). */
const MESSAGE_WEIGHT = 16;

/**
 * A message in the outbox: its number, what is written (its number included), and the length of that
 * in bytes.
 *
 * @typedef {{n: number, frame: string | Uint8Array, length: number}} Kept
 */

/** @param {number} length in bytes of WebSocket payload */
export function weight(length) {
  return length + MESSAGE_WEIGHT;
}

/** The outbox of one conversation. */
export class Outbox {
  /** By rising numbers, the last of which is `next` - 1. @type {Kept[]} */
  kept;
  /** The weight of all. */
  weight = 0;
  /** The weight of what is below `toWrite`. */
  inFlight = 0;
  read = 0;
  /** What the server has reported as undelivered. @type {[number, number] | null} */
  reportedRange = null;
  /** A message was refused, and the application waits for room. */
  refused = false;

  /**
   * @param {number} next the number that is assigned next
   * @param {Kept[]} kept
   */
  constructor(next, kept) {
    this.kept = [...kept];
    this.next = next;
    for (const { length } of kept) this.weight += weight(length);
    /** The number to write next on this connection; the ones below it weigh on the credit. */
    this.toWrite = this.first;
    /** The highest number that was ever written, and whether the application has been told. */
    this.written = this.first - 1;
    this.accepted = this.first - 1;
    this.delivered = this.first - 1;
  }

  /** The lowest number in it, or `next`. */
  get first() {
    return this.next - this.kept.length;
  }

  /** Whether no other number can be assigned: `next` itself has to be a number that can be told. */
  get exhausted() {
    return this.next >= MAX_NUMBER;
  }

  /**
   * Whether a message of this length fits; if not, `regained` will tell.
   *
   * @param {number} length
   * @param {import("./settings.js").Settings} settings
   */
  fits(length, { outbox_bytes, outbox_count }) {
    const room =
      this.kept.length < outbox_count && this.weight + weight(length) <= outbox_bytes;
    this.refused = !room && this.kept.length > 0;
    return !this.refused;
  }

  /**
   * Whether, after a refusal, half of it is free; true once.
   *
   * @param {import("./settings.js").Settings} settings
   */
  regained({ outbox_bytes, outbox_count }) {
    const free =
      this.kept.length <= Math.floor(outbox_count / 2) &&
      this.weight <= Math.floor(outbox_bytes / 2);
    const regained = free && this.refused;
    if (regained) this.refused = false;
    return regained;
  }

  /** Takes a message with the number `next`. @param {Kept} kept */
  push(kept) {
    this.weight += weight(kept.length);
    this.next = kept.n + 1;
    this.kept.push(kept);
  }

  /**
   * The message to write next, if the credit and the server's `longest` allow.
   *
   * @param {number} credit
   * @param {number} longest
   */
  write(credit, longest) {
    const kept = this.kept[this.toWrite - this.first];
    if (!kept) return undefined;
    const heavy = this.inFlight + weight(kept.length) > credit;
    if (heavy || kept.length > longest) return undefined;
    this.inFlight += weight(kept.length);
    this.toWrite = kept.n + 1;
    return kept;
  }

  /** The highest number written, if that has risen since the last call. */
  newlyWritten() {
    const last = this.toWrite - 1;
    if (last <= this.written) return undefined;
    this.written = last;
    return last;
  }

  /**
   * On a new connection the server expects this number next; what is below weighs on the credit.
   *
   * @param {number} expected
   */
  resume(expected) {
    this.toWrite = Math.max(expected, this.first);
    this.inFlight = 0;
    for (const kept of this.kept) {
      if (kept.n >= this.toWrite) break;
      this.inFlight += weight(kept.length);
    }
  }

  /**
   * Drops everything up to `n`, which is below `next`; whether that changed anything.
   *
   * @param {number} n
   */
  acked(n) {
    const { first } = this;
    const dropped = this.kept.splice(0, Math.max(0, n - first + 1));
    for (const kept of dropped) {
      this.weight -= weight(kept.length);
      if (kept.n < this.toWrite) this.inFlight -= weight(kept.length);
    }
    this.toWrite = Math.max(this.toWrite, this.first);
    return dropped.length > 0;
  }

  /**
   * The server said that these are undelivered; they aren't reported again.
   *
   * @param {number} from
   * @param {number} to
   */
  reported(from, to) {
    this.reportedRange = [from, to];
  }

  /**
   * What is left above `n` and wasn't reported by the server: up to two ranges.
   *
   * @param {number} n
   */
  unconfirmed(n) {
    const [from, to] = this.reportedRange ?? [1, 0];
    /** @type {[number, number][]} */
    const ranges = [];
    for (const { n: own } of this.kept) {
      if (own <= n || (own >= from && own <= to)) continue;
      const last = ranges.at(-1);
      if (last && last[1] + 1 === own) last[1] = own;
      else ranges.push([own, own]);
    }
    return ranges;
  }
}
