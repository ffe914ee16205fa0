// The server: where it speaks WebSocket, a client of it, and why it takes none.
//
// Must not know what is said to it.

import { connect } from "../vyoma.js";

/** The address, beside this page. @param {string | null} pool */
function address(pool) {
  const url = new URL("ws", document.baseURI);
  url.search = "";
  if (pool !== null) url.searchParams.set("pool", pool);
  return url;
}

/** @param {string | null} pool @param {import("../vyoma.js").Options} [options] */
export function clientOf(pool, options) {
  return connect(address(pool), options);
}

/**
 * Why a WebSocket is refused: browsers don't tell a page, and the server answers the same address.
 *
 * @param {string | null} pool
 * @returns {Promise<number | null>} the status; null if the server can't be reached
 */
export function whyRefused(pool) {
  return fetch(address(pool), { cache: "no-store" }).then(({ status }) => status, () => null);
}
