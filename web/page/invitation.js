// An invitation to share: link, QR code, and the code to be read out.
//
// Knows the panel's elements. Must not know how an invitation is made or used.

import { byId, tell } from "./dom.js";
import { startAddress } from "./place.js";

export class Invitation {
  /** @param {import("../words.js").Words} words */
  constructor(words) {
    this.words = words;
    byId("copy").addEventListener("click", () => this.#copy());
    byId("share").addEventListener("click", () => this.#share());
    byId("share").hidden = !("share" in navigator);
    byId("invite-link").addEventListener("focus", () => byId("invite-link").select());
    byId("invite-qr").alt = words.say("invitation.qr");
  }

  /** @param {string} code @param {string | null} pool */
  show(code, pool) {
    const link = startAddress();
    // It holds in the pool in which it was made.
    if (pool !== null) link.searchParams.set("pool", pool);
    link.searchParams.set("invite", code);
    byId("invite-link").value = link.href;
    byId("invite-code").textContent = code;
    const picture = new URL("qr.svg", startAddress());
    picture.searchParams.set("link", link.href);
    byId("invite-qr").src = picture.href;
    tell("copied", "");
    byId("invitation").hidden = false;
  }

  focus() {
    byId("invitation").querySelector("h2").focus();
  }

  hide() {
    byId("invitation").hidden = true;
  }

  async #copy() {
    const field = byId("invite-link");
    let copied = true;
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      // On plain HTTP there is no clipboard; the old way works on a click. Where it doesn't, the link is selected.
      field.select();
      copied = document.execCommand("copy");
    }
    tell("copied", copied ? this.words.say("invitation.copied") : "");
  }

  async #share() {
    const text = this.words.say("invitation.text", { name: byId("place-name").textContent });
    try {
      await navigator.share({ title: document.title, text, url: byId("invite-link").value });
    } catch {
      // Thought better of.
    }
  }
}
