// Makes what strangers wrote harmless to look at: invisible and direction-changing characters go, marks don't
// pile up over other lines, lengths are bounded. What is kept and saved stays as it was written.
//
// Knows Unicode. Must not know the page.

/** Marks in a row, on one letter: Hebrew with all of its points has four, Tibetan sometimes six. */
const MOST_MARKS = 6;
/** In a name. */
const MOST_MARKS_IN_LINE = 4;

/**
 * Controls, and what changes the direction of the text around it. The marks U+200E, U+200F and U+061C are
 * part of ordinary text in right-to-left languages, and change nothing beyond their place.
 */
const CONTROLS =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f\u202a-\u202e\u2066-\u2069\u206a-\u206f\ufeff\ufff9-\ufffb\u{e0001}]/gu;

const LINE_BREAKS = /\r\n?|[\u0085\u2028\u2029]/g;

/** All that a name could be made of without being seen, or to pose as something else. */
const UNSEEN =
  /[\p{Cc}\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff0-\ufffb\p{Co}\p{Cs}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]/gu;

/** Joiners that join nothing. */
const LOOSE_JOINERS = /(^|[^\p{L}\p{M}\p{Extended_Pictographic}\p{Emoji_Modifier}])[\u200c\u200d]+/gu;

const LEADING_MARKS = /^[\p{M}\s]+/u;

/**
 * A message's text as it is shown.
 *
 * @param {string} text
 */
export function safeText(text) {
  return fewMarks(text.replace(LINE_BREAKS, "\n").replace(CONTROLS, ""), MOST_MARKS);
}

/**
 * A name, or another short text, as it is shown: in one line.
 *
 * @param {unknown} text
 * @param {number} most the longest, in what a reader takes for characters
 * @returns {string} empty if there is nothing to be seen in it
 */
export function safeLine(text, most) {
  if (typeof text !== "string") return "";
  // Nobody reads on so far; and it bounds what is looked at below.
  const bounded = text.slice(0, most * 16);
  const seen = bounded.replace(/[\s\u0085]+/g, " ").replace(UNSEEN, "").replace(LOOSE_JOINERS, "$1");
  const line = fewMarks(seen, MOST_MARKS_IN_LINE).replace(LEADING_MARKS, "").replace(/\s+/g, " ").trim();
  return shortened(line, most);
}

/**
 * The beginning of a text, which doesn't end amid a character.
 *
 * @param {string} text
 * @param {number} most in UTF-16 units
 */
export function beginning(text, most) {
  if (text.length <= most) return text;
  const cut = text.slice(0, most).replace(/[\ud800-\udbff]$/, "");
  // A slice would keep the whole in memory.
  return JSON.parse(JSON.stringify(cut));
}

/** Of no more than `most` characters. @param {string} line @param {number} most */
function shortened(line, most) {
  if (line.length <= most) return line;
  const characters = charactersOf(line);
  return characters.length <= most ? line : `${characters.slice(0, most - 1).join("").trimEnd()}…`;
}

/** What a reader takes for characters. @param {string} line */
function charactersOf(line) {
  if (!Intl.Segmenter) return [...line];
  return Array.from(new Intl.Segmenter().segment(line), ({ segment }) => segment);
}

/** @param {string} text @param {number} most */
function fewMarks(text, most) {
  return text.replace(most === MOST_MARKS ? MANY_MARKS : MANY_MARKS_IN_LINE, "$1");
}

/** Joiners count as marks, since marks could be told apart by them. @param {number} most */
const many = (most) => new RegExp(`([\\p{M}\\u200c\\u200d]{${most}})[\\p{M}\\u200c\\u200d]+`, "gu");
const MANY_MARKS = many(MOST_MARKS);
const MANY_MARKS_IN_LINE = many(MOST_MARKS_IN_LINE);
