// What became of each message.
//
// Knows numbers and stages. Must not know how a message travels.

/**
 * How far a message has come: it is in the outbox; it was written to a connection; the server answers
 * for it; it was not confirmed, and never will be (the partner may have seen it); the partner's
 * application has it.
 *
 * @typedef {"kept" | "written" | "accepted" | "undelivered" | "delivered"} Stage
 */

/** @type {Stage[]} */
const STAGES = ["kept", "written", "accepted", "undelivered", "delivered"];

/** A message's receipt. */
export class Receipt {
  /** How far it has come by now. @type {Stage} */
  stage = "kept";
  /** Nothing more will be known. */
  #final = false;
  /** @type {{rank: number, resolve: (stage: Stage) => void}[]} */
  #waiting = [];

  /** @param {number} n the message's number in its conversation */
  constructor(n) {
    this.n = n;
  }

  /**
   * Waits until it has come so far, or is known to come no further.
   *
   * @param {Stage} stage
   * @returns {Promise<Stage>} how far it is then
   */
  reached(stage) {
    const rank = STAGES.indexOf(stage);
    if (rank < 0) throw new TypeError(`there is no stage ${stage}`);
    return new Promise((resolve) => {
      this.#waiting.push({ rank, resolve });
      this.#settle();
    });
  }

  /**
   * Waits until the partner's application has it: true; or until it is clear that this will never be
   * known: false.
   */
  async delivered() {
    return (await this.reached("delivered")) === "delivered";
  }

  /** @param {Stage} stage */
  raise(stage) {
    if (STAGES.indexOf(stage) > STAGES.indexOf(this.stage)) this.stage = stage;
    if (stage === "undelivered" || stage === "delivered") this.#final = true;
    this.#settle();
  }

  /** Nothing more will be known. */
  finish() {
    this.#final = true;
    this.#settle();
  }

  #settle() {
    const rank = STAGES.indexOf(this.stage);
    this.#waiting = this.#waiting.filter((wait) => {
      if (wait.rank > rank && !this.#final) return true;
      wait.resolve(this.stage);
      return false;
    });
  }
}

/** The receipts of a conversation's messages that may still come further, by number. */
export class Receipts {
  /** @type {Map<number, Receipt>} */
  #open = new Map();

  /** For a message that was taken into the outbox. @param {number} n */
  issue(n) {
    const receipt = new Receipt(n);
    this.#open.set(n, receipt);
    return receipt;
  }

  /** Notes what an event says. @param {import("./session.js").Event} event */
  note({ type, n, from, to }) {
    if (type === "written" || type === "accepted" || type === "delivered") {
      this.#raise(1, n, type);
    } else if (type === "undelivered") {
      this.#raise(from, to, type);
    } else if (type === "ended" || type === "matched") {
      this.finish();
    }
  }

  /** Nothing more will be known of any. */
  finish() {
    for (const receipt of this.#open.values()) receipt.finish();
    this.#open.clear();
  }

  /** @param {number} from @param {number} to @param {Stage} stage */
  #raise(from, to, stage) {
    // In order of their numbers, since they were issued so.
    for (const [n, receipt] of this.#open) {
      if (n > to) break;
      if (n < from) continue;
      receipt.raise(stage);
      if (stage === "delivered") this.#open.delete(n);
    }
  }
}
