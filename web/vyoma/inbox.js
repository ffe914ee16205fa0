// How far the partner's messages have come: given to the application, taken by it, acknowledged.
//
// Knows numbers, weights and when to acknowledge. Must not know connections or envelopes.

/** The partner's numbering in one conversation. */
export class Inbox {
  /** The weight of what was taken since the last acknowledgement. */
  unacked = 0;
  /** When that has to be told at the latest. @type {number | null} */
  due = null;
  /** The last number that a person has seen, and that the server was told as seen. */
  seen = 0;
  toldSeen = 0;

  /**
   * @param {string | null} stream whose numbers these are; null while nobody knows
   * @param {number} received the last number that the application took
   */
  constructor(stream, received) {
    this.stream = stream;
    this.received = received;
    /** The last number that the application was told of. */
    this.given = received;
    /**
     * The last number that came on this connection: this server process knows of no more, and takes
     * no acknowledgement of it.
     */
    this.cameUpTo = received;
    /** The last number that the server was told on this connection. */
    this.acked = received;
  }

  /**
   * The application took everything up to `n`.
   *
   * @param {number} n
   * @param {number} weight
   * @param {number} now
   * @param {number} delay
   */
  took(n, weight, now, delay) {
    this.received = n;
    this.unacked += weight;
    this.due ??= now + delay;
  }

  /** Asks for the seat on another connection, which tells what was taken. */
  resume() {
    this.cameUpTo = this.received;
    this.acked = this.received;
    this.due = null;
    this.unacked = 0;
  }

  /**
   * Everything up to `n` has come on this connection, perhaps once more.
   *
   * @param {number} n
   * @param {number} now
   * @param {number} delay
   */
  came(n, now, delay) {
    this.cameUpTo = Math.max(this.cameUpTo, n);
    if (this.acked < this.known(this.received)) this.due ??= now + delay;
  }

  /** Whether an acknowledgement has to go out now. @param {number} credit @param {number} now */
  isDue(credit, now) {
    return this.due !== null && (this.due <= now || this.unacked >= Math.floor(credit / 4));
  }

  /** The number to acknowledge, if there is one; it counts as told. */
  acknowledge() {
    this.due = null;
    this.unacked = 0;
    const n = this.known(this.received);
    if (n <= this.acked) return undefined;
    this.acked = n;
    return n;
  }

  /** A person has seen what was taken up to `n`. @param {number} n */
  saw(n) {
    this.seen = Math.max(this.seen, Math.min(n, this.received));
  }

  /** Whether the server doesn't know yet what was seen. */
  get unseen() {
    return this.known(this.seen) > this.toldSeen;
  }

  /** The number to tell as seen; it has to be acknowledged first. */
  tellSeen() {
    this.toldSeen = this.known(this.seen);
    return this.toldSeen;
  }

  /** The server took no note of what was told as seen. */
  untellSeen() {
    this.toldSeen = 0;
  }

  /** As far as this server process can know of it. @param {number} n */
  known(n) {
    return Math.min(n, this.cameUpTo);
  }
}

/**
 * What the application was given, and hasn't taken; in order, over all conversations, since a callback
 * may return after its conversation.
 */
export class Untaken {
  /**
   * A gap is nothing to be taken: numbers up to `n` that will never come.
   *
   * @type {{era: number, n: number, weight: number, gap: boolean}[]}
   */
  entries = [];
  /** The weight of all. */
  weight = 0;
  /** Counts numberings; entries of an older one need no acknowledgement. */
  era = 0;

  /** Another numbering begins. */
  begin() {
    this.era += 1;
  }

  /** @param {number} n @param {number} weight */
  gave(n, weight) {
    this.weight += weight;
    this.entries.push({ era: this.era, n, weight, gap: false });
  }

  /**
   * Numbers up to `n` will never come. If nothing before them is untaken, that is taken at once: `n`
   * is returned.
   *
   * @param {number} n
   */
  gap(n) {
    const last = this.entries.at(-1);
    if (last?.gap && last.era === this.era) last.n = n;
    else this.entries.push({ era: this.era, n, weight: 0, gap: true });
    return this.passGaps();
  }

  /**
   * The application took `n`. Returns up to where the present numbering is taken with that, and the
   * message's weight; undefined if `n` isn't next, or of an older numbering.
   *
   * @param {number} n
   */
  take(n) {
    const entry = this.entries[0];
    if (!entry || entry.n !== n || entry.gap) return undefined;
    this.entries.shift();
    this.weight -= entry.weight;
    const further = this.passGaps();
    if (entry.era === this.era) return { n: further ?? entry.n, weight: entry.weight };
    return further === undefined ? undefined : { n: further, weight: 0 };
  }

  passGaps() {
    let last;
    while (this.entries[0]?.gap) {
      const entry = /** @type {{era: number, n: number}} */ (this.entries.shift());
      if (entry.era === this.era) last = entry.n;
    }
    return last;
  }
}
