// The wish for an invitation, through lost connections, until there is one, or an error.

import { write } from "./envelopes.js";

/** @typedef {import("./session.js").Session} Session */

/**
 * Until when `invite` has to be answered; Infinity while it wasn't written on this connection.
 *
 * @typedef {{by: number}} Inviting
 */

/** Asks the server, if an invitation is wished for. @param {Session} session @param {number} now */
export function askInvitation(session, now) {
  if (session.inviting?.by !== Infinity) return;
  if (!session.offers("invite")) {
    return uninvited(session, 123, "feature_off", "This server does not offer that.");
  }
  session.inviting.by = now + session.settings.answer_ms;
  session.write(write("invite"));
}

/** @param {Session} session @param {Record<string, any>} invitation @param {number} now */
export function hearInvitation(session, { code, expires_ms }, now) {
  session.inviting = null;
  if (session.place.kind === "idle") {
    // This was all the connection was for.
    session.backoff.held(now);
    if (session.toldLost) session.tell({ type: "restored", conversation: null });
    session.toldLost = false;
  }
  session.tell({ type: "invitation", code, expires_ms });
}

/** On the next connection it has to be asked for again. @param {Session} session */
export function loseInvitation({ inviting }) {
  if (inviting) inviting.by = Infinity;
}

/**
 * No invitation will come any more: tells so, as the server would have.
 *
 * @param {Session} session
 * @param {number} code
 * @param {string} name
 * @param {string} sentence
 */
export function uninvited(session, code, name, sentence) {
  if (!session.inviting) return;
  session.inviting = null;
  session.tell({ type: "error", code, name, sentence, about: "invite" });
}
