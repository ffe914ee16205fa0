// The conversation, ready made: a view over a client of the SDK, to be mounted into an element of any page.
//
//     import { connect } from "./vyoma.js";
//     import { mount } from "./conversation.js";
//
//     const client = await connect("/ws");
//     await mount(document.querySelector("main"), client);
//
// The page links conversation.css, and palette.css or its own values for what that defines. Here is what an
// application holds; what is seen is put together in conversation/view.js.

import { openStore } from "./conversation/store.js";
import { View } from "./conversation/view.js";
import { loadWords } from "./words.js";

export { MemoryStore } from "./conversation/memory_store.js";
export { openStore };

/**
 * @typedef {object} MountOptions
 * @property {import("./words.js").Words} [words] what it says; in English if not given
 * @property {import("./conversation/store.js").Store} [store] where the conversation is kept; IndexedDB, or
 *   memory where there is none, if not given
 * @property {number} [partingMs] for how long Next and Leave can be undone, in milliseconds
 * @property {(count: number) => void} [onunread] so many messages haven't been seen
 * @property {(state: import("./conversation/view.js").State) => void} [onstate]
 * @property {() => void} [onnext] the person wants another partner amid a conversation, and hasn't undone
 *   it; `client.next()` if not given
 * @property {() => void} [onfind] the person wants another partner after a conversation; `client.next()` if
 *   not given
 * @property {() => void} [ondone] the person is done: has left, or put away a conversation that is over
 */

/**
 * Shows the client's conversation in `element`: the present one at once, and each that begins later. While
 * there is none, nothing is shown.
 *
 * @param {HTMLElement | null} element gets the class `vy`; what was in it goes
 * @param {import("./vyoma/client.js").Client} client of which nobody else handles `message`
 * @param {MountOptions} [options]
 * @returns {Promise<View>} once the present conversation, if any, is there to be read
 * @throws {TypeError} if there is no such element
 */
export async function mount(element, client, options = {}) {
  if (!element) throw new TypeError("there is no element to mount the conversation in");
  const [words, store] = await Promise.all([
    options.words ?? loadWords("en"),
    options.store ?? openStore(),
  ]);
  const view = new View(element, client, { ...options, words, store });
  await view.ready;
  return view;
}
