// What every test of the page has: a server of its own, browsers, and people in them. After each test
// everybody is asked whether the page complained or asked elsewhere, so that no test forgets to.
//
// Knows when things start and end. Must not know what a test is about.

import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, beforeEach, test } from "node:test";
import { PATIENCE_MS, startServer } from "../server.mjs";
import { launch } from "./browser.mjs";
import { LOOK_EVERY_MS, Person } from "./person.mjs";
import { startProxy } from "./proxy.mjs";

export const CHROMIUM = ["chromium", "chromium"];
export const FIREFOX = ["firefox", "firefox"];
export const MIXED = ["chromium", "firefox"];
/** Each browser, for what one person does. */
export const EACH = [["chromium"], ["firefox"]];
/** Every pair of browsers. */
export const ALL = [CHROMIUM, FIREFOX, MIXED];

/** What a page in Chromium and Firefox can't but complain of while there is no server. */
export const NO_SERVER =
  /^WebSocket connection to 'ws:|net::ERR_(CONNECTION_REFUSED|CONNECTION_RESET|EMPTY_RESPONSE|INTERNET_DISCONNECTED)|can’t establish a connection to the server at ws:|connection to ws:\S+ was interrupted/;

export class Stage {
  #browsers = new Map();
  #options;
  #roads = [];
  people = [];

  /** Registers the hooks of this test file. `browser` are options of `launch`. */
  constructor({ browser = {} } = {}) {
    this.#options = browser;
    beforeEach(() => {
      this.directory = mkdtempSync(join(tmpdir(), "vyoma-data-"));
    });
    afterEach(() => this.#strike());
    after(() => Promise.all([...this.#browsers.values()].map(async (one) => (await one).close())));
  }

  /** A test for each pair of browsers; `play` is given the pair. */
  test(name, pairs, play) {
    for (const pair of pairs) {
      const [first, second] = pair;
      const where = second ? `${first} with ${second}` : first;
      test(`${name} (${where})`, async () => {
        try {
          await play(...pair);
        } catch (error) {
          for (const person of this.people) console.error(await person.tellsWhatIsSeen());
          throw error;
        }
      });
    }
  }

  /** Starts the server, or starts it again on the same port and with what it kept. */
  async serves(...flags) {
    const port = this.server?.port ?? 0;
    this.server = await startServer(port, ["--data-dir", this.directory, ...flags]);
    return this.server;
  }

  /** Waits until a file in the server's directory has at least so many lines, and returns them. */
  async keeps(name, count) {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const lines = linesOf(join(this.directory, name));
      if (lines.length >= count) return lines;
      if (Date.now() > deadline) throw new Error(`gave up waiting for ${count} lines of ${name}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }

  /** A stretch of network before the server, that can be cut or have go silent. */
  async road() {
    const road = await startProxy(this.server.port);
    this.#roads.push(road);
    return road;
  }

  /** `host:port` of the server, or of what stands in its place. */
  host(name = "127.0.0.1", port = this.server.port) {
    return `${name}:${port}`;
  }

  /** Somebody with a browser of this kind, at `path` of the server. */
  async person(kind, path = "/", { host, ...look } = {}) {
    const browser = await this.browser(kind);
    const person = await Person.open(browser, host ?? this.host(), look);
    this.people.push(person);
    await person.goes(path);
    return person;
  }

  /**
   * Two people who have found each other, Ada in a browser of the first kind and Ben of the second; Ada by
   * way of `host`, if one is given.
   */
  async pair(first, second, { flags = [], host } = {}) {
    if (!this.server) await this.serves(...flags);
    const ada = await this.person(first, "/", { host });
    await ada.arrives("Ada");
    await ada.sees("waiting");
    const ben = await this.person(second);
    await ben.arrives("Ben");
    await Promise.all([ada, ben].map((person) => person.isIn("state", "talking")));
    return [ada, ben];
  }

  browser(kind) {
    if (!this.#browsers.has(kind)) this.#browsers.set(kind, launch(kind, this.#options));
    return this.#browsers.get(kind);
  }

  async #strike() {
    const people = this.people.splice(0);
    const server = this.server;
    this.server = null;
    try {
      for (const person of people) person.assertClean();
    } finally {
      await Promise.all(people.map((person) => person.closes()));
      for (const road of this.#roads.splice(0)) road.close();
      await server?.kill();
      rmSync(this.directory, { recursive: true, force: true });
    }
  }
}

/** None if there is no such file yet. */
function linesOf(path) {
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8").split("\n").filter((line) => line !== "");
}
