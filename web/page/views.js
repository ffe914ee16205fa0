// Which view is shown, and what the window is called.
//
// Knows sections and the title. Must not know when they are shown.

import { byId } from "./dom.js";

/** @typedef {"arrival" | "waiting" | "conversation" | "elsewhere" | "demo" | "problem"} View */

/** @type {View[]} */
const VIEWS = ["arrival", "waiting", "conversation", "elsewhere", "demo", "problem"];

/** How long the second click of a double click may take. */
const DOUBLE_CLICK_MS = 700;

let shownAt = -Infinity;
let unread = 0;
let news = "";

/** Shows one view; the focus goes to its heading, so that a screen reader tells of it. @param {View} view */
export function show(view) {
  const before = document.body.dataset.view;
  if (before === view) return;
  document.body.dataset.view = view;
  shownAt = performance.now();
  for (const name of VIEWS) byId(name).hidden = name !== view;
  scrollTo(0, 0);
  // The first view takes no focus: whoever opens a page begins at its top. The conversation minds its own.
  if (before !== "loading" && view !== "conversation") focusOn(view);
}

/** @param {View} view */
function focusOn(view) {
  const target = view === "arrival" ? byId("start") : byId(view).querySelector("[tabindex='-1']");
  target?.focus({ preventScroll: true });
}

/** The view that is shown. */
export function shownView() {
  return document.body.dataset.view;
}

/** So many messages are unread: the title says so. @param {number} count */
export function countUnread(count) {
  unread = count;
  if (count > 0) news = "";
  retitle();
}

/** Something that the title tells until the page is looked at. @param {string} text */
export function announce(text) {
  news = document.hidden ? text : "";
  retitle();
}

function retitle() {
  const name = byId("place-name").textContent;
  const count = unread > 0 ? `(${unread}) ` : "";
  document.title = news ? `${news} · ${name}` : `${count}${name}`;
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) announce("");
});

// The second click of a double click, and a key that is still held down, were meant for the view before this one.
addEventListener("click", (event) => {
  if (event.detail > 1 && performance.now() - shownAt < DOUBLE_CLICK_MS) pass(event);
}, true);
addEventListener("keydown", (event) => {
  if (event.repeat && event.key === "Enter" && event.target instanceof HTMLButtonElement) pass(event);
}, true);

/** @param {Event} event */
function pass(event) {
  event.preventDefault();
  event.stopPropagation();
}
