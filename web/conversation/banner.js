// One line about the connection, or about what was done: what lasts stays, the rest goes after a while.
//
// Must not know clients.

import { make } from "./nodes.js";

/** How long good news is told. */
const NEWS_MS = 5000;
/** Who is back by then was never missed: no connection that flaps makes this line flicker, or a screen reader chatter. */
const PATIENCE_MS = 700;

export class Banner {
  #timer = 0;
  /** What lasts, by what it is about; the first one is told. @type {Map<string, (string | Node)[]>} */
  #lasting = new Map();

  constructor() {
    this.element = make("div", "vy-banner");
    this.element.setAttribute("role", "status");
    this.element.dataset.kind = "none";
  }

  /** Tells something until it no longer holds. @param {"line" | "partner"} about @param {(string | Node)[]} parts */
  hold(about, parts) {
    // Each further try to connect says the same again, and must not put off that it is told.
    if (this.#lasting.has(about)) return;
    this.#lasting.set(about, parts);
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.#showLasting(), PATIENCE_MS);
  }

  /** It no longer holds; tells so, if it was told. @param {"line" | "partner"} about @param {(string | Node)[]} news */
  release(about, news) {
    if (!this.#lasting.delete(about)) return;
    const told = this.element.dataset.about === about;
    if (told && this.#lasting.size === 0) this.tell(news);
    else this.#showLasting();
  }

  /** Tells something for a while. @param {(string | Node)[]} parts @param {"news" | "problem"} [kind] */
  tell(parts, kind = "news") {
    this.#show(kind, "", parts);
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.#showLasting(), NEWS_MS);
  }

  clear() {
    clearTimeout(this.#timer);
    this.#lasting.clear();
    this.#showLasting();
  }

  #showLasting() {
    clearTimeout(this.#timer);
    const about = ["line", "partner"].find((one) => this.#lasting.has(one));
    if (about) this.#show("lasting", about, this.#lasting.get(about) ?? []);
    else this.#show("none", "", []);
  }

  /** @param {string} kind @param {string} about @param {(string | Node)[]} parts */
  #show(kind, about, parts) {
    this.element.dataset.kind = kind;
    this.element.dataset.about = about;
    this.element.replaceChildren(...parts);
  }
}
