// Hands an own message to the client, and keeps that it did.
//
// A message that the client took is in its outbox, which survives a reload; one that waits for room there is
// kept without a number, and handed over again by the next page.

/** @typedef {import("./store.js").Entry} Entry */

/**
 * @param {Entry} entry its `n` is set once the client has taken it
 * @param {object} places
 * @param {import("../vyoma/client.js").Client} places.client
 * @param {import("./keeper.js").Keeper} places.keeper
 * @param {import("./list.js").List} places.list
 * @returns {Promise<string | null>} the name of why the client didn't take it; null if it did
 */
export async function hand(entry, { client, keeper, list }) {
  const taken = client.send(entry.text).then(
    ({ n }) => {
      entry.n = n;
      return null;
    },
    (refused) => String(refused.reason ?? refused),
  );
  // Where there is room, that is known at once, and written once, together with the number.
  const atOnce = await Promise.race([taken.then(() => true), nextTask()]);
  if (!atOnce) await keeper.write(entry);
  const refused = await taken;
  if (refused) return refused;
  list.update(entry);
  await keeper.write(entry);
  return null;
}

/** @returns {Promise<false>} */
function nextTask() {
  return new Promise((resolve) => setTimeout(() => resolve(false)));
}
