// Makes elements. Nothing here takes markup: all that is foreign enters as text nodes.

/** @typedef {Node | string | null | undefined | false} Child */

/**
 * An element with a class and children.
 *
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {string} className
 * @param {...Child} children those that are null or false are left out
 * @returns {HTMLElementTagNameMap[T]}
 */
export function make(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  for (const child of children) if (child) made.append(child);
  return made;
}

/**
 * @param {string} className
 * @param {string} label
 * @param {(event: MouseEvent) => void} onclick
 */
export function button(className, label, onclick) {
  const made = make("button", className, label);
  made.type = "button";
  made.addEventListener("click", onclick);
  return made;
}

/** Something that only screen readers tell. @param {string} text */
export function unseen(text) {
  return make("span", "vy-unseen", text);
}

/**
 * What somebody calls themselves, within a sentence: it can't change how the rest of it is read, and looks
 * different from it.
 *
 * @param {string} name
 */
export function who(name) {
  return make("bdi", "vy-who", name);
}

/** What a sentence has where a node comes in: a character that no language file has. */
const HOLE = "\u0000";

/**
 * A sentence in which some of the values are nodes.
 *
 * @param {import("../words.js").Words} words
 * @param {string} key
 * @param {Record<string, string | number | Node>} [values]
 * @returns {(string | Node)[]}
 */
export function sentence(words, key, values = {}) {
  /** @type {Node[]} */
  const nodes = [];
  /** @type {Record<string, string | number>} */
  const plain = {};
  for (const [name, value] of Object.entries(values)) {
    if (value instanceof Node) plain[name] = `${HOLE}${nodes.push(value) - 1}${HOLE}`;
    else plain[name] = value;
  }
  const parts = words.say(key, plain).split(HOLE);
  return parts.map((part, index) => (index % 2 ? nodes[Number(part)] : part));
}

let made = 0;

/** An id that no other element has. */
export function freshId() {
  made += 1;
  return `vy-${made}`;
}

/** Whether an element can be seen, as far as `hidden` decides. @param {Element} element */
export function isShown(element) {
  return element.getClientRects().length > 0;
}
