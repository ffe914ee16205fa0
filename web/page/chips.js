// A field that takes several short things, each shown as a chip that can be taken away again.
//
// Knows its own elements. Must not know what the things are.

import { make } from "./dom.js";

/**
 * @typedef {object} ChipSettings
 * @property {string} id of the input
 * @property {string} label
 * @property {string} hint
 * @property {number} most chips
 * @property {number} bytes the most that one may have, in UTF-8
 * @property {[string, string][]} suggestions each what is kept, and how it is shown
 * @property {(text: string) => string} [keep] what is kept of what was typed
 * @property {(kept: string) => string} [show] how that is shown
 * @property {import("../words.js").Words} words
 */

const length = (/** @type {string} */ text) => new TextEncoder().encode(text).length;

export class Chips {
  /** @type {string[]} */
  #values = [];

  /** @param {ChipSettings} settings */
  constructor(settings) {
    this.settings = settings;
    const { id, label, hint, words } = settings;
    this.input = make("input", { id, enterKeyHint: "enter" });
    this.input.setAttribute("aria-describedby", `${id}-hint`);
    this.list = make("ul", { className: "chips" });
    this.list.setAttribute("aria-label", label);
    this.offers = make("div", { className: "suggestions" });
    this.offers.setAttribute("role", "group");
    this.offers.setAttribute("aria-label", words.say("chips.suggestions", { field: label }));
    this.hint = make("p", { className: "hint", id: `${id}-hint` }, hint);
    this.problem = make("p", { className: "problem" });
    this.problem.setAttribute("role", "status");
    const heading = make("label", { htmlFor: id }, label);
    this.element = make("div", { className: "field" },
      heading, this.list, this.input, this.hint, this.problem, this.offers);
    this.input.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.#key(event));
    this.input.addEventListener("input", () => this.#typed());
    this.input.addEventListener("change", () => this.take());
    this.#draw();
  }

  /** @returns {string[]} */
  get values() {
    return [...this.#values];
  }

  /** @param {unknown} given what is no list of strings that fit is passed over */
  set values(given) {
    this.#values = [];
    for (const text of Array.isArray(given) ? given : []) {
      if (typeof text === "string") this.#add(text);
    }
    this.#draw();
  }

  /** Makes a chip of what was typed. Whether nothing is left over. */
  take() {
    const typed = this.input.value.trim();
    if (typed !== "" && !this.#add(typed)) return false;
    this.input.value = "";
    this.#draw();
    return true;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    // Enter while an input method composes belongs to the input method; Safari says so by the code only.
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Enter" && this.input.value.trim() !== "") {
      event.preventDefault();
      this.take();
    } else if (event.key === "Backspace" && this.input.value === "" && this.#values.length > 0) {
      this.#remove(this.#values.length - 1);
    }
  }

  /** What stands before a comma is a chip. */
  #typed() {
    this.problem.textContent = "";
    const parts = this.input.value.split(/[,،、;\n]/);
    if (parts.length === 1) return;
    // What can't be one stays where it was written, with all that comes after it.
    while (parts.length > 1 && (parts[0].trim() === "" || this.#add(parts[0]))) parts.shift();
    this.input.value = parts.join(",").trimStart();
    this.#draw();
  }

  /** @param {string} typed whether there is a chip of it now */
  #add(typed) {
    const { keep = (text) => text, most, bytes, words } = this.settings;
    const kept = keep(typed.trim());
    const same = (/** @type {string} */ other) => other.toLowerCase() === kept.toLowerCase();
    if (kept === "" || this.#values.some(same)) return true;
    const problem = this.#values.length >= most ? words.say("chips.many", { count: most })
      : length(kept) > bytes ? words.say("chips.long") : "";
    this.problem.textContent = problem;
    if (problem) return false;
    this.#values.push(kept);
    return true;
  }

  /** @param {number} index */
  #remove(index) {
    this.#values.splice(index, 1);
    this.problem.textContent = "";
    this.#draw();
    this.input.focus();
  }

  #draw() {
    const { show = (kept) => kept, suggestions, words } = this.settings;
    this.list.replaceChildren(...this.#values.map((value, index) => {
      const remove = make("button", { type: "button", className: "remove" }, "×");
      remove.setAttribute("aria-label", words.say("chips.remove", { what: show(value) }));
      remove.addEventListener("click", () => this.#remove(index));
      return make("li", { className: "chip" }, make("bdi", {}, show(value)), remove);
    }));
    this.list.hidden = this.#values.length === 0;
    const rest = suggestions.filter(([kept]) => !this.#values.includes(kept));
    this.offers.replaceChildren(...rest.slice(0, 6).map(([kept, shown]) => {
      const add = make("button", { type: "button", className: "suggestion" }, `+ ${shown}`);
      add.addEventListener("click", () => {
        this.#add(kept);
        this.#draw();
        (this.offers.querySelector("button") ?? this.input).focus();
      });
      return add;
    }));
    this.offers.hidden = rest.length === 0;
  }
}
