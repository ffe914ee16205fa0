// What an application holds: the client, and what happens to it.
//
// Knows handlers, receipts and values. Must not know sockets or the rules.

import { Driver } from "./driver.js";
import { Receipts } from "./receipts.js";
import { Refused } from "./refused.js";
import { bodyOf, jsonOf, parsed, rulesOf, shown } from "./values.js";
import { watchPage } from "./watching.js";

/**
 * What a partner is shown; each part may be left out.
 *
 * @typedef {object} Profile
 * @property {string} [name] 1 to 64 bytes
 * @property {string} [headline] 1 to 200 bytes
 * @property {string[]} [offers] up to 16, of 1 to 64 bytes
 * @property {string[]} [seeks] up to 16, of 1 to 64 bytes
 * @property {string[]} [topics] up to 16, of 1 to 64 bytes
 * @property {string[]} [languages] up to 8, of 2 to 16 bytes
 */

/**
 * What an application may hear, by type. Numbers (`n`, `from`, `to`) are the own messages', where not
 * said otherwise.
 *
 * @typedef {object} Events
 * @property {{type: "waiting", pool: string, ahead: number, widened?: number, estimate_ms?: [number, number]}} waiting for a
 *   partner; so many came before. Again after each new connection, and when what will do has fallen
 *   (`widened`: how often), where profiles decide. `estimate_ms`: four of five who wait like this are
 *   matched so many milliseconds from now, at the earliest and at the latest
 * @property {{type: "matched", conversation: string, side: "a" | "b", partner: Profile | null, reliable: boolean, why: string[], common: Profile | null}} matched
 *   a conversation begins; `reliable`: the partner speaks `vyoma.v1`; `common`: where that decided, what
 *   the two have in common: of the own offers and seeks those that the other's meet, topics, languages
 * @property {{type: "message", n: number, value?: any, json?: string, bytes?: Uint8Array}} message the
 *   partner's message `n`: a JSON value (and its text), or bytes
 * @property {{type: "written", n: number}} written up to `n`, to a connection
 * @property {{type: "accepted", n: number}} accepted up to `n`, by the server
 * @property {{type: "delivered", n: number}} delivered up to `n`, to the partner's application
 * @property {{type: "read", n: number}} read up to `n`, by a person
 * @property {{type: "undelivered", from: number, to: number}} undelivered not confirmed, and never will
 *   be; the partner may have seen them
 * @property {{type: "gap", from: number, to: number | null}} gap these messages of the partner will
 *   never come; null: nobody knows how many
 * @property {{type: "typing", on: boolean}} typing the partner types, or no longer
 * @property {{type: "signal", value: any}} signal something fleeting of the partner
 * @property {{type: "away"}} away the partner's connection was lost; it may come back
 * @property {{type: "back"}} back the partner is there again
 * @property {{type: "lost"}} lost there is no connection; the client is trying
 * @property {{type: "restored", conversation: string | null}} restored there is a connection again, and
 *   the place (null: in the queue) is held
 * @property {{type: "ended", conversation: string | null, reason: string, sentence: string, complete: boolean}} ended
 *   the conversation (null: the wait) is over; `complete`: all that the partner said has come, but for
 *   the gaps that were told
 * @property {{type: "invitation", code: string, expires_ms: number}} invitation what `invite` asked for
 * @property {{type: "done", about: "block" | "report"}} done it was done
 * @property {{type: "error", code: number, name: string, sentence: string, about?: string, n?: number, retry_after_ms?: number}} error
 *   something that was sent had no effect
 * @property {{type: "trouble", what: string}} trouble the server said what can't be; another connection
 *   is tried
 * @property {{type: "cannot_connect", problem: string}} cannot_connect there was no connection to be
 *   had; the client tries again by itself
 * @property {{type: "not_kept", error: unknown}} not_kept the storage failed, or what a tab had kept
 *   can't be used
 * @property {{type: "handler_failed", error: unknown, event: {type: string}}} handler_failed a handler
 *   threw; its message counts as taken
 */

/** One place on one server: made by `connect`. */
export class Client {
  #driver;
  #receipts = new Receipts();
  /** @type {Map<string, Set<(event: any) => unknown>>} */
  #handlers = new Map();
  /**
   * What happened, and no handler was called for yet.
   *
   * @type {({type: string} & Record<string, any>)[]}
   */
  #events = [];
  #delivering = false;
  /** The handlers of a message, until they are done. @type {Promise<unknown>} */
  #taking = Promise.resolve();
  /** The goodbye, once it is under way. @type {Promise<void> | null} */
  #closed = null;
  /**
   * The conversation that the application knows of: what it says is meant for this partner, and for
   * no other who may have come meanwhile.
   *
   * @type {string | null}
   */
  #known;
  /** How the last conversation began. @type {Events["matched"] | null} */
  #matched = null;
  /** Messages that wait for room in the outbox, in order. @type {(() => boolean)[]} */
  #crowd = [];
  #stopWatching;
  /**
   * Who awaits an invitation.
   *
   * @type {{resolve: (invitation: {code: string, expiresMs: number}) => void,
   *   reject: (refused: Refused) => void} | null}
   */
  #inviting = null;

  /**
   * @param {Omit<ConstructorParameters<typeof Driver>[0], "tell"> & {problem?: unknown}} parts `problem`:
   *   what was kept couldn't be used, or what is to be kept couldn't be
   */
  constructor({ problem, ...parts }) {
    this.#driver = new Driver({ ...parts, tell: (event) => this.#happen(event) });
    this.#known = this.#session.saved.seat?.conversation ?? null;
    this.#stopWatching = watchPage(() => this.wake());
    // Not before whoever made this has its handlers.
    if (problem) setTimeout(() => this.#happen({ type: "not_kept", error: problem }));
  }

  /**
   * Has `handler` called for each event of a type, in the order in which they came. A message waits
   * until there is a handler for it, and counts as taken once that has returned (an asynchronous one:
   * is done) or failed; until then nothing that came later is told.
   *
   * @template {keyof Events} T
   * @param {T} type
   * @param {(event: Events[T]) => unknown} handler
   * @returns {() => void} call it to hear no more
   */
  on(type, handler) {
    const handlers = this.#handlers.get(type) ?? new Set();
    this.#handlers.set(type, handlers.add(handler));
    this.#deliver();
    return () => handlers.delete(handler);
  }

  /** What the client is about: `leaving` lasts until the server has confirmed it. */
  get state() {
    return this.#session.place.kind;
  }

  /** Whether there is a connection on which the conversation, if any, goes on. */
  get online() {
    return this.#session.line.isOpen;
  }

  /** What the server told of its limits and features. */
  get limits() {
    return this.#session.limits;
  }

  /**
   * The present conversation, null if there is none. Why these two, and what they have in common, is not
   * kept through reloading: then `why` is empty, and `common` null.
   *
   * @returns {Omit<Events["matched"], "type"> | null}
   */
  get conversation() {
    const { place } = this.#session;
    if (place.kind !== "talking") return null;
    const { conversation, side, partner, reliable } = place.talk;
    const { why = [], common = null } = this.#matched?.conversation === conversation ? this.#matched : {};
    return { conversation, side, partner: parsed(partner), reliable, why, common };
  }

  /**
   * Asks for a partner, who is shown this profile. Stays in force through lost connections.
   *
   * @param {Profile} [profile]
   * @param {object} [how]
   * @param {string} [how.invite] the code of an invitation, as somebody has typed it: for the one who
   *   presents the same, and nobody else
   * @param {string[]} [how.languages] up to 8, of 2 to 16 bytes: the partner has to speak one of them,
   *   however long that takes. They hold where profiles decide; elsewhere the server answers by error
   *   `no_rules`
   * @throws {Refused} `wrong_state` if it is queued or talks already, `bad_value` for a bad profile, bad
   *   languages, or what can't be a code
   */
  join(profile, { invite, languages } = {}) {
    this.#do((session, now) => session.join(jsonOf(profile), now, invite, rulesOf(languages)));
  }

  /**
   * Makes an invitation: the two who `join` with its code meet each other. Waits for a connection.
   *
   * @returns {Promise<{code: string, expiresMs: number}>} the code, to be told to somebody, and for how
   *   long it holds
   * @throws {Refused} `wrong_state` if another one is awaited, `feature_off`, `closed`, or what the
   *   server said: `too_many_invites`, `too_fast`
   */
  invite() {
    return new Promise((resolve, reject) => {
      this.#do((session, now) => session.askInvitation(now));
      this.#inviting = { resolve, reject };
    });
  }

  /**
   * Ends the conversation, if there is one, and asks for another partner, who is shown this profile,
   * or the one of before.
   *
   * @param {Profile} [profile]
   * @param {object} [how]
   * @param {string[]} [how.languages] of which the partner has to speak one; as before if they aren't
   *   there, and none if there are none
   * @throws {Refused} `wrong_state` if it is queued already, `bad_value` for a bad profile, or bad languages
   */
  next(profile, { languages } = {}) {
    this.#do((session, now) => session.next(jsonOf(profile), now, rulesOf(languages)));
  }

  /** Ends the conversation, or the wait. */
  leave() {
    this.#do((session, now) => session.leave(now));
  }

  /**
   * Ends the conversation, and never meets this partner again.
   *
   * @throws {Refused} `wrong_state`, `feature_off`, `offline`
   */
  block() {
    if (this.#isElsewhere) throw new Refused("wrong_state");
    this.#do((session, now) => session.block(now));
  }

  /**
   * Tells the organiser about the present or the last partner.
   *
   * @param {string} reason 1 to 500 bytes
   * @throws {Refused} `wrong_state`, `feature_off`, `offline`, `bad_value`
   */
  report(reason) {
    if (this.#isElsewhere) throw new Refused("wrong_state");
    this.#do((session) => session.report(reason));
  }

  /**
   * Sends a JSON value, or bytes, and waits for room in the outbox where that is full. It is kept until
   * the partner's application has it, or the conversation is over.
   *
   * @param {unknown} value what JSON.stringify takes, a Uint8Array or an ArrayBuffer
   * @returns {Promise<import("./receipts.js").Receipt>} what becomes of it
   * @throws {Refused} `no_partner`, `too_big`, `bad_json`, `exhausted`, `closed`
   */
  send(value) {
    return new Promise((resolve, reject) => {
      const body = bodyOf(value);
      const meant = this.#known;
      this.#crowd.push(() => {
        try {
          if (this.#isElsewhere || meant !== this.#known) throw new Refused("no_partner");
          const n = this.#do((session, now) => session.send(body, now));
          resolve(this.#receipts.issue(n));
        } catch (refused) {
          if (refused instanceof Refused && refused.reason === "full") return false;
          reject(refused);
        }
        return true;
      });
      if (this.#crowd.length === 1) this.#drain();
    });
  }

  /** A person has seen the partner's messages up to this number. @param {number} n */
  read(n) {
    if (!Number.isInteger(n)) throw new TypeError(`${n} is no message's number`);
    this.#do((session, now) => this.#isElsewhere || session.read(n, now));
  }

  /** The person types (to be called at each key), or no longer. @param {boolean} [on] */
  typing(on = true) {
    this.#do((session, now) => this.#isElsewhere || session.typing(Boolean(on), now));
  }

  /**
   * Sends something opaque that is never kept, for instance for WebRTC.
   *
   * @param {unknown} value what JSON.stringify takes, up to 16 KiB
   * @throws {Refused} `wrong_state`, `offline`, `feature_off`, `bad_value`
   */
  signal(value) {
    if (this.#isElsewhere) throw new Refused("wrong_state");
    this.#do((session) => session.signal(JSON.stringify(value) ?? ""));
  }

  /**
   * There is reason to look at the connection at once. A page need not call it: coming into sight and
   * back online is noticed.
   */
  wake() {
    this.#do((session, now) => session.wake(now));
  }

  /** Closes the connection; a seat is kept for the grace. Nothing more is told. @returns {Promise<void>} */
  close() {
    return this.#closed ?? this.#end(this.#driver.close());
  }

  /**
   * Closes, and gives the seat away: `connect` goes on from what is returned (option `seat`), in another
   * tab for instance. It is a secret, and good for one client. A message whose handler is at work is waited
   * for, up to two seconds, so that it isn't told again there.
   *
   * @returns {Promise<string>}
   * @throws {Refused} `closed`
   */
  async handOver() {
    if (this.#closed) throw new Refused("closed");
    const given = this.#driver.handOver(this.#taking);
    await this.#end(given.then(() => {}));
    return given;
  }

  /** @param {Promise<void>} goodbye */
  #end(goodbye) {
    this.#closed = goodbye;
    this.#stopWatching();
    this.#events = [];
    this.#drain();
    this.#receipts.finish();
    this.#inviting?.reject(new Refused("closed"));
    this.#inviting = null;
    return goodbye;
  }

  get #session() {
    return this.#driver.session;
  }

  /** Whether the session is in a conversation that the application hasn't heard of yet. */
  get #isElsewhere() {
    const { place } = this.#session;
    return place.kind === "talking" && place.talk.conversation !== this.#known;
  }

  /**
   * @template T
   * @param {(session: import("./session.js").Session, now: number) => T} call
   */
  #do(call) {
    if (this.#closed) throw new Refused("closed");
    return this.#driver.do(call);
  }

  /** Puts what waits into the outbox, as far as there is room. */
  #drain() {
    while (this.#crowd.length > 0 && this.#crowd[0]()) this.#crowd.shift();
  }

  /** @param {import("./session.js").Event} event */
  #happen(event) {
    this.#receipts.note(event);
    if (event.type === "invitation") {
      this.#inviting?.resolve({ code: event.code, expiresMs: event.expires_ms });
      this.#inviting = null;
    } else if (event.type === "error" && event.about === "invite") {
      this.#inviting?.reject(new Refused(event.name, event.sentence));
      this.#inviting = null;
    }
    // A conversation that is over takes no more messages: those that wait hear so.
    if (event.type === "writable" || event.type === "ended") this.#drain();
    if (event.type === "writable" || this.#closed) return;
    const told = shown(event);
    if (told.type === "matched") this.#matched = told;
    this.#events.push(told);
    this.#deliver();
  }

  async #deliver() {
    if (this.#delivering) return;
    this.#delivering = true;
    // Who makes handlers in one go hears of what came meanwhile by all of them.
    await null;
    for (;;) {
      const [event] = this.#events;
      if (!event || (event.type === "message" && !this.#handlers.get("message")?.size)) break;
      this.#events.shift();
      if (event.type === "matched") this.#known = event.conversation;
      if (event.type === "ended") this.#known = null;
      const done = this.#call(event);
      if (event.type !== "message") continue;
      this.#taking = done.then(() => this.#driver.take(event.n));
      await this.#taking;
    }
    this.#delivering = false;
  }

  /** @param {{type: string}} event */
  async #call(event) {
    const handlers = [...(this.#handlers.get(event.type) ?? [])];
    const call = async (/** @type {(event: any) => unknown} */ handler) => handler(event);
    const results = await Promise.allSettled(handlers.map(call));
    for (const result of results) {
      if (result.status === "fulfilled") continue;
      const { reason: error } = result;
      const heard = this.#handlers.get("handler_failed")?.size && event.type !== "handler_failed";
      if (heard) this.#happen({ type: "handler_failed", error, event });
      else console.error(`vyomachat: a handler of "${event.type}" failed:`, error);
    }
  }
}
