// The JavaScript SDK in a real browser: what only a browser has, its storage, locks and events.

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

// Any path of the server but the page's own, which would look for a partner by itself.
const address = () => `http://127.0.0.1:${server.port}/healthz`;

/** Has a page connect, note all it hears in `heard`, and offer `hear`, which waits for a type. */
async function connects(page, settings = {}) {
  await page.evaluate(async (given) => {
    const { connect } = await import("/vyoma.js");
    globalThis.heard = [];
    let look = () => {};
    globalThis.hear = (type) =>
      new Promise((resolve) => {
        look = () => {
          const found = heard.find((event) => event.type === type);
          if (found) resolve(found);
        };
        look();
      });
    globalThis.client = await connect("/ws", { settings: { backoff_first_ms: 50, ...given } });
    const types = ["waiting", "matched", "message", "restored", "away", "back", "error", "ended"];
    for (const type of [...types, "lost", "cannot_connect", "not_kept"]) {
      client.on(type, (event) => {
        heard.push(event);
        look();
      });
    }
  }, settings);
}

const hears = (page, type) => page.evaluate((wanted) => hear(wanted), type);

async function pair() {
  const people = [await browser.open(address()), await browser.open(address())];
  for (const [index, name] of ["Ada", "Ben"].entries()) {
    const { page } = people[index];
    await connects(page);
    await page.evaluate((own) => client.join({ name: own }), name);
    if (index === 0) await hears(page, "waiting");
  }
  for (const { page } of people) await hears(page, "matched");
  return people;
}

test("a reloaded page goes on with its conversation", async () => {
  const [ada, ben] = await pair();
  await ada.page.evaluate(async () => (await client.send("before")).delivered());
  await ada.page.reload();
  await ben.page.evaluate(() => client.send("while you were away"));
  await connects(ada.page);
  const partner = await ada.page.evaluate(() => client.conversation.partner);
  assert.deepEqual(partner, { name: "Ben" });
  assert.equal((await hears(ada.page, "message")).value, "while you were away");
  const sent = await ada.page.evaluate(async () => {
    const receipt = await client.send("after");
    return [receipt.n, await receipt.delivered()];
  });
  assert.deepEqual(sent, [2, true]);
  const values = await ben.page.evaluate(() =>
    heard.filter(({ type }) => type === "message").map(({ value }) => value));
  assert.deepEqual(values, ["before", "after"]);
  for (const person of [ada, ben]) {
    person.assertClean();
    await person.goes();
  }
});

test("a tab whose storage is damaged begins anew, and says so", async () => {
  const ada = await browser.open(address());
  await connects(ada.page);
  await ada.page.evaluate(async () => {
    await client.close();
    sessionStorage.setItem("vyomachat", '{"version":7}');
  });
  await ada.page.reload();
  await connects(ada.page);
  await hears(ada.page, "not_kept");
  await ada.page.evaluate(() => client.join());
  await hears(ada.page, "waiting");
  ada.assertClean();
  await ada.goes();
});

test("a duplicated tab leaves the conversation to the original", async () => {
  const [ada, ben] = await pair();
  // A window that a page opens begins with a copy of its sessionStorage, as a duplicated tab does.
  const opened = new Promise((resolve) => ada.page.once("popup", resolve));
  await ada.page.evaluate((url) => void window.open(url), address());
  const copy = await opened;
  await copy.waitForFunction(() => document.readyState === "complete");
  const copied = await copy.evaluate(() => sessionStorage.getItem("vyomachat") !== null);
  assert.ok(copied, "the browser copied the storage");
  await connects(copy);
  assert.equal(await copy.evaluate(() => client.state), "idle");
  // It is the same person, who is in a conversation.
  await copy.evaluate(() => client.join());
  assert.equal((await hears(copy, "error")).name, "in_conversation");

  await ben.page.evaluate(() => client.send("still there?"));
  assert.equal((await hears(ada.page, "message")).value, "still there?");
  const types = await ada.page.evaluate(() => heard.map(({ type }) => type));
  assert.ok(!types.includes("lost") && !types.includes("ended"), types.join());
  await copy.close();
  for (const person of [ada, ben]) {
    person.assertClean();
    await person.goes();
  }
});

test("a page that comes back online connects without waiting longer", async () => {
  const ada = await browser.open(address());
  await connects(ada.page, { jitter: 1 });
  await ada.page.evaluate(() => client.join());
  await hears(ada.page, "waiting");
  await server.kill();
  const tries = () =>
    ada.page.evaluate(() => heard.filter(({ type }) => type === "cannot_connect").length);
  // By now it waits for seconds between its tries.
  await ada.page.waitForFunction(
    () => heard.filter(({ type }) => type === "cannot_connect").length === 7,
  );
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(await tries(), 7);
  await ada.page.evaluate(() => dispatchEvent(new Event("online")));
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.equal(await tries(), 8);
  server = await startServer(server.port);
  await ada.page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await hears(ada.page, "restored");
  ada.assertClean(/WebSocket connection to/);
  await ada.goes();
});

test("without Web Locks and storage a page talks from memory", async () => {
  const ada = await browser.open(address());
  await ada.page.evaluate(() => {
    Object.defineProperty(navigator, "locks", { value: undefined });
    for (const name of ["sessionStorage", "localStorage"]) {
      Object.defineProperty(globalThis, name, {
        get: () => {
          throw new DOMException("switched off", "SecurityError");
        },
      });
    }
  });
  const ben = await browser.open(address());
  for (const { page } of [ada, ben]) {
    await connects(page);
    await page.evaluate(() => client.join());
  }
  await hears(ada.page, "matched");
  const delivered = await ada.page.evaluate(async () => (await client.send("hi")).delivered());
  assert.ok(delivered);
  for (const person of [ada, ben]) {
    person.assertClean();
    await person.goes();
  }
});
