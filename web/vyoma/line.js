// The connection: when one is wanted, when it is dead, and what follows when it is lost.

import { later } from "./backoff.js";
import { SENTENCES, free, sayEnd, sayLeft, sayUnqueued } from "./ends.js";
import { write } from "./envelopes.js";
import { loseInvitation, uninvited } from "./inviting.js";
import { MAX_NUMBER } from "./json.js";
import { IDLE } from "./place.js";
import { Pulse } from "./pulse.js";
import { acknowledge } from "./saying.js";
import { Typing } from "./typing.js";

/** We close because nothing more is wanted (RFC 6455, section 7.4.1). */
const DONE = 1000;
/** We close because another connection takes over. */
const AGAIN = 1001;

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./backoff.js").Cause} Cause */

/**
 * The state of the connection: none, and none wanted; the next try comes at `by`; it has to open, to
 * bring `hello`, to bring the answer to `resume` until `by`; it is there, for whatever is wished.
 *
 * @typedef {"down" | "waiting" | "opening" | "greeting" | "resuming" | "open"} Phase
 */

/** The connection. */
export class Line {
  /** @type {Phase} */
  phase = "down";
  by = Infinity;
  /** The time of day at which it opened, in milliseconds since 1970. */
  unixMs = 0;
  /** The server leaves: to be replaced then. */
  replaceAt = Infinity;
  /** `join`, `next`, `leave` or `block` has to be answered until then. */
  answerBy = Infinity;
  /** `read`, `token` and the like were too many: none before this. @type {number | null} */
  quietUntil = null;
  /** A stored token has to be confirmed. */
  confirm = false;
  /**
   * The device of this connection's `hello`, for one whose own is refused.
   *
   * @type {string | null}
   */
  offered = null;
  /** A conversation that we never heard of was left already. */
  leftUnheard = false;
  /** The last conversation of this connection. @type {string | null} */
  last = null;

  /** @param {number} now */
  constructor(now) {
    this.pulse = new Pulse(now);
  }

  get isOpen() {
    return this.phase === "open";
  }

  /** Whether something can be heard on it. */
  get isUp() {
    return !["down", "waiting", "opening"].includes(this.phase);
  }

  /** Whether there is one, if only on its way. */
  get exists() {
    return this.isUp || this.phase === "opening";
  }

  /** @param {Phase} phase @param {number} [by] */
  enter(phase, by = Infinity) {
    this.phase = phase;
    this.by = by;
  }

  /** The server leaves in so many milliseconds. @param {number} delayMs @param {number} now */
  leaves(delayMs, now) {
    this.replaceAt = later(delayMs, now);
  }

  /** When it needs attention. @param {import("./settings.js").Settings} settings */
  deadline(settings) {
    if (!this.isUp) return this.by;
    const phase = this.isOpen ? this.pulse.deadline(settings) : this.by;
    return Math.min(phase, this.replaceAt, this.answerBy);
  }
}

/**
 * Connects if there is no connection, and a reason for one.
 *
 * @param {Session} session
 * @param {number} now
 */
export function connectIfWanted(session, now) {
  if (session.line.phase === "down" && wantsLine(session)) connect(session, now);
}

/** (Who is leaving doesn't: without a connection that is over.) @param {Session} session */
function wantsLine({ closed, place, inviting }) {
  return !closed && (place.kind === "queued" || place.kind === "talking" || inviting !== null);
}

/** @param {Session} session @param {number} now */
function connect(session, now) {
  session.backoff.trying(now);
  session.line.enter("opening", now + session.settings.answer_ms);
  session.out.push({ do: "connect" });
}

/** @param {Session} session @param {number} unixMs @param {number} now */
export function opened(session, unixMs, now) {
  if (session.line.phase !== "opening") return;
  session.line = new Line(now);
  session.line.unixMs = unixMs;
  session.line.enter("greeting", now + session.settings.answer_ms);
}

/**
 * The number for a `resume`: higher than any before, and not below the time of day, so that a lost
 * count locks nobody out.
 *
 * @param {Session} session
 */
export function raiseAttempt(session) {
  const raised = Math.max(session.attempt + 1, session.line.unixMs);
  session.attempt = Math.min(raised, MAX_NUMBER);
  session.save({ type: "attempt", attempt: session.attempt });
  return session.attempt;
}

/** @param {Session} session @param {number | null} code @param {number} now */
export function lineClosed(session, code, now) {
  if (!session.line.exists) return;
  // What breaks rules or limits: docs/protocol.md, "Why the server closes".
  const broken = code !== null && [1002, 1003, 1007, 1008, 1009, 1010].includes(code);
  if (code === 4409) superseded(session, now);
  else if (code === 4429) lost(session, "fault", now);
  else lost(session, broken ? "trouble" : "lost", now);
}

/**
 * Something can't be true: another connection may set it right.
 *
 * @param {Session} session
 * @param {"malformed" | "unexpected" | "skipped" | "lost_count" | "flooded"} what
 * @param {number} now
 */
export function trouble(session, what, now) {
  session.tell({ type: "trouble", what });
  dropLine(session, "trouble", now);
}

/**
 * Gives the connection up, for another.
 *
 * @param {Session} session
 * @param {Cause} cause
 * @param {number} now
 */
export function dropLine(session, cause, now) {
  session.out.push({ do: "close", code: AGAIN });
  lost(session, cause, now);
}

/** @param {Session} session @param {Cause} cause @param {number} now */
function lost(session, cause, now) {
  forgetLine(session, now);
  if (!wantsLine(session)) return;
  const { backoff, limits, settings } = session;
  session.line.enter("waiting", backoff.lost(cause, limits.grace_ms, settings, now));
  if (!session.toldLost) session.tell({ type: "lost" });
  session.toldLost = true;
}

/**
 * The server leaves, and another process is there already.
 *
 * @param {Session} session
 * @param {number} now
 */
function replace(session, now) {
  session.out.push({ do: "close", code: AGAIN });
  forgetLine(session, now);
  if (!wantsLine(session)) return;
  const at = session.backoff.replaced(session.limits.grace_ms, session.settings, now);
  if (at <= now) connect(session, now);
  else session.line.enter("waiting", at);
}

/** Another connection holds this place. Final. @param {Session} session @param {number} now */
function superseded(session, now) {
  const { place } = session;
  session.line = new Line(now);
  session.place = IDLE;
  session.toldLost = false;
  const talk = place.kind === "talking" || place.kind === "leaving" ? place.talk : null;
  if (talk) sayEnd(session, talk, "superseded");
  else sayUnqueued(session, "superseded");
  uninvited(session, 31, "superseded", SENTENCES.superseded);
  free(session);
}

/**
 * What becomes of the place without this connection.
 *
 * @param {Session} session
 * @param {number} now
 */
function forgetLine(session, now) {
  session.line = new Line(now);
  loseInvitation(session);
  const { place } = session;
  if (place.kind === "queued") {
    session.maybeMatched ||= place.asked;
    place.asked = false;
  } else if (place.kind === "talking") {
    const { talk } = place;
    if (talk.typing.over !== null) session.tell({ type: "typing", on: false });
    talk.typing = new Typing();
  } else if (place.kind === "leaving") {
    session.maybeMatched ||= place.talk === null;
    session.place = sayLeft(session, place);
  }
}

/** The network, the page or the machine is back. @param {Session} session @param {number} now */
export function lookAtLine(session, now) {
  const { line, settings } = session;
  if (line.phase === "down") {
    connectIfWanted(session, now);
  } else if (line.phase === "waiting") {
    const earliest = session.backoff.hurried(settings, now);
    if (earliest <= now) connect(session, now);
    else line.by = Math.min(line.by, earliest);
  } else if (!line.isOpen) {
    line.by = Math.min(line.by, now + settings.wake_probe_ms);
  } else if (line.pulse.ask(settings, now)) {
    session.write(write("ping"));
  }
}

/** What the time demands of the connection. @param {Session} session @param {number} now */
export function tickLine(session, now) {
  const { line, settings } = session;
  if (line.phase === "down") return;
  if (line.phase === "waiting") {
    if (line.by <= now) connect(session, now);
    return;
  }
  const verdict = line.isOpen ? line.pulse.judge(settings, now) : "fine";
  if (verdict === "ask") session.write(write("ping"));
  const answerBy = Math.min(line.answerBy, session.inviting?.by ?? Infinity);
  if (verdict === "dead" || line.by <= now || answerBy <= now) {
    dropLine(session, "lost", now);
  } else if (line.replaceAt <= now) {
    replace(session, now);
  }
}

/** The application wants no connection any more. @param {Session} session @param {number} now */
export function wishClose(session, now) {
  session.closed = true;
  const { exists, isOpen } = session.line;
  if (isOpen) acknowledge(session);
  forgetLine(session, now);
  session.toldLost = false;
  session.inviting = null;
  if (session.place.kind === "queued") session.place = IDLE;
  if (exists) session.out.push({ do: "close", code: DONE });
}

/**
 * The wish for a partner is withdrawn before the server heard of it.
 *
 * @param {Session} session
 * @param {number} now
 */
export function hangUp(session, now) {
  if (session.line.exists) session.out.push({ do: "close", code: DONE });
  session.line = new Line(now);
  session.toldLost = false;
  loseInvitation(session);
  connectIfWanted(session, now);
}
