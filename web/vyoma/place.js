// Where a session is: nowhere, queued, in a conversation, or on its way out.

import { Inbox } from "./inbox.js";
import { Outbox } from "./outbox.js";
import { Typing } from "./typing.js";

/** @typedef {import("./saved.js").Seat} Seat */

/** Nothing is wished for. @typedef {{kind: "idle"}} Idle */

/**
 * A partner is wished for. `asked`: `join` or `next` was written on this connection; `notBefore`: it
 * is not to be written before this.
 *
 * @typedef {{kind: "queued", asked: boolean, notBefore: number | null}} Queued
 */

/** In a conversation, connected or not. @typedef {{kind: "talking", talk: Talk}} Talking */

/**
 * On the way out, until the server confirms it; only on a connection, since without one nothing is
 * confirmed.
 *
 * @typedef {object} Leaving
 * @property {"leaving"} kind
 * @property {"next" | "leave" | "block"} word the envelope that ends what is being left
 * @property {Talk | null} talk the conversation whose end the application hasn't heard of
 * @property {boolean} untold the application hasn't heard that its wait is over
 * @property {boolean} queue a partner is wished for after that
 * @property {number | null} again the server refused the word for now; to be written again then
 */

/** @typedef {Idle | Queued | Talking | Leaving} Place */

/** @type {Idle} */
export const IDLE = { kind: "idle" };

/** @param {boolean} [asked] @param {number | null} [notBefore] @returns {Queued} */
export function queued(asked = false, notBefore = null) {
  return { kind: "queued", asked, notBefore };
}

/** @param {Partial<Leaving>} what @returns {Leaving} */
export function leaving(what) {
  const usual = { talk: null, untold: false, queue: false, again: null };
  return { kind: "leaving", word: "leave", ...usual, ...what };
}

/** A conversation. */
export class Talk {
  typing = new Typing();
  /** Whether the partner is away; null if it hasn't been said. @type {boolean | null} */
  away = null;
  /** To be blocked as soon as there is a connection. */
  blocking = false;
  /** When the server was last told what was seen. @type {number | null} */
  readAt = null;

  /** @param {Seat} seat */
  constructor(seat) {
    this.conversation = seat.conversation;
    this.side = seat.side;
    this.partner = seat.partner;
    this.reliable = seat.reliable;
    this.graceMs = seat.grace_ms;
    this.token = seat.token;
    this.epoch = seat.epoch;
    this.stream = seat.stream;
    this.fresh = seat.fresh;
    this.outbox = new Outbox(seat.next, seat.outbox);
    this.inbox = new Inbox(seat.partner_stream, seat.received);
  }

  /** What is kept of it. @returns {Seat} */
  seat() {
    return {
      conversation: this.conversation,
      side: this.side,
      partner: this.partner,
      reliable: this.reliable,
      grace_ms: this.graceMs,
      token: this.token,
      epoch: this.epoch,
      stream: this.stream,
      partner_stream: this.inbox.stream,
      next: this.outbox.next,
      received: this.inbox.received,
      fresh: this.fresh,
      outbox: [...this.outbox.kept],
    };
  }
}
