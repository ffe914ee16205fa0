// What goes to the partner: messages within the credit, acknowledgements, receipts, typing.

import { askPartner, sayWord } from "./asking.js";
import { write, writeBinary, writeMessage } from "./envelopes.js";
import { askInvitation } from "./inviting.js";
import { Fault, byteLength } from "./json.js";
import { Refused } from "./refused.js";

/** What was seen is told at most so often: 10 a second of the 32 that the server allows. */
const READ_EVERY_MS = 100;

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./place.js").Talk} Talk */

/**
 * Takes a message into the outbox.
 *
 * @param {Session} session
 * @param {string | Uint8Array} body
 */
export function put(session, body) {
  if (session.place.kind !== "talking") throw new Refused("no_partner");
  const { outbox } = session.place.talk;
  if (outbox.exhausted) throw new Refused("exhausted");
  const n = outbox.next;
  const frame = frameOf(n, body);
  const length = typeof frame === "string" ? byteLength(frame) : frame.length;
  const most = session.limits.max_message;
  if (length > most) {
    const told = `the message has ${length} bytes on the wire, and the server takes ${most}`;
    throw new Refused("too_big", told);
  }
  if (!outbox.fits(length, session.settings)) throw new Refused("full");
  const kept = { n, frame, length };
  session.save({ type: "sent", message: kept });
  outbox.push(kept);
  return n;
}

/** A numbered message as it is written. @param {number} n @param {string | Uint8Array} body */
function frameOf(n, body) {
  if (typeof body !== "string") return writeBinary(n, body);
  try {
    return writeMessage(n, body);
  } catch (fault) {
    const why = fault instanceof Fault ? fault.reason : fault;
    throw new Refused("bad_json", `the message is not JSON as the server takes it (${why})`);
  }
}

/** Writes all that has to be written now. @param {Session} session @param {number} now */
export function flush(session, now) {
  const { line, place } = session;
  if (!line.isOpen) return;
  if (place.kind === "queued") askPartner(session, now);
  else if (place.kind === "talking") flushTalk(session, place.talk, now);
  else if (place.kind === "leaving" && place.again !== null && place.again <= now) {
    sayWord(session, now);
  }
  askInvitation(session, now);
}

/** @param {Session} session @param {Talk} talk @param {number} now */
function flushTalk(session, talk, now) {
  const { line, limits } = session;
  writeMessages(session, talk);
  if (talk.typing.over !== null && talk.typing.over <= now) {
    talk.typing.heard(false, now);
    session.tell({ type: "typing", on: false });
  }
  const on = talk.typing.tell(now);
  if (on !== undefined) session.write(write("typing", { on }));
  if (talk.inbox.isDue(limits.credit, now)) acknowledge(session);
  if (line.quietUntil === null || line.quietUntil <= now) {
    line.quietUntil = null;
    if (line.confirm) session.write(write("token", { epoch: talk.epoch }));
    line.confirm = false;
    tellSeen(session, talk, now);
  }
}

/**
 * As many messages as the credit allows, each acknowledging what was taken before.
 *
 * @param {Session} session
 * @param {Talk} talk
 */
function writeMessages(session, talk) {
  const { credit, max_message } = session.limits;
  for (;;) {
    const kept = talk.outbox.write(credit, max_message);
    if (!kept) break;
    acknowledge(session);
    session.out.push({ do: "write", frame: kept.frame });
  }
  const n = talk.outbox.newlyWritten();
  if (n !== undefined) session.tell({ type: "written", n });
  if (talk.outbox.regained(session.settings)) session.tell({ type: "writable" });
}

/** Acknowledges what was taken, if the server doesn't know it yet. @param {Session} session */
export function acknowledge({ place, out }) {
  if (place.kind !== "talking") return;
  const { conversation, inbox } = place.talk;
  if (inbox.stream === null) return;
  const n = inbox.acknowledge();
  if (n === undefined) return;
  out.push({ do: "write", frame: write("ack", { conversation, stream: inbox.stream, n }) });
}

/** Whether there is something to be told as seen. @param {Session} session @param {Talk} talk */
function hasSeen(session, talk) {
  return talk.reliable && talk.inbox.unseen && session.offers("read");
}

/** @param {Session} session @param {Talk} talk @param {number} now */
function tellSeen(session, talk, now) {
  const early = talk.readAt !== null && now < talk.readAt + READ_EVERY_MS;
  const { conversation, inbox } = talk;
  if (early || !hasSeen(session, talk) || inbox.stream === null) return;
  talk.readAt = now;
  // Only what is acknowledged may be called seen.
  acknowledge(session);
  session.write(write("read", { conversation, stream: inbox.stream, n: inbox.tellSeen() }));
}

/**
 * When something has to be written that waits for its time, or is believed until then.
 *
 * @param {Session} session
 * @returns {number} Infinity if there is nothing
 */
export function waitsUntil(session) {
  const { line, place } = session;
  if (!line.isOpen || place.kind === "idle") return Infinity;
  if (place.kind === "queued") return place.notBefore ?? Infinity;
  if (place.kind === "leaving") return place.again ?? Infinity;
  const { talk } = place;
  const seen = hasSeen(session, talk);
  const read = seen && talk.readAt !== null ? talk.readAt + READ_EVERY_MS : null;
  const quiet = seen || line.confirm ? line.quietUntil : null;
  const told = read === null && quiet === null ? null : Math.max(read ?? 0, quiet ?? 0);
  const times = [talk.inbox.due, told, talk.typing.due, talk.typing.over];
  return Math.min(...times.map((at) => at ?? Infinity));
}

/**
 * The application took the partner's messages up to `n`.
 *
 * @param {Session} session
 * @param {number} n
 * @param {number} weight
 * @param {number} now
 */
export function took(session, n, weight, now) {
  if (session.place.kind !== "talking") return;
  session.place.talk.inbox.took(n, weight, now, session.settings.ack_delay_ms);
  session.save({ type: "received", n });
}

/** @param {Session} session @param {boolean} on @param {number} now */
export function typeToPartner(session, on, now) {
  const { line, place } = session;
  if (place.kind !== "talking" || !line.isOpen || !session.offers("typing")) return;
  const { talk } = place;
  const quiet = line.quietUntil !== null && line.quietUntil > now;
  if (!quiet && talk.reliable && talk.away !== true) talk.typing.set(on, now);
}

/**
 * A server may take shorter messages than its predecessor: one that waits stays unsendable.
 *
 * @param {Session} session
 */
export function tellUnsendable(session) {
  if (session.place.kind !== "talking") return;
  const most = session.limits.max_message;
  const kept = session.place.talk.outbox.kept.find(({ length }) => length > most);
  if (!kept) return;
  session.tell({
    type: "error",
    code: 18,
    name: "message_too_big",
    sentence: "The message is larger than this server takes.",
    about: "message",
    n: kept.n,
  });
}
