// Taking the seat again, and giving it up for good.

import { awaitAnswer, sayWord } from "./asking.js";
import { free, sayEnd, sayUnqueued } from "./ends.js";
import { write } from "./envelopes.js";
import { Inbox } from "./inbox.js";
import { raiseAttempt } from "./line.js";
import { IDLE, leaving, queued } from "./place.js";
import { tellUnsendable } from "./saying.js";
import { part } from "./wishes.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./place.js").Talk} Talk */
/** @typedef {import("./place.js").Leaving} Leaving */
/** @typedef {import("./ends.js").End} End */

/**
 * Rule 4: asks for the seat. Nothing else is written before the answer.
 *
 * @param {Session} session
 * @param {number} now
 */
export function resume(session, now) {
  const attempt = raiseAttempt(session);
  session.line.enter("resuming", now + session.settings.answer_ms);
  if (session.place.kind !== "talking") return;
  const { token, stream, inbox, outbox, fresh } = session.place.talk;
  // The resume itself acknowledges.
  inbox.resume();
  session.write(write("resume", {
    token,
    device: session.device,
    attempt,
    stream,
    partner_stream: inbox.stream,
    received: inbox.received,
    first: outbox.first,
    next: outbox.next,
    fresh: fresh || undefined,
  }));
}

/** Rule 5. @param {Session} session @param {Record<string, any>} answer @param {number} now */
export function hearResumed(session, answer, now) {
  if (session.place.kind !== "talking") return;
  const { talk } = session.place;
  const { outbox } = talk;
  session.line.enter("open");
  const sound =
    talk.conversation === answer.conversation &&
    talk.stream === answer.stream &&
    answer.received < outbox.next &&
    answer.expected >= outbox.first &&
    answer.expected <= outbox.next;
  if (!sound) return conflict(session, now);
  const wasFresh = talk.fresh;
  talk.fresh = false;
  outbox.resume(answer.expected);
  session.line.last = answer.conversation;
  session.limits.grace_ms = answer.grace_ms;
  placed(session, answer.conversation, now);
  delivered(session, talk, answer.received);
  tellRead(session, talk, answer.read);
  takePartner(session, talk, answer.partner_stream);
  tellUnsendable(session);
  if (wasFresh) session.save({ type: "seat", seat: talk.seat() });
  if (talk.blocking) part(session, talk, "block", false, now);
}

/**
 * The place is held on this connection.
 *
 * @param {Session} session
 * @param {string | null} conversation
 * @param {number} now
 */
export function placed(session, conversation, now) {
  session.line.answerBy = Infinity;
  session.maybeMatched = false;
  session.backoff.held(now);
  if (session.toldLost || conversation !== null) session.tell({ type: "restored", conversation });
  session.toldLost = false;
}

/**
 * The partner's application has everything up to `n`, which is below `next`.
 *
 * @param {Session} session
 * @param {Talk} talk
 * @param {number} n
 */
export function delivered(session, talk, n) {
  const held = session.place.kind === "talking";
  const { outbox } = talk;
  if (outbox.acked(n) && held) session.save({ type: "acked", n });
  if (n <= outbox.delivered) return;
  outbox.delivered = n;
  outbox.accepted = Math.max(outbox.accepted, n);
  session.backoff.progressed = true;
  session.tell({ type: "delivered", n });
}

/**
 * A person has seen our messages up to `n`.
 *
 * @param {Session} session
 * @param {Talk} talk
 * @param {number} n
 */
export function tellRead(session, { outbox }, n) {
  if (n <= outbox.read || n >= outbox.next) return;
  outbox.read = n;
  session.tell({ type: "read", n });
}

/**
 * The partner numbers its messages in this stream, from 1 on if that is news. If it had another one,
 * nobody knows what is missing of that; said here and not upon the server's `gap`, which may be lost
 * with the connection that brought the news.
 *
 * @param {Session} session
 * @param {Talk} talk
 * @param {string | null} stream
 */
export function takePartner(session, talk, stream) {
  const before = talk.inbox;
  if (stream === null || before.stream === stream) return;
  talk.inbox = new Inbox(stream, 0);
  session.untaken.begin();
  session.save({ type: "partner", stream });
  if (before.stream !== null) session.tell({ type: "gap", from: before.given + 1, to: null });
}

/**
 * Rule 10: what the two sides remember can't both be true.
 *
 * @param {Session} session
 * @param {number} now
 */
export function conflict(session, now) {
  // Who is leaving has nothing to lose.
  if (session.place.kind !== "talking") return;
  const { talk } = session.place;
  session.leaving = talk.conversation;
  session.save({ type: "left", conversation: talk.conversation });
  session.toldLost = false;
  sayEnd(session, talk, "state_conflict");
  session.place = leaving({});
  sayWord(session, now);
}

/**
 * The answer to `resume` is that this seat isn't to be had.
 *
 * @param {Session} session
 * @param {End} reason
 * @param {number} now
 */
export function refused(session, reason, now) {
  session.line.enter("open");
  session.backoff.held(now);
  session.toldLost = false;
  if (session.place.kind !== "talking") return;
  const { talk } = session.place;
  session.place = IDLE;
  sayEnd(session, talk, reason);
  free(session);
  if (talk.blocking) tellUnblocked(session);
}

/**
 * The block that was wished for without a connection can't be done any more.
 *
 * @param {Session} session
 */
function tellUnblocked(session) {
  session.tell({
    type: "error",
    code: 122,
    name: "unknown_conversation",
    sentence: "That is not your present or last conversation.",
    about: "block",
  });
}

/**
 * `ended`: rule 8, or the answer to what ended it.
 *
 * @param {Session} session
 * @param {Record<string, any>} ended
 * @param {number} now
 */
export function hearEnded(session, ended, now) {
  const { place } = session;
  if (place.kind === "leaving") {
    hearLeft(session, place, ended, now);
  } else if (place.kind === "talking" && place.talk.conversation === ended.conversation) {
    const { talk } = place;
    session.place = IDLE;
    finish(session, talk, ended);
    free(session);
    if (talk.blocking) session.write(write("block", { conversation: talk.conversation }));
  }
  // Any other crossed with something of ours.
}

/**
 * @param {Session} session
 * @param {Leaving} place
 * @param {Record<string, any>} ended
 * @param {number} now
 */
function hearLeft(session, place, ended, now) {
  session.line.answerBy = Infinity;
  if (place.talk) {
    finish(session, place.talk, ended);
    place.talk = null;
    if (place.word === "leave" && ended.reason !== "left") {
      // Crossed with our `leave`, which is still to be answered.
      return awaitAnswer(session, now);
    }
  } else if (place.untold) {
    place.untold = false;
    sayUnqueued(session, "left");
  }
  if (session.leaving !== null) free(session);
  if (place.word === "next" && place.queue) {
    // `next` has queued us already.
    session.place = queued(true);
    awaitAnswer(session, now);
  } else if (place.word === "next") {
    // ... but that isn't wanted any more.
    session.place = leaving({ untold: true });
    sayWord(session, now);
  } else {
    session.place = place.queue ? queued() : IDLE;
  }
}

/**
 * Tells the application that its conversation is over, and what is missing from it. Who left knows that
 * the server passes on what it accepted; after any other end nothing more will be.
 *
 * @param {Session} session
 * @param {Talk} talk
 * @param {Record<string, any>} ended
 */
function finish(session, talk, { reason, stream, last }) {
  const { given } = talk.inbox;
  const known = stream === talk.inbox.stream ? last : null;
  const all = known !== null && known <= given;
  if (!all && reason !== "left") session.tell({ type: "gap", from: given + 1, to: known });
  // Who is gone may have said more, to nobody or to the server's successor.
  const complete = all && reason === "partner_left";
  sayEnd(session, talk, reason, reason === "left" ? talk.outbox.accepted : 0, complete);
}
