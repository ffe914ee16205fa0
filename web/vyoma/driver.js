// Carries out what the rules want: owns the session, the socket, the clock and the storage.
//
// Knows how each is used. Must not know what the application does with what happens.

import { savedText } from "./saved.js";
import { Session } from "./session.js";

const SUBPROTOCOL = "vyoma.v1";
/** setTimeout can't wait longer. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;
/** The longest that a goodbye waits to be heard, and a seat to be given away waits for a handler. */
const FAREWELL_MS = 2_000;
/** The `readyState` from which on a socket takes nothing more. */
const CLOSING = 2;
/** Close codes by which a library says that no Close frame came (RFC 6455, section 7.4.1). */
const NO_CODE = [1005, 1006];

/** @typedef {import("./session.js").Event} Event */
/** @typedef {import("./storage.js").Storage} Storage */

/**
 * The part of the browsers' WebSocket that is used; `ws` and Node's own have it, too.
 *
 * @typedef {object} Socket
 * @property {string} protocol
 * @property {number} readyState
 * @property {string} binaryType
 * @property {((event: any) => void) | null} onopen
 * @property {((event: any) => void) | null} onmessage
 * @property {((event: any) => void) | null} onclose
 * @property {((event: any) => void) | null} onerror
 * @property {(data: any) => void} send
 * @property {(code?: number) => void} close
 * @property {() => void} [terminate] `ws` only: ends it without a word
 */

/** @typedef {new (url: string, protocols: string[]) => Socket} SocketConstructor */

export class Driver {
  /** @type {Socket | null} */
  #socket = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {Promise<void> | null} */
  #acting = null;
  /** Sockets that were told goodbye, until they are closed. @type {Set<Promise<void>>} */
  #farewells = new Set();
  /** What is taken from now on, nobody would keep. */
  #over = false;

  /**
   * @param {object} parts
   * @param {string} parts.url
   * @param {SocketConstructor} parts.WebSocket
   * @param {import("./settings.js").Settings} parts.settings
   * @param {Storage | null} parts.storage
   * @param {import("./saved.js").Saved} parts.saved what the storage had
   * @param {(event: Event) => void} parts.tell
   */
  constructor({ url, WebSocket, settings, storage, saved, tell }) {
    this.url = url;
    this.WebSocket = WebSocket;
    this.storage = storage;
    this.tell = tell;
    this.session = new Session(settings, saved, performance.now());
    this.#wake();
  }

  /**
   * Calls the session, and carries out what comes of it soon: all that is said in one go is stored in
   * one go.
   *
   * @template T
   * @param {(session: Session, now: number) => T} call
   */
  do(call) {
    try {
      return call(this.session, performance.now());
    } finally {
      this.#wake();
    }
  }

  /** The application has taken the message of this number; where that is too late, it will come again. @param {number} n */
  take(n) {
    if (!this.#over) this.do((session, now) => session.taken(n, now));
  }

  /** Says goodbye, and waits until that was heard. */
  async close() {
    this.#over = true;
    await this.#sayGoodbye();
    this.storage?.close?.();
  }

  /**
   * Says goodbye, and keeps nothing of the seat: whoever gets what is returned has it.
   *
   * @param {Promise<unknown>} taking a message that is being taken, and counts if it is by then
   * @returns {Promise<string>}
   */
  async handOver(taking) {
    await Promise.all([this.#sayGoodbye(), soon(taking)]);
    this.#over = true;
    await this.#acting;
    clearTimeout(this.#timer);
    const { saved } = this.session;
    await this.#keep({ ...saved, seat: null });
    this.storage?.close?.();
    return savedText(saved);
  }

  async #sayGoodbye() {
    this.do((session, now) => session.close(now));
    await this.#acting;
    clearTimeout(this.#timer);
    await Promise.all(this.#farewells);
  }

  #wake() {
    this.#acting ??= Promise.resolve().then(() => this.#act());
  }

  async #act() {
    for (;;) {
      const actions = this.session.actions();
      if (actions.length === 0) break;
      if (actions.some((action) => action.do === "save")) await this.#keep(this.session.saved);
      for (const action of actions) this.#carryOut(action);
    }
    this.#acting = null;
    this.#arm();
  }

  /**
   * Stores all that is to be stored, which is never behind what is done after it.
   *
   * @param {import("./saved.js").Saved} saved
   */
  async #keep(saved) {
    if (!this.storage) return;
    try {
      await this.storage.save(savedText(saved), saved.device);
    } catch (error) {
      this.tell({ type: "not_kept", error });
    }
  }

  /** @param {import("./session.js").Action} action */
  #carryOut(action) {
    if (action.do === "connect") this.#connect();
    else if (action.do === "write") this.#write(action.frame);
    else if (action.do === "close") this.#hangUp();
    else if (action.do === "event") this.tell(action.event);
  }

  /**
   * A socket that closes takes nothing, and a browser's console says so of whoever tries; the next one gets it.
   *
   * @param {string | Uint8Array} frame
   */
  #write(frame) {
    if (this.#socket && this.#socket.readyState < CLOSING) this.#socket.send(frame);
  }

  #arm() {
    clearTimeout(this.#timer);
    const { deadline } = this.session;
    if (deadline === null) return;
    const wait = Math.ceil(Math.max(0, deadline - performance.now()));
    const tick = () => this.do((session, now) => session.tick(now));
    this.#timer = setTimeout(tick, Math.min(wait, LONGEST_TIMEOUT_MS));
  }

  #connect() {
    /** @type {Socket} */
    let socket;
    try {
      socket = new this.WebSocket(this.url, [SUBPROTOCOL]);
    } catch (error) {
      // A page that came by https may not speak ws:, for instance.
      return this.#failed(String(error));
    }
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    let problem = "";
    let open = false;
    socket.onopen = () => {
      if (socket.protocol !== SUBPROTOCOL) {
        problem = `the server doesn't speak ${SUBPROTOCOL}`;
        this.#hangUp();
        return this.#failed(problem);
      }
      open = true;
      this.do((session, now) => session.connected(Date.now(), now));
    };
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") this.do((session, now) => session.text(data, now));
      else this.do((session, now) => session.binary(new Uint8Array(data), now));
    };
    // Browsers tell nothing of the reason.
    socket.onerror = (event) => (problem = event?.message ?? event?.error?.message ?? "");
    socket.onclose = ({ code }) => {
      this.#socket = null;
      if (!open) return this.#failed(problem);
      const told = NO_CODE.includes(code) ? null : code;
      this.do((session, now) => session.disconnected(told, now));
    };
  }

  /** There was no connection to be had; the session tries again. @param {string} problem */
  #failed(problem) {
    this.tell({ type: "cannot_connect", problem: problem || "the server can't be reached" });
    this.do((session, now) => session.disconnected(null, now));
  }

  /** Closes the socket, and hears nothing more of it. */
  #hangUp() {
    const socket = this.#socket;
    if (!socket) return;
    this.#socket = null;
    socket.onopen = null;
    socket.onmessage = null;
    // Who closes a socket that isn't open yet is told of an error by `ws`.
    socket.onerror = () => {};
    /** @type {Promise<void>} */
    const farewell = new Promise((resolve) => {
      // A line on which nobody answers isn't waited for.
      const patience = setTimeout(() => {
        socket.terminate?.();
        resolve();
      }, FAREWELL_MS);
      socket.onclose = () => {
        clearTimeout(patience);
        resolve();
      };
    });
    this.#farewells.add(farewell);
    farewell.then(() => this.#farewells.delete(farewell));
    // Browsers take no other code below 3000.
    socket.close(1000);
  }
}

/** Waits for something, but not for long. @param {Promise<unknown>} what */
async function soon(what) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const patience = new Promise((resolve) => (timer = setTimeout(resolve, FAREWELL_MS)));
  await Promise.race([what, patience]);
  clearTimeout(timer);
}
