// Where a client keeps what it needs to come back: its tab, or what the application passes.
//
// Knows browsers' storage and locks. Must not know what is stored.

/**
 * Where a client keeps what it needs to resume; `text` is opaque, and a secret, since whoever has it
 * can take the seat. At any time only one client may use what was kept.
 *
 * @typedef {object} Storage
 * @property {() => string | null | Promise<string | null>} load what was kept, null if nothing was;
 *   called once, first of all
 * @property {(text: string, device: string | null) => void | Promise<void>} save keeps `text` instead
 *   of what was kept, and is done (its promise fulfilled) when a crash can't undo that. `device` is the
 *   part of it that all tabs of a browser should have in common
 * @property {() => void} [close] nothing more is kept; the next client may come
 */

/**
 * How long a tab that brings a seat waits for its lock: a reloaded page may still hold it for a moment,
 * a copied tab holds it for good.
 */
const LOCK_PATIENCE_MS = 1_000;

/**
 * Keeps the seat in the tab (`sessionStorage`), so that it survives reloading and a crashed tab, and
 * the device in the browser (`localStorage`). A duplicated tab has a copy of the storage: a Web Lock
 * tells it from the original, and it begins without the seat. Where the browser has no Web Locks (plain
 * HTTP on a LAN) or no storage, the seat is kept in memory: it lasts as long as the page.
 *
 * @param {string} [key] apart from other clients on the same page
 * @returns {Storage}
 */
export function tabStorage(key = "vyomachat") {
  const tab = reachable("sessionStorage");
  const browser = reachable("localStorage");
  /** @type {() => void} */
  let release = () => {};
  let kept = false;
  return {
    async load() {
      const device = browser?.getItem(`${key}:device`) ?? null;
      const anew = device && JSON.stringify({ ...NOTHING, device });
      if (!tab || !globalThis.navigator?.locks) return anew;
      const slot = tab.getItem(`${key}:slot`);
      const lock = slot && (await hold(`${key}:${slot}`));
      if (lock) {
        kept = true;
        release = lock;
        return tab.getItem(key) ?? anew;
      }
      // A new tab, or a copy of one that is still there.
      const own = crypto.randomUUID();
      tab.removeItem(key);
      try {
        tab.setItem(`${key}:slot`, own);
        kept = true;
      } catch {
        // There is no room: the seat is kept in memory.
      }
      release = (await hold(`${key}:${own}`)) ?? release;
      return anew;
    },
    save(text, device) {
      if (kept) tab?.setItem(key, text);
      if (device && browser?.getItem(`${key}:device`) !== device) {
        browser?.setItem(`${key}:device`, device);
      }
    },
    close() {
      kept = false;
      release();
    },
  };
}

/** What a client without a seat has kept (docs/vectors/README.md, "What is saved"). */
const NOTHING = { version: 1, device: null, attempt: 0, leaving: null, seat: null };

/** Browsers throw where storage is switched off. @param {"sessionStorage" | "localStorage"} name */
function reachable(name) {
  try {
    return globalThis[name] ?? null;
  } catch {
    return null;
  }
}

/**
 * Takes a Web Lock, for good.
 *
 * @param {string} name
 * @returns {Promise<(() => void) | null>} what releases it; null if another holds it
 */
function hold(name) {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(LOCK_PATIENCE_MS);
    const held = () => new Promise((release) => resolve(() => release(undefined)));
    navigator.locks.request(name, { signal }, held).catch(() => resolve(null));
  });
}
