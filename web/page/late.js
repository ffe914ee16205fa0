// The conversation's view, which is fetched when it is soon to be needed: its module and its style.
//
// Must not know what is done with it.

import { make } from "./dom.js";

/** @type {Promise<typeof import("../conversation.js")> | null} */
let fetched = null;

/** The module, once its style is there, too. */
export function conversationView() {
  fetched ??= Promise.all([import("../conversation.js"), style()]).then(([module]) => module);
  // What failed is tried again when it is asked for again.
  fetched.catch(() => (fetched = null));
  return fetched;
}

/** @returns {Promise<void>} */
function style() {
  return new Promise((resolve, reject) => {
    const href = new URL("../conversation.css", import.meta.url).href;
    const link = make("link", { rel: "stylesheet", href });
    link.addEventListener("load", () => resolve());
    link.addEventListener("error", () => {
      link.remove();
      reject(new Error(`${href} can't be loaded`));
    });
    document.head.append(link);
  });
}
