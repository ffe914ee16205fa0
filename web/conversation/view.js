// What an application holds of a mounted view.

import { Controller } from "./controller.js";

/** @typedef {import("./controller.js").State} State */

export class View {
  #controller;

  /**
   * @param {HTMLElement} element
   * @param {import("../vyoma/client.js").Client} client
   * @param {import("./controller.js").Options} options
   */
  constructor(element, client, options) {
    this.#controller = new Controller(element, client, options);
    /** When the present conversation can be read. */
    this.ready = this.#controller.ready;
  }

  /**
   * Where the conversation stands: there is none; it goes on; it is out of sight, and can still be brought
   * back; it is over, and can be read.
   *
   * @returns {State}
   */
  get state() {
    return this.#controller.state;
  }

  /** Puts text into the draft, behind what is there. @param {string} draft */
  say(draft) {
    this.#controller.parts.composer.propose(draft);
  }

  /** Takes the view out of the page, with its handlers. The client goes on, and what is kept is kept. */
  close() {
    this.#controller.close();
  }
}
