// A person before the page: what they do, and what they wait to see.
//
// Knows the page's elements, by the names under which styles and tests know them. Must not know what a
// test wants from them.

import assert from "node:assert/strict";
import { PATIENCE_MS } from "../server.mjs";
import { Tab } from "./browser.mjs";

export const LOOK_EVERY_MS = 40;

export class Person {
  /** @param {{viewport?: object, media?: object[]}} look `media` as for `emulateMediaFeatures` (Chromium) */
  static async open(browser, host, look = {}) {
    const person = new Person();
    person.tab = await browser.tab();
    person.kind = browser.kind;
    person.page = person.tab.page;
    person.host = host;
    // What is read and pressed: all of the page, or one of several conversations on it.
    person.within = "";
    person.look = look;
    await person.#looksAt(person.page);
    return person;
  }

  /** The same person at another of their tabs. */
  at(page) {
    return Object.assign(new Person(), this, { page });
  }

  async opensTab(path = "/") {
    const other = this.at(await this.tab.another());
    await other.#looksAt(other.page);
    await other.goes(path);
    return other;
  }

  async #looksAt(page) {
    const { viewport, media } = this.look;
    if (viewport) await page.setViewport(viewport);
    if (media) await page.emulateMediaFeatures(media);
  }

  /** Duplicates this tab: a window that a page opens begins with a copy of its sessionStorage. */
  async duplicates() {
    const popup = new Promise((resolve) => this.page.once("popup", resolve));
    await this.page.evaluate(() => void window.open(location.href));
    return this.at(await popup);
  }

  async goes(path) {
    await this.page.goto(`http://${this.host}${path}`, { waitUntil: "load" });
  }

  async reloads() {
    await this.page.reload({ waitUntil: "load" });
  }

  /** Has requests that end like this wait until they are let go, by what this returns. */
  async holdsUp(ending) {
    const held = [];
    const look = (request) => {
      if (request.url().endsWith(ending)) held.push(request);
      else request.continue();
    };
    await this.page.setRequestInterception(true);
    this.page.on("request", look);
    return async () => {
      for (const request of held) await request.continue();
      this.page.off("request", look);
      await this.page.setRequestInterception(false);
    };
  }

  // --- Looking ------------------------------------------------------------------------------------

  /** Waits until `look` (in the page) is truthy, and returns what it says. */
  async until(look, ...values) {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      // A page that is just being replaced has no context to look in.
      const seen = await this.page.evaluate(look, ...values).catch((error) => {
        if (Date.now() > deadline) throw error;
        return undefined;
      });
      if (seen) return seen;
      if (Date.now() > deadline) throw new Error(`${this.kind} gave up waiting for ${look} of ${JSON.stringify(values)}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }

  sees(view) {
    return this.until((wanted) => document.body.dataset.view === wanted, view);
  }

  /** Waits until this is on the screen. */
  finds(selector) {
    return this.until((wanted) => {
      const element = document.querySelector(wanted);
      return Boolean(element?.checkVisibility({ visibilityProperty: true }) && element.getClientRects().length);
    }, this.within + selector);
  }

  /** Waits until this isn't on the screen, or not at all. */
  misses(selector) {
    return this.until(
      (wanted) => ![...document.querySelectorAll(wanted)].some((element) => element.checkVisibility({ visibilityProperty: true })),
      this.within + selector,
    );
  }

  /** What stands there, as it is shown. */
  async reads(selector) {
    await this.finds(selector);
    return this.page.$eval(this.within + selector, (element) => element.innerText.trim());
  }

  /** Waits until what stands there is like `pattern`. */
  readsLike(selector, pattern) {
    return this.until(
      (wanted, source, flags) => {
        const text = document.querySelector(wanted)?.textContent ?? "";
        return new RegExp(source, flags).test(text) && text;
      },
      this.within + selector,
      pattern.source,
      pattern.flags,
    );
  }

  /** Turns to another window, or puts the phone away, as far as the page can tell. */
  looksAway() {
    return this.#isVisible(false);
  }

  looksBack() {
    return this.#isVisible(true);
  }

  #isVisible(visible) {
    return this.page.evaluate((shown) => {
      const state = shown ? "visible" : "hidden";
      Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
      Object.defineProperty(document, "hidden", { value: !shown, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }, visible);
  }

  // --- Before the conversation --------------------------------------------------------------------

  /** Gives a name and looks for somebody. */
  async arrives(name) {
    await this.sees("arrival");
    await this.replaces("#name", name);
    await this.presses("#start");
  }

  async presses(selector) {
    await this.finds(selector);
    await this.page.click(this.within + selector);
  }

  async replaces(selector, text) {
    await this.finds(selector);
    await this.page.$eval(this.within + selector, (field) => field.select());
    await this.page.keyboard.press("Delete");
    await this.page.type(this.within + selector, text);
  }

  /** Writes into a field of chips, each ended by Enter. */
  async chooses(field, ...chips) {
    await this.page.$eval("#more", (details) => (details.open = true));
    for (const chip of chips) {
      await this.page.type(field, chip);
      await this.page.keyboard.press("Enter");
    }
  }

  // --- The conversation ---------------------------------------------------------------------------

  async writes(text) {
    await this.finds(".vy-draft");
    await this.page.type(`${this.within}.vy-draft`, text);
  }

  /** Writes and sends: by Enter, or on a phone, where Enter is a new line, by the button. */
  async says(text) {
    await this.writes(text);
    if (await this.page.evaluate(() => matchMedia("(pointer: coarse)").matches)) await this.presses(".vy-send");
    else await this.page.keyboard.press("Enter");
  }

  /** Waits until the partner's messages are these, or end with these. */
  hears(...texts) {
    return this.#reaches("theirs", texts);
  }

  /** Waits until the own messages are these, or end with these. */
  hasSaid(...texts) {
    return this.#reaches("mine", texts);
  }

  async #reaches(side, texts) {
    const shown = `${this.within}.vy-message[data-side="${side}"] .vy-text`;
    await this.until(
      (selector, wanted) => {
        const all = [...document.querySelectorAll(selector)].map((element) => element.textContent);
        return wanted.every((text, index) => all.at(index - wanted.length) === text);
      },
      shown,
      texts,
    );
  }

  /** How many WebSockets this person's tabs have asked for; only Chromium tells. */
  sockets() {
    return this.tab.requests.filter((url) => url.startsWith("ws")).length;
  }

  /** All messages of a side (`mine`, `theirs`), as they stand there now. */
  messages(side) {
    return this.page.$$eval(`${this.within}.vy-message[data-side="${side}"] .vy-text`, (all) =>
      all.map((element) => element.textContent));
  }

  /** Waits until the own message `n` bears this mark, or one that says more. */
  marked(n, mark) {
    const more = { sent: ["sent", "delivered", "read"], delivered: ["delivered", "read"] }[mark] ?? [mark];
    return this.until(
      (within, number, marks) => {
        const message = `${within}.vy-message[data-side="mine"][data-n="${number}"]`;
        return marks.includes(document.querySelector(message)?.dataset.mark);
      },
      this.within,
      n,
      more,
    );
  }

  mark(n) {
    const message = `${this.within}.vy-message[data-side="mine"][data-n="${n}"]`;
    return this.page.$eval(message, (element) => element.dataset.mark);
  }

  /** Waits until the conversation as a whole says this of itself: `state`, `line`, `partner`. */
  isIn(key, value) {
    return this.until(
      (within, name, wanted) =>
        document.querySelector(`${within}.vy, ${within.trim()}.vy`)?.dataset[name] === wanted,
      this.within,
      key,
      value,
    );
  }

  async acts(selector) {
    if (!(await this.page.$eval(`${this.within}${selector}`, (element) => element.checkVisibility()))) {
      await this.presses(".vy-menu");
    }
    await this.presses(selector);
  }

  draft() {
    return this.page.$eval(`${this.within}.vy-draft`, (field) => field.value);
  }

  // --- The end ------------------------------------------------------------------------------------

  tolerates(pattern) {
    this.tab.tolerates(pattern);
  }

  assertClean() {
    this.tab.assertClean(this.host);
  }

  async assertFits() {
    const over = await this.page.evaluate(() => {
      const { scrollWidth, clientWidth } = document.documentElement;
      return scrollWidth - clientWidth;
    });
    assert.equal(over, 0, "the page is wider than its window");
  }

  /** For whoever looks into a test that failed. */
  async tellsWhatIsSeen() {
    const shown = await this.page
      .evaluate(() => ({
        view: document.body.dataset.view,
        conversation: { ...document.querySelector(".vy")?.dataset },
        text: document.body.innerText.slice(0, 1500),
      }))
      .catch((error) => String(error));
    return `${this.kind} saw ${JSON.stringify(shown, null, 1)}, complained of ${JSON.stringify(this.tab.complaints)}`;
  }

  async closes() {
    await this.tab.close();
  }
}
