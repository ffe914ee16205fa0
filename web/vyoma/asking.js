// The envelopes that the server has to answer: for a partner, and to end what is being left.

import { write, writeWithProfile } from "./envelopes.js";

/** @typedef {import("./session.js").Session} Session */

/** `join`, `next`, `leave` or `block` was written. @param {Session} session @param {number} now */
export function awaitAnswer(session, now) {
  session.line.answerBy = now + session.settings.answer_ms;
}

/** Asks the server for a partner, if it is time. @param {Session} session @param {number} now */
export function askPartner(session, now) {
  const { place, device, profile, rules, invite } = session;
  if (place.kind !== "queued" || place.asked) return;
  if (place.notBefore !== null && place.notBefore > now) return;
  place.asked = true;
  place.notBefore = null;
  const before = { device: device ?? undefined };
  const after = { leave: session.leaving ?? undefined, invite: invite ?? undefined };
  session.write(writeWithProfile("join", profile, before, { ...after, rules: rules ?? undefined }));
  awaitAnswer(session, now);
}

/** Writes the word that ends what is being left. @param {Session} session @param {number} now */
export function sayWord(session, now) {
  const { place, profile, rules, leaving: conversation } = session;
  if (place.kind !== "leaving") return;
  place.again = null;
  const after = { rules: rules ?? undefined };
  if (place.word === "next") session.write(writeWithProfile("next", profile, {}, after));
  else if (place.word === "block" && conversation) session.write(write("block", { conversation }));
  else session.write(write("leave"));
  awaitAnswer(session, now);
}
