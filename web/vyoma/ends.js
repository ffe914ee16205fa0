// How a conversation, or a wait, is over for the application, and for what is kept.

import { IDLE, queued } from "./place.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./place.js").Talk} Talk */
/** @typedef {import("./place.js").Leaving} Leaving */

/** Why a conversation, or a wait, is over: a sentence that a person may read. */
export const SENTENCES = {
  left: "You left.",
  partner_left: "Your partner left.",
  partner_gone: "Your partner did not come back in time.",
  over: "That conversation is over.",
  state_conflict: "What the two sides remember cannot both be true.",
  server_shutdown: "The server is shutting down.",
  superseded: "Another connection has taken this place.",
  bad_token: "That token is not valid here.",
  expired_token: "That token has expired.",
  bad_device: "That device is not valid here.",
  in_conversation: "This device is in a conversation already.",
};

/** @typedef {keyof typeof SENTENCES} End */

/**
 * The conversation is over; of the own messages above `accepted` nobody knows.
 *
 * @param {Session} session
 * @param {Talk} talk
 * @param {End} reason
 * @param {number} [accepted]
 * @param {boolean} [complete]
 */
export function sayEnd(session, talk, reason, accepted = 0, complete = false) {
  for (const [from, to] of talk.outbox.unconfirmed(accepted)) {
    session.tell({ type: "undelivered", from, to });
  }
  session.untaken.begin();
  session.tell({ type: "ended", conversation: talk.conversation, reason, complete });
}

/** The wait is over. @param {Session} session @param {End} reason */
export function sayUnqueued(session, reason) {
  session.tell({ type: "ended", conversation: null, reason, complete: true });
}

/**
 * Nothing will confirm any more what was being left: tells the application, and returns where that
 * leaves us.
 *
 * @param {Session} session
 * @param {Leaving} leaving
 */
export function sayLeft(session, { talk, untold, queue }) {
  if (talk) sayEnd(session, talk, "left", talk.outbox.accepted);
  if (untold) sayUnqueued(session, "left");
  return queue ? queued() : IDLE;
}

/** There is no seat, and none to be left. @param {Session} session */
export function free(session) {
  session.leaving = null;
  session.save({ type: "free" });
}
