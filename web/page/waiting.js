// The wait: who is ahead, how the search widens, calling back, and cancelling.
//
// Knows the section's elements and the SDK's `waiting`. Must not know how a partner is asked for.

import { Calling } from "./calling.js";
import { byId, tell } from "./dom.js";

/** @typedef {import("../words.js").Words} Words */
/** @typedef {import("../vyoma.js").Events} Events */

export class Waiting {
  /** By what somebody is waited for: nothing, an own invitation, somebody else's. @type {"own" | "foreign" | null} */
  #invited = null;
  #calling = new Calling();

  /** @param {Words} words */
  constructor(words) {
    this.words = words;
    byId("call-me").hidden = !this.#calling.canBeAsked;
    byId("call-me").addEventListener("click", async () => {
      const allowed = await this.#calling.ask();
      byId("call-me").hidden = true;
      tell("waiting-hint", words.say(allowed ? "waiting.will-call" : "waiting.will-ring"));
    });
  }

  /** It begins; nothing is known yet. @param {import("./seeking.js").Wish} wish */
  begin({ invite, made }) {
    this.#invited = invite === null ? null : made ? "own" : "foreign";
    byId("waiting").dataset.line = "connecting";
    this.#title("waiting.connecting");
    for (const id of ["ahead", "widened", "estimate", "waiting-hint"]) tell(id, "");
    byId("alone").hidden = true;
    byId("anybody").hidden = invite === null;
    byId("make-invitation").hidden = true;
  }

  /**
   * The server told how it stands.
   *
   * @param {Events["waiting"]} told
   * @param {boolean} invites whether invitations can be made here
   */
  tell({ ahead, widened, estimate_ms: estimate }, invites) {
    const { words } = this;
    byId("waiting").dataset.line = "online";
    const invited = this.#invited !== null;
    byId("make-invitation").hidden = invited || !invites;
    this.#title(this.#invited === "own" ? "waiting.invited" : invited ? "waiting.guest" : "waiting.title");
    tell("ahead", invited ? words.say("waiting.invited-line")
      : ahead === 0 ? words.say("waiting.alone") : words.say("waiting.ahead", { count: ahead }));
    tell("widened", widened ? words.say("waiting.widened", { count: widened }) : "");
    tell("estimate", estimate ? this.#estimate(estimate) : "");
  }

  /** There is no connection; it is being tried. */
  lost() {
    byId("waiting").dataset.line = "lost";
    this.#title("waiting.lost");
    tell("ahead", this.words.say("waiting.lost-line"));
    tell("estimate", "");
  }

  /** The server, or this address, has as many connections as it may; it is being tried. */
  full() {
    this.#title("waiting.full");
    tell("ahead", this.words.say("waiting.full-line"));
  }

  /** Somebody is there. @param {string} name empty if there is none */
  over(name) {
    const title = this.words.say("waiting.found");
    const text = this.words.say(name ? "waiting.found-name" : "waiting.found-nameless", { name });
    this.#calling.call(title, text);
  }

  /** The person has the page open elsewhere, too. */
  meetsNobodyElse() {
    byId("alone").firstElementChild.textContent = this.words.say("waiting.own-tab");
    byId("alone").hidden = false;
  }

  /** @param {string} key */
  #title(key) {
    byId("waiting-title").textContent = this.words.say(key);
  }

  /** @param {[number, number]} between milliseconds from now */
  #estimate([from, to]) {
    const { words } = this;
    const minutes = to >= 120_000;
    const unit = minutes ? 60_000 : 1000;
    const least = Math.floor(from / unit);
    const most = Math.max(1, Math.ceil(to / unit));
    return words.say(minutes ? "waiting.minutes" : "waiting.seconds", { least, count: most });
  }
}
