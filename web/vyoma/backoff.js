// When to connect again.
//
// Knows failures and waits. Must not know connections, or what they are for.

/** A connection that held so long has earned a quick retry. */
const STABLE_MS = 10_000;
/** The longest that a server's `retry_after_ms` is believed ... */
const MOST_TOLD_MS = 3_600_000;
/** ... and the shortest, so that "at once" makes no hot loop. */
const LEAST_RETRY_MS = 100;

/**
 * Why a connection is no more: it broke, or was closed; one end broke the protocol, so that the next
 * might go the same way; or the server has had enough of what we send (4429).
 *
 * @typedef {"lost" | "trouble" | "fault"} Cause
 */

/** Counts failures, and draws the waits. */
export class Backoff {
  failures = 0;
  /** When the last try began. @type {number | null} */
  tried = null;
  /** The server's word: not before this. */
  notBefore = -Infinity;
  /** Since when the place is held on the present connection. @type {number | null} */
  since = null;
  /** Messages went through on it. */
  progressed = false;

  /** @param {number} now */
  trying(now) {
    this.tried = now;
    this.since = null;
    this.progressed = false;
  }

  /** The place is held on the new connection. @param {number} now */
  held(now) {
    this.since ??= now;
  }

  /**
   * The server wants nothing before so many milliseconds.
   *
   * @param {number} ms
   * @param {number} now
   */
  told(ms, now) {
    this.notBefore = later(ms, now);
  }

  /**
   * The connection is no more: when to try again. A connection that served its purpose ends the
   * series of failures; one that only came up doesn't, or we would run in circles.
   *
   * @param {Cause} cause
   * @param {number} graceMs
   * @param {import("./settings.js").Settings} settings
   * @param {number} now
   */
  lost(cause, graceMs, settings, now) {
    const held = this.since !== null;
    const stable = this.since !== null && now - this.since >= STABLE_MS;
    if (stable || (held && this.progressed && cause === "lost")) this.failures = 0;
    const most = Math.min(settings.backoff_most_ms, Math.floor(graceMs / 4));
    const ceiling = Math.min(settings.backoff_first_ms * 2 ** this.failures, most);
    const wait = cause === "fault" ? most : ceiling * (settings.jitter ?? Math.random());
    this.failures = Math.min(this.failures + 1, 16);
    // A tenth of the first ceiling at least, so that the worst luck is no hot loop.
    return this.allowed(now + Math.max(wait, settings.backoff_first_ms / 10));
  }

  /**
   * The same for a connection that the server asked to replace: at once, if it served for a while.
   *
   * @param {number} graceMs
   * @param {import("./settings.js").Settings} settings
   * @param {number} now
   */
  replaced(graceMs, settings, now) {
    const wait = this.lost("lost", graceMs, settings, now);
    return this.failures === 1 ? this.hurried(settings, now) : wait;
  }

  /**
   * The earliest that a person's impatience may have: the first wait counts from the last try.
   *
   * @param {import("./settings.js").Settings} settings
   * @param {number} now
   */
  hurried(settings, now) {
    const calm = this.tried === null ? now : this.tried + settings.backoff_first_ms;
    return this.allowed(Math.max(calm, now));
  }

  /** @param {number} at */
  allowed(at) {
    return Math.max(at, this.notBefore);
  }
}

/**
 * So many milliseconds from now, as far as a server is believed.
 *
 * @param {number} ms
 * @param {number} now
 */
export function later(ms, now) {
  return now + Math.min(ms, MOST_TOLD_MS);
}

/** The same for what is to be tried again. @param {number} ms @param {number} now */
export function retry(ms, now) {
  return Math.max(later(ms, now), now + LEAST_RETRY_MS);
}
