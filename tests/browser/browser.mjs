// Launches Debian's Chromium and Firefox, and watches what each page in them does.
//
// Knows puppeteer, and what the two browsers want to be told. Must not know the page under test.

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import puppeteer from "puppeteer-core";

/** A name of this machine's loopback address that browsers don't trust as they trust `localhost`. */
export const LAN = "lan.test";

// A hang guard: how long a browser may take to start, or to do what it is told.
const LAUNCH_MS = 60_000;

const KINDS = {
  chromium: {
    variable: "CHROMIUM",
    places: ["/usr/bin/chromium", "/usr/bin/chromium-browser"],
    package: "chromium",
    options: ({ language, dark, flags }) => ({
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        `--host-resolver-rules=MAP ${LAN} 127.0.0.1`,
        `--lang=${language}`,
        `--accept-lang=${language}`,
        ...(dark ? ["--force-dark-mode"] : []),
        ...flags,
      ],
    }),
  },
  firefox: {
    variable: "FIREFOX",
    places: ["/usr/bin/firefox-esr", "/usr/bin/firefox"],
    package: "firefox-esr",
    options: ({ language, dark }) => ({
      extraPrefsFirefox: {
        "network.dns.localDomains": LAN,
        "intl.accept_languages": language,
        "ui.systemUsesDarkTheme": dark ? 1 : 0,
        // A person's window is in front for that person, though it is one of several here.
        "focusmanager.testmode": true,
        "widget.windows.window_occlusion_tracking.enabled": false,
      },
    }),
  },
};

function executable({ variable, places, package: name }) {
  const found = [process.env[variable], ...places].find((place) => place && existsSync(place));
  if (found) return found;
  throw new Error(
    `no browser for these tests here: run \`apt-get install ${name}\`, or name one by the variable ${variable}`,
  );
}

/**
 * A headless browser, `chromium` or `firefox`, with a profile of its own. `language` is the person's;
 * `dark` whether the system's colours are; `flags` are more of Chromium's. `close` ends it and removes the profile.
 */
export async function launch(kind = "chromium", { language = "en-US", dark = false, flags = [] } = {}) {
  const profile = mkdtempSync(join(tmpdir(), "vyoma-browser-"));
  const browser = await puppeteer.launch({
    browser: kind === "firefox" ? "firefox" : "chrome",
    executablePath: executable(KINDS[kind]),
    headless: true,
    timeout: LAUNCH_MS,
    protocolTimeout: LAUNCH_MS,
    defaultViewport: { width: 1100, height: 800 },
    userDataDir: profile,
    ...KINDS[kind].options({ language, dark, flags }),
  });
  return {
    kind,
    browser,
    tab: () => Tab.open(browser, kind),
    async close() {
      await browser.close();
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** A tab in a browser context of its own, and whatever tabs it opens: all of it is watched. */
export class Tab {
  complaints = [];
  requests = [];
  tolerated = [];

  static async open(browser, kind) {
    const tab = new Tab();
    tab.kind = kind;
    tab.context = await browser.createBrowserContext();
    tab.context.on("targetcreated", async (target) => {
      const page = await target.page().catch(() => null);
      if (page) await tab.#watch(page);
    });
    tab.page = await tab.another();
    return tab;
  }

  /** One more tab of the same person. */
  async another() {
    // In a window of its own: a tab in the background counts as hidden.
    const page = await this.context.newPage({ type: "window" });
    await this.#watch(page);
    return page;
  }

  #watched = new WeakSet();

  async #watch(page) {
    if (this.#watched.has(page)) return;
    this.#watched.add(page);
    page.setDefaultTimeout(LAUNCH_MS);
    page.on("console", (message) => {
      if (!["error", "warn"].includes(message.type())) return;
      // Which resource could not be loaded is only said there.
      this.complaints.push(`${message.text()} (${message.location()?.url ?? ""})`);
    });
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    page.on("dialog", (dialog) => this.complaints.push(`a dialog: ${dialog.message()}`));
    page.on("request", (request) => this.requests.push(request.url()));
    if (this.kind === "chromium") await this.#watchSockets(page);
  }

  // Puppeteer tells of requests, but not of those for a WebSocket.
  async #watchSockets(page) {
    const session = await page.createCDPSession().catch(() => null);
    session?.on("Network.webSocketCreated", ({ url }) => this.requests.push(url));
    await session?.send("Network.enable").catch(() => {});
  }

  /** From here on, lines of the console like these are expected. */
  tolerates(pattern) {
    this.tolerated.push(pattern);
  }

  /** Nobody but the server at `host` was asked for anything, and nothing was complained of. */
  assertClean(host) {
    const foreign = this.requests.filter((url) => !ownRequest(url, host));
    assert.deepEqual(foreign, [], "requests to elsewhere");
    const complaints = this.complaints.filter(
      (text) => !this.tolerated.some((pattern) => pattern.test(text)),
    );
    assert.deepEqual(complaints, [], "errors and warnings on the console");
  }

  /** Closes all of it, as a person does. */
  async close() {
    await this.context.close();
  }
}

/** `about:` is a new tab before it goes anywhere. */
function ownRequest(address, host) {
  const url = new URL(address);
  return ["data:", "blob:", "about:"].includes(url.protocol) || url.host === host;
}
