// What the server has written into the page: the organiser's words, and which languages there are.
//
// Knows the shape of #place. Must not know where it is shown.

import { byId } from "./dom.js";

/**
 * @typedef {object} Place
 * @property {string} tree the folder of the page's files, relative to the page
 * @property {string[]} languages the tags of those in words/
 * @property {string} name of the whole
 * @property {string | null} welcome the organiser's greeting
 * @property {string[]} rules of the house
 * @property {number | null} minimum_age in years
 * @property {string | true | null} confirm what has to be agreed to; true: age and rules
 */

/** @returns {Place} */
export function readPlace() {
  return JSON.parse(byId("place").textContent);
}

/** What the page's address asks for. */
export function readAddress() {
  const query = new URLSearchParams(location.search);
  return {
    pool: query.get("pool"),
    invite: query.get("invite"),
    demo: /\/demo\/?$/.test(location.pathname),
  };
}

/** The address of the start, without what it asks for. */
export function startAddress() {
  const url = new URL("./", document.baseURI);
  url.search = "";
  url.hash = "";
  return url;
}
