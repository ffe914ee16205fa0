// The page around a client, where there is one: when it is looked at again, or back online.

/**
 * Calls `wake` when the page comes into sight or back online, or out of the browser's cache.
 *
 * @param {() => void} wake
 * @returns {() => void} stops that
 */
export function watchPage(wake) {
  if (!globalThis.document) return () => {};
  const seen = () => document.visibilityState === "visible" && wake();
  const stop = new AbortController();
  const { signal } = stop;
  document.addEventListener("visibilitychange", seen, { signal });
  addEventListener("pageshow", ({ persisted }) => persisted && wake(), { signal });
  addEventListener("online", wake, { signal });
  return () => stop.abort();
}
