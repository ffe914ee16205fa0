// Keeps conversations on the device (IndexedDB), so that a reload, or another tab of the person, goes on with
// one. What was written is there when the promise is fulfilled: only then is a message acknowledged.
//
// Knows records and how long they are kept. Must not know who shows them.

import { MemoryStore } from "./memory_store.js";

/**
 * A conversation, but for what was said in it.
 *
 * @typedef {object} Talk
 * @property {string} conversation
 * @property {import("../vyoma/client.js").Profile | null} partner
 * @property {string[]} why
 * @property {import("../vyoma/client.js").Profile | null} common
 * @property {number} began in milliseconds since 1970
 * @property {number} touched when it was last written
 * @property {number} received the number of the partner's last message, in its present numbering
 * @property {number} arrived how many messages of the partner have come
 * @property {number} seen how many of those a person has seen
 * @property {import("./marks.js").Watermarks} marks of the own messages
 * @property {string} draft
 * @property {string | null} ended why it is over; null while it goes on
 */

/**
 * Something in a conversation, in the order in which it is shown.
 *
 * @typedef {object} Entry
 * @property {string} conversation
 * @property {number} order
 * @property {"message" | "gap"} kind
 * @property {number} time in milliseconds since 1970
 * @property {"mine" | "theirs"} [side] of a message
 * @property {number | null} [n] of a message; null: the client hasn't taken it yet
 * @property {number} [serial] of the partner's message: so many have come with it
 * @property {string} [text] of a message: what was said, or the JSON of what is no string
 * @property {boolean} [json] whether the text is JSON
 * @property {number} [bytes] of a message that isn't text: its length
 * @property {number} [from] of a gap: the first number that is missing
 * @property {number | null} [to] of a gap: the last; null: nobody knows
 */

/**
 * @typedef {object} Store
 * @property {boolean} lasts whether what is written survives the page
 * @property {(conversation: string) => Promise<Talk | null>} load
 * @property {(talk: Talk, entries?: Entry[]) => Promise<void>} write a conversation and some of its entries,
 *   all or nothing; an entry replaces the one of the same order
 * @property {(conversation: string, order: number) => Promise<Entry | null>} entry
 * @property {(conversation: string, before: number, count: number) => Promise<Entry[]>} page the last ones of
 *   a lower order, in order
 * @property {(conversation: string, after: number, count: number) => Promise<Entry[]>} pageAfter the first
 *   ones of a higher order
 * @property {(conversation: string, keepTalk?: boolean) => Promise<void>} drop a conversation, or (`keepTalk`)
 *   only what was said in it
 * @property {() => Promise<void>} clear
 */

const NAME = "vyomachat";
const VERSION = 1;
/** A browser that doesn't open its database by then never does. */
const OPENING_MS = 3000;
/** A conversation that wasn't written for so long is shown by nobody any more. */
const KEPT_MS = 24 * 60 * 60 * 1000;
/** Beyond so many entries the oldest go, some at a time: a partner mustn't fill the disk. */
const MOST_ENTRIES = 20_000;
const TRIMMED = 1000;
/** And beyond so many characters of text. */
const MOST_LENGTH = 32 * 1024 * 1024;

/**
 * Opens the store of this browser, or one in memory where there is none to be had.
 *
 * @param {string} [name] apart from other applications of the same origin
 * @returns {Promise<Store>}
 */
export async function openStore(name = NAME) {
  try {
    const store = new DeviceStore(await open(name));
    await store.forgetOld(Date.now() - KEPT_MS);
    return store;
  } catch {
    return new MemoryStore();
  }
}

/** @implements {Store} */
class DeviceStore {
  /** What a conversation weighs. @type {Map<string, {entries: number, length: number}>} */
  #weights = new Map();

  /** @param {IDBDatabase} db */
  constructor(db) {
    this.db = db;
    // Another tab wants to change it; this one then goes on in memory.
    db.onversionchange = () => db.close();
  }

  get lasts() {
    return true;
  }

  /** @param {string} conversation */
  async load(conversation) {
    return (await result(this.#read("talks").get(conversation))) ?? null;
  }

  /** @param {Talk} talk @param {Entry[]} [entries] */
  async write(talk, entries = []) {
    const transaction = this.#change();
    transaction.objectStore("talks").put(talk);
    const store = transaction.objectStore("entries");
    for (const entry of entries) store.put(entry);
    await committed(transaction);
    if (entries.length > 0) await this.#bound(talk.conversation, entries);
  }

  /** @param {string} conversation @param {number} order */
  async entry(conversation, order) {
    return (await result(this.#read("entries").get([conversation, order]))) ?? null;
  }

  /** @param {string} conversation @param {number} before @param {number} count */
  async page(conversation, before, count) {
    const range = IDBKeyRange.bound([conversation, 0], [conversation, before], false, true);
    return (await taken(this.#read("entries").openCursor(range, "prev"), count)).reverse();
  }

  /** @param {string} conversation @param {number} after @param {number} count */
  async pageAfter(conversation, after, count) {
    const range = IDBKeyRange.bound([conversation, after], [conversation, Infinity], true);
    return result(this.#read("entries").getAll(range, count));
  }

  /** @param {string} conversation @param {boolean} [keepTalk] */
  async drop(conversation, keepTalk = false) {
    const transaction = this.#change();
    if (!keepTalk) transaction.objectStore("talks").delete(conversation);
    transaction.objectStore("entries").delete(all(conversation));
    this.#weights.delete(conversation);
    await committed(transaction);
  }

  async clear() {
    const transaction = this.#change();
    transaction.objectStore("talks").clear();
    transaction.objectStore("entries").clear();
    this.#weights.clear();
    await committed(transaction);
  }

  /** Drops what wasn't written since `time`. @param {number} time */
  async forgetOld(time) {
    /** @type {Talk[]} */
    const talks = await result(this.#read("talks").getAll());
    for (const { conversation, touched } of talks) if (touched < time) await this.drop(conversation);
  }

  /** Drops the oldest of too many. @param {string} conversation @param {Entry[]} added */
  async #bound(conversation, added) {
    const weight = this.#weights.get(conversation) ?? (await this.#weigh(conversation));
    this.#weights.set(conversation, weight);
    weight.entries += added.length;
    for (const { text = "" } of added) weight.length += text.length;
    if (weight.entries <= MOST_ENTRIES && weight.length <= MOST_LENGTH) return;
    const oldest = await this.pageAfter(conversation, -1, TRIMMED);
    const last = oldest.at(-1)?.order ?? 0;
    const transaction = this.#change();
    transaction.objectStore("entries").delete(IDBKeyRange.bound([conversation, 0], [conversation, last]));
    await committed(transaction);
    weight.entries -= oldest.length;
    for (const { text = "" } of oldest) weight.length -= text.length;
  }

  /** What it weighs, without what is about to be added to that. @param {string} conversation */
  async #weigh(conversation) {
    const entries = await result(this.#read("entries").count(all(conversation)));
    // Of those that were there before, nobody knows; a reload doesn't begin anew with the largest.
    return { entries: Math.max(0, entries - 1), length: 0 };
  }

  /** @param {"talks" | "entries"} store */
  #read(store) {
    return this.db.transaction(store, "readonly").objectStore(store);
  }

  #change() {
    // Losing the last moments with the machine's power is no loss: the partner sends them again.
    return this.db.transaction(["talks", "entries"], "readwrite", { durability: "relaxed" });
  }
}

/** @param {string} conversation */
function all(conversation) {
  return IDBKeyRange.bound([conversation, 0], [conversation, Infinity]);
}

/** @param {string} name @returns {Promise<IDBDatabase>} */
function open(name) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(name, VERSION);
    setTimeout(() => reject(new Error("the database doesn't open")), OPENING_MS);
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore("talks", { keyPath: "conversation" });
      opening.result.createObjectStore("entries", { keyPath: ["conversation", "order"] });
    };
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
}

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
function result(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** What a cursor comes to first. @param {IDBRequest<IDBCursorWithValue | null>} request @param {number} count */
function taken(request, count) {
  /** @type {any[]} */
  const values = [];
  return /** @type {Promise<any[]>} */ (new Promise((resolve, reject) => {
    request.onsuccess = () => {
      const cursor = request.result;
      if (!cursor || values.length === count) return resolve(values);
      values.push(cursor.value);
      cursor.continue();
    };
    request.onerror = () => reject(request.error);
  }));
}

/** @param {IDBTransaction} transaction @returns {Promise<void>} */
function committed(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
    // Not left to the page, which may be about to go.
    transaction.commit?.();
  });
}
