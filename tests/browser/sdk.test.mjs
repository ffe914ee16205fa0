// The JavaScript SDK in a real browser: what only a browser has, its storage, locks and events.

import assert from "node:assert/strict";
import { EACH, NO_SERVER, Stage } from "./stage.mjs";

const stage = new Stage();
// Any path of the server but the page's own, which has a client itself. Firefox looks for an icon there.
async function opens(kind) {
  const person = await stage.person(kind, "/healthz");
  person.tolerates(/favicon\.ico/);
  return person;
}

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

async function pair(kind) {
  await stage.serves();
  const people = [await opens(kind), await opens(kind)];
  for (const [index, name] of ["Ada", "Ben"].entries()) {
    const { page } = people[index];
    await connects(page);
    await page.evaluate((own) => client.join({ name: own }), name);
    if (index === 0) await hears(page, "waiting");
  }
  for (const { page } of people) await hears(page, "matched");
  return people;
}

stage.test("a reloaded page goes on with its conversation", EACH, async (kind) => {
  const [ada, ben] = await pair(kind);
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
});

stage.test("a tab whose storage is damaged begins anew, and says so", EACH, async (kind) => {
  await stage.serves();
  const ada = await opens(kind);
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
});

stage.test("a duplicated tab leaves the conversation to the original", EACH, async (kind) => {
  const [ada, ben] = await pair(kind);
  // A window that a page opens begins with a copy of its sessionStorage, as a duplicated tab does.
  const { page: copy } = await ada.duplicates();
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
});

stage.test("nothing is written to a socket that closes, of which the console would tell", EACH, async (kind) => {
  await stage.serves();
  const ada = await opens(kind);
  await ada.page.evaluate(() => {
    globalThis.WebSocket = class extends WebSocket {
      constructor(...parts) {
        super(...parts);
        globalThis.socket = this;
      }
    };
  });
  await connects(ada.page);
  await ada.page.evaluate(() => client.join());
  await hears(ada.page, "waiting");
  await ada.page.evaluate(() => {
    socket.close();
    client.wake();
  });
  await hears(ada.page, "restored");
});

// Firefox itself holds back a connection to where one has just failed, so there it isn't the SDK that decides.
stage.test("a page that comes back online connects without waiting longer", [["chromium"]], async (kind) => {
  await stage.serves();
  const ada = await opens(kind);
  await connects(ada.page, { jitter: 1 });
  await ada.page.evaluate(() => client.join());
  await hears(ada.page, "waiting");
  ada.tolerates(NO_SERVER);
  await stage.server.kill();
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
  await stage.serves();
  await ada.page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await hears(ada.page, "restored");
});

stage.test("without Web Locks and storage a page talks from memory", EACH, async (kind) => {
  await stage.serves();
  const ada = await opens(kind);
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
  const ben = await opens(kind);
  for (const { page } of [ada, ben]) {
    await connects(page);
    await page.evaluate(() => client.join());
  }
  await hears(ada.page, "matched");
  const delivered = await ada.page.evaluate(async () => (await client.send("hi")).delivered());
  assert.ok(delivered);
});
