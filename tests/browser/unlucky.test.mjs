// People whom things happen to: keys that stay down, clicks that come twice, a connection that is lost at the worst
// moment, pages that are reloaded amid something.
//
// Knows what a person does and sees. Must not know how the page sees to it.

import assert from "node:assert/strict";
import { partner } from "./partner.mjs";
import { CHROMIUM, EACH, NO_SERVER, Stage } from "./stage.mjs";

const stage = new Stage();

async function waits(kind, path = "/") {
  if (!stage.server) await stage.serves();
  const ada = await stage.person(kind, path);
  await ada.arrives("Ada");
  await ada.sees("waiting");
  return ada;
}

async function pair(kind, profile) {
  const ada = await waits(kind);
  const ben = await partner(stage.host(), profile);
  await ada.isIn("state", "talking");
  return [ada, ben];
}

/** Enter goes down, and repeats itself until it is let go. */
async function holdsEnter(ada, selector) {
  await ada.page.focus(selector);
  for (let times = 0; times < 6; times += 1) await ada.page.keyboard.down("Enter");
  await ada.page.keyboard.up("Enter");
}

stage.test("a held Enter key presses one button, and sends nothing", [[CHROMIUM[0]]], async (kind) => {
  const [ada, ben] = await pair(kind);
  await ada.writes("not yet");
  await holdsEnter(ada, ".vy-next");
  await ada.isIn("state", "parting");
  await ada.presses(".vy-undo");
  await ada.isIn("state", "talking");
  assert.equal(await ada.draft(), "not yet");
  assert.deepEqual(await ada.messages("mine"), []);
  await ben.close();
});

stage.test("a held Enter key cancels, and doesn't begin again", [[CHROMIUM[0]]], async (kind) => {
  const ada = await waits(kind);
  await ada.finds("#make-invitation");
  await holdsEnter(ada, "#cancel");
  assert.equal(await ada.page.$eval("body", (body) => body.dataset.view), "arrival");
  await ada.presses("#start");
  await ada.sees("waiting");
});

stage.test("the second click of a double click is for nobody", EACH, async (kind) => {
  const ada = await waits(kind);
  await ada.finds("#make-invitation");
  // The big button of the arrival comes where the one for cancelling was.
  await ada.page.$eval("#cancel", (button) => {
    button.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, detail: 1 }));
    document.querySelector("#start").dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, detail: 2 }));
  });
  assert.equal(await ada.page.$eval("body", (body) => body.dataset.view), "arrival");
  await ada.presses("#start");
  await ada.sees("waiting");
});

stage.test("who is blocked without a connection stays blocked, whatever comes next", EACH, async (kind) => {
  const [ada, ben] = await pair(kind);
  ada.tolerates(NO_SERVER);
  await stage.server.kill();
  await ada.isIn("line", "lost");
  await ada.acts(".vy-block");
  await ada.isIn("state", "ended");
  await ada.presses(".vy-done");
  assert.match(await ada.reads(".vy-parting"), /^Blocked/);
  // Whoever reloads now has the conversation again, and the block has still to be sent.
  await stage.serves();
  await ada.reloads();
  await ben.hears("ended");
  await ada.isIn("state", "ended");
  assert.match(await ada.reads(".vy-ended p"), /^You have blocked Ben/);
  await ada.presses(".vy-done");
  await ada.sees("arrival");
  await ben.close();
});

stage.test("an own invitation is still there after a reload, and whoever follows it is told whom they wait for", EACH, async (kind) => {
  const ada = await waits(kind);
  await ada.presses("#make-invitation");
  await ada.readsLike("#invite-code", /-/);
  const code = await ada.page.$eval("#invite-code", (shown) => shown.textContent);
  await ada.reloads();
  await ada.readsLike("#waiting-title", /your guest/);
  assert.equal(await ada.reads("#invite-code"), code);
  await ada.presses("#cancel");
  await ada.sees("arrival");
  const guest = await waits(kind, `/?invite=${code}`);
  await guest.readsLike("#waiting-title", /whoever invited you/);
  await guest.misses("#invitation");
});

stage.test("two tabs that want the conversation in one go: one has it", EACH, async (kind) => {
  const [ada, ben] = await pair(kind);
  // Firefox's own line, where a conversation goes on to the next tab before its connection was there.
  ada.tolerates(NO_SERVER);
  const tabs = [await ada.opensTab(), await ada.opensTab()];
  for (const tab of tabs) await tab.sees("elsewhere");
  await Promise.all(tabs.map((tab) => tab.page.$eval("#continue-here", (button) => button.click())));
  const views = () => Promise.all(tabs.map((tab) => tab.page.$eval("body", (body) => body.dataset.view)));
  // The one that comes second is told that nobody answers, or has it from the first.
  for (const tab of tabs) await tab.until(() => !document.querySelector("#continue-here").disabled);
  await Promise.race(tabs.map((tab) => tab.sees("conversation")));
  assert.deepEqual((await views()).sort(), ["conversation", "elsewhere"]);
  await ada.sees("elsewhere");
  await ada.presses("#to-start");
  await ada.sees("arrival");
  await ben.close();
});

stage.test("a partner who is called like the reader is quoted", [[CHROMIUM[0]]], async (kind) => {
  const [ada, ben] = await pair(kind, { name: " yOU\u200b" });
  assert.equal(await ada.reads(".vy-name"), "“yOU”");
  await ben.close();
});

stage.test("an address of dots and brackets doesn't hold the page up", [[CHROMIUM[0]]], async (kind) => {
  const [ada, ben] = await pair(kind);
  const address = `https://a.example/${".".repeat(1000)}x${")".repeat(1000)}`;
  await ben.says(Array(30).fill(address).join(" "), "and on");
  await ada.hears("and on");
  await ada.presses(".vy-more");
  await ada.until(() => document.querySelectorAll(".vy-link").length === 30);
  assert.equal(await ada.page.$eval(".vy-link", (link) => link.textContent), address.replace(/\)+$/, ""));
  await ben.close();
});

stage.test("a keyboard that covers the page leaves room for what is written", EACH, async (kind) => {
  await stage.serves();
  const ada = await stage.person(kind);
  // As on a phone whose browser doesn't make the window smaller.
  await ada.page.evaluateOnNewDocument(() => {
    const visible = Object.assign(new EventTarget(), { height: innerHeight, scale: 1 });
    Object.defineProperty(globalThis, "visualViewport", { value: visible });
  });
  await ada.reloads();
  await ada.arrives("Ada");
  await ada.sees("waiting");
  const ben = await partner(stage.host());
  await ada.isIn("state", "talking");
  const comes = (height, scale) => ada.page.evaluate((size) => {
    Object.assign(visualViewport, size);
    visualViewport.dispatchEvent(new Event("resize"));
    return document.querySelector(".vy-composer").getBoundingClientRect().bottom;
  }, { height, scale });
  assert.ok((await comes(400, 1)) <= 400);
  const whole = await comes(800, 1);
  assert.ok(whole > 700);
  assert.equal(await comes(400, 2), whole, "who zooms in has the same page");
  await ben.close();
});
