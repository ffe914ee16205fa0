// How an entry of a conversation looks: a message, a gap, a day.
//
// Knows entries and words. Must not know where they come from, or where in the list they are.

import { linked } from "./links.js";
import { button, make, sentence, unseen, who } from "./nodes.js";
import { beginning, safeText } from "./safe.js";

/** @typedef {import("./store.js").Entry} Entry */

/**
 * What an entry needs to be shown.
 *
 * @typedef {object} Setting
 * @property {import("../words.js").Words} words
 * @property {string} name the partner's
 * @property {(entry: Entry) => Promise<string>} whole the whole text of an entry that was cut
 */

/** What is seen of a long message at first, in UTF-16 units and in lines. */
export const FOLD_LENGTH = 1000;
const FOLD_LINES = 14;
/** Links in the beginning of a long message, or in a short one; and in all of a long one. */
const FOLD_LINKS = 10;
const MOST_LINKS = 100;
/** So much of a long message enters the page per frame, in UTF-16 units: shaping Arabic takes its time. */
const PIECE = 2500;
const PIECES = new RegExp(`[^]{1,${PIECE}}(?![\\p{M}\\u200d])|[^]+$`, "gu");
/** So many lines at most stay empty in a row. */
const BLANK_LINES = /\n{4,}/g;
/** A message of no more than so many emoji, and nothing else, is shown large. */
const LARGE_LENGTH = 32;
const ONLY_EMOJI =
  /^(?=.*[\p{Extended_Pictographic}\p{Regional_Indicator}])[\p{Extended_Pictographic}\p{Emoji_Modifier}\p{Regional_Indicator}\u200d\ufe0f\s\u{e0020}-\u{e007f}]+$/u;

/**
 * An entry as the list holds it: of a long text only the beginning, so that many of them are no burden.
 *
 * @param {Entry} entry
 */
export function cut(entry) {
  const { text } = entry;
  // One more than is shown tells that there is more.
  return text === undefined ? entry : { ...entry, text: beginning(text, FOLD_LENGTH + 2) };
}

/** @param {Entry} entry @param {Setting} setting */
export function entryNode(entry, setting) {
  return entry.kind === "gap" ? gapNode(entry, setting) : messageNode(entry, setting);
}

/** @param {import("../words.js").Words} words @param {number} time @param {number} now */
export function dayNode(words, time, now) {
  const key = dayKey(time, now);
  return make("li", "vy-day", key ? words.say(key) : words.day(time));
}

/** Whether two moments are on the same day here. @param {number} one @param {number} other */
export function sameDay(one, other) {
  return new Date(one).toDateString() === new Date(other).toDateString();
}

/** Shows how far an own message has come. @param {HTMLElement} node @param {string} mark @param {Setting} setting */
export function showMark(node, mark, { words }) {
  if (node.dataset.mark === mark) return;
  node.dataset.mark = mark;
  const label = node.querySelector(".vy-mark");
  if (label) label.textContent = words.say(`conversation.mark.${mark}`);
}

/** @param {Entry} entry @param {Setting} setting */
function messageNode(entry, setting) {
  const { words, name } = setting;
  const mine = entry.side === "mine";
  const speaker = mine ? words.say("conversation.you") : name;
  const time = make("time", "vy-time", words.time(entry.time));
  time.dateTime = new Date(entry.time).toISOString();
  const foot = make("span", "vy-foot", time, mine && make("span", "vy-mark"));
  const node = make("li", "vy-message", unseen(`${speaker}: `), bubble(entry, setting), foot);
  node.dataset.side = mine ? "mine" : "theirs";
  if (entry.n) node.dataset.n = String(entry.n);
  return node;
}

/** @param {Entry} entry @param {Setting} setting */
function bubble(entry, setting) {
  const { words } = setting;
  const text = make("div", "vy-text");
  const node = make("div", "vy-bubble", text);
  if (entry.bytes !== undefined) {
    text.classList.add("vy-odd");
    text.append(words.say("conversation.bytes", { size: words.size(entry.bytes) }));
    return node;
  }
  text.dir = "auto";
  if (entry.json) text.classList.add("vy-json");
  const said = entry.text ?? "";
  const folded = fold(said);
  const isCut = folded.length < said.length;
  fill(text, folded, isCut, setting);
  if (said.length <= LARGE_LENGTH && !entry.json && ONLY_EMOJI.test(said)) text.classList.add("vy-large");
  if (isCut) node.append(unfolding(entry, text, folded, setting));
  return node;
}

/** @param {HTMLElement} text @param {string} said @param {boolean} isCut @param {Setting} setting */
function fill(text, said, isCut, { words }) {
  const safe = forEyes(said);
  const isBlank = safe.trim() === "";
  text.classList.toggle("vy-odd", isBlank && !isCut);
  if (isBlank && !isCut) text.replaceChildren(words.say("conversation.blank"));
  else text.replaceChildren(...linked(safe, FOLD_LINKS), isCut ? "…" : "");
}

/** @param {string} said */
function forEyes(said) {
  return safeText(said).replace(BLANK_LINES, "\n\n\n").replace(/^\s*\n/, "").trimEnd();
}

/**
 * Shows all of a long message, and again only its beginning.
 *
 * @param {Entry} entry @param {HTMLElement} text @param {string} folded @param {Setting} setting
 */
function unfolding(entry, text, folded, setting) {
  const { words } = setting;
  let turn = 0;
  const more = button("vy-more", words.say("conversation.more"), async () => {
    const own = (turn += 1);
    const open = more.getAttribute("aria-expanded") === "false";
    more.setAttribute("aria-expanded", String(open));
    more.textContent = words.say(open ? "conversation.less" : "conversation.more");
    if (!open) return fill(text, folded, true, setting);
    const whole = forEyes(await setting.whole(entry));
    pour(text, linked(whole, MOST_LINKS).flatMap(pieces), () => own === turn && more.isConnected);
  });
  more.setAttribute("aria-expanded", "false");
  return more;
}

/**
 * Puts parts into the page one by one, as long as they are wanted.
 *
 * @param {HTMLElement} text @param {(string | Node)[]} parts @param {() => boolean} isWanted
 */
function pour(text, parts, isWanted) {
  if (isWanted()) text.replaceChildren();
  const next = () => {
    if (!isWanted()) return;
    let room = PIECE;
    while (parts.length > 0 && room > 0) {
      const [part] = parts.splice(0, 1);
      text.append(part);
      room -= typeof part === "string" ? part.length : 100;
    }
    if (parts.length > 0) requestAnimationFrame(next);
  };
  next();
}

/** @param {string | Node} part @returns {(string | Node)[]} */
function pieces(part) {
  if (typeof part !== "string") return [part];
  return part.match(PIECES) ?? [];
}

/** The beginning of a long text; the text itself, if it isn't long. @param {string} text */
function fold(text) {
  const short = text.length <= FOLD_LENGTH ? text : beginning(text, FOLD_LENGTH);
  const lines = short.split("\n", FOLD_LINES + 1);
  if (lines.length > FOLD_LINES) return lines.slice(0, FOLD_LINES).join("\n").trimEnd();
  // Not amid a word, where words have a usual length.
  return short === text ? text : short.replace(/\s\S{0,30}$/, "");
}

/** @param {Entry} entry @param {Setting} setting */
function gapNode({ from = 1, to }, { words, name }) {
  const known = typeof to === "number";
  const count = known ? to - from + 1 : 0;
  const key = known ? "conversation.gap" : "conversation.gap.unknown";
  return make("li", "vy-gap", ...sentence(words, key, { count, name: who(name) }));
}

/** @param {number} time @param {number} now */
function dayKey(time, now) {
  if (sameDay(time, now)) return "conversation.today";
  const before = new Date(now);
  before.setDate(before.getDate() - 1);
  return sameDay(time, before.getTime()) ? "conversation.yesterday" : null;
}
