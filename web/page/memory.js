// What the page remembers between visits and reloads, where the browser lets it.
//
// Knows localStorage (this device) and sessionStorage (this tab). Must not know what it means. Browsers throw where
// storage is switched off or full: then nothing is remembered, and nothing else is wrong.

/** @param {"localStorage" | "sessionStorage"} where @param {string} key */
function memory(where, key) {
  const name = `vyomachat:${key}`;
  return {
    /** @returns {any} what was remembered, null if nothing that makes sense was */
    get() {
      try {
        return JSON.parse(globalThis[where].getItem(name) ?? "null");
      } catch {
        return null;
      }
    },
    /** @param {any} value null to forget it */
    set(value) {
      try {
        if (value === null) globalThis[where].removeItem(name);
        else globalThis[where].setItem(name, JSON.stringify(value));
      } catch {
        // Remembering is a convenience.
      }
    },
  };
}

/** The person's profile. */
export const profileMemory = memory("localStorage", "profile");
/** The language that was chosen. */
export const languageMemory = memory("localStorage", "language");
/** That this tab looks for a partner (and by which invitation), so that reloading goes on with it. */
export const wishMemory = memory("sessionStorage", "wish");
