// The rules that a client of `vyoma.v1` keeps (docs/protocol.md), as a pure state machine.
//
// Knows the outbox, watermarks, attempts, credit, when to acknowledge, when to connect again, and when
// a connection is dead. Must not know sockets, clocks, storage, or the server's rules: time is an
// argument, and what is to be done is returned as a list of actions.
//
// Here is what drivers and applications call; what it does is in the modules beside this one. The same
// rules in Rust: crates/reliable. Both are held to docs/vectors.

import { Backoff } from "./backoff.js";
import { hearBinary, hearText } from "./hearing.js";
import { Untaken } from "./inbox.js";
import * as line from "./line.js";
import { IDLE, Talk } from "./place.js";
import { flush, put, took, typeToPartner, waitsUntil } from "./saying.js";
import * as wishes from "./wishes.js";

/** @typedef {import("./saved.js").Saved} Saved */
/** @typedef {import("./saved.js").Change} Change */
/** @typedef {import("./settings.js").Settings} Settings */

/**
 * Something for the application: docs/vectors/README.md lists the types.
 *
 * @typedef {{type: string} & Record<string, any>} Event
 */

/**
 * What the driver has to do, in the order in which it was returned:
 *
 * - `connect`: open a WebSocket connection with the subprotocol `vyoma.v1`, then call `connected`, or
 *   `disconnected` if it can't be;
 * - `write`: write one WebSocket message;
 * - `close`: close the connection, or stop opening it, and report nothing more of it (browsers refuse
 *   to send 1001; there 1000 stands for it);
 * - `save`: store this before any later action is carried out;
 * - `event`: tell the application.
 *
 * @typedef {{do: "connect"}
 *   | {do: "write", frame: string | Uint8Array}
 *   | {do: "close", code: number}
 *   | {do: "save", change: Change}
 *   | {do: "event", event: Event}} Action
 */

/**
 * One device's place on one server, through all its connections: its connection, its conversation, its
 * outbox. Every call takes the time in milliseconds, which must not go backwards; after each call,
 * take `actions`.
 */
export class Session {
  /** What the server told in its `hello`; before the first one, the usual values. */
  limits = {
    max_message: 64 * 1024,
    credit: 256 * 1024,
    grace_ms: 60_000,
    features: /** @type {string[]} */ ([]),
  };
  backoff = new Backoff();
  untaken = new Untaken();
  /** @type {import("./place.js").Place} */
  place = IDLE;
  /** What partners are shown, as JSON. @type {string | null} */
  profile = null;
  /** What a partner has to be like. @type {import("./envelopes.js").Rules | null} */
  rules = null;
  /** The code of the invitation by which a partner is wished for. @type {string | null} */
  invite = null;
  /** An invitation is wished for. @type {import("./inviting.js").Inviting | null} */
  inviting = null;
  /** A connection was lost while queued: there may be a conversation that we never heard of. */
  maybeMatched = false;
  /** The application was told that the connection is lost. */
  toldLost = false;
  /** The application closed the session: no connection is wanted until it says otherwise. */
  closed = false;
  /** @type {Action[]} */
  out = [];

  /**
   * A session that goes on from `saved`. If that has a seat, it connects at once and resumes.
   *
   * @param {Settings} settings
   * @param {Saved} saved
   * @param {number} now
   */
  constructor(settings, saved, now) {
    this.settings = settings;
    this.device = saved.device;
    this.attempt = saved.attempt;
    this.leaving = saved.leaving;
    this.line = new line.Line(now);
    if (saved.seat) this.place = { kind: "talking", talk: new Talk(saved.seat) };
    line.connectIfWanted(this, now);
  }

  /** The connection is open, and speaks `vyoma.v1`. @param {number} unixMs @param {number} now */
  connected(unixMs, now) {
    line.opened(this, unixMs, now);
  }

  /** A text message came. @param {string} text @param {number} now */
  text(text, now) {
    hearText(this, text, now);
    flush(this, now);
  }

  /** A binary message came. @param {Uint8Array} message @param {number} now */
  binary(message, now) {
    hearBinary(this, message, now);
    flush(this, now);
  }

  /** Something else came: it proves that the connection lives. @param {number} now */
  heard(now) {
    this.line.pulse.heard(now);
  }

  /**
   * The connection is lost, or couldn't be opened.
   *
   * @param {number | null} code that of the Close frame, if one came
   * @param {number} now
   */
  disconnected(code, now) {
    line.lineClosed(this, code, now);
  }

  /**
   * There is reason to look at once: the network is back, the page visible, the laptop awake. It also
   * takes a closed session with a seat back to work.
   *
   * @param {number} now
   */
  wake(now) {
    this.closed = false;
    line.lookAtLine(this, now);
  }

  /** The deadline has passed (earlier is harmless, and later is noticed). @param {number} now */
  tick(now) {
    line.tickLine(this, now);
    flush(this, now);
  }

  /**
   * Asks for a partner. Stays in force through lost connections until there is one, or `leave`, or the
   * server answers by an error about `join`.
   *
   * @param {string | null} profile what the partner is shown, as JSON
   * @param {number} now
   * @param {string | null} [invite] for the one who presents the same invitation's code; null for anybody
   * @param {string | null} [rules] what the partner has to be like, as JSON; null for anybody
   * @throws {Refused} `wrong_state` while queued or in a conversation, `bad_value`
   */
  join(profile, now, invite = null, rules = null) {
    wishes.wishJoin(this, profile, invite, rules, now);
  }

  /**
   * Asks for an invitation, which comes as `invitation`, or as an error about `invite`. Stays in force
   * through lost connections until then.
   *
   * @param {number} now
   * @throws {Refused} `wrong_state` if one is asked for already, `feature_off`
   */
  askInvitation(now) {
    wishes.wishInvitation(this, now);
  }

  /**
   * Ends the conversation, if there is one, and asks for another partner, who is shown this profile, or
   * without one that of before; and who has to be like this, or without rules as before.
   *
   * @param {string | null} profile
   * @param {number} now
   * @param {string | null} [rules]
   * @throws {Refused} `wrong_state` while queued, `bad_value`
   */
  next(profile, now, rules = null) {
    wishes.wishPartner(this, profile, rules, true, null, now);
  }

  /** Ends the conversation, or the wait. @param {number} now */
  leave(now) {
    wishes.wishLeave(this, now);
  }

  /**
   * Ends the conversation, if it is going on, and has its two devices never paired again. Without a
   * connection it is done as soon as there is one; until then the conversation stays.
   *
   * @param {number} now
   * @throws {Refused} `wrong_state`, `feature_off`; `offline` if the conversation and the connection
   *   are over
   */
  block(now) {
    wishes.wishBlock(this, now);
  }

  /**
   * Tells the organiser about the present or the last conversation.
   *
   * @param {string} reason 1 to 500 bytes
   * @throws {Refused} `wrong_state`, `feature_off`, `offline`, `bad_value`
   */
  report(reason) {
    wishes.wishReport(this, reason);
  }

  /**
   * Takes a message into the outbox, and returns its number. It is written as soon as the connection
   * and the credit allow, kept until the partner's application has it, and written again on each new
   * connection until then.
   *
   * @param {string | Uint8Array} body JSON, or any bytes
   * @param {number} now
   * @throws {Refused} it wasn't taken: `no_partner`, `full`, `too_big`, `bad_json`, `exhausted`
   */
  send(body, now) {
    const n = put(this, body);
    flush(this, now);
    return n;
  }

  /**
   * The application's callback for the `message` of this number has returned, or failed. To be called
   * for each, in the order of the events; one out of order has no effect.
   *
   * @param {number} n
   * @param {number} now
   */
  taken(n, now) {
    const taken = this.untaken.take(n);
    if (taken) took(this, taken.n, taken.weight, now);
    flush(this, now);
  }

  /**
   * A person has seen the partner's messages up to this number.
   *
   * @param {number} n
   * @param {number} now
   */
  read(n, now) {
    if (this.place.kind === "talking") this.place.talk.inbox.saw(n);
    flush(this, now);
  }

  /**
   * The person types (to be called at each key), or no longer.
   *
   * @param {boolean} on
   * @param {number} now
   */
  typing(on, now) {
    typeToPartner(this, on, now);
    flush(this, now);
  }

  /**
   * Sends something opaque that is never kept.
   *
   * @param {string} payload JSON
   * @throws {Refused} `wrong_state`, `offline`, `feature_off`; `bad_value` for what is no JSON, or
   *   over 16 KiB as an envelope
   */
  signal(payload) {
    wishes.wishSignal(this, payload);
  }

  /**
   * Closes the connection and wishes for nothing more. A seat is kept: a later session may go on from
   * what was saved, or this one after `wake`, as long as the grace lasts.
   *
   * @param {number} now
   */
  close(now) {
    line.wishClose(this, now);
  }

  /** Takes what has to be done, in order. */
  actions() {
    return this.out.splice(0);
  }

  /** When to call `tick`, if nothing else happens until then; null for never. */
  get deadline() {
    const invitationBy = this.inviting?.by ?? Infinity;
    const at = Math.min(this.line.deadline(this.settings), waitsUntil(this), invitationBy);
    return at === Infinity ? null : at;
  }

  /** What is kept, as all the changes make it up. @returns {Saved} */
  get saved() {
    const { device, attempt, leaving, place } = this;
    return { device, attempt, leaving, seat: place.kind === "talking" ? place.talk.seat() : null };
  }

  /** @param {string} feature */
  offers(feature) {
    return this.limits.features.includes(feature);
  }

  /** @param {string} envelope */
  write(envelope) {
    this.out.push({ do: "write", frame: envelope });
  }

  /** @param {Change} change */
  save(change) {
    this.out.push({ do: "save", change });
  }

  /** @param {Event} event */
  tell(event) {
    this.out.push({ do: "event", event });
  }
}
