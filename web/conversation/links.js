// Finds the addresses in a text. They lead to where they say: the host is shown as the browser will ask for
// it, and what isn't http or https stays text.
//
// Nothing is fetched before somebody follows a link; what is opened learns nothing of where it was opened.

import { make } from "./nodes.js";

/** A longer address stays text. */
const LONGEST = 2048;

const ADDRESS = /https?:\/\/[^\s<>"`\p{Cc}\p{Cf}\p{Co}\p{Cs}]+/giu;
/** What at the end of an address belongs to the sentence around it. */
const TRAILING = new Set(".,;:!?'’”»…*_~|^\\।");
/** @type {Record<string, string>} */
const OPENING = { ")": "(", "]": "[", "}": "{" };

/**
 * A text, with its addresses as links.
 *
 * @param {string} text
 * @param {number} most what comes after so many links stays text
 * @returns {(string | HTMLAnchorElement)[]}
 */
export function linked(text, most) {
  /** @type {(string | HTMLAnchorElement)[]} */
  const parts = [];
  let from = 0;
  let links = 0;
  for (const found of text.matchAll(ADDRESS)) {
    if (links === most) break;
    const address = withoutSentence(found[0]);
    const link = linkTo(address);
    if (!link) continue;
    if (found.index > from) parts.push(text.slice(from, found.index));
    parts.push(link);
    from = found.index + address.length;
    links += 1;
  }
  if (from < text.length) parts.push(text.slice(from));
  return parts;
}

/** @param {string} address */
function linkTo(address) {
  const url = address.length <= LONGEST ? parsed(address) : null;
  // Who puts a name before the host means to deceive: https://bank.example@evil.example
  if (!url || url.username || url.password) return null;
  const link = make("a", "vy-link", shown(address, url));
  link.href = url.href;
  link.target = "_blank";
  link.rel = "noopener noreferrer nofollow ugc";
  link.referrerPolicy = "no-referrer";
  link.dir = "ltr";
  return link;
}

/** As it was written, if its host is what the browser makes of it. @param {string} address @param {URL} url */
function shown(address, url) {
  const [, host] = /^https?:\/\/([^/?#\\]*)/i.exec(address) ?? [];
  return host?.toLowerCase() === url.host ? address : url.href;
}

/** @param {string} address */
function parsed(address) {
  try {
    const url = new URL(address);
    return ["http:", "https:"].includes(url.protocol) && url.hostname ? url : null;
  } catch {
    return null;
  }
}

/**
 * An address without the punctuation of the sentence that it ends. One pass from its end: a partner chooses what is
 * in it, and how much of that.
 *
 * @param {string} address
 */
function withoutSentence(address) {
  const characters = address.slice(0, LONGEST + 1);
  const surplus = Object.fromEntries(Object.entries(OPENING).map(([close, open]) =>
    [close, count(characters, close) - count(characters, open)]));
  let end = characters.length;
  for (; end > 0; end -= 1) {
    const last = characters[end - 1];
    // A bracket that was opened within the address belongs to it.
    if (surplus[last] > 0) surplus[last] -= 1;
    else if (!TRAILING.has(last)) break;
  }
  return characters.slice(0, end);
}

/** @param {string} text @param {string} character */
function count(text, character) {
  return text.split(character).length - 1;
}
