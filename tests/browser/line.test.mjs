// What becomes of a conversation when the line, the server or the phone fails.

import assert from "node:assert/strict";
import { ALL, MIXED, NO_SERVER, Stage } from "./stage.mjs";

const stage = new Stage();
const IN_CACHE = /^WebSocket connection to 'ws:\S+ failed: Page entered Back-Forward Cache\.$/;
const EACH_FIRST = [MIXED, MIXED.toReversed()];

/** Ada, who is on a road of her own, and Ben. */
async function pairOnARoad(first, second, flags = []) {
  await stage.serves(...flags);
  const road = await stage.road();
  const [ada, ben] = await stage.pair(first, second, { host: stage.host("127.0.0.1", road.port) });
  ada.tolerates(NO_SERVER);
  return [ada, ben, road];
}

stage.test("a server that is killed and started again costs no message and no draft", ALL, async (first, second) => {
  const [ada, ben] = await stage.pair(first, second);
  for (const person of [ada, ben]) person.tolerates(NO_SERVER);
  await ada.says("before");
  await ben.hears("before");
  await stage.server.kill();
  await Promise.all([ada.isIn("line", "lost"), ben.isIn("line", "lost")]);
  await ada.says("meanwhile, from Ada");
  await ben.says("meanwhile, from Ben");
  await ben.writes("half a thought");
  await ada.marked(2, "sending");
  await ada.readsLike(".vy-banner", /\S/);
  await stage.serves();
  await Promise.all([ada.isIn("line", "online"), ben.isIn("line", "online")]);
  await ben.hears("before", "meanwhile, from Ada");
  await ada.hears("meanwhile, from Ben");
  await ada.marked(2, "delivered");
  await ada.says("after");
  await ben.hears("after");
  assert.deepEqual(await ben.messages("theirs"), ["before", "meanwhile, from Ada", "after"]);
  assert.deepEqual(await ada.messages("theirs"), ["meanwhile, from Ben"]);
  assert.equal(await ben.draft(), "half a thought");
});

stage.test("offline and online again", EACH_FIRST, async (first, second) => {
  const [ada, ben, road] = await pairOnARoad(first, second);
  // Emulation tells the page that it is offline, but leaves connections as they are.
  await ada.page.setOfflineMode(true);
  road.cut();
  await ada.isIn("line", "lost");
  await ben.isIn("partner", "away");
  await ada.says("in the lift");
  await ada.marked(1, "sending");
  await ben.says("can you hear me?");
  road.mend();
  await ada.page.setOfflineMode(false);
  await ada.isIn("line", "online");
  await ada.hears("can you hear me?");
  await ben.hears("in the lift");
  await ben.isIn("partner", "here");
  await ada.marked(1, "delivered");
  assert.deepEqual(await ben.messages("theirs"), ["in the lift"]);
});

stage.test("a phone that slept for less than the grace goes on by itself", EACH_FIRST, async (first, second) => {
  const [ada, ben, road] = await pairOnARoad(first, second);
  await ada.writes("half a thought");
  await ada.looksAway();
  road.sever();
  await ben.isIn("partner", "away");
  await ben.says("are you there?");
  road.mend();
  await ada.looksBack();
  await ada.hears("are you there?");
  await ben.isIn("partner", "here");
  await ada.says(", finished");
  await ben.hears("half a thought, finished");
  assert.deepEqual(await ada.messages("theirs"), ["are you there?"]);
});

stage.test("a phone that slept for longer is told what happened, and keeps the text", EACH_FIRST, async (first, second) => {
  const [ada, ben, road] = await pairOnARoad(first, second, ["--grace", "2s"]);
  await ada.says("I am under way");
  await ben.hears("I am under way");
  await ben.says("Good journey");
  await ada.hears("Good journey");
  await ada.writes("half a thought");
  await ada.looksAway();
  road.sever();
  await ben.isIn("state", "ended");
  road.mend();
  await ada.looksBack();
  await ada.isIn("state", "ended");
  assert.match(await ada.reads(".vy-ended"), /\S/);
  assert.deepEqual(await ada.messages("theirs"), ["Good journey"]);
  assert.deepEqual(await ada.messages("mine"), ["I am under way"]);
  await ada.presses(".vy-find");
  await ada.sees("waiting");
});

stage.test("a page that comes back from the browser's history is in its conversation", EACH_FIRST, async (first, second) => {
  const [ada, ben] = await stage.pair(first, second);
  // So does Chromium call it when it closes the socket of a page that it keeps.
  ada.tolerates(IN_CACHE);
  await ada.says("before");
  await ben.hears("before");
  await ada.page.goto("about:blank");
  await ben.says("while you were elsewhere");
  await ada.page.goBack();
  await ada.sees("conversation");
  await ada.hears("while you were elsewhere");
  await ada.says("and back");
  await ben.hears("before", "and back");
  assert.deepEqual(await ada.messages("mine"), ["before", "and back"]);
});
