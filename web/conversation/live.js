// Tells screen readers what comes, without chattering: one message is read, a burst is counted.
//
// Knows time. Must not know the list.

import { make } from "./nodes.js";
import { beginning, safeText } from "./safe.js";

/** What comes within this time after something was told waits, and is told together. */
const QUIET_MS = 2000;
/** So many are read one by one. */
const MOST_READ = 2;
/** So much of a message is read; the list has all of it. */
const MOST_LENGTH = 300;
/** What was told so long ago isn't in the way of who explores the page. */
const FORGET_MS = 20_000;

export class Live {
  /** @type {{name: string, text: string}[]} */
  #waiting = [];
  #count = 0;
  #timer = 0;
  #forgetting = 0;

  /** @param {import("../words.js").Words} words */
  constructor(words) {
    this.words = words;
    this.element = make("div", "vy-live vy-unseen");
    this.element.setAttribute("role", "log");
    this.element.setAttribute("aria-live", "polite");
    this.element.setAttribute("aria-label", words.say("conversation.news"));
  }

  /** Something else is to be told, at once. @param {string} line */
  tell(line) {
    this.element.replaceChildren(make("p", "", line));
    this.#forgetSoon();
  }

  /** A message came. @param {string} name @param {string} text */
  hear(name, text) {
    this.#count += 1;
    if (this.#waiting.length < MOST_READ) this.#waiting.push({ name, text: beginning(text, MOST_LENGTH) });
    this.#timer ||= window.setTimeout(() => this.#tell(), 0);
  }

  /** Nothing of what waits matters any more. */
  clear() {
    clearTimeout(this.#timer);
    clearTimeout(this.#forgetting);
    this.#timer = 0;
    this.#count = 0;
    this.#waiting = [];
    this.element.replaceChildren();
  }

  #tell() {
    this.#timer = 0;
    if (this.#count === 0) return;
    const { words } = this;
    const lines = this.#count > MOST_READ
      ? [words.say("conversation.new", { count: this.#count })]
      : this.#waiting.map(({ name, text }) => `${name}: ${safeText(text)}`);
    this.#count = 0;
    this.#waiting = [];
    this.element.replaceChildren(...lines.map((line) => make("p", "", line)));
    this.#timer = window.setTimeout(() => this.#tell(), QUIET_MS);
    this.#forgetSoon();
  }

  #forgetSoon() {
    clearTimeout(this.#forgetting);
    this.#forgetting = window.setTimeout(() => this.element.replaceChildren(), FORGET_MS);
  }
}
