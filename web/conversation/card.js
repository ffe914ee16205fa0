// Who the partner is, why the two were brought together, and a line to begin with.
//
// Knows profiles and words. Must not know clients.

import { button, freshId, make, sentence, who } from "./nodes.js";
import { safeLine } from "./safe.js";

/** @typedef {import("../vyoma/client.js").Profile} Profile */
/** @typedef {import("../words.js").Words} Words */
/** @typedef {import("./store.js").Talk} Talk */

/** The longest name and other lines that are shown, in characters. */
const MOST_NAME = 40;
const MOST_HEADLINE = 120;
const MOST_WORD = 48;
/** How many of each kind are named in a sentence. */
const MOST_NAMED = 3;
const GENERAL_LINES = 3;

/** What the partner is called here. @param {Profile | null} partner @param {Words} words */
export function nameOf(partner, words) {
  const name = safeLine(partner?.name, MOST_NAME);
  if (name === "") return words.say("conversation.stranger");
  // Who calls themselves as the reader is called here is quoted: a screen reader and a saved text have only the word.
  return name.toLocaleLowerCase() === words.say("conversation.you").toLocaleLowerCase() ? `“${name}”` : name;
}

export class Card {
  /** How often a line was asked for. */
  #asked = 0;
  /** @type {Talk | null} */
  #talk = null;

  /** @param {Words} words @param {(line: string) => void} onicebreaker */
  constructor(words, onicebreaker) {
    this.words = words;
    this.name = make("h2", "vy-name");
    this.headline = make("p", "vy-headline");
    this.why = make("ul", "vy-why");
    this.facts = make("dl", "vy-facts");
    this.icebreaker = button("vy-icebreaker", words.say("conversation.icebreaker"), () =>
      this.#talk && onicebreaker(this.#line(this.#talk)));
    this.about = make("div", "vy-about", this.why, this.icebreaker, this.facts);
    this.about.id = freshId();
    this.toggle = button("vy-toggle", words.say("conversation.about"), () => this.open(this.about.hidden));
    this.toggle.setAttribute("aria-controls", this.about.id);
    const person = make("div", "vy-person", this.name, this.headline);
    this.person = person;
    this.element = make("div", "vy-card");
  }

  /** @param {Talk} talk */
  show(talk) {
    const { words } = this;
    const { partner } = talk;
    this.#talk = talk;
    this.#asked = 0;
    const name = nameOf(partner, words);
    this.name.replaceChildren(make("bdi", "", name));
    const headline = safeLine(partner?.headline, MOST_HEADLINE);
    this.headline.replaceChildren(make("bdi", "", headline));
    this.headline.hidden = headline === "";
    this.why.replaceChildren(...reasons(talk, words).map((parts) => make("li", "", ...parts)));
    this.facts.replaceChildren(...facts(partner, words));
  }

  /** @param {boolean} open */
  open(open) {
    this.about.hidden = !open;
    this.toggle.setAttribute("aria-expanded", String(open));
  }

  /** Only at the beginning there is ice. @param {boolean} offered */
  offerLine(offered) {
    this.icebreaker.hidden = !offered;
  }

  /** Another one each time. @param {Talk} talk */
  #line(talk) {
    const lines = openings(talk, this.words);
    const line = lines[this.#asked % lines.length];
    this.#asked += 1;
    return line;
  }
}

/** Why these two, in sentences. @param {Talk} talk @param {Words} words */
function reasons({ partner, why, common }, words) {
  const name = () => who(nameOf(partner, words));
  /** @type {[string, string, string[]][]} */
  const kinds = [
    ["seeks_met", "conversation.why.seeks", lines(common?.seeks)],
    ["offers_met", "conversation.why.offers", lines(common?.offers)],
    ["topics", "conversation.why.topics", lines(common?.topics)],
    ["languages", "conversation.why.languages", languages(common?.languages, words)],
  ];
  const told = kinds
    .filter(([reason, , things]) => why.includes(reason) && things.length > 0)
    .map(([, key, things]) => sentence(words, key, { name: name(), things: listed(things, words) }));
  if (why.includes("invited")) told.push(sentence(words, "conversation.why.invited", { name: name() }));
  if (told.length === 0 && why.includes("next_in_line")) {
    told.push(sentence(words, "conversation.why.next", { name: name() }));
  }
  return told;
}

/** What else the partner tells of itself. @param {Profile | null} partner @param {Words} words */
function facts(partner, words) {
  /** @type {[string, string[]][]} */
  const kinds = [
    ["conversation.offers", lines(partner?.offers)],
    ["conversation.seeks", lines(partner?.seeks)],
    ["conversation.topics", lines(partner?.topics)],
    ["conversation.languages", languages(partner?.languages, words)],
  ];
  return kinds
    .filter(([, things]) => things.length > 0)
    .map(([key, things]) => make("div", "", make("dt", "", words.say(key)),
      ...things.map((thing) => make("dd", "", make("bdi", "", thing)))));
}

/** Lines to begin with, the most fitting first. @param {Talk} talk @param {Words} words */
function openings({ partner, common }, words) {
  const name = safeLine(partner?.name, MOST_NAME);
  const greeting = name
    ? words.say("conversation.opening.greeting", { name })
    : words.say("conversation.opening.greeting.stranger");
  const about = (/** @type {string} */ key, /** @type {string[]} */ things) =>
    things.slice(0, 1).map((thing) => words.say(`conversation.opening.${key}`, { thing }));
  const general = Array.from({ length: GENERAL_LINES }, (_, at) =>
    words.say(`conversation.opening.general.${at + 1}`));
  const all = [
    ...about("seeks", lines(common?.seeks)),
    ...about("topics", lines(common?.topics)),
    ...about("offers", lines(common?.offers)),
    ...general,
  ];
  return all.map((line) => `${greeting} ${line}`);
}

/** @param {unknown} things */
function lines(things) {
  if (!Array.isArray(things)) return [];
  return things.map((thing) => safeLine(thing, MOST_WORD)).filter((line) => line !== "");
}

/** @param {string[]} things @param {Words} words */
function listed(things, words) {
  return make("bdi", "", words.list(things.slice(0, MOST_NAMED)));
}

/** Languages by their names in the reader's language. @param {unknown} tags @param {Words} words */
function languages(tags, words) {
  const names = new Intl.DisplayNames(words.tag, { type: "language" });
  return lines(tags).map((tag) => {
    try {
      return names.of(tag) ?? tag;
    } catch {
      // Somebody wrote what is no tag.
      return tag;
    }
  });
}
