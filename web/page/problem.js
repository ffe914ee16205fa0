// What can't be: said in a sentence, with the ways out of it.
//
// Knows the section's elements. Must not know what went wrong.

import { byId, tell } from "./dom.js";
import { show } from "./views.js";

/**
 * What the two buttons do, and what the first one says (a key of the words).
 *
 * @typedef {{label: string, again: () => void, back: () => void}} WayOut
 */

export class Problem {
  /** @param {import("../words.js").Words} words @param {() => void} again */
  constructor(words, again) {
    this.words = words;
    /** @type {WayOut} */
    this.usual = { label: "problem.retry", again, back: () => show("arrival") };
    this.way = this.usual;
    byId("retry").addEventListener("click", () => this.way.again());
    byId("back").addEventListener("click", () => this.way.back());
  }

  /** @param {string} title a key of the words @param {string} line @param {Partial<WayOut>} [other] than usual */
  show(title, line, other = {}) {
    this.way = { ...this.usual, ...other };
    byId("problem-title").textContent = this.words.say(title);
    byId("retry").textContent = this.words.say(this.way.label);
    tell("problem-line", line);
    show("problem");
  }
}
