// The conversation that is shown, as it is kept: gives entries their order, writes them, and goes on in memory
// where the store fails.
//
// Knows stores. Must not know what is seen, or clients.

import { noMarks } from "./marks.js";
import { MemoryStore } from "./memory_store.js";

/** @typedef {import("./store.js").Talk} Talk */
/** @typedef {import("./store.js").Entry} Entry */

/** Receipts and what was seen change often; they are written at most so often. */
const REST_MS = 400;
/** Read from the store in one go. */
const BATCH = 500;
/** So far back a repeated message, or one that was never sent, is looked for. */
const RECENT = 400;

/** A conversation that begins. @param {Pick<Talk, "conversation" | "partner" | "why" | "common">} given @returns {Talk} */
export function newTalk({ conversation, partner, why, common }) {
  const now = Date.now();
  return {
    conversation, partner, why, common, began: now, touched: now,
    received: 0, arrived: 0, seen: 0, marks: noMarks(), draft: "", ended: null,
  };
}

export class Keeper {
  /** @type {Talk | null} */
  talk = null;
  #order = 0;
  #timer = 0;
  /** Another tab has the conversation: what is kept is its affair. */
  #frozen = false;

  /**
   * @param {import("./store.js").Store} store
   * @param {() => void} onfail the store has failed; from now on the conversation lasts as long as the page
   */
  constructor(store, onfail) {
    this.store = store;
    this.onfail = onfail;
  }

  /** @param {string} conversation @returns {Promise<Talk | null>} */
  async find(conversation) {
    return this.#try((store) => store.load(conversation), null);
  }

  /** Takes up a conversation. @param {Talk} talk */
  async open(talk) {
    this.talk = talk;
    this.#frozen = false;
    const [last] = await this.page(Infinity, 1);
    this.#order = (last?.order ?? -1) + 1;
    await this.write();
  }

  /** An entry that comes next. @param {Omit<Entry, "conversation" | "order" | "time">} parts @returns {Entry} */
  make(parts) {
    const conversation = this.talk?.conversation ?? "";
    const entry = { conversation, order: this.#order, time: Date.now(), ...parts };
    this.#order += 1;
    return entry;
  }

  /** Writes the conversation, and entries of it; done when they are kept. @param {Entry[]} entries */
  async write(...entries) {
    const { talk } = this;
    if (!talk || this.#frozen || entries.some(({ conversation }) => conversation !== talk.conversation)) return;
    clearTimeout(this.#timer);
    this.#timer = 0;
    talk.touched = Date.now();
    await this.#try((store) => store.write(talk, entries), undefined, entries);
  }

  /** Writes the conversation soon. */
  touch() {
    this.#timer ||= window.setTimeout(() => this.write(), REST_MS);
  }

  /** Writes what `touch` has put off. */
  flush() {
    if (this.#timer) this.write();
  }

  /** From now on it is another tab's. */
  freeze() {
    this.#frozen = true;
    clearTimeout(this.#timer);
    this.#timer = 0;
  }

  /** Forgets the conversation. */
  async drop() {
    const { talk } = this;
    this.talk = null;
    clearTimeout(this.#timer);
    this.#timer = 0;
    if (talk && !this.#frozen) await this.#try((store) => store.drop(talk.conversation), undefined);
  }

  /** Forgets what was said. */
  async clear() {
    const { talk } = this;
    if (talk && !this.#frozen) await this.#try((store) => store.drop(talk.conversation, true), undefined);
  }

  /** @param {number} before @param {number} count */
  page(before, count) {
    const conversation = this.talk?.conversation ?? "";
    return this.#try((store) => store.page(conversation, before, count), []);
  }

  /** @param {number} after @param {number} count */
  pageAfter(after, count) {
    const conversation = this.talk?.conversation ?? "";
    return this.#try((store) => store.pageAfter(conversation, after, count), []);
  }

  /** The whole text of an entry. @param {Entry} entry */
  async whole(entry) {
    const { conversation, order } = entry;
    const kept = await this.#try((store) => store.entry(conversation, order), null);
    return kept?.text ?? entry.text ?? "";
  }

  /** All that was said, as far as it is kept. */
  async all() {
    /** @type {Entry[]} */
    const entries = [];
    for (;;) {
      const more = await this.pageAfter(entries.at(-1)?.order ?? -1, BATCH);
      entries.push(...more);
      if (more.length < BATCH) return entries;
    }
  }

  /** The own messages that the client never took. */
  async unsent() {
    const recent = await this.page(Infinity, RECENT);
    return recent.filter(({ side, n }) => side === "mine" && n === null);
  }

  /**
   * Whether a message of the partner is kept already: it comes again after a crash between keeping and
   * acknowledging it.
   *
   * @param {Pick<Entry, "n" | "text" | "bytes">} message
   */
  async has({ n, text, bytes }) {
    const recent = await this.page(Infinity, RECENT);
    return recent.some((entry) =>
      entry.side === "theirs" && entry.n === n && entry.text === text && entry.bytes === bytes);
  }

  /**
   * What the store says; `otherwise`, once it has failed.
   *
   * @template T
   * @param {(store: import("./store.js").Store) => Promise<T>} ask
   * @param {T} otherwise
   * @param {Entry[]} [entries] what was to be written
   */
  async #try(ask, otherwise, entries = []) {
    const { store } = this;
    try {
      return await ask(store);
    } catch (error) {
      if (!store.lasts) throw error;
      if (this.store === store) {
        this.store = new MemoryStore();
        this.onfail();
      }
      if (this.talk) await this.store.write(this.talk, entries);
      return otherwise;
    }
  }
}
