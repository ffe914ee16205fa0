// Whether somebody types: told sparingly, and believed for a while.
//
// Knows times. Must not know connections or envelopes.

/** While a person types, this is repeated (docs/protocol.md, "Fleeting"). */
const REPEAT_MS = 3_000;
/** A change is told at most so often. */
const CHANGE_MS = 1_000;
/** The partner's typing is over after this. */
const OVER_MS = 6_000;

/** The typing of both sides, on one connection. */
export class Typing {
  wanted = false;
  told = false;
  /** @type {number | null} */
  toldAt = null;
  /** When something has to be told. @type {number | null} */
  due = null;
  /** Until when the partner counts as typing. @type {number | null} */
  over = null;

  /** The own person types (again), or no longer. @param {boolean} on @param {number} now */
  set(on, now) {
    this.wanted = on;
    const since = (/** @type {number} */ wait) =>
      this.toldAt === null ? now : Math.max(now, this.toldAt + wait);
    if (on !== this.told) this.due = since(CHANGE_MS);
    else this.due = on && since(REPEAT_MS) <= now ? now : null;
  }

  /** What has to be told now; undefined if that is nothing. @param {number} now */
  tell(now) {
    if (this.due === null || this.due > now) return undefined;
    this.due = null;
    this.told = this.wanted;
    this.toldAt = now;
    return this.wanted;
  }

  /**
   * The partner types, or no longer; whether that is news.
   *
   * @param {boolean} on
   * @param {number} now
   */
  heard(on, now) {
    const before = this.over !== null;
    this.over = on ? now + OVER_MS : null;
    return before !== on;
  }
}
