// The other tabs of this person: whether there are any, and moving the conversation from one to another.
//
// Knows BroadcastChannel, which reaches this browser's tabs of this very server only. Must not know what a seat is: it
// is a text, and a secret, as the SDK says.

/** How long another tab has to answer; one that the browser has put to sleep doesn't. */
const ANSWER_MS = 700;
/** The same, for giving the conversation away: it says goodbye to the server first. */
const GIVE_MS = 5_000;

/** @typedef {"idle" | "waiting" | "talking"} Doing */

export class Tabs {
  #channel = globalThis.BroadcastChannel ? new BroadcastChannel("vyomachat") : null;
  #own = String(Math.random()).slice(2);

  /**
   * @param {object} parts
   * @param {() => Doing} parts.doing what this tab is about
   * @param {() => Promise<string>} parts.give hands the conversation over, once this tab has one
   * @param {(seat: string) => unknown} parts.takeBack nobody has taken what was handed over
   */
  constructor({ doing, give, takeBack }) {
    this.#channel?.addEventListener("message", async ({ data }) => {
      const { ask, by } = data;
      if (ask === "doing") this.#say({ to: by, doing: doing() });
      if (ask !== "seat" || doing() !== "talking") return;
      const seat = await give();
      if (!(await this.#gives(seat, by))) takeBack(seat);
    });
  }

  /** Says a seat to another tab. Whether it has it: a tab may be closed while it waits. @param {string} seat @param {string} by */
  async #gives(seat, by) {
    let taken = false;
    await this.#hear({ to: by, seat }, ANSWER_MS, ({ has }) => (taken ||= has === "seat"));
    return taken;
  }

  /** What the other tabs are about. @returns {Promise<Doing[]>} one for each that answers */
  async others() {
    /** @type {Doing[]} */
    const found = [];
    await this.#hear({ ask: "doing" }, ANSWER_MS, ({ doing }) => {
      if (doing) found.push(doing);
      return doing === "talking";
    });
    return found;
  }

  /** Has another tab hand its conversation over. @returns {Promise<string | null>} null if none does */
  async take() {
    /** @type {string | null} */
    let taken = null;
    await this.#hear({ ask: "seat" }, GIVE_MS, ({ seat, by }) => {
      if (!seat) return false;
      taken = seat;
      this.#say({ to: by, has: "seat" });
      return true;
    });
    return taken;
  }

  /**
   * Asks, and hears the answers until one is enough or the time is over.
   *
   * @param {object} question @param {number} patience
   * @param {(answer: any) => boolean} enough
   * @returns {Promise<void>}
   */
  #hear(question, patience, enough) {
    return new Promise((resolve) => {
      if (!this.#channel) return resolve();
      const stop = new AbortController();
      const end = () => {
        clearTimeout(timer);
        stop.abort();
        resolve();
      };
      const timer = setTimeout(end, patience);
      const hear = (/** @type {MessageEvent} */ { data }) => {
        if (data.to === this.#own && enough(data)) end();
      };
      this.#channel.addEventListener("message", hear, { signal: stop.signal });
      this.#say({ ...question, by: this.#own });
    });
  }

  /** @param {object} message */
  #say(message) {
    this.#channel?.postMessage(message);
  }
}
