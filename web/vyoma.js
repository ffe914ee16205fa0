// The JavaScript SDK of VyomaChat: a conversation with one other person that survives lost connections,
// reloading, and the server's restarts (docs/protocol.md, `vyoma.v1`). In browsers, and in Node; no
// dependencies, no build step.
//
//     import { connect } from "./vyoma.js";
//
//     const client = await connect("/ws");
//     client.on("matched", ({ partner }) => console.log("talking to", partner?.name));
//     client.on("message", ({ value }) => console.log("they say", value));
//     client.join({ name: "Ada" });
//
// Here is what an application holds; the rules are in vyoma/session.js.

import { Client } from "./vyoma/client.js";
import { BadSaved, nothing, parseSaved } from "./vyoma/saved.js";
import { settings as allSettings } from "./vyoma/settings.js";
import { tabStorage } from "./vyoma/storage.js";

export { Receipt } from "./vyoma/receipts.js";
export { Refused } from "./vyoma/refused.js";
export { BadSaved, Client, tabStorage };

/** @typedef {import("./vyoma/storage.js").Storage} Storage */
/** @typedef {import("./vyoma/client.js").Profile} Profile */
/** @typedef {import("./vyoma/client.js").Events} Events */
/** @typedef {import("./vyoma/receipts.js").Stage} Stage */
/** @typedef {import("./vyoma/settings.js").Settings} Settings */

/**
 * @typedef {object} Options
 * @property {Storage | "tab" | "memory"} [storage] where to keep what is needed to come back: in
 *   browsers the tab (see `tabStorage`), elsewhere memory, if not given
 * @property {string} [seat] what another client's `handOver` returned: to go on from there
 * @property {import("./vyoma/driver.js").SocketConstructor} [WebSocket] the platform's own if not
 *   given; Node before 22 has none: pass that of the package `ws`
 * @property {Partial<Settings>} [settings] the rules' numbers, where they should differ
 */

/**
 * Makes a client of a server. It connects when it is asked to join, or at once if it kept a seat in a
 * conversation.
 *
 * @param {string | URL} url `ws:`, `wss:`, `http:` or `https:`; in a page also relative to it
 * @param {Options} [options]
 * @returns {Promise<Client>}
 * @throws {TypeError} if the address or an option makes no sense, or there is no WebSocket
 * @throws {BadSaved} if `seat`, or what a storage of the application's had, can't be used; what a tab had
 *   is dropped then, and `not_kept` tells of it
 */
export async function connect(url, options = {}) {
  const { WebSocket = globalThis.WebSocket, settings = {}, storage, seat } = options;
  if (!WebSocket) {
    throw new TypeError("there is no WebSocket here: pass one, as in { WebSocket } of the package ws");
  }
  const parts = { url: address(url), WebSocket, settings: allSettings(settings) };
  const chosen = storageOf(storage);
  const kept = (await chosen?.load()) ?? null;
  if (seat !== undefined) {
    const saved = parseSaved(seat);
    // Nobody else has this seat any more: a storage that fails is told of, as ever.
    const problem = await failed(() => chosen?.save(seat, saved.device));
    return new Client({ ...parts, storage: chosen, saved, problem });
  }
  try {
    const saved = kept === null ? nothing() : parseSaved(kept);
    return new Client({ ...parts, storage: chosen, saved });
  } catch (error) {
    // Nobody but this page can mend its tab, and reloading wouldn't.
    if (!(error instanceof BadSaved) || chosen === storage) throw error;
    return new Client({ ...parts, storage: chosen, saved: nothing(), problem: error });
  }
}

/** What something fails with, if it does. @param {() => unknown} does */
async function failed(does) {
  try {
    await does();
  } catch (error) {
    return error;
  }
}

/** @param {string | URL} url */
function address(url) {
  const absolute = new URL(url, globalThis.document?.baseURI);
  if (absolute.protocol === "http:") absolute.protocol = "ws:";
  if (absolute.protocol === "https:") absolute.protocol = "wss:";
  if (!["ws:", "wss:"].includes(absolute.protocol)) {
    throw new TypeError(`${url} is no address of a WebSocket server`);
  }
  absolute.hash = "";
  return absolute.href;
}

/** @param {Options["storage"]} storage @returns {Storage | null} */
function storageOf(storage) {
  const usual = globalThis.document ? "tab" : "memory";
  const chosen = storage ?? usual;
  if (chosen === "memory") return null;
  if (chosen === "tab") return tabStorage();
  if (typeof chosen.load === "function" && typeof chosen.save === "function") return chosen;
  throw new TypeError('storage is "tab", "memory", or has load and save');
}
