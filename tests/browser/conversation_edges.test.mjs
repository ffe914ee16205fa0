// The conversation as a component, over a client that the test plays: what seldom happens, and what is only
// seen from within.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { end, say, shows, startStage, texts } from "./mounted.mjs";

let stage;

before(async () => (stage = await startStage()));
after(() => stage?.close());

const begun = async (options = {}, more = {}) => {
  const person = await stage.play({ partingMs: 60_000, ...options });
  await person.page.evaluate((given) => client.begin({ name: "Ben" }, given), more);
  await person.page.waitForSelector('.vy[data-state="talking"]');
  return person;
};
const tell = (page, type, event = {}) => page.evaluate((name, given) => client.tell(name, given), type, event);
const calls = (page, name) =>
  page.evaluate((wanted) => told.calls.filter((call) => call === wanted || call[0] === wanted), name);
const marks = (page) => page.$$eval('[data-side="mine"]', (all) => all.map(({ dataset }) => dataset.mark));
const draft = (page) => page.$eval(".vy-draft", ({ value }) => value);

test("a message is shown and taken only when it is kept, and once if it comes twice", async () => {
  const ada = await begun();
  const { page } = ada;
  const kept = await page.evaluate(async () => {
    await client.tell("message", { n: 1, value: "one", json: '"one"' });
    const { openStore } = await import("/conversation.js");
    const store = await openStore();
    return (await store.page("c".repeat(32), Infinity, 9)).map(({ text }) => text);
  });
  assert.deepEqual(kept, ["one"]);
  await tell(page, "message", { n: 1, value: "one", json: '"one"' });
  await tell(page, "message", { n: 2, value: "two", json: '"two"' });
  assert.deepEqual(await texts(page, "theirs", 2), ["one", "two"]);
  // The same after a reload; and what has the number of another is another.
  await page.goto(`${page.url()}&conversation=${"c".repeat(32)}`);
  await page.waitForFunction(() => globalThis.isReady);
  await tell(page, "message", { n: 2, value: "two", json: '"two"' });
  await tell(page, "message", { n: 2, value: "another", json: '"another"' });
  assert.deepEqual(await texts(page, "theirs", 3), ["one", "two", "another"]);
  await end(ada);
});

test("gaps are shown where they are", async () => {
  const ada = await begun();
  await tell(ada.page, "message", { n: 1, value: "one" });
  await tell(ada.page, "gap", { from: 2, to: 4 });
  await tell(ada.page, "message", { n: 5, value: "five" });
  await tell(ada.page, "gap", { from: 6, to: null });
  await tell(ada.page, "gap", { from: 6, to: null });
  await tell(ada.page, "message", { n: 1, value: "anew" });
  await texts(ada.page, "theirs", 3);
  const rows = await ada.page.$$eval(".vy-message .vy-text, .vy-gap", (all) => all.map(({ textContent }) => textContent));
  const [lost, unknown] = ["3 messages of Ben didn’t arrive here", "Messages of Ben may be missing here"];
  assert.deepEqual(rows, ["one", lost, "five", unknown, "anew"]);
  await end(ada);
});

test("marks follow the receipts, and what is undelivered says so", async () => {
  const ada = await begun();
  for (const text of ["one", "two", "three", "four"]) await say(ada.page, text);
  await texts(ada.page, "mine", 4);
  assert.deepEqual(await marks(ada.page), ["sending", "sending", "sending", "sending"]);
  await tell(ada.page, "accepted", { n: 3 });
  await tell(ada.page, "delivered", { n: 2 });
  await tell(ada.page, "read", { n: 1 });
  assert.deepEqual(await marks(ada.page), ["read", "delivered", "sent", "sending"]);
  await tell(ada.page, "undelivered", { from: 3, to: 4 });
  assert.deepEqual(await marks(ada.page), ["read", "delivered", "undelivered", "undelivered"]);
  await shows(ada.page, ".vy-banner", /2 messages may not have arrived/);
  assert.ok(await ada.page.$eval('[data-n="3"] .vy-foot', (foot) => foot.getClientRects().length > 0));
  await end(ada);
});

test("what waits for room is shown as sending, and is handed over again after a reload", async () => {
  const ada = await begun();
  const { page } = ada;
  await page.evaluate(() => {
    client.room = new Promise((resolve) => (globalThis.makeRoom = resolve));
  });
  await say(page, "in the crowd");
  await page.waitForFunction(async () => {
    const { openStore } = await import("/conversation.js");
    const store = await openStore();
    return (await store.page("c".repeat(32), Infinity, 9)).length === 1;
  });
  assert.deepEqual(await marks(page), ["sending"]);
  await page.goto(`${page.url()}&conversation=${"c".repeat(32)}`);
  await page.waitForFunction(() => globalThis.isReady && told.calls.some((call) => call === "taken"));
  assert.deepEqual(await calls(page, "send"), [["send", "in the crowd"]]);
  await page.waitForSelector('[data-side="mine"][data-n="1"]');
  assert.equal((await texts(page, "mine", 1)).length, 1);
  await end(ada);
});

test("what the client refuses goes back into the draft, and says why", async () => {
  const ada = await begun();
  await ada.page.evaluate(() => (client.refuses.send = "too_big"));
  await say(ada.page, "words");
  await shows(ada.page, ".vy-hint", /Not sent: it is too long/);
  assert.equal(await draft(ada.page), "words");
  assert.equal(await ada.page.$$eval(".vy-message", (all) => all.length), 0);
  // While something else is written, the words stay where they were said.
  await ada.page.evaluate(() => {
    document.querySelector(".vy-draft").value = "";
    client.refuses = { taken: "no_partner" };
    client.room = new Promise((resolve) => (globalThis.makeRoom = resolve));
  });
  await say(ada.page, "too late");
  await ada.page.type(".vy-draft", "more");
  await tell(ada.page, "ended", { conversation: "c".repeat(32), reason: "partner_left" });
  await ada.page.evaluate(() => makeRoom());
  await shows(ada.page, ".vy-hint", /the conversation is over/);
  assert.deepEqual(await marks(ada.page), ["undelivered"]);
  assert.equal(await draft(ada.page), "more");
  await end(ada);
});

test("a draft beyond the limit isn't sent", async () => {
  const ada = await begun();
  await ada.page.evaluate(() => (client.limits.max_message = 200));
  await ada.page.focus(".vy-draft");
  await ada.page.keyboard.sendCharacter("ü".repeat(100));
  await shows(ada.page, ".vy-hint", /Too long: 266 of at most 200 bytes/);
  assert.equal(await ada.page.$eval(".vy-send", ({ disabled }) => disabled), true);
  await ada.page.keyboard.press("Enter");
  assert.deepEqual(await calls(ada.page, "send"), []);
  assert.equal((await draft(ada.page)).length, 100);
  await end(ada);
});

test("another tab's conversation is left as it is", async () => {
  const ada = await begun();
  await say(ada.page, "said here");
  await ada.page.waitForSelector('[data-n="1"]');
  await tell(ada.page, "ended", { conversation: "c".repeat(32), reason: "superseded" });
  await shows(ada.page, ".vy-ended", /goes on in another window/);
  await ada.page.click(".vy-done");
  const kept = await ada.page.evaluate(async () => {
    const { openStore } = await import("/conversation.js");
    const store = await openStore();
    const talk = await store.load("c".repeat(32));
    return [talk.ended, (await store.page("c".repeat(32), Infinity, 9)).length];
  });
  assert.deepEqual(kept, [null, 1]);
  await end(ada);
});

test("JSON and bytes are shown as what they are", async () => {
  const ada = await begun();
  await tell(ada.page, "message", { n: 1, value: { a: [1, "<b>"] }, json: '{"a":[1,"<b>"]}' });
  await ada.page.evaluate(() => client.tell("message", { n: 2, bytes: new Uint8Array(1234) }));
  assert.deepEqual(await texts(ada.page, "theirs", 2), ['{"a":[1,"<b>"]}', "1.2 kB that are not text"]);
  assert.equal(await ada.page.$$eval(".vy-json", (all) => all.length), 1);
  await end(ada);
});

test("a conversation is saved as text and as JSON", async () => {
  const ada = await begun();
  const { page } = ada;
  await tell(page, "message", { n: 1, value: "Hello\n[12:00] You: I never said that" });
  await say(page, "Hi");
  await tell(page, "gap", { from: 2, to: 2 });
  await ada.page.waitForSelector(".vy-gap");
  const folder = mkdtempSync(join(tmpdir(), "vyoma-saved-"));
  try {
    const session = await page.createCDPSession();
    await session.send("Browser.setDownloadBehavior", {
      behavior: "allow", downloadPath: folder, eventsEnabled: true, browserContextId: ada.context.id,
    });
    const saved = async (button) => {
      const done = new Promise((resolve) => session.on("Browser.downloadProgress", ({ state }) => state === "completed" && resolve()));
      await page.click(".vy-menu");
      await page.click(button);
      await done;
    };
    await saved(".vy-save-text");
    await saved(".vy-save-json");
    const [json, text] = readdirSync(folder).sort((one, other) => one.slice(-4) < other.slice(-4) ? 1 : -1);
    assert.match(text, /^conversation-\d{4}-\d\d-\d\d-\d{4}\.txt$/);
    const lines = readFileSync(join(folder, text), "utf8").split("\n");
    assert.match(lines[0], /^Conversation with Ben, /);
    assert.match(lines[2], /^\[.*\] Ben: Hello$/);
    assert.equal(lines[3], "    [12:00] You: I never said that", "nobody writes another's lines");
    assert.match(lines[4], /^\[.*\] You: Hi$/);
    const record = JSON.parse(readFileSync(join(folder, json), "utf8"));
    assert.deepEqual(record.partner, { name: "Ben" });
    assert.deepEqual(record.entries.map(({ value, gap }) => value ?? gap), [
      "Hello\n[12:00] You: I never said that", "Hi", { from: 2, to: 2 },
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
  await end(ada);
});

test("clearing asks once, and the conversation goes on", async () => {
  const ada = await begun();
  const { page } = ada;
  await say(page, "a secret");
  await page.waitForSelector('[data-n="1"]');
  await page.click(".vy-menu");
  await page.click(".vy-clear");
  await page.waitForSelector(".vy-clear-form[open]");
  await page.keyboard.press("Escape");
  assert.equal(await page.$$eval(".vy-message", (all) => all.length), 1);
  await page.click(".vy-menu");
  await page.click(".vy-clear");
  await page.click(".vy-clear-sure");
  await shows(page, ".vy-note", /cleared from this device/);
  const kept = await page.evaluate(async () => {
    const { openStore } = await import("/conversation.js");
    const store = await openStore();
    return (await store.page("c".repeat(32), Infinity, 9)).length;
  });
  assert.equal(kept, 0);
  await tell(page, "message", { n: 1, value: "still here" });
  assert.deepEqual(await texts(page, "theirs", 1), ["still here"]);
  await end(ada);
});

for (const [how, breakIt] of [
  ["there is no IndexedDB", () => Object.defineProperty(globalThis, "indexedDB", { value: undefined })],
  ["IndexedDB fails amid a conversation", () => {
    const { put } = IDBObjectStore.prototype;
    let left = 3;
    IDBObjectStore.prototype.put = function (...values) {
      left -= 1;
      if (left < 0) throw new DOMException("the disk is full", "QuotaExceededError");
      return put.apply(this, values);
    };
  }],
]) {
  test(`where ${how}, the conversation lasts as long as the page`, async () => {
    const ada = await stage.play();
    const { page } = ada;
    await page.evaluateOnNewDocument(breakIt);
    await page.reload();
    await page.waitForFunction(() => globalThis.isReady);
    await page.evaluate(() => client.begin());
    for (const n of [1, 2, 3]) await tell(page, "message", { n, value: `${n}` });
    await say(page, "words");
    assert.deepEqual(await texts(page, "theirs", 3), ["1", "2", "3"]);
    await page.waitForSelector('[data-side="mine"][data-n="1"]');
    await end(ada);
  });
}

test("all of it by keyboard, and the focus is never lost", async () => {
  const ada = await begun();
  const { page } = ada;
  const focused = () => page.evaluate(() => document.activeElement.className);
  await page.waitForFunction(() => document.activeElement.matches(".vy-draft"));
  await page.keyboard.type("by keyboard");
  await page.keyboard.press("Enter");
  assert.equal(await focused(), "vy-draft");
  await page.focus("#elsewhere");
  const order = [];
  for (let at = 0; at < 7; at += 1) {
    await page.keyboard.press("Tab");
    order.push(await focused());
  }
  assert.deepEqual(order, ["vy-toggle", "vy-next", "vy-leave", "vy-menu", "vy-list", "vy-emoji", "vy-draft"]);
  await page.focus(".vy-emoji");
  await page.keyboard.press("Enter");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  assert.equal(await draft(page), "😂");
  assert.equal(await focused(), "vy-draft");
  await page.focus(".vy-emoji");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Escape");
  assert.equal(await focused(), "vy-emoji");
  await page.focus(".vy-menu");
  await page.keyboard.press("Enter");
  await page.keyboard.press("ArrowDown");
  assert.equal(await focused(), "vy-save-text");
  await page.keyboard.press("Escape");
  assert.equal(await focused(), "vy-menu");
  await page.focus(".vy-draft");
  await page.keyboard.press("Backspace");
  await tell(page, "ended", { conversation: "c".repeat(32), reason: "partner_gone" });
  await page.waitForSelector('.vy[data-state="ended"]');
  assert.equal(await focused(), "vy-find");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  assert.deepEqual(await calls(page, "done"), ["done"]);
  await end(ada);
});

test("a view that is closed leaves nothing behind", async () => {
  const ada = await begun();
  await ada.page.type(".vy-draft", "later");
  const left = await ada.page.evaluate(() => {
    view.close();
    const here = document.querySelector("#here");
    return [here.outerHTML.replace(/ (lang|dir)="[^"]*"/g, ""), client.handlers.size];
  });
  assert.deepEqual(left, ['<main id="here" class=""></main>', 0]);
  await ada.page.evaluate(() => mountHere(client));
  assert.equal(await draft(ada.page), "later");
  await end(ada);
});
