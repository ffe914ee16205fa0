// What can be done with a conversation: two buttons, and a menu of the rest.
//
// Knows buttons and keys. Must not know what they do.

import { icon } from "./emoji.js";
import { button, freshId, isShown, make, unseen } from "./nodes.js";

/** @typedef {"next" | "leave" | "block" | "report" | "save-text" | "save-json" | "clear"} Action */

/** @type {Action[]} */
const IN_MENU = ["save-text", "save-json", "clear", "report", "block"];

export class Actions {
  /**
   * @param {import("../words.js").Words} words
   * @param {(action: Action) => void} onact
   * @param {AbortSignal} signal
   */
  constructor(words, onact, signal) {
    const label = (/** @type {Action} */ action) => words.say(`conversation.${action}`);
    this.next = button("vy-next", label("next"), () => onact("next"));
    this.leave = button("vy-leave", label("leave"), () => onact("leave"));
    this.menu = button("vy-menu", "", () => this.#open(this.panel.hidden));
    this.menu.append(icon("M5 12h.01M12 12h.01M19 12h.01"), unseen(words.say("conversation.menu")));
    this.panel = make("div", "vy-actions");
    this.panel.id = freshId();
    this.menu.setAttribute("aria-controls", this.panel.id);
    this.items = IN_MENU.map((action) => button(`vy-${action}`, label(action), () => {
      this.#open(false);
      // Where a dialog returns the focus to.
      this.menu.focus();
      onact(action);
    }));
    this.panel.append(...this.items);
    this.element = make("div", "vy-bar", this.next, this.leave, make("div", "vy-corner", this.menu, this.panel));
    this.panel.addEventListener("keydown", (event) => this.#key(event));
    this.menu.addEventListener("keydown", (event) => this.#key(event));
    this.element.addEventListener("focusout", ({ relatedTarget }) => {
      const inside = relatedTarget instanceof Node && this.element.contains(relatedTarget);
      if (!inside && document.hasFocus()) this.#open(false);
    });
    document.addEventListener("pointerdown", ({ target }) => {
      if (target instanceof Node && !this.element.contains(target)) this.#open(false);
    }, { signal });
    this.#open(false);
  }

  /** What can be done now. @param {{going: boolean, block: boolean, report: boolean}} can `going`: the conversation goes on */
  allow({ going, block, report }) {
    this.next.hidden = !going;
    this.leave.hidden = !going;
    for (const item of this.items) {
      if (item.className === "vy-block") item.hidden = !block;
      if (item.className === "vy-report") item.hidden = !report;
    }
  }

  /** @param {boolean} open */
  #open(open) {
    this.panel.hidden = !open;
    this.menu.setAttribute("aria-expanded", String(open));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (this.panel.hidden) return;
    const items = this.items.filter(isShown);
    const at = items.findIndex((item) => item === document.activeElement);
    if (event.key === "Escape") {
      event.stopPropagation();
      this.#open(false);
      this.menu.focus();
    } else if (event.key === "ArrowDown") {
      event.preventDefault();
      items[(at + 1) % items.length].focus();
    } else if (event.key === "ArrowUp") {
      event.preventDefault();
      items.at(at <= 0 ? -1 : at - 1)?.focus();
    }
  }
}
