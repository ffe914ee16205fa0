// The server's errors: which are mended at once, which later, and which the application hears.

import { retry } from "./backoff.js";
import { dropLine, trouble } from "./line.js";
import { IDLE, queued } from "./place.js";
import { refused } from "./resuming.js";

/**
 * A seat that we never heard of, and to which the server thinks we are connected, is asked after again
 * so often, until the server notices.
 */
const ASK_AGAIN_MS = 5_000;

/** @typedef {import("./session.js").Session} Session */
/** @typedef {Record<string, any>} ErrorEnvelope */

/** @param {Session} session @param {ErrorEnvelope} error @param {number} now */
export function hearError(session, error, now) {
  const { name, about } = error;
  const { place } = session;
  const asked = place.kind === "queued" && place.asked;
  if (["n_skipped", "window", "bad_ack"].includes(name)) {
    trouble(session, "lost_count", now);
  } else if (name === "replay_full") {
    session.backoff.told(error.retry_after_ms ?? 0, now);
    tellError(session, error);
  } else if (about === "invite") {
    session.inviting = null;
    tellError(session, error);
  } else if (name === "too_fast" && about !== undefined) {
    slowDown(session, error, now);
  } else if (about === "resume" && session.line.phase === "resuming") {
    resumeFailed(session, error, now);
  } else if (about === "join" && asked) {
    joinFailed(session, error, now);
  } else if (about === "next" && asked) {
    tellError(session, error);
    unask(session);
  } else if (["next", "leave", "block"].includes(about) && place.kind === "leaving") {
    tellError(session, error);
    dropLine(session, "trouble", now);
  } else {
    tellError(session, error);
  }
}

/** Withdraws the wish for a partner. @param {Session} session */
function unask(session) {
  session.line.answerBy = Infinity;
  session.place = IDLE;
}

/** @param {Session} session @param {number | null} notBefore */
function askAgain(session, notBefore) {
  session.line.answerBy = Infinity;
  session.place = queued(false, notBefore);
}

/** @param {Session} session @param {ErrorEnvelope} error */
function tellError(session, { code, name, sentence, about, n, retry_after_ms }) {
  /** @type {import("./session.js").Event} */
  const told = { type: "error", code, name, sentence };
  for (const [key, value] of Object.entries({ about, n, retry_after_ms })) {
    if (value !== undefined) told[key] = value;
  }
  session.tell(told);
}

/**
 * `too_fast`: the same again, after the time that the server named.
 *
 * @param {Session} session
 * @param {ErrorEnvelope} error
 * @param {number} now
 */
function slowDown(session, error, now) {
  const { about, retry_after_ms: after = 0 } = error;
  const at = retry(after, now);
  const { place, line } = session;
  if (["join", "next"].includes(about) && place.kind === "queued" && place.asked) {
    askAgain(session, at);
  } else if (["next", "leave", "block"].includes(about) && place.kind === "leaving") {
    place.again = at;
    line.answerBy = Infinity;
  } else if (about === "resume" && line.phase === "resuming") {
    session.backoff.told(after, now);
    dropLine(session, "lost", now);
  } else if (about === "read" && place.kind === "talking") {
    place.talk.inbox.untellSeen();
    line.quietUntil = at;
  } else if (about === "token" && place.kind === "talking") {
    line.confirm = true;
    line.quietUntil = at;
  } else if (about === "typing" || about === "ping") {
    line.quietUntil = at;
  } else {
    tellError(session, error);
  }
}

/** @param {Session} session @param {ErrorEnvelope} error @param {number} now */
function resumeFailed(session, error, now) {
  const { name } = error;
  if (["bad_token", "expired_token", "bad_device", "in_conversation"].includes(name)) {
    refused(session, name, now);
  } else {
    tellError(session, error);
    dropLine(session, "trouble", now);
  }
}

/** @param {Session} session @param {ErrorEnvelope} error @param {number} now */
function joinFailed(session, error, now) {
  const { name, conversation, retry_after_ms: after } = error;
  const { line } = session;
  // Its key was retired: the name in `hello` takes its place, unless that was it.
  if (name === "bad_device" && line.offered !== null && session.device !== line.offered) {
    keepDevice(session, line.offered);
    line.offered = null;
    return askAgain(session, null);
  }
  if (name !== "in_conversation") {
    tellError(session, error);
    return unask(session);
  }
  const seatless = after !== undefined;
  if (conversation !== undefined && seatless && session.maybeMatched && !line.leftUnheard) {
    // We were matched, and never heard of it: there is nothing to go back to.
    line.leftUnheard = true;
    session.leaving = conversation;
    session.save({ type: "left", conversation });
    askAgain(session, null);
  } else if (seatless) {
    tellError(session, error);
    askAgain(session, retry(after, now));
  } else if (session.maybeMatched) {
    askAgain(session, now + ASK_AGAIN_MS);
  } else {
    tellError(session, error);
    unask(session);
  }
}

/** Takes this device's name, for good. @param {Session} session @param {string} device */
export function keepDevice(session, device) {
  session.device = device;
  session.save({ type: "device", device });
}
