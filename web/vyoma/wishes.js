// What the application wishes beside messages: a partner, another one, none; to block, to report.

import { sayWord } from "./asking.js";
import { sayLeft, sayUnqueued } from "./ends.js";
import {
  isCode, isReason, profile as compactProfile, rules as parsedRules, write, writeSignal,
} from "./envelopes.js";
import { connectIfWanted, dropLine, hangUp } from "./line.js";
import { IDLE, leaving, queued } from "./place.js";
import { Refused } from "./refused.js";
import { flush } from "./saying.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./place.js").Talk} Talk */

/**
 * `join`, for anybody, or for who presents the same invitation.
 *
 * @param {Session} session
 * @param {string | null} profile
 * @param {string | null} invite
 * @param {string | null} rules
 * @param {number} now
 */
export function wishJoin(session, profile, invite, rules, now) {
  const { place } = session;
  // What `next` has asked for is anybody.
  const asked = place.kind === "leaving" && place.word === "next";
  if (place.kind === "talking" || (invite !== null && asked)) throw new Refused("wrong_state");
  const code = typeof invite === "string" ? invite.trim() : invite;
  if (code !== null && !isCode(code)) throw new Refused("bad_value");
  wishPartner(session, profile, rules, false, code, now);
}

/** @param {Session} session @param {number} now */
export function wishInvitation(session, now) {
  if (session.inviting) throw new Refused("wrong_state");
  if (session.line.isOpen && !session.offers("invite")) throw new Refused("feature_off");
  session.inviting = { by: Infinity };
  session.closed = false;
  connectIfWanted(session, now);
  flush(session, now);
}

/**
 * `join`, or `next`, for which the profile and the rules are those of before if there are no others.
 *
 * @param {Session} session
 * @param {string | null} profile
 * @param {string | null} rules
 * @param {boolean} asBefore
 * @param {string | null} invite
 * @param {number} now
 */
export function wishPartner(session, profile, rules, asBefore, invite, now) {
  const { place } = session;
  if (place.kind === "queued") throw new Refused("wrong_state");
  const shown = profile === null ? null : sound(() => compactProfile(profile));
  const asked = rules === null ? null : sound(() => parsedRules(rules));
  if (shown !== null || !asBefore) session.profile = shown;
  if (asked !== null || !asBefore) session.rules = asked;
  session.closed = false;
  session.invite = invite;
  if (place.kind === "talking") part(session, place.talk, "next", true, now);
  else if (place.kind === "leaving") place.queue = true;
  else session.place = queued();
  connectIfWanted(session, now);
  flush(session, now);
}

/** @param {Session} session @param {number} now */
export function wishLeave(session, now) {
  const { place, line } = session;
  if (place.kind === "talking") {
    part(session, place.talk, "leave", false, now);
  } else if (place.kind === "leaving") {
    place.queue = false;
  } else if (place.kind === "queued" && place.asked) {
    session.place = leaving({ untold: true });
    sayWord(session, now);
  } else if (place.kind === "queued") {
    session.place = IDLE;
    if (!line.isOpen) hangUp(session, now);
    sayUnqueued(session, "left");
  }
}

/** @param {Session} session @param {number} now */
export function wishBlock(session, now) {
  const { place, line } = session;
  if (line.isOpen && !session.offers("block")) throw new Refused("feature_off");
  if (place.kind !== "talking") session.write(write("block", { conversation: past(session) }));
  else if (line.isOpen) part(session, place.talk, "block", false, now);
  else place.talk.blocking = true;
}

/** @param {Session} session @param {string} reason */
export function wishReport(session, reason) {
  const { place, line } = session;
  if (place.kind === "talking" && !line.isOpen) throw new Refused("offline");
  const conversation = place.kind === "talking" ? place.talk.conversation : past(session);
  if (!session.offers("report")) throw new Refused("feature_off");
  if (!isReason(reason)) throw new Refused("bad_value");
  session.write(write("report", { conversation, reason }));
}

/**
 * The conversation that is over, where the server still takes a word about it.
 *
 * @param {Session} session
 */
function past({ place, line }) {
  const over = place.kind === "idle" || (place.kind === "leaving" && place.word !== "next");
  if (!over) throw new Refused("wrong_state");
  if (!line.isOpen) throw new Refused("offline");
  if (line.last === null) throw new Refused("wrong_state");
  return line.last;
}

/** @param {Session} session @param {string} payload */
export function wishSignal(session, payload) {
  const { place, line } = session;
  if (place.kind !== "talking") throw new Refused("wrong_state");
  if (!line.isOpen) throw new Refused("offline");
  if (!place.talk.reliable || !session.offers("signal")) throw new Refused("feature_off");
  session.write(sound(() => writeSignal(payload)));
}

/**
 * Gives a conversation up. The token goes first: who comes back with it would be in again.
 *
 * @param {Session} session
 * @param {Talk} talk
 * @param {"next" | "leave" | "block"} word
 * @param {boolean} queue
 * @param {number} now
 */
export function part(session, talk, word, queue, now) {
  session.leaving = talk.conversation;
  session.save({ type: "left", conversation: talk.conversation });
  const left = leaving({ word, talk, queue });
  if (session.line.isOpen) {
    session.place = left;
    sayWord(session, now);
    return;
  }
  session.place = sayLeft(session, left);
  // A `resume` that is on its way must not be answered by a conversation again.
  if (!queue) hangUp(session, now);
  else if (session.line.phase === "resuming") dropLine(session, "lost", now);
}

/**
 * What `make` returns, if the server would take it.
 *
 * @template T
 * @param {() => T} make
 */
function sound(make) {
  try {
    return make();
  } catch (fault) {
    throw new Refused("bad_value", `that has a value that it must not have (${fault})`);
  }
}
