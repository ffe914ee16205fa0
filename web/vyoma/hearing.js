// What the server says: in its `hello`, in answer to a `resume`, and where the place is held.

import { parseBinary, parseServer } from "./envelopes.js";
import { hearError, keepDevice } from "./errors.js";
import { hearInvitation } from "./inviting.js";
import { Fault, byteLength } from "./json.js";
import { trouble } from "./line.js";
import { weight } from "./outbox.js";
import { Talk } from "./place.js";
import {
  conflict, delivered, hearEnded, hearResumed, placed, resume, takePartner, tellRead,
} from "./resuming.js";
import { took } from "./saying.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {Record<string, any> & {type: string}} Envelope */

/** @param {Session} session @param {string} text @param {number} now */
export function hearText(session, text, now) {
  const { line } = session;
  if (!line.isUp) return;
  line.pulse.heard(now);
  let envelope;
  try {
    envelope = parseServer(text);
  } catch (fault) {
    const later = fault instanceof Fault && fault.reason === "unknown_type";
    return later ? undefined : trouble(session, "malformed", now);
  }
  if (line.phase === "greeting") {
    if (envelope.type === "hello") greeted(session, envelope, now);
    else trouble(session, "unexpected", now);
  } else if (line.phase === "resuming") {
    hearAnswer(session, envelope, now);
  } else if (envelope.type === "message") {
    const { n, payload } = envelope;
    hearMessage(session, { n, json: payload }, weight(byteLength(text)), now);
  } else {
    hear(session, envelope, now);
  }
}

/** @param {Session} session @param {Uint8Array} message @param {number} now */
export function hearBinary(session, message, now) {
  const { line } = session;
  if (!line.isUp) return;
  line.pulse.heard(now);
  let parsed;
  try {
    parsed = parseBinary(message);
  } catch {
    return trouble(session, "malformed", now);
  }
  if (!line.isOpen) return trouble(session, "unexpected", now);
  const { n, payload: bytes } = parsed;
  hearMessage(session, { n, bytes }, weight(message.length), now);
}

/**
 * The server's limits, and a device for who has none.
 *
 * @param {Session} session
 * @param {Envelope} hello
 * @param {number} now
 */
function greeted(session, hello, now) {
  const { max_message, credit, grace_ms, device, features } = hello;
  session.limits = { max_message, credit, grace_ms, features };
  if (session.device === null) keepDevice(session, device);
  session.line.offered = device;
  if (session.place.kind === "talking") resume(session, now);
  else session.line.enter("open");
}

/**
 * What comes between `resume` and `resumed`.
 *
 * @param {Session} session
 * @param {Envelope} answer
 * @param {number} now
 */
function hearAnswer(session, answer, now) {
  const { line, place } = session;
  const own = place.kind === "talking" ? place.talk.conversation : null;
  if (answer.type === "resumed") {
    hearResumed(session, answer, now);
  } else if (answer.type === "ended" && answer.conversation === own) {
    line.enter("open");
    session.backoff.held(now);
    session.toldLost = false;
    hearEnded(session, answer, now);
  } else if (answer.type === "error") {
    hearError(session, answer, now);
  } else if (answer.type === "goaway") {
    line.leaves(answer.delay_ms, now);
  } else if (answer.type !== "pong") {
    trouble(session, "unexpected", now);
  }
}

/** @param {Session} session @param {Envelope} envelope @param {number} now */
function hear(session, envelope, now) {
  switch (envelope.type) {
    case "waiting":
      return hearWaiting(session, envelope, now);
    case "matched":
      return hearMatched(session, envelope, now);
    case "partner":
      return hearPartner(session, envelope);
    case "gap":
      return hearGap(session, envelope, now);
    case "token":
      return hearToken(session, envelope);
    case "ended":
      return hearEnded(session, envelope, now);
    case "error":
      return hearError(session, envelope, now);
    case "goaway":
      return session.line.leaves(envelope.delay_ms, now);
    case "invitation":
      return hearInvitation(session, envelope, now);
    case "done":
      return session.tell({ type: "done", about: envelope.about });
    case "signal":
      if (session.place.kind !== "talking") return;
      return session.tell({ type: "signal", payload: envelope.payload });
    case "typing":
      if (session.place.kind !== "talking") return;
      return hearTyping(session, session.place.talk, envelope.on, now);
    case "accepted":
    case "ack":
    case "read":
    case "undelivered":
      return hearReceipt(session, envelope, now);
    case "pong":
      return;
    default:
      return trouble(session, "unexpected", now);
  }
}

/**
 * Whether an answer to `join` or `next` is awaited; one that crossed with our `leave` is passed over.
 *
 * @param {Session} session
 * @param {number} now
 */
function awaitsPartner(session, now) {
  const { place } = session;
  const awaits = place.kind === "queued" && place.asked;
  if (!awaits && place.kind !== "leaving") trouble(session, "unexpected", now);
  return awaits;
}

/** @param {Session} session @param {Envelope} waiting @param {number} now */
function hearWaiting(session, waiting, now) {
  const { pool, ahead, widened, estimate_from_ms: from, estimate_to_ms: to } = waiting;
  if (!awaitsPartner(session, now)) return;
  placed(session, null, now);
  if (session.leaving !== null) {
    session.leaving = null;
    session.save({ type: "free" });
  }
  const told = { type: "waiting", pool, ahead };
  const step = widened === undefined ? {} : { widened };
  const estimate = from === undefined || to === undefined ? {} : { estimate_ms: [from, to] };
  session.tell({ ...told, ...step, ...estimate });
}

/** @param {Session} session @param {Envelope} matched @param {number} now */
function hearMatched(session, matched, now) {
  if (!awaitsPartner(session, now)) return;
  const { type, why, common, ...given } = /** @type {any} */ (matched);
  const { conversation, side, partner, reliable } = given;
  const begun = { next: 1, received: 0, fresh: false, outbox: [] };
  /** @type {import("./saved.js").Seat} */
  const seat = { ...given, ...begun };
  placed(session, null, now);
  session.backoff.progressed = true;
  session.leaving = null;
  session.line.last = conversation;
  session.limits.grace_ms = seat.grace_ms;
  session.save({ type: "seat", seat });
  const told = { type, conversation, side, partner, reliable, why };
  session.tell(common === undefined ? told : { ...told, common });
  session.untaken.begin();
  const talk = new Talk(seat);
  talk.away = false;
  session.place = { kind: "talking", talk };
}

/**
 * Rule 2.
 *
 * @param {Session} session
 * @param {{n: number, json?: string, bytes?: Uint8Array}} message
 * @param {number} weight
 * @param {number} now
 */
function hearMessage(session, message, weight, now) {
  // Who is leaving, or has left, isn't spoken to any more.
  if (session.place.kind !== "talking") return;
  const { inbox } = session.place.talk;
  const { n } = message;
  if (inbox.stream === null) return trouble(session, "unexpected", now);
  inbox.came(n, now, session.settings.ack_delay_ms);
  if (n <= inbox.given) return;
  if (n > inbox.given + 1) return trouble(session, "skipped", now);
  const { untaken, settings } = session;
  if (untaken.weight + weight > settings.inbox_bytes) return trouble(session, "flooded", now);
  inbox.given = n;
  untaken.gave(n, weight);
  session.backoff.progressed = true;
  session.tell({ type: "message", ...message });
}

/**
 * What became of our messages.
 *
 * @param {Session} session
 * @param {Envelope} receipt
 * @param {number} now
 */
function hearReceipt(session, { type, conversation, stream, n, from, to }, now) {
  const { place } = session;
  // Also of the conversation that we are leaving.
  const talk = place.kind === "talking" || place.kind === "leaving" ? place.talk : null;
  if (talk?.conversation !== conversation || talk?.stream !== stream || !talk) return;
  const { outbox } = talk;
  if (type === "ack") {
    if (n >= outbox.next) conflict(session, now);
    else delivered(session, talk, n);
  } else if (type === "read") {
    tellRead(session, talk, n);
  } else if (type === "undelivered") {
    if (from > to) return;
    outbox.reported(from, to);
    session.tell({ type, from, to });
  } else if (n > outbox.accepted && n < outbox.next) {
    outbox.accepted = n;
    session.tell({ type, n });
  }
}

/** @param {Session} session @param {Talk} talk @param {boolean} on @param {number} now */
function hearTyping(session, talk, on, now) {
  if (talk.typing.heard(on, now)) session.tell({ type: "typing", on });
}

/** Rule 7. @param {Session} session @param {Envelope} partner */
function hearPartner(session, { conversation, state, stream }) {
  const { place, line } = session;
  if (place.kind !== "talking" || place.talk.conversation !== conversation) return;
  const { talk } = place;
  const away = state === "away";
  if (away) hearTyping(session, talk, false, line.pulse.heardAt);
  const news = talk.away !== away;
  talk.away = away;
  if (!away) takePartner(session, talk, stream);
  if (news) session.tell({ type: state });
}

/** Rule 6. @param {Session} session @param {Envelope} gap @param {number} now */
function hearGap(session, { conversation, stream, from, to }, now) {
  const { place, settings, untaken } = session;
  if (place.kind !== "talking" || place.talk.conversation !== conversation) return;
  const { inbox } = place.talk;
  // Of a numbering that is no more: told when the present one began.
  if (inbox.stream !== stream || (to !== null && to < from)) return;
  const { given } = inbox;
  if (to === null) return session.tell({ type: "gap", from: Math.max(from, given + 1), to });
  inbox.came(to, now, settings.ack_delay_ms);
  if (to <= given) return;
  inbox.given = to;
  session.tell({ type: "gap", from: given + 1, to });
  const taken = untaken.gap(to);
  if (taken !== undefined) took(session, taken, 0, now);
}

/** Rule 12. @param {Session} session @param {Envelope} renewed */
function hearToken(session, { token, epoch }) {
  if (session.place.kind !== "talking" || epoch < session.place.talk.epoch) return;
  const { talk } = session.place;
  talk.token = token;
  talk.epoch = epoch;
  session.save({ type: "token", token, epoch });
  session.line.confirm = true;
}
