// Keeps conversations as long as the page lives: where there is no IndexedDB, or it has failed, and for
// conversations that nobody wants to find again.
//
// Knows how much it may hold. Must not know what is in an entry, but for its text's length.

/** @typedef {import("./store.js").Store} Store */
/** @typedef {import("./store.js").Talk} Talk */
/** @typedef {import("./store.js").Entry} Entry */

/** So many entries of a conversation, and so many characters of text in them: 8 MiB at most. */
const MOST_ENTRIES = 2000;
const MOST_LENGTH = 4 * 1024 * 1024;

/** @implements {Store} */
export class MemoryStore {
  /** @type {Map<string, {talk: Talk, entries: Entry[], length: number}>} */
  #talks = new Map();

  /** Whether what is written survives the page. */
  get lasts() {
    return false;
  }

  /** @param {string} conversation */
  async load(conversation) {
    return structuredClone(this.#talks.get(conversation)?.talk ?? null);
  }

  /** @param {Talk} talk @param {Entry[]} [entries] */
  async write(talk, entries = []) {
    const kept = this.#talks.get(talk.conversation) ?? { talk, entries: [], length: 0 };
    kept.talk = structuredClone(talk);
    this.#talks.set(talk.conversation, kept);
    for (const entry of entries) put(kept, { ...entry });
  }

  /** @param {string} conversation @param {number} order */
  async entry(conversation, order) {
    return this.#entries(conversation).find((entry) => entry.order === order) ?? null;
  }

  /** @param {string} conversation @param {number} before @param {number} count */
  async page(conversation, before, count) {
    const earlier = this.#entries(conversation).filter(({ order }) => order < before);
    return earlier.slice(-count);
  }

  /** @param {string} conversation @param {number} after @param {number} count */
  async pageAfter(conversation, after, count) {
    const later = this.#entries(conversation).filter(({ order }) => order > after);
    return later.slice(0, count);
  }

  /** @param {string} conversation @param {boolean} [keepTalk] */
  async drop(conversation, keepTalk = false) {
    const kept = this.#talks.get(conversation);
    if (kept && keepTalk) Object.assign(kept, { entries: [], length: 0 });
    else this.#talks.delete(conversation);
  }

  async clear() {
    this.#talks.clear();
  }

  /** @param {string} conversation */
  #entries(conversation) {
    return this.#talks.get(conversation)?.entries ?? [];
  }
}

/** @param {{entries: Entry[], length: number}} kept @param {Entry} entry */
function put(kept, entry) {
  const { entries } = kept;
  const last = entries.at(-1);
  const at = !last || last.order < entry.order ? -1 : entries.findIndex(({ order }) => order === entry.order);
  kept.length += lengthOf(entry);
  if (at < 0) {
    entries.push(entry);
  } else {
    kept.length -= lengthOf(entries[at]);
    entries[at] = entry;
  }
  while (entries.length > MOST_ENTRIES || (kept.length > MOST_LENGTH && entries.length > 1)) {
    kept.length -= lengthOf(/** @type {Entry} */ (entries.shift()));
  }
}

/** @param {Entry} entry */
function lengthOf({ text = "" }) {
  return text.length;
}
