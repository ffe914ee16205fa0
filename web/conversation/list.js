// The list of what was said: follows its end, or stays where the reader is; holds a window of the
// conversation, however long that is.
//
// Knows entries, where to get others, and how to scroll. Must not know clients.

import { cut, dayNode, entryNode, sameDay, showMark } from "./entry.js";
import { button, make } from "./nodes.js";

/** @typedef {import("./store.js").Entry} Entry */
/** @typedef {{entry: Entry, node: HTMLElement, day: HTMLElement | null}} Item */

/** So many entries are in the page while the reader is at the end. */
const WINDOW = 200;
/** And so many while the reader is elsewhere; what comes then beyond that waits in the store. */
const WIDE = 400;
/** So many come with each step into the past. */
const STEP = 60;
/** Of what comes in a burst, so much enters the page at once, */
const AT_ONCE = 24;
/** and so much time, in milliseconds, is between: laying out the list takes some of it. */
const BURST_MS = 100;
/** Who is so close to the end, in pixels, wants to see what is added. */
const NEAR = 48;
/** What one side says within this time belongs together. */
const GROUP_MS = 3 * 60 * 1000;

/**
 * @typedef {import("./entry.js").Setting & {
 *   page: (before: number, count: number) => Promise<Entry[]>,
 *   pageAfter: (after: number, count: number) => Promise<Entry[]>,
 *   mark: (entry: Entry) => string,
 *   onfollow: (following: boolean) => void,
 * }} ListSetting `page`, `pageAfter`: entries from the store; `mark` of an own message
 */

export class List {
  /** @type {Item[]} */
  #items = [];
  /** What isn't in the page yet. @type {Entry[]} */
  #coming = [];
  #frame = 0;
  #timer = 0;
  #flushed = 0;
  /** Whether the window's end is the conversation's. */
  #atEnd = true;
  #loading = false;
  /** The end is on its way from the store; what comes meanwhile goes behind it. */
  #returning = false;
  #height = 0;
  #resizes;
  following = true;

  /** @param {ListSetting} setting */
  constructor(setting) {
    this.setting = setting;
    const { words } = setting;
    this.older = button("vy-older", words.say("conversation.older"), () => this.#loadOlder());
    this.later = button("vy-later", words.say("conversation.later"), () => this.#loadLater());
    this.empty = make("p", "vy-note");
    this.rows = make("ol", "vy-rows");
    this.element = make("div", "vy-list", this.older, this.empty, this.rows, this.later);
    this.element.tabIndex = 0;
    this.element.setAttribute("role", "group");
    this.element.setAttribute("aria-label", words.say("conversation.messages"));
    this.older.hidden = true;
    this.later.hidden = true;
    this.element.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    // A keyboard on the screen takes room from the list; its end stays in sight.
    this.#resizes = new ResizeObserver(() => this.#resized());
    this.#resizes.observe(this.element);
    this.sight = new IntersectionObserver((changes) => this.#inSight(changes), { threshold: [0, 0.5, 1] });
    /** The partner's messages that are in sight. @type {Map<Element, Entry>} */
    this.seen = new Map();
    /** Called when those have changed. */
    this.onsight = () => {};
  }

  /** Shows the end of a conversation. @param {Entry[]} entries the last ones @param {boolean} more are there before */
  show(entries, more) {
    this.clear();
    this.#place(entries, 0);
    this.older.hidden = !more;
    this.following = true;
    this.#toEnd();
  }

  /** Adds an entry at the end, soon. @param {Entry} entry */
  append(entry) {
    this.empty.hidden = true;
    this.#coming.push(cut(entry));
    // A hidden page has no frames, and a burst must not pile up in it.
    if (this.#coming.length >= WINDOW && document.hidden) this.#flush();
    this.#schedule();
    if (entry.side !== "mine") return;
    // Whoever writes sees it at once, at the end.
    this.toNewest();
    if (this.#atEnd) this.#flush();
  }

  /** Shows again how an entry is now, in the page or on its way there. @param {Entry} entry */
  update(entry) {
    const coming = this.#coming.find(({ order }) => order === entry.order);
    if (coming) Object.assign(coming, cut(entry));
    const item = this.#items.find(({ entry: { order } }) => order === entry.order);
    if (!item) return;
    item.entry = cut(entry);
    if (entry.n) item.node.dataset.n = String(entry.n);
    showMark(item.node, this.setting.mark(entry), this.setting);
  }

  /** Takes an entry out. @param {Entry} entry */
  remove(entry) {
    this.#coming = this.#coming.filter(({ order }) => order !== entry.order);
    const at = this.#items.findIndex(({ entry: { order } }) => order === entry.order);
    if (at >= 0) this.#takeOut(this.#items.splice(at, 1));
  }

  /** Shows again how far the own messages have come. */
  showMarks() {
    for (const { entry, node } of this.#items) {
      if (entry.side === "mine") showMark(node, this.setting.mark(entry), this.setting);
    }
  }

  /** Goes to the newest entry, and follows from there. */
  async toNewest() {
    if (!this.#atEnd) await this.#return();
    this.#setFollowing(true);
    this.#toEnd();
  }

  async #return() {
    this.#returning = true;
    try {
      const entries = await this.setting.page(Infinity, WINDOW);
      const last = entries.at(-1)?.order ?? -1;
      const coming = this.#coming.filter(({ order }) => order > last);
      this.show(entries, entries.length === WINDOW);
      this.#coming = coming;
      this.#flush();
    } finally {
      this.#returning = false;
    }
  }

  clear() {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#timer);
    this.#frame = 0;
    this.#timer = 0;
    this.#coming = [];
    this.#takeOut(this.#items.splice(0));
    this.#atEnd = true;
    this.older.hidden = true;
    this.later.hidden = true;
  }

  close() {
    this.clear();
    this.#resizes.disconnect();
    this.sight.disconnect();
  }

  /** Has what is coming enter the page: with the next frame, or a little later if it keeps coming. */
  #schedule() {
    if (this.#frame || this.#timer) return;
    const wait = this.#flushed + BURST_MS - performance.now();
    const draw = () => {
      this.#timer = 0;
      this.#frame = requestAnimationFrame(() => this.#flush());
    };
    if (wait <= 0) draw();
    else this.#timer = window.setTimeout(draw, wait);
  }

  #flush() {
    this.#frame = 0;
    this.#flushed = performance.now();
    // What was left behind by a burst comes from the store, if somebody looks for it.
    if (this.#atEnd && this.following && this.#coming.length > WINDOW) {
      this.#coming.splice(0, this.#coming.length - WINDOW);
      this.#takeOut(this.#items.splice(0));
      this.older.hidden = false;
    }
    if (this.#atEnd && !this.following && this.#items.length >= WIDE) this.#leaveEnd();
    if (!this.#atEnd) {
      if (!this.#returning) this.#coming = [];
      return;
    }
    this.#place(this.#coming.splice(0, AT_ONCE), this.#items.length);
    if (this.following) {
      this.#trimStart(WINDOW);
      this.#toEnd();
    }
    if (this.#coming.length > 0) this.#schedule();
  }

  /** Puts entries into the page before the item at `index`. @param {Entry[]} entries @param {number} index */
  #place(entries, index) {
    if (entries.length === 0) return;
    this.empty.hidden = true;
    const items = entries.map((entry) => this.#item(cut(entry)));
    const next = this.#items[index];
    const before = next ? (next.day ?? next.node) : null;
    this.#items.splice(index, 0, ...items);
    const nodes = document.createDocumentFragment();
    for (const { node } of items) nodes.append(node);
    this.rows.insertBefore(nodes, before);
    for (let at = index; at <= index + items.length; at += 1) this.#join(at);
  }

  /** @param {Entry} entry @returns {Item} */
  #item(entry) {
    const node = entryNode(entry, this.setting);
    if (entry.side === "mine") showMark(node, this.setting.mark(entry), this.setting);
    if (entry.side === "theirs") {
      this.seen.set(node, entry);
      this.sight.observe(node);
    }
    return { entry, node, day: null };
  }

  /** Shows how an item goes on from the one before it. @param {number} at */
  #join(at) {
    const item = this.#items[at];
    if (!item) return;
    const { entry, node } = item;
    const before = this.#items[at - 1];
    const day = !sameDay(before?.entry.time ?? Date.now(), entry.time);
    if (day && !item.day) {
      item.day = dayNode(this.setting.words, entry.time, Date.now());
      node.before(item.day);
    } else if (!day) {
      item.day?.remove();
      item.day = null;
    }
    const follows = Boolean(before) && !day && together(before.entry, entry);
    node.toggleAttribute("data-follows", follows);
    before?.node.toggleAttribute("data-followed", follows);
  }

  /** @param {number} most */
  #trimStart(most) {
    const many = this.#items.length - most;
    if (many <= 0) return;
    this.#takeOut(this.#items.splice(0, many));
    this.older.hidden = false;
  }

  /** @param {Item[]} items */
  #takeOut(items) {
    for (const { node, day } of items) {
      day?.remove();
      node.remove();
      this.sight.unobserve(node);
      this.seen.delete(node);
      this.inSight.delete(node);
    }
  }

  /** The partner's messages that can be seen now. @type {Set<Element>} */
  inSight = new Set();

  /** @param {IntersectionObserverEntry[]} changes */
  #inSight(changes) {
    for (const { target, isIntersecting, intersectionRatio, intersectionRect } of changes) {
      const enough = isIntersecting && (intersectionRatio >= 0.5 || intersectionRect.height >= 96);
      if (enough && this.seen.has(target)) this.inSight.add(target);
      else this.inSight.delete(target);
    }
    this.onsight();
  }

  /** The last of the partner's messages that can be seen. @returns {Entry | null} */
  get lastInSight() {
    let last = null;
    for (const node of this.inSight) {
      const entry = this.seen.get(node);
      if (entry && (!last || entry.order > last.order)) last = entry;
    }
    return last;
  }

  #leaveEnd() {
    this.#atEnd = false;
    this.later.hidden = false;
  }

  async #loadOlder() {
    const [first] = this.#items;
    const before = first?.entry.order ?? this.#coming[0]?.order ?? Infinity;
    await this.#load(async () => {
      const entries = await this.setting.page(before, STEP);
      this.#setFollowing(false);
      this.#anchored(() => this.#place(entries, 0));
      this.#leaveTail();
      return entries.length === STEP;
    }, this.older);
  }

  async #loadLater() {
    const last = this.#items.at(-1);
    if (!last) return;
    await this.#load(async () => {
      const entries = await this.setting.pageAfter(last.entry.order, STEP);
      this.#anchored(() => {
        this.#place(entries, this.#items.length);
        this.#trimStart(WIDE);
      });
      this.#atEnd = entries.length < STEP;
      return !this.#atEnd;
    }, this.later);
  }

  /** Runs one load at a time, whose button stays while there is more. @param {() => Promise<boolean>} load @param {HTMLElement} from */
  async #load(load, from) {
    if (this.#loading) return;
    this.#loading = true;
    const focused = document.activeElement === from;
    try {
      from.hidden = !(await load());
      if (focused && from.hidden) this.element.focus();
    } finally {
      this.#loading = false;
    }
  }

  /** Whoever goes far back leaves the end to the store. */
  #leaveTail() {
    const many = this.#items.length - WIDE;
    if (many <= 0) return;
    this.#takeOut(this.#items.splice(-many));
    this.#coming = [];
    this.#leaveEnd();
  }

  /** Changes the list without moving what the reader looks at. @param {() => void} change */
  #anchored(change) {
    const { element } = this;
    const top = element.getBoundingClientRect().top;
    const anchor = this.#items.find(({ node }) => node.getBoundingClientRect().bottom > top)?.node;
    const was = anchor?.getBoundingClientRect().top ?? 0;
    change();
    if (anchor?.isConnected) element.scrollTop += anchor.getBoundingClientRect().top - was;
  }

  #toEnd() {
    this.element.scrollTop = this.element.scrollHeight;
  }

  #resized() {
    this.#height = this.element.clientHeight;
    if (this.following) this.#toEnd();
  }

  #scrolled() {
    const { clientHeight, scrollHeight, scrollTop } = this.element;
    // After a change of height that wasn't followed yet, this isn't the reader's doing.
    if (clientHeight !== this.#height) return;
    this.#setFollowing(this.#atEnd && scrollHeight - scrollTop - clientHeight < NEAR);
  }

  /** @param {boolean} following */
  #setFollowing(following) {
    if (this.following === following) return;
    this.following = following;
    this.setting.onfollow(following);
  }
}

/** @param {Entry} before @param {Entry} entry */
function together(before, entry) {
  const same = before.kind === "message" && entry.kind === "message" && before.side === entry.side;
  return same && entry.time - before.time < GROUP_MS;
}
