// The arrival: the organiser's words, and what the person says of themselves. Nothing of it is needed to begin.
//
// Knows the form and what is remembered of it. Must not know what comes after.

import { Chips } from "./chips.js";
import { byId, make, tell } from "./dom.js";
import { Languages } from "./languages.js";
import { profileMemory } from "./memory.js";

/** As docs/protocol.md has it: the most bytes of each, and how many there may be. */
const NAME_BYTES = 64;
const HEADLINE_BYTES = 200;
const WORD = { most: 16, bytes: 64 };
const LANGUAGE = { most: 8, bytes: 16 };

/** @typedef {import("../vyoma.js").Profile} Profile */
/** @typedef {import("../words.js").Words} Words */

export class Arrival {
  /** @type {Record<string, Chips>} */
  #chips = {};
  /** What was entered, here or before. @type {Profile} */
  profile = profileMemory.get() ?? {};

  /**
   * @param {Words} words
   * @param {import("./place.js").Place} place
   * @param {boolean} invited whether the address has an invitation
   * @param {(profile: Profile) => void} start
   */
  constructor(words, place, invited, start) {
    this.words = words;
    this.#greet(place);
    this.#makeFields();
    this.fill(this.profile);
    if (invited) tell("invited", words.say("arrival.invited"));
    byId("profile").addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      if (this.#take()) start(this.profile);
    });
    byId("forget").addEventListener("click", () => {
      this.#keep({});
      this.fill({});
      byId("name").focus();
    });
    byId("profile").hidden = false;
    byId("demo-line").hidden = false;
  }

  /** @param {import("./place.js").Place} place */
  #greet({ rules, minimum_age: age, confirm }) {
    const all = age === null ? rules : [this.words.say("arrival.age", { age }), ...rules];
    byId("rules").replaceChildren(...all.map((rule) => make("li", { dir: "auto" }, rule)));
    byId("rules").hidden = all.length === 0;
    byId("welcome").dir = "auto";
    if (confirm === null) return;
    byId("confirmation").hidden = false;
    const usual = age === null ? "arrival.confirm" : "arrival.confirm-age";
    byId("agree-label").textContent = confirm === true ? this.words.say(usual, { age: age ?? 0 }) : confirm;
    byId("agree-label").dir = "auto";
  }

  #makeFields() {
    const { words } = this;
    const languages = new Languages(words.tag);
    const headline = make("div", { className: "field" },
      make("label", { htmlFor: "headline" }, words.say("arrival.headline")),
      make("input", { id: "headline", autocomplete: "off", enterKeyHint: "next" }));
    const of = (/** @type {string} */ id, /** @type {any} */ more) =>
      (this.#chips[id] = new Chips({
        id,
        label: words.say(`arrival.${id}`),
        hint: words.say(`arrival.${id}-hint`),
        suggestions: [],
        words,
        ...more,
      }));
    const suggested = words.say("arrival.suggestions").split(",").map((word) => word.trim());
    const suggestions = suggested.map((word) => [word, word]);
    const fields = [
      headline,
      of("offers", WORD).element,
      of("seeks", WORD).element,
      of("topics", { ...WORD, suggestions }).element,
      of("languages", {
        ...LANGUAGE,
        suggestions: languages.suggestions,
        keep: (/** @type {string} */ typed) => languages.kept(typed),
        show: languages.shown,
      }).element,
    ];
    byId("more").querySelector(".fields").replaceChildren(...fields);
  }

  /** Puts a profile into the form. @param {any} profile */
  fill(profile) {
    byId("name").value = String(profile.name ?? "");
    byId("headline").value = String(profile.headline ?? "");
    for (const [id, chips] of Object.entries(this.#chips)) chips.values = profile[id];
    byId("more").open = Object.keys(profile).some((key) => key !== "name");
    byId("start-problem").textContent = "";
    this.#offerForgetting();
  }

  #offerForgetting() {
    byId("forget").hidden = Object.keys(this.profile).length === 0;
  }

  /** Takes what was entered, if all of it can be so. @returns {boolean} */
  #take() {
    /** @type {any} */
    const profile = {};
    const problem = this.#problem(profile);
    byId("start-problem").textContent = problem?.sentence ?? "";
    if (problem) {
      if (problem.at !== "agree" && problem.at !== "name") byId("more").open = true;
      byId(problem.at).focus();
      return false;
    }
    this.#keep(profile);
    return true;
  }

  /** @param {Profile} profile */
  #keep(profile) {
    this.profile = profile;
    profileMemory.set(Object.keys(profile).length > 0 ? profile : null);
    this.#offerForgetting();
  }

  /** Fills `profile`; what is wrong, if anything is, and where. @param {any} profile */
  #problem(profile) {
    const { words } = this;
    for (const [id, most] of /** @type {const} */ ([["name", NAME_BYTES], ["headline", HEADLINE_BYTES]])) {
      const text = byId(id).value.trim();
      const bytes = new TextEncoder().encode(text).length;
      if (bytes > most) return { at: id, sentence: words.say(`arrival.${id}-long`) };
      if (text !== "") profile[id] = text;
    }
    for (const [id, chips] of Object.entries(this.#chips)) {
      if (!chips.take()) return { at: id, sentence: chips.problem.textContent };
      if (chips.values.length > 0) profile[id] = chips.values;
    }
    const agreed = byId("confirmation").hidden || byId("agree").checked;
    return agreed ? null : { at: "agree", sentence: words.say("arrival.agree") };
  }
}
