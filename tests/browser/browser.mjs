// Opens pages of the server under test in Debian's Chromium, and watches what they do.
//
// Knows puppeteer and the page's elements. Must not know what a test wants from them.

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import puppeteer from "puppeteer-core";
import { PATIENCE_MS } from "../server.mjs";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

function executable() {
  const places = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser"];
  const found = places.find((place) => place && existsSync(place));
  if (found) return found;
  throw new Error(
    "no Chromium here: run `apt-get install chromium`, or name one by the variable CHROMIUM",
  );
}

/** A headless browser with a profile of its own; `close` ends it and removes the profile. */
export async function launch() {
  const profile = mkdtempSync(join(tmpdir(), "vyoma-browser-"));
  const browser = await puppeteer.launch({
    executablePath: executable(),
    headless: true,
    args: FLAGS,
    timeout: PATIENCE_MS,
    userDataDir: profile,
  });
  return {
    open: (url) => Person.open(browser, url),
    close: async () => {
      await browser.close();
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** One page in a browser context of its own: a person at the other end of the server. */
class Person {
  complaints = [];
  requests = [];

  static async open(browser, url) {
    const person = new Person();
    person.origin = new URL(url).origin;
    person.context = await browser.createBrowserContext();
    person.page = await person.context.newPage();
    person.page.setDefaultTimeout(PATIENCE_MS);
    person.page.on("console", (message) => {
      if (["error", "warn"].includes(message.type())) person.complaints.push(message.text());
    });
    person.page.on("pageerror", (error) => person.complaints.push(String(error)));
    person.page.on("request", (request) => person.requests.push(request.url()));
    await person.page.goto(url);
    return person;
  }

  /** Waits until the page shows `state`. */
  async sees(state) {
    await this.page.waitForSelector(`body[data-state="${state}"]`);
  }

  async writes(text) {
    await this.page.type("#draft", text);
  }

  async says(text) {
    await this.writes(text);
    await this.page.keyboard.press("Enter");
  }

  /** Waits until `count` messages of `kind` (mine, theirs) are there; returns their texts. */
  async messages(kind, count) {
    const wanted = `#log .${kind}`;
    await this.page.waitForFunction(
      (selector, least) => document.querySelectorAll(selector).length >= least,
      {},
      wanted,
      count,
    );
    return this.page.$$eval(wanted, (entries) =>
      entries.map((entry) => entry.lastChild.data ?? ""));
  }

  /** The page asked nobody but its own server for anything, and complained of nothing. */
  assertClean(tolerated = /$^/) {
    const foreign = this.requests.filter(
      (url) => !url.startsWith(`${this.origin}/`) && !url.startsWith("data:"),
    );
    assert.deepEqual(foreign, [], "requests to elsewhere");
    const complaints = this.complaints.filter((text) => !tolerated.test(text));
    assert.deepEqual(complaints, [], "console errors");
  }

  /** Closes the tab, as a person does. */
  async goes() {
    await this.context.close();
  }
}
