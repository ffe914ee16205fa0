// Two people in two browsers: they meet, talk, go on to the next, leave, block and report.

import assert from "node:assert/strict";
import { partner, plainPartner } from "./partner.mjs";
import { ALL, EACH, MIXED, Stage } from "./stage.mjs";

const stage = new Stage();

stage.test("two people meet and talk both ways", ALL, async (first, second) => {
  const [ada, ben] = await stage.pair(first, second);
  assert.match(await ada.reads(".vy-name"), /Ben/);
  assert.match(await ben.reads(".vy-name"), /Ada/);
  // Also who met somebody at once, before the view was there.
  for (const person of [ada, ben]) await person.readsLike(".vy-why", /both waiting/);
  await ada.says("Hello, who is there?");
  await ben.hears("Hello, who is there?");
  await ben.says("Ben. नमस्ते, 你好 🙂");
  await ada.hears("Ben. नमस्ते, 你好 🙂");
  assert.deepEqual(await ada.messages("mine"), ["Hello, who is there?"]);
  assert.equal(await ada.draft(), "");
});

stage.test("a message of several lines is one message", [MIXED], async (first, second) => {
  const [ada, ben] = await stage.pair(first, second);
  await ada.writes("one");
  await ada.page.keyboard.down("Shift");
  await ada.page.keyboard.press("Enter");
  await ada.page.keyboard.up("Shift");
  await ada.says("two");
  await ben.hears("one\ntwo");
  const tall = await ben.page.$eval(".vy-text", (text) => text.innerText);
  assert.equal(tall, "one\ntwo");
});

stage.test("typing is seen, and is over with the message", ALL, async (first, second) => {
  const [ada, ben] = await stage.pair(first, second);
  await ada.writes("Let me think");
  await ben.finds(".vy-typing[data-on]");
  await ada.says(" about it");
  await ben.hears("Let me think about it");
  await ben.misses(".vy-typing[data-on]");
});

stage.test("a message is marked as sent, delivered and read", ALL, async (first, second) => {
  const [ada, ben] = await stage.pair(first, second);
  await ben.looksAway();
  await ada.says("Are you looking?");
  await ada.marked(1, "delivered");
  await ben.until(() => document.title.startsWith("(1)"));
  assert.equal(await ada.mark(1), "delivered");
  await ben.looksBack();
  await ada.marked(1, "read");
  await ben.until(() => !document.title.startsWith("("));
});

stage.test("what the partner's device hasn't taken is only sent", [MIXED], async (first, second) => {
  await stage.serves();
  const road = await stage.road();
  const ben = await stage.person(second, "/", { host: stage.host("127.0.0.1", road.port) });
  await ben.arrives("Ben");
  await ben.sees("waiting");
  const ada = await stage.person(first);
  await ada.arrives("Ada");
  await Promise.all([ada.sees("conversation"), ben.sees("conversation")]);
  road.stall();
  await ada.says("Into the tunnel");
  await ada.marked(1, "sent");
  assert.equal(await ada.mark(1), "sent");
  road.resume();
  await ben.hears("Into the tunnel");
  await ada.marked(1, "delivered");
});

stage.test("the title tells who looks elsewhere that somebody is there, and how much is unread", EACH, async (kind) => {
  await stage.serves();
  const ada = await stage.person(kind);
  await ada.arrives("Ada");
  await ada.sees("waiting");
  await ada.looksAway();
  const ben = await partner(stage.host(), { name: "Ben" });
  const titled = (wanted) => ada.until((title) => document.title === title, wanted);
  await titled("Somebody is here · VyomaChat");
  for (const text of ["one", "two"]) await ben.says(text);
  await titled("(2) VyomaChat");
  await ada.looksBack();
  await titled("VyomaChat");
  await ben.close();
});

stage.test("next can be undone, and nobody notices", [MIXED], async (first, second) => {
  const [ada, ben] = await stage.pair(first, second);
  await ben.says("Shall we go on?");
  await ada.hears("Shall we go on?");
  await ada.presses(".vy-next");
  await ada.finds(".vy-parting");
  await ada.misses(".vy-list");
  await ada.presses(".vy-undo");
  await ada.finds(".vy-list");
  await ada.says("Yes, let us");
  await ben.hears("Yes, let us");
  await ben.isIn("state", "talking");
  assert.deepEqual(await ada.messages("theirs"), ["Shall we go on?"]);
});

stage.test("next finds somebody else, and nothing of the last conversation is there", ALL, async (first, second) => {
  const [ada, ben] = await stage.pair(first, second);
  await ada.says("For Ben's eyes");
  await ben.hears("For Ben's eyes");
  await ada.presses(".vy-next");
  await ada.sees("waiting");
  await ben.readsLike(".vy-ended", /Ada/);
  await ben.hears("For Ben's eyes");
  const cleo = await partner(stage.host(), { name: "Cleo" });
  await ada.sees("conversation");
  assert.match(await ada.reads(".vy-name"), /Cleo/);
  assert.deepEqual(await ada.messages("mine"), []);
  await ada.says("For Cleo's eyes");
  await cleo.hears("message", ({ value }) => value === "For Cleo's eyes");
  assert.deepEqual(cleo.heard(), ["For Cleo's eyes"]);
  assert.deepEqual(await ben.messages("theirs"), ["For Ben's eyes"]);
  await cleo.close();
});

stage.test("who presses next and closes the page is gone at once", [MIXED], async (first, second) => {
  const [ada, ben] = await stage.pair(first, second);
  await ada.presses(".vy-next");
  await ada.finds(".vy-parting");
  await ada.page.goto("about:blank");
  await ben.isIn("state", "ended");
});

stage.test("a partner who is gone before the page could show the conversation", [["chromium"], ["firefox"]], async (kind) => {
  await stage.serves();
  const ada = await stage.person(kind);
  const letGo = await ada.holdsUp("/conversation.js");
  await ada.arrives("Ada");
  await ada.sees("waiting");
  await ada.readsLike("#ahead", /\S/);
  const ben = await partner(stage.host());
  await ada.sees("conversation");
  ben.leaves();
  await ben.hears("ended");
  await letGo();
  await ada.sees("problem");
  await ada.presses("#retry");
  await ada.sees("waiting");
  await ben.close();
});

stage.test("leave ends it for both, and either can look again", [MIXED], async (first, second) => {
  const [ada, ben] = await stage.pair(first, second, { flags: ["--cooldown", "1ms"] });
  await ada.presses(".vy-leave");
  await ada.finds(".vy-undo");
  await ben.readsLike(".vy-ended", /Ada/);
  await ada.isIn("state", "idle");
  await ada.sees("arrival");
  assert.equal(await ada.page.$eval("#name", (field) => field.value), "Ada");
  await ada.presses("#start");
  await ada.sees("waiting");
  await ben.presses(".vy-find");
  await Promise.all([ada.sees("conversation"), ben.sees("conversation")]);
  await ben.says("You again");
  await ada.hears("You again");
});

stage.test("who is blocked is never met again", ALL, async (first, second) => {
  const [ada, ben] = await stage.pair(first, second, { flags: ["--cooldown", "1ms"] });
  await ada.acts(".vy-block");
  await ben.isIn("state", "ended");
  await ada.isIn("state", "ended");
  await ada.presses(".vy-find");
  await ada.sees("waiting");
  await ben.presses(".vy-find");
  await ben.sees("waiting");
  await ben.readsLike("#ahead", /\S/);
  // The next to come is Ada's, who waits for longest: she and Ben have been passed over for each other.
  const cleo = await partner(stage.host(), { name: "Cleo" });
  await ada.sees("conversation");
  assert.match(await ada.reads(".vy-name"), /Cleo/);
  await ben.sees("waiting");
  await cleo.close();
});

stage.test("a report reaches the organiser with its reason, and the conversation goes on", [MIXED], async (first, second) => {
  const [ada, ben] = await stage.pair(first, second);
  await ada.acts(".vy-report");
  await ada.finds(".vy-report-form");
  await ada.page.type(".vy-reason", "He sells \"watches\"");
  await ada.presses(".vy-report-send");
  await ada.misses(".vy-report-form");
  const [line] = await stage.keeps("reports.jsonl", 1);
  assert.equal(JSON.parse(line).reason, "He sells \"watches\"");
  await ben.isIn("state", "talking");
});

stage.test("a partner of the plain dialect reads and writes plain text", [["chromium"], ["firefox"]], async (kind) => {
  await stage.serves();
  const ada = await stage.person(kind);
  await ada.arrives("Ada");
  await ada.sees("waiting");
  const plain = await plainPartner(stage.host());
  await ada.sees("conversation");
  assert.match(await ada.reads(".vy-name"), /\S/);
  await ada.says("Hello 🙂");
  await plain.hears("Hello 🙂");
  plain.says("⚠️ Partner disconnected.");
  await ada.hears("⚠️ Partner disconnected.");
  await ada.isIn("state", "talking");
  await ada.marked(1, "delivered");
  plain.close();
  await ada.isIn("state", "ended");
  assert.match(await ada.reads(".vy-ended"), /\S/);
});
