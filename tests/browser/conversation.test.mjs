// The conversation as a component, in a page of an application's own: what two people see of each other.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { end, say, shows, startStage, texts } from "./mounted.mjs";

let stage;

before(async () => (stage = await startStage()));
after(() => stage?.close());
beforeEach(() => stage.serve());
afterEach(() => stage.server?.kill());

const ADA = { name: "Ada", headline: "Builds looms", offers: ["weaving"] };
const BEN = { name: "Ben", headline: "Sells tea", topics: ["tea"], languages: ["hi"] };

const state = (page, wanted) => page.waitForSelector(`.vy[data-state="${wanted}"]`);
const marks = (page) => page.$$eval('[data-side="mine"]', (all) => all.map(({ dataset }) => dataset.mark));
const isFocused = (page, selector) => page.$eval(selector, (element) => element === document.activeElement);

test("two people see who the other is, and talk both ways", async () => {
  const [ada, ben] = await stage.pair(ADA, BEN);
  assert.equal(await ada.page.$eval(".vy-name", (name) => name.textContent), "Ben");
  assert.equal(await ada.page.$eval(".vy-headline", (line) => line.textContent), "Sells tea");
  assert.match(await ada.page.$eval(".vy-facts", (facts) => facts.textContent), /Topicstea.*LanguagesHindi/);
  await say(ada.page, "Hello Ben");
  assert.deepEqual(await texts(ben.page, "theirs", 1), ["Hello Ben"]);
  await ben.page.focus(".vy-draft");
  await ben.page.keyboard.type("Hello Ada,");
  await shows(ada.page, ".vy-typing", /Ben is writing…/);
  await ben.page.keyboard.down("Shift");
  await ben.page.keyboard.press("Enter");
  await ben.page.keyboard.up("Shift");
  await ben.page.keyboard.type("how are you?");
  await ben.page.keyboard.press("Enter");
  assert.deepEqual(await texts(ada.page, "theirs", 1), ["Hello Ada,\nhow are you?"]);
  await shows(ada.page, ".vy-typing", /^$/);
  await ada.page.waitForSelector('[data-side="mine"][data-mark="read"]');
  await say(ada.page, "Fine");
  await say(ada.page, "and you?");
  await texts(ben.page, "theirs", 3);
  const follows = await ben.page.$$eval(".vy-message", (all) => all.map((one) => one.matches("[data-follows]")));
  assert.deepEqual(follows, [false, false, false, true]);
  await end(ada, ben);
});

test("a line to break the ice goes into the draft, behind what is there", async () => {
  const [ada, ben] = await stage.pair(ADA, BEN);
  await ada.page.click(".vy-icebreaker");
  const first = await ada.page.$eval(".vy-draft", (draft) => draft.value);
  assert.match(first, /^Hello Ben! /);
  await ada.page.click(".vy-icebreaker");
  const both = await ada.page.$eval(".vy-draft", (draft) => draft.value);
  assert.ok(both.startsWith(`${first}\n`) && both.length > first.length + 10);
  assert.ok(await isFocused(ada.page, ".vy-draft"));
  await end(ada, ben);
});

test("what nobody looks at isn't read, and is counted", async () => {
  const [ada, ben] = await stage.pair(ADA, BEN);
  await ada.page.$eval("#here", (element) => element.classList.add("away"));
  await say(ben.page, "one");
  await say(ben.page, "two");
  await ben.page.waitForFunction(
    () => document.querySelectorAll('[data-mark="delivered"]').length === 2);
  assert.deepEqual(await marks(ben.page), ["delivered", "delivered"]);
  assert.equal(await ada.page.evaluate(() => told.unread.at(-1)), 2);
  await ada.page.$eval("#here", (element) => element.classList.remove("away"));
  await ben.page.waitForFunction(() => document.querySelectorAll('[data-mark="read"]').length === 2);
  assert.equal(await ada.page.evaluate(() => told.unread.at(-1)), 0);
  await end(ada, ben);
});

test("a reload keeps what was said, why the two met, the marks and the draft", async () => {
  const [ada, ben] = await stage.pair(ADA, BEN);
  await say(ada.page, "before");
  await say(ben.page, "answer");
  await texts(ada.page, "theirs", 1);
  await ada.page.waitForSelector('[data-mark="read"]');
  await ada.page.focus(".vy-draft");
  await ada.page.keyboard.type("half a thought");
  await ada.page.reload();
  await ada.page.waitForFunction(() => globalThis.isReady);
  assert.deepEqual(await texts(ada.page, "mine", 1), ["before"]);
  assert.deepEqual(await texts(ada.page, "theirs", 1), ["answer"]);
  assert.deepEqual(await marks(ada.page), ["read"]);
  assert.equal(await ada.page.$eval(".vy-draft", (draft) => draft.value), "half a thought");
  assert.match(await ada.page.$eval(".vy-why", (why) => why.textContent), /waiting for somebody/);
  await ada.page.waitForSelector('.vy[data-line="online"]');
  await say(ada.page, ", whole");
  assert.deepEqual(await texts(ben.page, "theirs", 2), ["before", "half a thought, whole"]);
  await end(ada, ben);
});

test("Next is out of sight at once, and undone", async () => {
  const partingMs = 2000;
  const [ada, ben] = await stage.pair({ profile: ADA, options: { partingMs } }, BEN);
  await say(ada.page, "Hello");
  await ada.page.click(".vy-next");
  await ada.page.waitForSelector(".vy-undo");
  assert.equal(await ada.page.$eval(".vy-main", (main) => main.getClientRects().length), 0);
  assert.ok(await isFocused(ada.page, ".vy-undo"));
  await say(ben.page, "still there?");
  await ben.page.waitForSelector('[data-mark="delivered"]');
  await ada.page.click(".vy-undo");
  await state(ada.page, "talking");
  assert.deepEqual(await texts(ada.page, "theirs", 1), ["still there?"]);
  await ben.page.waitForSelector('[data-mark="read"]');
  assert.ok(await ada.page.waitForFunction(() => document.activeElement.matches(".vy-draft")));
  // Also when the time has come that was undone: this timer comes after that one.
  await ada.page.evaluate((ms) => new Promise((done) => setTimeout(done, ms)), partingMs);
  assert.equal(await ada.page.evaluate(() => client.state), "talking");
  await say(ada.page, "Yes");
  assert.deepEqual(await texts(ben.page, "theirs", 2), ["Hello", "Yes"]);
  await end(ada, ben);
});

test("Next that isn't undone ends it for both, and nothing is left of it", async () => {
  const [ada, ben] = await stage.pair({ profile: ADA, options: { partingMs: 20 } }, BEN);
  await say(ada.page, "Hello");
  await texts(ben.page, "theirs", 1);
  const conversation = await ada.page.evaluate(() => client.conversation.conversation);
  await ada.page.click(".vy-next");
  await state(ada.page, "idle");
  await state(ben.page, "ended");
  await shows(ben.page, ".vy-ended", /Ada has left\./);
  assert.deepEqual(await texts(ben.page, "theirs", 1), ["Hello"], "the text stays");
  assert.deepEqual(await ada.page.evaluate(() => told.states), ["talking", "parting", "idle"]);
  assert.equal(await ada.page.evaluate(() => client.state), "queued");
  const kept = await ada.page.evaluate(async (id) => {
    const { openStore } = await import("/conversation.js");
    const store = await openStore();
    return [await store.load(id), await store.page(id, Infinity, 9)];
  }, conversation);
  assert.deepEqual(kept, [null, []]);
  // Whoever is found then begins with an empty page.
  const cleo = await stage.open();
  await cleo.page.evaluate(() => client.join({ name: "Cleo" }));
  await state(ada.page, "talking");
  await shows(ada.page, ".vy-name", /Cleo/);
  assert.equal(await ada.page.$$eval(".vy-message", (all) => all.length), 0);
  await end(ada, ben, cleo);
});

test("Leave is sent at once when the page goes away", async () => {
  const [ada, ben] = await stage.pair(ADA, BEN);
  await ada.page.click(".vy-leave");
  await ada.page.waitForSelector(".vy-undo");
  await ada.page.goto("about:blank");
  await shows(ben.page, ".vy-ended", /Ada has left\./);
  await end(ben);
  await ada.goes();
});

test("whoever is blocked is gone at once, and the text can still be saved", async () => {
  const [ada, ben] = await stage.pair(ADA, BEN);
  await say(ben.page, "something rude");
  await texts(ada.page, "theirs", 1);
  await ada.page.click(".vy-menu");
  await ada.page.click(".vy-block");
  await shows(ada.page, ".vy-ended", /You have blocked Ben\. You won’t meet again\./);
  await state(ben.page, "ended");
  assert.deepEqual(await texts(ada.page, "theirs", 1), ["something rude"]);
  await ada.page.click(".vy-menu");
  assert.equal(await ada.page.$eval(".vy-block", (block) => block.hidden), true);
  await end(ada, ben);
});

test("a report needs words, and goes to the organiser", async () => {
  const [ada, ben] = await stage.pair(ADA, BEN);
  await ada.page.click(".vy-menu");
  await ada.page.click(".vy-report");
  await ada.page.waitForSelector(".vy-report-form[open]");
  await ada.page.click(".vy-report-send");
  await shows(ada.page, ".vy-problem", /Please say what happened/);
  await ada.page.type(".vy-reason", "unkind words");
  await ada.page.click(".vy-report-send");
  await shows(ada.page, ".vy-banner", /Your report was sent/);
  assert.ok(await isFocused(ada.page, ".vy-menu"), "the focus is back where the menu was opened");
  assert.equal(await ada.page.$eval(".vy", (view) => view.dataset.state), "talking");
  await end(ada, ben);
});

test("a lost connection loses no word", async () => {
  const [ada, ben] = await stage.pair(ADA, BEN);
  const port = stage.server.port;
  // Nobody gets through until the server's port is known again.
  stage.server.port = 1;
  stage.site.cut();
  await ada.page.waitForSelector('.vy[data-line="lost"]');
  await shows(ada.page, ".vy-banner", /The connection is lost/);
  await say(ada.page, "said in a tunnel");
  assert.deepEqual(await marks(ada.page), ["sending"]);
  await ada.page.focus(".vy-draft");
  await ada.page.keyboard.type("and begun there");
  stage.server.port = port;
  await ada.page.waitForSelector('.vy[data-line="online"]');
  // Either the connection, or Ben, whose connection was cut, too.
  await shows(ada.page, ".vy-banner", /is back/);
  assert.deepEqual(await texts(ben.page, "theirs", 1), ["said in a tunnel"]);
  assert.equal(await ada.page.$eval(".vy-draft", (draft) => draft.value), "and begun there");
  for (const person of [ada, ben]) {
    person.assertClean(/WebSocket connection to/);
    await person.goes();
  }
});

test("a partner who loses the connection is away, and then back", async () => {
  const [ada, ben] = await stage.pair(ADA, BEN);
  await ben.page.evaluate(() => client.close());
  await ada.page.waitForSelector('.vy[data-partner="away"]');
  await shows(ada.page, ".vy-banner", /Ben has lost the connection/);
  await say(ada.page, "for later");
  await ada.page.waitForSelector('[data-mark="sent"]');
  await ben.page.reload();
  await ben.page.waitForFunction(() => globalThis.isReady);
  await ada.page.waitForSelector('.vy[data-partner="here"]');
  await shows(ada.page, ".vy-banner", /Ben is back/);
  assert.deepEqual(await texts(ben.page, "theirs", 1), ["for later"]);
  await end(ada, ben);
});

test("all of it in Hindi", async () => {
  const [ada, ben] = await stage.pair({ profile: ADA, options: { language: "hi" } }, BEN);
  assert.equal(await ada.page.$eval(".vy", (view) => view.lang), "hi");
  await say(ada.page, "नमस्ते");
  await texts(ben.page, "theirs", 1);
  await shows(ada.page, ".vy-mark", /पढ़ा गया/);
  await ben.page.click(".vy-leave");
  await ben.page.goto("about:blank");
  await shows(ada.page, ".vy-ended", /Ben ने बातचीत छोड़ दी है।/);
  const untold = await ada.page.$eval(".vy", (view) => /conversation\.[a-z]/.test(view.textContent));
  assert.equal(untold, false, "a word is missing");
  await end(ada);
  await ben.goes();
});
