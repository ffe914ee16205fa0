// Where a person writes: the draft, its keys, what keeps it from being sent.
//
// Knows the limits of a message. Must not know clients.

import { emojiPicker, icon } from "./emoji.js";
import { freshId, make, unseen } from "./nodes.js";

/** What an envelope has around its payload: `{"type":"message","n":9007199254740991,"payload":}`. */
const ENVELOPE_BYTES = 64;
/** One UTF-16 unit takes at most so many bytes of JSON: a control character, as \u0000. */
const MOST_BYTES_PER_UNIT = 6;
/** From this share of the limit on the writer sees how much is left. */
const NEAR_LIMIT = 0.9;
/**
 * A draft may be longer than a message, so that it can be cut into several, but not by more than this: a browser
 * takes many seconds to lay out a megabyte that somebody has pasted.
 */
const MOST_LIMITS = 2;
/** The draft is kept when nothing was written for so long. */
const REST_MS = 250;

/**
 * @typedef {object} ComposerSetting
 * @property {import("../words.js").Words} words
 * @property {() => number} limit the longest message, in bytes
 * @property {(text: string) => void} onsend
 * @property {(on: boolean) => void} ontyping
 * @property {(draft: string) => void} ondraft it has to be kept
 */

export class Composer {
  #rest = 0;
  #enabled = true;
  /** What was last told to be kept. */
  #kept = "";

  /** @param {ComposerSetting} setting */
  constructor(setting) {
    this.setting = setting;
    const { words } = setting;
    this.draft = make("textarea", "vy-draft");
    this.draft.id = freshId();
    this.draft.rows = 1;
    this.draft.autocomplete = "off";
    this.draft.placeholder = words.say("conversation.placeholder");
    this.draft.enterKeyHint = hasTouchKeyboard() ? "enter" : "send";
    const label = make("label", "", unseen(words.say("conversation.draft")));
    label.htmlFor = this.draft.id;
    this.send = make("button", "vy-send", icon("M4 12h14M12 5l7 7-7 7"), unseen(words.say("conversation.send")));
    this.send.type = "submit";
    this.hint = make("p", "vy-hint");
    this.hint.id = freshId();
    this.hint.setAttribute("aria-live", "polite");
    this.draft.setAttribute("aria-describedby", this.hint.id);
    this.emoji = emojiPicker(words, (emoji) => this.insert(emoji));
    const { opener, panel } = this.emoji;
    const row = make("div", "vy-row", opener, label, this.draft, this.send);
    this.element = make("form", "vy-composer", panel, row, this.hint);
    this.#listen();
  }

  get text() {
    return this.draft.value;
  }

  /** Replaces the draft. @param {string} text */
  set text(text) {
    this.draft.value = text;
    this.#kept = text;
    this.#look();
  }

  /** Puts text where the person writes. @param {string} text */
  insert(text) {
    this.draft.focus();
    this.draft.setRangeText(text, this.draft.selectionStart, this.draft.selectionEnd, "end");
    this.#changed();
  }

  /** Puts a line into the draft, whose words stay. @param {string} line */
  propose(line) {
    const before = this.draft.value.trimEnd();
    this.draft.value = before ? `${before}\n${line}` : line;
    this.draft.focus();
    this.draft.setSelectionRange(this.draft.value.length, this.draft.value.length);
    this.#changed();
  }

  /** Whether there is somebody to write to. @param {boolean} enabled */
  enable(enabled) {
    this.#enabled = enabled;
    this.draft.maxLength = MOST_LIMITS * this.setting.limit();
    this.draft.readOnly = !enabled;
    this.emoji.opener.disabled = !enabled;
    if (!enabled) this.emoji.close();
    this.#look();
  }

  /** Says why something wasn't sent. @param {string} text */
  tell(text) {
    this.hint.textContent = text;
    this.hint.toggleAttribute("data-problem", text !== "");
  }

  /** Has the draft kept now, if it has changed. */
  keep() {
    clearTimeout(this.#rest);
    if (this.#kept === this.draft.value) return;
    this.#kept = this.draft.value;
    this.setting.ondraft(this.#kept);
  }

  #listen() {
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.draft.addEventListener("input", () => this.#changed());
    this.draft.addEventListener("keydown", (event) => {
      // Enter while an input method composes belongs to the input method.
      if (event.key !== "Enter" || event.isComposing || event.keyCode === 229) return;
      const meant = event.ctrlKey || event.metaKey || !(event.shiftKey || hasTouchKeyboard());
      if (!meant) return;
      event.preventDefault();
      // A key that is still held down was pressed for something else.
      if (!event.repeat) this.#submit();
    });
    this.draft.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.emoji.close();
    });
    // A button that takes the focus would close a phone's keyboard between two messages.
    this.send.addEventListener("pointerdown", (event) => event.preventDefault());
  }

  #changed() {
    this.#look();
    this.setting.ontyping(this.draft.value !== "");
    clearTimeout(this.#rest);
    this.#rest = window.setTimeout(() => this.keep(), REST_MS);
  }

  #submit() {
    const text = sendable(this.draft.value);
    if (text === "" || !this.#enabled || this.#look() > this.setting.limit()) return;
    this.draft.value = "";
    // Kept as empty together with the message that it has become.
    clearTimeout(this.#rest);
    this.#kept = "";
    this.#look();
    this.draft.focus();
    this.setting.onsend(text);
  }

  /** Says whether the draft can be sent; returns its length as a message, if that may be near the limit. */
  #look() {
    const { words, limit } = this.setting;
    const bytes = lengthOf(this.draft.value, limit());
    const tooLong = bytes > limit();
    this.send.disabled = !this.#enabled || tooLong;
    this.draft.setAttribute("aria-invalid", String(tooLong));
    const key = tooLong ? "conversation.too_long" : "conversation.near_limit";
    this.tell(bytes > limit() * NEAR_LIMIT ? words.say(key, { bytes, most: limit() }) : "");
    this.hint.toggleAttribute("data-problem", tooLong);
    // An empty one begins where the language does.
    this.draft.dir = this.draft.value === "" ? "" : "auto";
    this.#fit();
    return bytes;
  }

  /** As high as its text, where the browser doesn't see to that. */
  #fit() {
    if (CSS.supports("field-sizing", "content")) return;
    this.draft.style.height = "auto";
    this.draft.style.height = `${this.draft.scrollHeight + 2}px`;
  }
}

/**
 * What would be sent of a draft: without what is empty at its ends, and without halves of characters, which
 * are no text.
 *
 * @param {string} draft
 */
function sendable(draft) {
  return draft.replace(/^\s*\n/, "").trimEnd().replace(/\p{Surrogate}/gu, "\ufffd");
}

/** The length of a message in bytes; 0 if that is far from the limit. @param {string} text @param {number} limit */
function lengthOf(text, limit) {
  if (text.length * MOST_BYTES_PER_UNIT + ENVELOPE_BYTES < limit * NEAR_LIMIT) return 0;
  return new TextEncoder().encode(JSON.stringify(text)).length + ENVELOPE_BYTES;
}

/** Enter on a screen's keyboard makes a new line: there is no other way to one. */
function hasTouchKeyboard() {
  return matchMedia("(pointer: coarse) and (hover: none)").matches;
}
