// A page of an application's own that mounts the conversation: over a client of the server under test, or over
// one that a test plays.
//
// Knows how the component is mounted. Must not know what a test wants from it.

import { launch } from "./browser.mjs";
import { startSite } from "./site.mjs";
import { startServer } from "../server.mjs";

const HEAD = `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>An application</title>
  <link rel="icon" href="data:,">
  <link rel="stylesheet" href="/palette.css">
  <link rel="stylesheet" href="/conversation.css">
  <link rel="stylesheet" href="/look.css">`;

const BLANK = `${HEAD}
</head>
</html>`;

const page = (script) => `${HEAD}
  <script type="module" src="/${script}"></script>
</head>
<body><button id="elsewhere">Elsewhere</button><main id="here"></main></body>
</html>`;

const LOOK = `body { display: flex; flex-direction: column; block-size: 100dvh; margin: 0; background: var(--vy-page); }
#elsewhere { flex: none; align-self: start; }
main { flex: 1; min-block-size: 0; }
.away { display: none; }`;

// Takes the options of `mount` from the address, and notes what the view tells.
const MOUNT = `
import { mount } from "/conversation.js";
import { loadWords } from "/words.js";
const asked = new URLSearchParams(location.search);
globalThis.told = { states: [], unread: [], calls: [] };
globalThis.mountHere = async (client) => {
  const { language = "en", ...options } = JSON.parse(asked.get("options") ?? "{}");
  globalThis.view = await mount(document.querySelector("#here"), client, {
    words: await loadWords(language),
    onstate: (state) => told.states.push(state),
    onunread: (count) => told.unread.push(count),
    ondone: () => told.calls.push("done"),
    ...options,
  });
};
`;

const REAL = `${MOUNT}
import { connect } from "/vyoma.js";
globalThis.client = await connect("/ws", { settings: { backoff_first_ms: 50 } });
await mountHere(client);
globalThis.isReady = true;
`;

// A client that a test plays: it notes what is asked of it, and tells what the test has it tell.
const PLAYED = `${MOUNT}
import { Refused } from "/vyoma.js";
class Played {
  handlers = new Map();
  limits = { max_message: 65536, features: ["typing", "read", "block", "report"] };
  conversation = null;
  state = "idle";
  online = true;
  n = 0;
  refuses = {};
  on(type, handler) {
    this.handlers.set(type, [...(this.handlers.get(type) ?? []), handler]);
    return () => this.handlers.delete(type);
  }
  async tell(type, event = {}) {
    for (const handler of this.handlers.get(type) ?? []) await handler({ type, ...event });
  }
  begin(partner = { name: "Ben" }, more = {}) {
    const conversation = "c".repeat(32);
    this.state = "talking";
    this.conversation = { conversation, side: "a", partner, reliable: true };
    return this.tell("matched", { ...this.conversation, why: ["next_in_line"], common: null, ...more });
  }
  ask(call, value) {
    told.calls.push(value === undefined ? call : [call, value]);
    if (this.refuses[call]) throw new Refused(this.refuses[call]);
  }
  async send(value) {
    this.ask("send", value);
    await this.room;
    this.ask("taken");
    this.n += 1;
    return { n: this.n };
  }
  read(n) { this.ask("read", n); }
  typing(on) { this.ask("typing", on); }
  next() { this.ask("next"); }
  leave() { this.ask("leave"); }
  block() { this.ask("block"); }
  report(reason) { this.ask("report", reason); }
}
globalThis.client = new Played();
globalThis.Refused = Refused;
const kept = asked.get("conversation");
if (kept) {
  client.state = "talking";
  client.conversation = { conversation: kept, side: "a", partner: { name: "Ben" }, reliable: true };
}
await mountHere(client);
globalThis.isReady = true;
`;

/** A browser and the site; `serve` starts the server. */
export async function startStage() {
  const stage = { browser: await launch() };
  stage.browser.open = async (address) => {
    const tab = await stage.browser.tab();
    // Narrow enough for the view to be one column.
    await tab.page.setViewport({ width: 800, height: 600 });
    await tab.page.goto(address);
    const assertClean = (tolerated) => {
      if (tolerated) tab.tolerates(tolerated);
      tab.assertClean(new URL(address).host);
    };
    return { page: tab.page, context: tab.context, assertClean, goes: () => tab.close() };
  };
  stage.serve = async (more = []) => (stage.server = await startServer(0, more));
  const pages = { "/": page("real.js"), "/real.js": REAL, "/played": page("played.js"), "/played.js": PLAYED, "/look.css": LOOK, "/blank": BLANK };
  stage.site = await startSite(pages, () => stage.server.port);
  const open = async (path, query) => {
    const address = new URL(path, stage.site.address);
    for (const [key, value] of Object.entries(query)) {
      address.searchParams.set(key, typeof value === "string" ? value : JSON.stringify(value));
    }
    const person = await stage.browser.open(address.href);
    await person.page.waitForFunction(() => globalThis.isReady);
    return person;
  };
  stage.open = (options = {}) => open("/", { options });
  stage.play = (options = {}, query = {}) => open("/played", { options, ...query });
  stage.pair = async (...profiles) => {
    const people = [];
    for (const profile of profiles) {
      const person = await stage.open({ partingMs: 60_000, ...profile.options });
      people.push(person);
      await person.page.evaluate((own) => {
        const waits = new Promise((resolve) => {
          client.on("waiting", resolve);
          client.on("matched", resolve);
        });
        client.join(own);
        return waits;
      }, profile.profile ?? profile);
    }
    for (const { page } of people) await page.waitForSelector('.vy[data-state="talking"]');
    return people;
  };
  stage.close = async () => {
    await stage.browser.close();
    await stage.site.close();
  };
  return stage;
}

/** Writes into the draft, and sends it. */
export async function say(page, text) {
  await page.focus(".vy-draft");
  await page.keyboard.type(text);
  await page.keyboard.press("Enter");
}

/** Waits for so many messages of a side; returns their texts. */
export async function texts(page, side, count) {
  const wanted = `.vy-message[data-side="${side}"]`;
  await page.waitForFunction((found, least) => document.querySelectorAll(found).length >= least, {}, wanted, count);
  return page.$$eval(`${wanted} .vy-text`, (all) => all.map((text) => text.textContent));
}

/** Waits until an element's text is as wanted. */
export function shows(page, selector, pattern) {
  return page.waitForFunction(
    (wanted, source) => new RegExp(source, "u").test(document.querySelector(wanted)?.textContent ?? ""),
    {},
    selector,
    pattern.source,
  );
}

/** Ends with pages that complained of nothing, and asked nobody else for anything. */
export async function end(...people) {
  for (const person of people) {
    person.assertClean();
    await person.goes();
  }
}
