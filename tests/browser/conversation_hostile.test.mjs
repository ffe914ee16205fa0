// The conversation as a component, with a partner who means harm: nothing runs, nothing breaks, nothing poses
// as the page's own.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { end, say, shows, startStage, texts } from "./mounted.mjs";

let stage;

before(async () => (stage = await startStage()));
after(() => stage?.close());
beforeEach(() => stage.serve());
afterEach(() => stage.server?.kill());

const send = (page, value) => page.evaluate((given) => client.send(given), value).then(() => {});

/** Another client, without a view: it can say anything, fast. */
async function plainly(profile) {
  const person = await stage.browser.open(`${stage.site.address}blank`);
  await person.page.evaluate(async (own) => {
    const { connect } = await import("/vyoma.js");
    globalThis.client = await connect("/ws", { storage: "memory" });
    client.on("message", () => {});
    client.join(own);
    await new Promise((resolve) => client.on("matched", resolve));
  }, profile);
  return person;
}

async function meets(profile) {
  const ada = await stage.open();
  await ada.page.evaluate(() => {
    const waits = new Promise((resolve) => client.on("waiting", resolve));
    client.join({ name: "Ada" });
    return waits;
  });
  const eve = await plainly(profile);
  await ada.page.waitForSelector('.vy[data-state="talking"]');
  return [ada, eve];
}

test("markup and scripts stay words, in messages and in profiles", async () => {
  const [ada, eve] = await meets({
    name: "<img src=x onerror=document.title='owned'>",
    headline: "<script>document.title='owned'</script>",
    topics: ["</dd><style>body{display:none}</style>"],
  });
  const hostile = [
    "<script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "</div><style>body{display:none}</style>&lt;b&gt;",
    "javascript:document.title='owned'",
    "data:text/html,<script>1</script>",
  ];
  for (const words of hostile) await send(eve.page, words);
  assert.deepEqual(await texts(ada.page, "theirs", hostile.length), hostile);
  const made = await ada.page.$$eval(".vy script, .vy img, .vy style, .vy a, .vy iframe", (all) => all.length);
  assert.equal(made, 0);
  assert.equal(await ada.page.title(), "An application");
  await end(ada, eve);
});

for (const [name, shown] of [
  ["\u202emoc.knab\u202c\u2066", "moc.knab"],
  ["\u0301".repeat(32), "Your partner"],
  ["\u200b\u2060\u00ad\u3164", "Your partner"],
  ["\u0007\u0000\u001b[2J", "[2J"],
  ["Z\u0316\u0301\u0316\u0301\u0316\u0301\u0316\u0301\u0316", "Z\u0316\u0301\u0316\u0301"],
  ["a\nb\tc   d", "a b c d"],
  ["W".repeat(64), `${"W".repeat(39)}…`],
]) {
  test(`somebody who is called ${JSON.stringify(name)} is ${shown}`, async () => {
    const ada = await stage.play();
    await ada.page.evaluate((given) => client.begin({ name: given }), name);
    await ada.page.waitForSelector('.vy[data-state="talking"]');
    assert.equal(await ada.page.$eval(".vy-name bdi", (own) => own.textContent), shown);
    const wide = await ada.page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    assert.equal(wide, false);
    await end(ada);
  });
}

test("a profile that isn't one is no profile", async () => {
  const ada = await stage.play();
  const odd = { name: { toString: 1 }, headline: 7, topics: "tea", offers: [null, {}, "\u200b"], languages: ["??", "en"] };
  await ada.page.evaluate((given) => client.begin(given, { why: ["topics", 3], common: { topics: 5 } }), odd);
  await ada.page.waitForSelector('.vy[data-state="talking"]');
  assert.equal(await ada.page.$eval(".vy-name", (own) => own.textContent), "Your partner");
  assert.match(await ada.page.$eval(".vy-facts", (own) => own.textContent), /^Languages\?\?English$/);
  await end(ada);
});

test("text that turns around stays within itself", async () => {
  const [ada, eve] = await meets({ name: "Eve" });
  await send(eve.page, "\u202e\u2067http://example.org/ and \u202edrow");
  await send(eve.page, `a${"\u0316\u0301\u200d".repeat(9000)}b`);
  const [turned, tower] = await texts(ada.page, "theirs", 2);
  assert.equal(turned, "http://example.org/ and drow");
  assert.ok(tower.length < 20, "the marks of one letter are bounded");
  const bidi = await ada.page.$eval(".vy-text", (text) => getComputedStyle(text).unicodeBidi);
  assert.equal(bidi, "plaintext");
  const overflow = await ada.page.$eval(".vy-bubble", (bubble) => getComputedStyle(bubble).overflow);
  assert.equal(overflow, "clip");
  await end(ada, eve);
});

test("links lead to where they say, and only to the web", async () => {
  const [ada, eve] = await meets({ name: "Eve" });
  await send(eve.page, [
    "(https://en.example.org/wiki/A_(b)), https://EXAMPLE.org/x?y=1#z.",
    "https://\u0430\u0440\u0440\u04cf\u0435.com/ https://bank.example@evil.example/",
    "ftp://example.org javascript://example.org/%0aalert(1) xhttps:/example.org https://",
  ].join("\n"));
  await texts(ada.page, "theirs", 1);
  const links = await ada.page.$$eval(".vy-link", (all) => all.map((link) => [link.textContent, link.href]));
  assert.deepEqual(links, [
    ["https://en.example.org/wiki/A_(b)", "https://en.example.org/wiki/A_(b)"],
    ["https://EXAMPLE.org/x?y=1#z", "https://example.org/x?y=1#z"],
    ["https://xn--80ak6aa92e.com/", "https://xn--80ak6aa92e.com/"],
  ]);
  const how = await ada.page.$eval(".vy-link", ({ rel, target, referrerPolicy, dir }) => [rel, target, referrerPolicy, dir]);
  assert.deepEqual(how, ["noopener noreferrer nofollow ugc", "_blank", "no-referrer", "ltr"]);
  await end(ada, eve);
});

test("huge messages are folded, and all of them can be read", async () => {
  const [ada, eve] = await meets({ name: "Eve" });
  for (const huge of ["x".repeat(65_000), `first${"\n".repeat(32_000)}last`, "word ".repeat(10_000), "https://a.example ".repeat(3_500)]) {
    await send(eve.page, huge);
  }
  const folded = await texts(ada.page, "theirs", 4);
  for (const text of folded) assert.ok(text.length <= 1001, `${text.length}`);
  assert.ok((await ada.page.$$(".vy-link")).length <= 10);
  await ada.page.$eval(".vy-more", (more) => more.click());
  await ada.page.waitForFunction(() => document.querySelector(".vy-text").textContent.length === 65_000);
  await ada.page.$eval(".vy-more", (more) => more.click());
  await ada.page.waitForFunction(() => document.querySelector(".vy-text").textContent.length === 1001);
  const fits = await ada.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
  assert.ok(fits, "nothing is wider than the window");
  await end(ada, eve);
});

test("10,000 messages leave a page that can be used", async () => {
  const [ada, eve] = await meets({ name: "Eve" });
  // Without waiting for its end: that would be one very long call.
  await eve.page.evaluate(() => void (async () => {
    for (let n = 1; n <= 10_000; n += 1) await client.send(`message ${n}`);
  })());
  await ada.page.waitForSelector('[data-n="10000"]', { timeout: 180_000 });
  const counts = () => ada.page.evaluate(() => {
    const list = document.querySelector(".vy-list");
    return {
      messages: list.querySelectorAll(".vy-message").length,
      atEnd: list.scrollHeight - list.scrollTop - list.clientHeight < 2,
    };
  });
  assert.deepEqual(await counts(), { messages: 200, atEnd: true });
  assert.ok((await ada.page.$$eval(".vy-live p", (all) => all.length)) <= 2, "and no chatter");
  // Back through what came before, as far as one likes, and to the end again.
  for (let step = 0; step < 6; step += 1) {
    const first = await ada.page.$eval(".vy-message", ({ dataset }) => dataset.n);
    await ada.page.click(".vy-older");
    await ada.page.waitForFunction((before) => document.querySelector(".vy-message").dataset.n !== before, {}, first);
  }
  const back = await counts();
  assert.equal(back.messages, 400);
  assert.equal(back.atEnd, false);
  assert.equal(await ada.page.$eval(".vy-message", ({ dataset }) => dataset.n), String(10_000 - 200 - 6 * 60 + 1));
  await send(eve.page, "while she reads");
  await shows(ada.page, ".vy-newest", /^1 new message$/);
  await ada.page.click(".vy-newest");
  await ada.page.waitForSelector('[data-n="10001"]');
  await ada.page.waitForFunction(() => document.querySelector(".vy-newest").hidden);
  assert.deepEqual(await counts(), { messages: 200, atEnd: true });
  await say(ada.page, "enough");
  await ada.page.waitForSelector('[data-side="mine"][data-mark="delivered"], [data-side="mine"][data-mark="read"]');
  await end(ada, eve);
});

test("whoever reads further up stays there, and is told what is new", async () => {
  const [ada, eve] = await meets({ name: "Eve" });
  for (let n = 1; n <= 40; n += 1) await send(eve.page, `message ${n}`);
  await ada.page.waitForSelector('[data-n="40"]');
  await ada.page.focus(".vy-list");
  await ada.page.keyboard.press("Home");
  await ada.page.waitForFunction(() => document.querySelector(".vy-list").scrollTop === 0);
  await ada.page.waitForFunction(() => !document.querySelector(".vy-newest").hidden);
  await send(eve.page, "one more");
  await send(eve.page, "and another");
  await shows(ada.page, ".vy-newest", /^2 new messages$/);
  await ada.page.waitForSelector('[data-n="42"]');
  assert.equal(await ada.page.$eval(".vy-list", ({ scrollTop }) => scrollTop), 0);
  await ada.page.click(".vy-newest");
  await ada.page.waitForFunction(() => told.unread.at(-1) === 0);
  await end(ada, eve);
});
