// One conversation in the view: what is kept of it, what the person does with it, what is seen.
//
// Knows the parts of the view and the client's calls. Must not turn anything into markup; what the client tells
// is in hearing.js.

import { nameOf } from "./card.js";
import { Hearing } from "./hearing.js";
import { Keeper, newTalk } from "./keeper.js";
import { markOf } from "./marks.js";
import { sentence, who } from "./nodes.js";
import { Parts } from "./parts.js";
import { save } from "./saving.js";
import { hand } from "./sending.js";

/** @typedef {"idle" | "talking" | "parting" | "ended"} State */
/** @typedef {import("./store.js").Talk} Talk */
/** @typedef {import("./store.js").Entry} Entry */
/** @typedef {import("../conversation.js").MountOptions} MountOptions */
/** @typedef {MountOptions & {words: import("../words.js").Words, store: import("./store.js").Store}} Options */

const PARTING_MS = 3000;
/** As much of a conversation is there when it is opened. */
const OPENING = 200;

export class Controller {
  /** @type {State} */
  state = "idle";
  #stop = new AbortController();
  #unread = 0;

  /** @param {HTMLElement} element @param {import("../vyoma/client.js").Client} client @param {Options} options */
  constructor(element, client, options) {
    this.element = element;
    this.client = client;
    this.options = options;
    this.words = options.words;
    this.keeper = new Keeper(options.store, () => this.tell("conversation.not_kept", "problem"));
    this.parts = new Parts(element, {
      words: this.words,
      partingMs: options.partingMs ?? PARTING_MS,
      signal: this.#stop.signal,
      does: this,
    });
    this.parts.list.onsight = () => this.#look();
    /** When the present conversation can be read. */
    this.ready = this.#resume();
    this.hearing = new Hearing(this);
    this.#watchPage();
  }

  /** Takes the view out of the page. The client goes on. */
  close() {
    this.#keepNow();
    this.#stop.abort();
    this.hearing.stop();
    this.parts.close();
  }

  /** Goes on with the conversation that the client has. */
  async #resume() {
    const present = this.client.conversation;
    if (!present) return this.enter("idle");
    const kept = await this.keeper.find(present.conversation);
    const talk = kept ?? newTalk(present);
    const blocked = talk.ended === "blocked";
    talk.ended = null;
    await this.open(talk);
    if (blocked) return this.#block();
    if (!this.client.online) this.hearing.showLine("lost");
    for (const entry of await this.keeper.unsent()) this.#hand(entry);
  }

  /** Takes up a conversation. @param {Talk} talk */
  async open(talk) {
    await this.keeper.open(talk);
    const entries = await this.keeper.page(Infinity, OPENING);
    this.element.dataset.partner = "here";
    this.element.dataset.line = "online";
    this.parts.begin(talk, entries, entries.length === OPENING, this.name);
    this.countUnread();
    this.enter("talking");
  }

  // --- What the person does ------------------------------------------------------------------------

  /** @param {string} text */
  send(text) {
    const { talk } = this.keeper;
    if (!talk) return;
    talk.draft = "";
    this.typing(false);
    const entry = this.keeper.make({ kind: "message", side: "mine", n: null, text });
    this.parts.list.append(entry);
    this.parts.settleDown();
    this.#hand(entry);
  }

  /** @param {boolean} on */
  typing(on) {
    if (this.state === "talking") this.#ask(() => this.client.typing(on));
  }

  /** @param {string} draft */
  keepDraft(draft) {
    if (!this.keeper.talk) return;
    this.keeper.talk.draft = draft;
    this.keeper.write();
  }

  /** @param {import("./actions.js").Action} action */
  act(action) {
    if (action === "next" || action === "leave") this.#goAway(action);
    else if (action === "block") this.#block();
    else if (action === "report") this.parts.reportForm.ask(this.name);
    else if (action === "clear") this.parts.clearForm.ask();
    else this.#save(action === "save-json" ? "json" : "text");
  }

  /** Undoes Next or Leave. */
  undo() {
    this.enter(this.keeper.talk?.ended ? "ended" : "talking");
    this.#look();
  }

  /** Next or Leave wasn't undone. @param {import("./parting.js").Kind} kind @param {boolean} going the page goes away */
  part(kind, going) {
    const isPresent = this.client.conversation?.conversation === this.keeper.talk?.conversation;
    this.#putAway();
    // Whoever goes away looks for nobody.
    if (isPresent && (kind === "leave" || going)) this.#ask(() => this.client.leave());
    if (kind === "next" && !going) this.#ask(this.options.onnext ?? (() => this.client.next()));
    else this.options.ondone?.();
  }

  /** Wants somebody else, after an end. */
  find() {
    this.#goOn(() => this.#ask(this.options.onfind ?? (() => this.client.next())));
  }

  /** Has read enough of what is over. */
  done() {
    this.#goOn(() => this.options.ondone?.());
  }

  /** @param {() => void} on what comes after the conversation that is over */
  #goOn(on) {
    const go = () => {
      this.#putAway();
      on();
    };
    const { talk } = this.keeper;
    const isBlocking = talk?.ended === "blocked" && this.client.conversation?.conversation === talk.conversation;
    if (!isBlocking) return go();
    // Blocked without a connection: whoever forgot the conversation, or asked for the next one first, would undo that.
    this.enter("parting");
    this.parts.parting.hold("conversation.block.waiting");
    const stop = this.client.on("ended", ({ reason }) => {
      stop();
      if (reason !== "superseded" && !this.#stop.signal.aborted) go();
    });
  }

  /** @param {string} reason @returns {string | null} why it can't be sent */
  report(reason) {
    const refused = this.#ask(() => this.client.report(reason));
    return refused && this.words.say(refused === "offline" ? "conversation.offline" : "conversation.report.failed");
  }

  async clear() {
    const { talk } = this.keeper;
    if (!talk) return;
    await this.keeper.clear();
    talk.seen = talk.arrived;
    this.parts.cleared();
    this.keeper.touch();
    this.countUnread();
  }

  /** The whole text of an entry. @param {Entry} entry */
  whole(entry) {
    return this.keeper.whole(entry);
  }

  /** @param {Entry} entry */
  mark(entry) {
    const { talk } = this.keeper;
    if (!talk || (talk.ended && !entry.n)) return "undelivered";
    return markOf(talk.marks, entry.n ?? null);
  }

  limit() {
    return this.client.limits.max_message;
  }

  /** @param {Entry} entry */
  #hand(entry) {
    hand(entry, { client: this.client, keeper: this.keeper, list: this.parts.list })
      .then((refused) => { if (refused) this.#refused(entry, refused); });
  }

  /** A message wasn't taken: its words go back to where they were written. @param {Entry} entry @param {string} reason */
  async #refused(entry, reason) {
    const { composer, list } = this.parts;
    if (entry.conversation !== this.keeper.talk?.conversation) return;
    if (composer.text !== "") {
      list.showMarks();
    } else {
      list.remove(entry);
      composer.text = entry.text ?? "";
      this.keepDraft(composer.text);
      this.parts.showComposer(this.state);
    }
    const known = ["no_partner", "too_big"].includes(reason);
    composer.tell(this.words.say(`conversation.refused.${known ? reason : "other"}`));
  }

  /** @param {import("./parting.js").Kind} kind */
  #goAway(kind) {
    this.#keepNow();
    this.typing(false);
    this.enter("parting");
    this.parts.parting.begin(kind);
  }

  #block() {
    const { talk } = this.keeper;
    if (!talk) return;
    const refused = this.#ask(() => this.client.block());
    if (refused) return this.tell("conversation.block.failed", "problem");
    talk.ended = "blocked";
    this.keeper.write();
    this.parts.banner.clear();
    if (this.state === "ended") this.#showEnd();
    else this.enter("ended");
  }

  /** @param {"text" | "json"} form */
  async #save(form) {
    const { talk } = this.keeper;
    if (talk) save(form, talk, await this.keeper.all(), (entry) => this.mark(entry), this.words);
  }

  // --- What is seen --------------------------------------------------------------------------------

  get name() {
    return nameOf(this.keeper.talk?.partner ?? null, this.words);
  }

  #putAway() {
    this.keeper.drop();
    this.parts.empty();
    this.countUnread();
    this.enter("idle");
  }

  /** @param {State} state */
  enter(state) {
    const before = this.state;
    this.state = state;
    this.element.dataset.state = state;
    if (state === "ended") this.#showEnd();
    this.allow();
    this.parts.enter(state);
    if (before !== state) this.options.onstate?.(state);
  }

  #showEnd() {
    const reason = this.keeper.talk?.ended ?? "over";
    const key = `conversation.ended.${reason}`;
    const known = key in this.words.table ? key : "conversation.ended.over";
    this.parts.showEnd(sentence(this.words, known, { name: who(this.name) }));
    this.allow();
  }

  allow() {
    const { features } = this.client.limits;
    const going = this.state === "talking";
    const blocked = this.keeper.talk?.ended === "blocked";
    this.parts.actions.allow({
      going,
      // Before the server has said what it offers, it is asked.
      block: !blocked && (features.length === 0 || features.includes("block")),
      report: features.length === 0 || features.includes("report"),
    });
  }

  /** @param {string} key @param {"news" | "problem"} [kind] @param {Record<string, string | number | Node>} [values] */
  tell(key, kind = "news", values = {}) {
    this.parts.banner.tell(sentence(this.words, key, values), kind);
  }

  /** A person sees what is in sight, if the page is. */
  #look() {
    const { talk } = this.keeper;
    const entry = this.parts.list.lastInSight;
    if (!talk || !entry || document.visibilityState !== "visible" || this.state === "parting") return;
    const serial = entry.serial ?? 0;
    if (serial <= talk.seen) return;
    talk.seen = serial;
    if (!talk.ended) this.#ask(() => this.client.read(entry.n ?? 0));
    this.keeper.touch();
    this.countUnread();
  }

  countUnread() {
    const { talk } = this.keeper;
    const unread = talk ? talk.arrived - talk.seen : 0;
    this.parts.showUnread(unread);
    if (unread === this.#unread) return;
    this.#unread = unread;
    this.options.onunread?.(unread);
  }

  #watchPage() {
    const { signal } = this.#stop;
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.#look();
      else this.#keepNow();
    }, { signal });
    addEventListener("pagehide", () => this.#keepNow(), { signal });
  }

  /** Keeps what was about to be kept: the page may be gone in a moment. */
  #keepNow() {
    this.parts.composer.keep();
    this.keeper.flush();
  }

  /** Asks something of the client; returns the name of why it refused, if it did. @param {() => unknown} ask */
  #ask(ask) {
    try {
      ask();
      return null;
    } catch (refused) {
      return /** @type {{reason?: string}} */ (refused).reason ?? String(refused);
    }
  }
}
