// Going: the conversation is out of sight at once, and over a little later, unless that is undone.
//
// Knows a wait. Must not know what happens then.

import { button, freshId, make } from "./nodes.js";

/** @typedef {"next" | "leave"} Kind */

export class Parting {
  #timer = 0;
  /** @type {Kind | null} */
  kind = null;

  /**
   * @param {object} setting
   * @param {import("../words.js").Words} setting.words
   * @param {number} setting.ms for how long it can be undone
   * @param {() => void} setting.onundo
   * @param {(kind: Kind, going: boolean) => void} setting.onpart it is time; `going`: the page goes away
   * @param {AbortSignal} setting.signal
   */
  constructor({ words, ms, onundo, onpart, signal }) {
    this.words = words;
    this.ms = ms;
    this.onpart = onpart;
    this.sentence = make("p", "");
    this.sentence.id = freshId();
    this.undo = button("vy-undo", words.say("conversation.undo"), () => {
      this.stop();
      onundo();
    });
    this.undo.setAttribute("aria-describedby", this.sentence.id);
    this.element = make("div", "vy-parting", this.sentence, this.undo);
    this.element.setAttribute("role", "status");
    this.element.tabIndex = -1;
    this.stop();
    // Whoever closes the page won't undo it.
    addEventListener("pagehide", () => this.#part(true), { signal });
  }

  /** @param {Kind} kind */
  begin(kind) {
    this.kind = kind;
    this.undo.hidden = false;
    this.hold(`conversation.parting.${kind}`);
    this.undo.focus();
    this.#timer = window.setTimeout(() => this.#part(false), this.ms);
  }

  /** Shows what is waited for, for as long as that takes. @param {string} key */
  hold(key) {
    this.sentence.textContent = this.words.say(key);
    this.element.hidden = false;
    this.element.focus();
  }

  stop() {
    clearTimeout(this.#timer);
    this.kind = null;
    this.undo.hidden = true;
    this.element.hidden = true;
  }

  /** @param {boolean} going */
  #part(going) {
    const { kind } = this;
    if (!kind) return;
    this.stop();
    this.onpart(kind, going);
  }
}
