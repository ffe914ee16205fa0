// A small choice of emoji, as buttons.
//
// Knows characters and keys. Must not know where a chosen one goes.

import { button, freshId, make } from "./nodes.js";

const EMOJI = [
  "😀", "😄", "😊", "🙂", "😉", "😍", "🤗", "🤔", "😅", "😂", "🥲", "😎",
  "😮", "😬", "😔", "😢", "🙄", "🤯", "🥳", "😴", "👋", "👍", "👎", "👏",
  "🙏", "🤝", "💪", "👀", "✌️", "🤞", "👌", "🫶", "❤️", "🔥", "✨", "⭐",
  "🎉", "🎯", "🚀", "💡", "✅", "❌", "❓", "💯", "☕", "🍀", "🌍", "🎶",
];
/**
 * The button that opens the choice, and the choice.
 *
 * @param {import("../words.js").Words} words
 * @param {(emoji: string) => void} onchoose
 */
export function emojiPicker(words, onchoose) {
  const panel = make("div", "vy-emojis");
  panel.id = freshId();
  panel.setAttribute("role", "group");
  panel.setAttribute("aria-label", words.say("conversation.emoji"));
  const opener = button("vy-emoji", "", () => (panel.hidden ? open() : close()));
  opener.append(face());
  opener.setAttribute("aria-label", words.say("conversation.emoji"));
  opener.setAttribute("aria-controls", panel.id);
  const buttons = EMOJI.map((emoji) => button("", emoji, () => {
    close();
    onchoose(emoji);
  }));
  panel.append(...buttons);

  function open() {
    panel.hidden = false;
    opener.setAttribute("aria-expanded", "true");
    focusOn(buttons, 0);
  }

  function close() {
    panel.hidden = true;
    opener.setAttribute("aria-expanded", "false");
  }

  panel.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      close();
      opener.focus();
    } else if (move(buttons, event.key, panel)) {
      event.preventDefault();
    }
  });
  panel.addEventListener("focusout", ({ relatedTarget }) => {
    const inside = relatedTarget instanceof Node && (panel.contains(relatedTarget) || opener === relatedTarget);
    // Another window's focus isn't this page's matter.
    if (!inside && document.hasFocus()) close();
  });
  close();
  return { opener, panel, close };
}

/** One stop of the Tab key for all of them. @param {HTMLButtonElement[]} buttons @param {number} index */
function focusOn(buttons, index) {
  for (const [at, one] of buttons.entries()) one.tabIndex = at === index ? 0 : -1;
  buttons[index].focus();
}

/** @param {HTMLButtonElement[]} buttons @param {string} key @param {HTMLElement} panel */
function move(buttons, key, panel) {
  const at = buttons.findIndex((one) => one === document.activeElement);
  const { direction, gridTemplateColumns } = getComputedStyle(panel);
  const forward = direction === "rtl" ? -1 : 1;
  const columns = gridTemplateColumns.split(" ").length;
  /** @type {Record<string, number>} */
  const to = {
    ArrowRight: at + forward,
    ArrowLeft: at - forward,
    ArrowDown: at + columns,
    ArrowUp: at - columns,
    Home: 0,
    End: buttons.length - 1,
  };
  if (at < 0 || !(key in to)) return false;
  focusOn(buttons, Math.max(0, Math.min(buttons.length - 1, to[key])));
  return true;
}

/** A face, drawn, so that it has the colour of the text. */
function face() {
  return icon("M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM8.5 14.5c1.8 2.4 5.2 2.4 7 0M9 9.5v.5M15 9.5v.5");
}

/** A line drawing of 24 by 24. @param {string} path */
export function icon(path) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "vy-icon");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(space, "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}
