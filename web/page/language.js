// Which language the page speaks, and putting it there.
//
// Knows `data-say` in index.html: the element's text is that sentence. Must not know the sentences.

import { loadWords } from "../words.js";
import { byId, make } from "./dom.js";
import { languageMemory } from "./memory.js";

/**
 * The language that was chosen here, or the first of the browser's that there is, or English.
 *
 * @param {string[]} there
 * @returns {string}
 */
function choose(there) {
  const wished = [languageMemory.get(), ...navigator.languages];
  for (const tag of wished) {
    const found = there.find((own) => own === tag || own === String(tag).split("-")[0]);
    if (found) return found;
  }
  return there.includes("en") ? "en" : there[0];
}

/**
 * Translates the page, and offers the other languages.
 *
 * @param {string[]} there the tags of those that there are
 * @returns {Promise<import("../words.js").Words>}
 */
export async function speak(there) {
  const words = await loadWords(choose(there));
  document.documentElement.lang = words.tag;
  document.documentElement.dir = words.direction;
  for (const element of document.querySelectorAll("[data-say]")) {
    element.textContent = words.say(/** @type {HTMLElement} */ (element).dataset.say ?? "");
  }
  offer(there, words.tag);
  return words;
}

/** @param {string[]} there @param {string} spoken */
function offer(there, spoken) {
  const select = byId("language");
  for (const tag of there) {
    select.append(make("option", { value: tag, lang: tag, selected: tag === spoken }, ownName(tag)));
  }
  select.hidden = there.length < 2;
  select.addEventListener("change", () => {
    languageMemory.set(select.value);
    // What is under way is kept: the conversation, the wish for a partner, the profile.
    location.reload();
  });
}

/** A language's name for itself. @param {string} tag */
export function ownName(tag) {
  try {
    return new Intl.DisplayNames(tag, { type: "language" }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}
