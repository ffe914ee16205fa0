// The first page end to end: real browser, real binary, real sockets.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { startServer } from "../server.mjs";
import { launch } from "./browser.mjs";

let browser;
let server;

before(async () => (browser = await launch()));
after(() => browser?.close());
beforeEach(async () => (server = await startServer()));
afterEach(() => server?.kill());

const address = () => `http://127.0.0.1:${server.port}/`;

async function pair() {
  const ana = await browser.open(address());
  await ana.sees("waiting");
  const ravi = await browser.open(address());
  await Promise.all([ana.sees("connected"), ravi.sees("connected")]);
  return [ana, ravi];
}

test("two pages talk both ways", async () => {
  const [ana, ravi] = await pair();
  await ana.says("Hello, who is there?");
  assert.deepEqual(await ravi.messages("theirs", 1), ["Hello, who is there?"]);
  await ravi.says("Ravi. Здравствуйте, 你好 🙂");
  assert.deepEqual(await ana.messages("theirs", 1), ["Ravi. Здравствуйте, 你好 🙂"]);
  assert.deepEqual(await ana.messages("mine", 1), ["Hello, who is there?"]);
  assert.equal(await ana.page.$eval("#draft", (draft) => draft.value), "");
  for (const person of [ana, ravi]) {
    person.assertClean();
    await person.goes();
  }
});

test("markup and scripts stay words", async () => {
  const [ana, ravi] = await pair();
  const hostile = [
    "<script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "</div><style>body{display:none}</style>&lt;b&gt;",
    "javascript:document.title='owned'",
  ];
  for (const words of hostile) await ana.says(words);
  assert.deepEqual(await ravi.messages("theirs", hostile.length), hostile);
  assert.equal(await ravi.page.$$eval("#log script, #log img, #log style", (all) => all.length), 0);
  assert.equal(await ravi.page.title(), "VyomaChat");
  for (const person of [ana, ravi]) {
    person.assertClean();
    await person.goes();
  }
});

test("a partner who goes is noticed, and the survivor is queued again with the draft kept", async () => {
  const [ana, ravi] = await pair();
  await ana.writes("half a thought");
  await ravi.goes();
  await ana.sees("waiting");
  const log = await ana.page.$eval("#log", (element) => element.textContent);
  assert.match(log, /Your partner has left\./);
  assert.ok(await ana.page.$eval("#send", (button) => button.disabled));
  assert.ok(await endIsInSight(ana));

  const mira = await browser.open(address());
  await Promise.all([ana.sees("connected"), mira.sees("connected")]);
  await ana.says(", finished");
  assert.deepEqual(await mira.messages("theirs", 1), ["half a thought, finished"]);
  for (const person of [ana, mira]) {
    person.assertClean();
    await person.goes();
  }
});

test("one who leaves stays away until they ask for a partner", async () => {
  const [ana, ravi] = await pair();
  await ana.page.click("#leave");
  await ravi.sees("waiting");
  await ana.sees("disconnected");
  assert.match(await ana.page.$eval("#panel", (panel) => panel.innerText), /You have left/);
  await ana.page.click("#reconnect");
  await Promise.all([ana.sees("connected"), ravi.sees("connected")]);
  for (const person of [ana, ravi]) {
    person.assertClean();
    await person.goes();
  }
});

test("a lost server is noticed, and the page comes back by itself and by its button", async () => {
  const ana = await browser.open(address());
  await ana.sees("waiting");
  const { port } = server;
  await server.kill();
  await ana.sees("disconnected");
  server = await startServer(port);
  await ana.sees("waiting");

  await server.kill();
  await ana.sees("disconnected");
  await ana.page.waitForSelector("#reconnect", { visible: true });
  server = await startServer(port);
  // By now the page may have come back by itself; then there is no button to press.
  await ana.page.evaluate(() => document.getElementById("reconnect").click());
  await ana.sees("waiting");
  ana.assertClean(/^WebSocket connection to 'ws:\/\/127\.0\.0\.1:/);
  await ana.goes();
});

test("a message over the limit is refused in words, and nothing is lost", async () => {
  const [ana, ravi] = await pair();
  const fill = (text) =>
    ana.page.$eval("#draft", (draft, value) => {
      draft.value = value;
      draft.dispatchEvent(new Event("input"));
    }, text);
  await fill("€".repeat(21_846));
  const hint = await ana.page.$eval("#hint", (element) => element.textContent);
  assert.match(hint, /^Too long: 65,538 of 65,536 bytes\./);
  assert.ok(await ana.page.$eval("#send", (button) => button.disabled));
  await ana.page.focus("#draft");
  await ana.page.keyboard.press("Enter");
  assert.equal(await ana.page.$$eval("#log .mine", (all) => all.length), 0);

  const longest = "€".repeat(21_845) + "!";
  await fill(longest);
  await ana.page.keyboard.press("Enter");
  assert.deepEqual(await ravi.messages("theirs", 1), [longest]);
  for (const person of [ana, ravi]) {
    person.assertClean();
    await person.goes();
  }
});

test("the page fits a small phone and says something without JavaScript", async () => {
  const ana = await browser.open(address());
  await ana.page.setViewport({ width: 320, height: 568 });
  await ana.sees("waiting");
  const overflow = await ana.page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  assert.equal(overflow, 0);

  await ana.page.setJavaScriptEnabled(false);
  await ana.page.reload();
  assert.match(await ana.page.$eval("body", (body) => body.innerText), /needs JavaScript/);
  await ana.goes();
});

/** Whether the newest entry of the conversation is inside the part that is shown. */
function endIsInSight(person) {
  return person.page
    .waitForFunction(() => {
      const log = document.getElementById("log");
      return log.scrollHeight - log.scrollTop - log.clientHeight < 2;
    })
    .then(() => true);
}
