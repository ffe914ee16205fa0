// One person and several tabs, and a tab that is loaded again.

import assert from "node:assert/strict";
import { partner } from "./partner.mjs";
import { ALL, EACH, Stage } from "./stage.mjs";

const stage = new Stage();
/** Ada in a browser, and Ben who has none. */
async function pair(kind) {
  await stage.serves();
  const ada = await stage.person(kind);
  await ada.arrives("Ada");
  await ada.sees("waiting");
  const ben = await partner(stage.host());
  await ada.sees("conversation");
  return [ada, ben];
}

stage.test("reloading keeps transcript, draft and marks", ALL, async (first, second) => {
  const [ada, ben] = await stage.pair(first, second);
  await ada.says("one");
  await ben.hears("one");
  await ben.says("two");
  await ada.hears("two");
  await ada.marked(1, "read");
  await ada.writes("half a thought");
  await ada.reloads();
  await ada.sees("conversation");
  await ada.hears("two");
  await ada.hasSaid("one");
  await ada.marked(1, "read");
  assert.match(await ada.reads(".vy-name"), /Ben/);
  assert.equal(await ada.draft(), "half a thought");
  await ada.says(", finished");
  await ben.hears("one", "half a thought, finished");
  await ada.marked(2, "delivered");
  assert.deepEqual(await ada.messages("mine"), ["one", "half a thought, finished"]);
  await ben.isIn("state", "talking");
});

stage.test("who is done after the end is at the start, and no reload brings the conversation back", EACH, async (kind) => {
  const [ada, ben] = await pair(kind);
  await ben.says("Good bye");
  await ada.hears("Good bye");
  ben.leaves();
  await ada.isIn("state", "ended");
  assert.deepEqual(await ada.messages("theirs"), ["Good bye"]);
  await ada.presses(".vy-done");
  await ada.sees("arrival");
  await ada.reloads();
  await ada.sees("arrival");
  await ada.misses(".vy-message");
  await ben.close();
});

stage.test("reloading while waiting goes on waiting", EACH, async (kind) => {
  await stage.serves();
  const ada = await stage.person(kind);
  await ada.arrives("Ada");
  await ada.sees("waiting");
  await ada.reloads();
  await ada.sees("waiting");
  const ben = await partner(stage.host());
  await ada.sees("conversation");
  assert.equal((await ben.hears("matched")).partner.name, "Ada");
  await ben.close();
});

stage.test("a second tab says where the conversation is, and can take it over and give it back", EACH, async (kind) => {
  const [ada, ben] = await pair(kind);
  await ada.says("from the first tab");
  await ada.writes("half a thought");
  const second = await ada.opensTab();
  await second.sees("elsewhere");
  await ada.isIn("state", "talking");
  await second.presses("#continue-here");
  await second.sees("conversation");
  await ada.sees("elsewhere");
  await second.hasSaid("from the first tab");
  assert.equal(await second.draft(), "half a thought");
  await second.says(" from the second");
  await ben.hears("message", ({ value }) => value === "half a thought from the second");

  // Nothing that wakes a page up makes the first one come back by itself.
  const before = ada.sockets();
  for (const name of ["online", "pageshow", "focus"]) {
    await ada.page.evaluate((type) => dispatchEvent(new Event(type)), name);
  }
  await ada.looksBack();
  await ben.says("Who is there?");
  await second.hears("Who is there?");
  await ada.sees("elsewhere");
  assert.equal(ada.sockets(), before);

  await ada.presses("#continue-here");
  await ada.sees("conversation");
  await second.sees("elsewhere");
  await ada.hears("Who is there?");
  await ada.says("the first again");
  await ben.hears("message", ({ value }) => value === "the first again");
  assert.deepEqual(ben.heard(), ["from the first tab", "half a thought from the second", "the first again"]);
  await ben.close();
});

stage.test("a conversation that is given to a tab that is gone comes back", EACH, async (kind) => {
  const [ada, ben] = await pair(kind);
  await ada.says("before");
  const second = await ada.opensTab();
  await second.sees("elsewhere");
  await second.page.evaluate(() => new BroadcastChannel("vyomachat").postMessage({ ask: "seat", by: "gone" }));
  await ada.sees("elsewhere");
  await ada.sees("conversation");
  await ada.looksBack();
  await ada.says("after");
  await ben.hears("message", ({ value }) => value === "after");
  assert.deepEqual(ben.heard(), ["before", "after"]);
  await ben.close();
});

stage.test("a duplicated tab leaves the conversation to the original until it is asked", EACH, async (kind) => {
  const [ada, ben] = await pair(kind);
  await ada.says("from the original");
  const copy = await ada.duplicates();
  await copy.sees("elsewhere");
  await ben.says("still there?");
  await ada.page.bringToFront();
  await ada.hears("still there?");
  await copy.page.bringToFront();
  await copy.presses("#continue-here");
  await copy.sees("conversation");
  await ada.sees("elsewhere");
  await copy.hears("still there?");
  await copy.says("from the copy");
  await ben.hears("message", ({ value }) => value === "from the copy");
  assert.deepEqual(ben.heard(), ["from the original", "from the copy"]);
  await ben.close();
});

stage.test("a second tab that waits takes the place of the first", EACH, async (kind) => {
  await stage.serves();
  const ada = await stage.person(kind);
  await ada.arrives("Ada");
  await ada.sees("waiting");
  const second = await ada.opensTab();
  await second.sees("arrival");
  await second.presses("#start");
  await second.sees("waiting");
  await ada.sees("elsewhere");
  const ben = await partner(stage.host());
  await second.sees("conversation");
  await ada.sees("elsewhere");
  await ben.close();
});
