// The parts of the view, put together: what is in the element, and what of it is seen in which state.
//
// Knows elements and where the focus goes. Must not know clients or stores.

import { Actions } from "./actions.js";
import { Banner } from "./banner.js";
import { Card } from "./card.js";
import { Composer } from "./composer.js";
import { ClearForm, ReportForm } from "./dialogs.js";
import { List } from "./list.js";
import { Live } from "./live.js";
import { button, freshId, isShown, make, sentence, who } from "./nodes.js";
import { Parting } from "./parting.js";

/** @typedef {import("./controller.js").State} State */

/**
 * @typedef {object} PartsSetting
 * @property {import("../words.js").Words} words
 * @property {number} partingMs
 * @property {AbortSignal} signal
 * @property {import("./controller.js").Controller} does what the person does is told here
 */

export class Parts {
  /** @type {State} */
  #state = "idle";
  #unread = 0;

  /** @param {HTMLElement} element @param {PartsSetting} setting */
  constructor(element, { words, partingMs, signal, does }) {
    this.element = element;
    this.words = words;
    this.card = new Card(words, (line) => this.composer.propose(line));
    this.actions = new Actions(words, (action) => does.act(action), signal);
    this.banner = new Banner();
    this.list = new List({
      words,
      name: "",
      whole: (entry) => does.whole(entry),
      mark: (entry) => does.mark(entry),
      page: (before, count) => does.keeper.page(before, count),
      pageAfter: (after, count) => does.keeper.pageAfter(after, count),
      onfollow: () => this.showUnread(this.#unread),
    });
    this.newest = button("vy-newest", "", () => this.list.toNewest());
    this.typing = make("p", "vy-typing");
    this.live = new Live(words);
    this.composer = new Composer({
      words,
      limit: () => does.limit(),
      onsend: (text) => does.send(text),
      ontyping: (on) => does.typing(on),
      ondraft: (draft) => does.keepDraft(draft),
    });
    this.end = make("p", "");
    this.end.setAttribute("role", "status");
    this.end.id = freshId();
    this.findButton = button("vy-find", words.say("conversation.find"), () => does.find());
    // The focus comes here, and not everybody sees what is above it.
    this.findButton.setAttribute("aria-describedby", this.end.id);
    const done = button("vy-done", words.say("conversation.done"), () => does.done());
    this.ended = make("section", "vy-ended", this.end, make("div", "vy-choices", this.findButton, done));
    this.parting = new Parting({
      words,
      ms: partingMs,
      signal,
      onundo: () => does.undo(),
      onpart: (kind, going) => does.part(kind, going),
    });
    this.reportForm = new ReportForm(words, (reason) => does.report(reason));
    this.clearForm = new ClearForm(words, () => does.clear());
    this.main = make("div", "vy-main");
    this.#build();
  }

  /**
   * A conversation is there.
   *
   * @param {import("./store.js").Talk} talk
   * @param {import("./store.js").Entry[]} entries its last ones
   * @param {boolean} more are there before
   * @param {string} name the partner's
   */
  begin(talk, entries, more, name) {
    this.empty();
    this.list.setting.name = name;
    this.card.show(talk);
    this.list.empty.replaceChildren(...sentence(this.words, "conversation.begin", { name: who(name) }));
    this.list.empty.hidden = entries.length > 0;
    if (entries.length === 0) this.live.tell(this.words.say("conversation.begin", { name }));
    this.list.show(entries, more);
    this.card.open(entries.length === 0);
    this.card.offerLine(!entries.some(({ side }) => side === "mine"));
    this.composer.text = talk.draft;
  }

  /** The first word is said. */
  settleDown() {
    this.card.open(false);
    this.card.offerLine(false);
  }

  /** The card makes room for what is said, unless somebody is busy with it. */
  makeRoom() {
    if (!this.card.element.contains(document.activeElement)) this.card.open(false);
  }

  /** What was said is cleared. */
  cleared() {
    this.list.clear();
    this.live.clear();
    this.list.empty.replaceChildren(this.words.say("conversation.cleared"));
    this.list.empty.hidden = false;
  }

  /** There is no conversation. */
  empty() {
    this.list.clear();
    this.live.clear();
    this.banner.clear();
    this.parting.stop();
    this.showTyping(false, "");
    this.composer.text = "";
    // What was to be reported of one partner is nothing to report of the next.
    this.reportForm.reason.value = "";
    if (this.reportForm.element.open) this.reportForm.element.close();
    if (this.clearForm.element.open) this.clearForm.element.close();
  }

  /** @param {State} state */
  enter(state) {
    const before = this.#state;
    this.#state = state;
    const hadFocus = this.element.contains(document.activeElement);
    this.main.hidden = state === "idle" || state === "parting";
    this.ended.hidden = state !== "ended";
    if (state !== "parting") this.parting.element.hidden = true;
    this.showComposer(state);
    this.#focus(before, hadFocus);
  }

  /** After the end only a draft that was never sent is left of it. @param {State} state */
  showComposer(state) {
    this.composer.enable(state === "talking");
    this.composer.element.hidden = state === "ended" && this.composer.text === "";
  }

  /** @param {(string | Node)[]} parts */
  showEnd(parts) {
    this.makeRoom();
    this.end.replaceChildren(...parts);
  }

  /** @param {boolean} on @param {string} name */
  showTyping(on, name) {
    this.typing.toggleAttribute("data-on", on);
    this.typing.replaceChildren(...(on ? sentence(this.words, "conversation.typing", { name: who(name) }) : []));
  }

  /** @param {number} unread */
  showUnread(unread) {
    this.#unread = unread;
    const { newest, list, words } = this;
    const hadFocus = document.activeElement === newest;
    newest.hidden = list.following;
    newest.textContent = unread > 0
      ? words.say("conversation.new", { count: unread })
      : words.say("conversation.newest");
    if (hadFocus && newest.hidden) list.element.focus();
  }

  /** Takes everything out of the element again. */
  close() {
    this.empty();
    this.list.close();
    this.element.replaceChildren();
    this.element.classList.remove("vy");
    for (const name of ["state", "line", "partner"]) delete this.element.dataset[name];
  }

  #build() {
    const { card, element, words } = this;
    this.actions.element.prepend(card.toggle);
    card.element.append(card.person, this.actions.element, card.about);
    const end = make("div", "vy-end", this.newest, this.typing);
    const talk = make("div", "vy-talk", this.banner.element, this.list.element, end, this.ended, this.composer.element);
    this.main.append(card.element, talk);
    this.main.hidden = true;
    this.newest.hidden = true;
    element.classList.add("vy");
    element.lang = words.tag;
    element.dir = words.direction;
    Object.assign(element.dataset, { state: "idle", line: "online", partner: "here" });
    for (const part of [this.main, this.parting.element]) part.addEventListener("keydown", passRepeated);
    element.replaceChildren(this.main, this.parting.element, this.reportForm.element, this.clearForm.element, this.live.element);
  }

  /** Nobody who was here is left without a place. @param {State} before @param {boolean} hadFocus */
  #focus(before, hadFocus) {
    if (this.#state === "talking" && before !== "talking") {
      // The page may first have to show what this is in.
      requestAnimationFrame(() => isElsewhere(this.element) || this.composer.draft.focus());
    } else if (this.#state === "ended" && (hadFocus || before === "parting")) {
      const focused = document.activeElement;
      const kept = focused && focused !== document.body && isShown(focused) && focused !== this.composer.draft;
      if (!kept) this.findButton.focus();
    }
  }
}

/** Whether the person writes, or is asked something, in another place. @param {HTMLElement} element */
function isElsewhere(element) {
  const focused = document.activeElement;
  if (!focused || element.contains(focused)) return false;
  return focused.matches("input, textarea, select, [contenteditable], dialog[open] *");
}

/** Whoever holds Enter down has pressed one button, and not the one that has the focus then. @param {KeyboardEvent} event */
function passRepeated(event) {
  if (event.repeat && event.key === "Enter" && event.target instanceof HTMLButtonElement) event.preventDefault();
}
