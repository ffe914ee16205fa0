// Whether the other end of a connection is there: when to ask, and when to give up.
//
// Knows times. Must not know what is written to ask, or what is done about a dead connection.

/**
 * A tick this late means that the machine slept or the timers were throttled: what came meanwhile may
 * not have been reported yet.
 */
const LATE_MS = 2_000;

/** @typedef {import("./settings.js").Settings} Settings */

/** One connection's signs of life. */
export class Pulse {
  /** By when an answer has to come. @type {number | null} */
  due = null;
  /** The answer was already awaited anew after a late tick. */
  spared = false;

  /** @param {number} now when something was heard last */
  constructor(now) {
    this.heardAt = now;
  }

  /** @param {number} now */
  heard(now) {
    this.heardAt = now;
    this.due = null;
    this.spared = false;
  }

  /** @param {Settings} settings */
  deadline(settings) {
    return this.due ?? this.heardAt + settings.heartbeat_ms;
  }

  /**
   * What the time says: nothing to do, write a ping, or nobody is there.
   *
   * @param {Settings} settings
   * @param {number} now
   * @returns {"fine" | "ask" | "dead"}
   */
  judge(settings, now) {
    const deadline = this.deadline(settings);
    if (now < deadline) return "fine";
    const late = now - deadline > LATE_MS;
    if (this.due !== null && (this.spared || !late)) return "dead";
    this.spared = this.due !== null;
    this.due = now + settings.probe_ms;
    return "ask";
  }

  /**
   * Asks at once, for a quick answer; whether a ping has to be written for it.
   *
   * @param {Settings} settings
   * @param {number} now
   */
  ask(settings, now) {
    const due = now + settings.wake_probe_ms;
    if (this.due !== null && this.due <= due) return false;
    this.due = due;
    return true;
  }
}
