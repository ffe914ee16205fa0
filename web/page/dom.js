// The page's elements by their ids, and making new ones.
//
// Must not know what they are for.

/** @param {string} id @returns {any} the element of this id, which is in index.html */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`index.html has no #${id}`);
  return element;
}

/**
 * An element with these properties, and what is in it; text becomes text, never markup.
 *
 * @param {string} name @param {Record<string, any>} [properties] @param {...(Node | string)} children
 */
export function make(name, properties = {}, ...children) {
  const element = /** @type {any} */ (Object.assign(document.createElement(name), properties));
  element.append(...children);
  return element;
}

/** Sets a text, and hides its element while there is none. @param {string} id @param {string} text */
export function tell(id, text) {
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text;
  element.hidden = text === "";
}

/** A wait of so many milliseconds. @param {number} ms @returns {Promise<void>} */
export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
