// What an application may want otherwise, with the reason for each default. Times are in
// milliseconds, lengths in bytes of weight (docs/protocol.md, "Credit").

export const DEFAULTS = {
  /**
   * The most that the outbox holds: 16 times the usual credit. A message that fits the server's limit
   * is taken into an empty outbox whatever this says.
   */
  outbox_bytes: 4 * 1024 * 1024,
  /** The most messages that it holds: more than anyone types in a tunnel. */
  outbox_count: 4096,
  /**
   * The most of the partner's messages that the application hasn't taken. A partner can't cause more
   * than its credit, so this only bounds a server gone mad.
   */
  inbox_bytes: 16 * 1024 * 1024,
  /** The first wait before connecting again; doubles with each failure. */
  backoff_first_ms: 500,
  /** The longest such wait, and never more than a quarter of the grace. */
  backoff_most_ms: 15_000,
  /** After so much silence the session asks whether anybody is there. */
  heartbeat_ms: 25_000,
  /** Within this time something has to come after a ping. */
  probe_ms: 10_000,
  /** The same after `wake`, when a person is looking. */
  wake_probe_ms: 5_000,
  /** Within this time a connection has to open, `hello` to come, and wishes to be answered. */
  answer_ms: 10_000,
  /** The longest that an acknowledgement waits for company. */
  ack_delay_ms: 100,
  /**
   * The fraction of the backoff's ceiling that is waited: null, at random (full jitter); a number
   * from 0 to 1 makes a test's waits known.
   *
   * @type {number | null}
   */
  jitter: null,
};

/** @typedef {typeof DEFAULTS} Settings */

/**
 * The defaults, but for what is given.
 *
 * @param {Partial<Settings>} given
 * @returns {Settings}
 * @throws {TypeError} for a setting that there isn't, or that is no number in its range
 */
export function settings(given) {
  for (const [key, value] of Object.entries(given)) {
    if (!Object.hasOwn(DEFAULTS, key)) throw new TypeError(`there is no setting ${key}`);
    const most = key === "jitter" ? 1 : Number.MAX_SAFE_INTEGER;
    const open = key === "jitter" && value === null;
    const sound = typeof value === "number" && value >= 0 && value <= most;
    if (!open && !sound) throw new TypeError(`the setting ${key} can't be ${value}`);
  }
  return { ...DEFAULTS, ...given };
}
