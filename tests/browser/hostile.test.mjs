// A partner who means harm: scripts, markup, endless words, control characters, and names that pretend to be
// the page. What is shown stays words, and the page stays usable.

import assert from "node:assert/strict";
import { partner, plainPartner } from "./partner.mjs";
import { EACH, Stage } from "./stage.mjs";

const stage = new Stage();
// What turns the direction of what follows, or can't be seen: U+202A to 202E, U+2066 to 2069, U+200E and 200F.
const BIDI = /[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]/;
const ZALGO = `Z${"\u0335\u0321\u0347\u0353\u0300\u0311\u0301\u0317".repeat(6)}`;
const SCRIPTS = [
  "<script>globalThis.owned = 1</script>",
  "<img src=x onerror=\"globalThis.owned = 1\">",
  "</div><style>body{display:none}</style>&lt;b&gt;",
  "javascript:globalThis.owned=1",
  "data:text/html,<script>owned=1</script>",
  "{{constructor.constructor('globalThis.owned=1')()}}",
];

/** Ada in a browser, and somebody through the SDK who is called like this. */
async function meets(kind, profile, where) {
  await stage.serves();
  const ada = await stage.person(kind, "/", where);
  await ada.arrives("Ada");
  await ada.sees("waiting");
  const mallory = await partner(stage.host(), profile);
  await ada.sees("conversation");
  await ada.finds(".vy-draft");
  return [ada, mallory];
}

/** The page is what it was, and still works. */
async function staysWell(ada, mallory) {
  await ada.assertFits();
  assert.equal(await ada.page.evaluate(() => globalThis.owned), undefined);
  assert.equal(await ada.page.$$eval(".vy script, .vy img, .vy style, .vy iframe, .vy object", (all) => all.length), 0);
  await ada.page.$eval(".vy-draft", (draft) => (draft.value = ""));
  await ada.says("Still here");
  await mallory.hears("message", ({ value }) => value === "Still here");
  await mallory.close();
}

stage.test("scripts and markup stay words", EACH, async (kind) => {
  const [ada, mallory] = await meets(kind, { name: SCRIPTS[1].slice(0, 60), headline: SCRIPTS[0], topics: ["<b>bold</b>"] });
  assert.ok((await ada.reads(".vy-name")).includes("<img src=x"));
  await mallory.says(...SCRIPTS);
  await ada.hears(...SCRIPTS);
  const links = await ada.page.$$eval(".vy-text a", (all) => all.map((link) => link.protocol));
  assert.deepEqual(links, []);
  await staysWell(ada, mallory);
});

stage.test("links lead to the web only, in a tab that knows nothing of this one, and nothing is fetched", EACH, async (kind) => {
  const [ada, mallory] = await meets(kind, { name: "Mallory" });
  const texts = [
    "look: https://example.org/a?b=c#d, nice",
    "http://user:secret@evil.test/ and (https://example.net/x)",
    "ftp://example.org/ file:///etc/passwd blob:https://example.org/1 vbscript:x",
  ];
  await mallory.says(...texts);
  await ada.hears(...texts);
  const links = await ada.page.$$eval(".vy-text a", (all) =>
    all.map(({ href, target, rel, textContent }) => ({ href, target, rel, textContent })));
  assert.ok(links.some(({ href }) => href === "https://example.org/a?b=c#d"), JSON.stringify(links));
  assert.ok(links.some(({ href }) => href === "https://example.net/x"), JSON.stringify(links));
  for (const { href, target, rel, textContent } of links) {
    assert.match(href, /^https?:/);
    assert.equal(target, "_blank");
    assert.match(rel, /noopener/);
    assert.match(rel, /noreferrer/);
    assert.equal(new URL(textContent).href, href, "a link shows where it leads");
  }
  await staysWell(ada, mallory);
});

stage.test("names can't pretend to be the page, nor turn it around", EACH, async (kind) => {
  const [ada, mallory] = await meets(kind, {
    name: "\u202eadA\u2066\nhas left.",
    headline: `${ZALGO} \u202e\u200f backwards`,
    topics: ["\u202etopic", "a".repeat(64)],
  });
  const name = await ada.reads(".vy-name");
  assert.doesNotMatch(name, BIDI);
  assert.doesNotMatch(name, /\n/);
  const card = await ada.page.$eval(".vy-card", (element) => ({
    text: element.textContent,
    outside: [...element.querySelectorAll("*")]
      .filter((part) => part.getBoundingClientRect().right > element.getBoundingClientRect().right + 1)
      .map((part) => part.className),
  }));
  assert.doesNotMatch(card.text, BIDI);
  assert.deepEqual(card.outside, [], "the card holds what is in it");
  assert.doesNotMatch(await ada.page.title(), BIDI);
  mallory.client.typing(true);
  await ada.finds(".vy-typing[data-on]");
  assert.doesNotMatch(await ada.reads(".vy-typing[data-on]"), BIDI);
  mallory.leaves();
  await ada.isIn("state", "ended");
  assert.doesNotMatch(await ada.reads(".vy-ended"), BIDI);
  await mallory.close();
});

stage.test("a nameless partner, and one whose name is nothing to see", EACH, async (kind) => {
  const [ada, mallory] = await meets(kind, { name: " \u200b\u2800\u3164 " });
  assert.match(await ada.reads(".vy-name"), /\p{L}/u);
  await staysWell(ada, mallory);
});

stage.test("huge messages, endless words and piled up marks stay in their bubbles", EACH, async (kind) => {
  const [ada, mallory] = await meets(kind, { name: "Mallory" }, { viewport: { width: 320, height: 600 } });
  const texts = ["W".repeat(20_000), "line\n".repeat(5_000), ZALGO.repeat(40), "\u202eturned \u2066around", "👩‍👩‍👧‍👦".repeat(500)];
  await mallory.says(...texts);
  await ada.until((count) => document.querySelectorAll(".vy-message").length >= count, texts.length);
  const tallest = await ada.page.$$eval(".vy-message", (all) => Math.max(...all.map((one) => one.offsetHeight)));
  const height = await ada.page.evaluate(() => innerHeight);
  assert.ok(tallest < 5 * height, `a message is ${tallest} pixels tall`);
  await ada.finds(".vy-more");
  const outside = await ada.page.$$eval(".vy-message", (all) =>
    all.filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.textContent.slice(0, 20)));
  assert.deepEqual(outside, []);
  await staysWell(ada, mallory);
});

stage.test("values that are no text are shown as what they are", EACH, async (kind) => {
  const [ada, mallory] = await meets(kind, { name: "Mallory" });
  const deep = JSON.parse(`${"[".repeat(60)}${"]".repeat(60)}`);
  await mallory.says({ "<b>": "\u202e" }, [1, 2, 3], null, 7, "", deep, { big: "x".repeat(30_000) });
  await mallory.client.send(new Uint8Array(1_200));
  await mallory.says("the end");
  await ada.hears("the end");
  const texts = await ada.messages("theirs");
  assert.ok(texts.includes("[1,2,3]"), JSON.stringify(texts).slice(0, 500));
  assert.ok(texts.some((text) => /1\.2 ?kB/i.test(text)));
  assert.ok(texts.every((text) => text.length < 25_000));
  await staysWell(ada, mallory);
});

stage.test("a burst leaves the list bounded, at its end, and the draft alone", EACH, async (kind) => {
  const [ada, mallory] = await meets(kind, { name: "Mallory" });
  await ada.writes("half a thought");
  const count = 1_500;
  await mallory.says(...Array.from({ length: count }, (_, index) => `message ${index + 1}`));
  await ada.hears(`message ${count}`);
  const shown = await ada.page.$$eval(".vy-message", (all) => all.length);
  assert.ok(shown <= 600, `${shown} messages in the page`);
  const fromEnd = await ada.page.$eval(".vy-list", (list) => list.scrollHeight - list.scrollTop - list.clientHeight);
  assert.ok(fromEnd < 50, `${fromEnd} pixels from the end`);
  assert.equal(await ada.draft(), "half a thought");
  // What isn't in the page any more can be had back.
  await ada.page.$eval(".vy-list", (list) => (list.scrollTop = 0));
  await ada.presses(".vy-older");
  const oldest = await ada.until((before) => {
    const first = document.querySelector(".vy-message[data-side=theirs]");
    return Number(first.dataset.n) < before && first.dataset.n;
  }, count - shown + 1);
  assert.ok(Number(oldest) >= 1);
  await staysWell(ada, mallory);
});

stage.test("a plain partner who pretends to be the server is only heard", EACH, async (kind) => {
  await stage.serves();
  const ada = await stage.person(kind);
  await ada.arrives("Ada");
  await ada.sees("waiting");
  const plain = await plainPartner(stage.host());
  await ada.sees("conversation");
  const forged = ['{"type":"ended","payload":{"reason":"left"}}', '{"type":"matched"}'];
  for (const text of forged) plain.says(text);
  await ada.hears(...forged);
  await ada.isIn("state", "talking");
  plain.close();
  await ada.isIn("state", "ended");
});
