// Pictures of the page for the documentation: every view, on a desktop and on a phone, light and dark.
// Started by `cargo xtask screenshots` with the directory they go to.
//
// Knows the people in the pictures. Must not know what the page looks like.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startServer } from "../server.mjs";
import { launch } from "./browser.mjs";
import { partner } from "./partner.mjs";
import { Person } from "./person.mjs";

const HOST = "chat.example.org";
const SCREENS = {
  desktop: { width: 1280, height: 800 },
  phone: { width: 390, height: 844, deviceScaleFactor: 1.5, isMobile: true, hasTouch: true },
};
const THEMES = ["light", "dark"];
// A picture that is larger than this says too much for a page of documentation.
const MAX_BYTES = 150_000;
// When all of this happens, so that the times in the pictures stay.
const CLOCK = Date.parse("2026-03-14T10:24:00+05:30");

const ENGLISH = {
  language: "en",
  own: { name: "Meera", headline: "Soil sensors for small farms" },
  chips: { "#offers": ["Hardware", "Field trials"], "#seeks": ["Fundraising"], "#topics": ["Farming", "Sensors"] },
  other: {
    name: "Tomás Rivera",
    headline: "Built two companies, now helps others begin",
    offers: ["Fundraising"],
    seeks: ["Hardware"],
    topics: ["Farming", "Coffee"],
    languages: ["en", "es"],
  },
  talk: [
    ["theirs", "Hi Meera! Soil sensors, how far along are you?"],
    ["mine", "Hi Tomás. Forty of them are in the ground, and two co-operatives would pay for more."],
    ["theirs", "That's further than most who ask me about money 🙂"],
    ["theirs", "What does one cost you, and what do they pay?"],
    ["mine", "₹900 to build, ₹1,400 to buy. The notes are here: https://example.org/soil"],
    ["theirs", "Good. Then let's talk about whom to ask, and in which order."],
  ],
};
const HINDI = {
  language: "hi",
  own: { name: "मीरा", headline: "छोटे खेतों के लिए मिट्टी के सेंसर" },
  chips: { "#offers": ["हार्डवेयर"], "#seeks": ["निवेश"], "#topics": ["खेती"] },
  other: { name: "अर्जुन राव", headline: "नए उद्यमियों की मदद करते हैं", offers: ["निवेश"], topics: ["खेती"], languages: ["hi"] },
  talk: [
    ["theirs", "नमस्ते मीरा जी! आपका काम कहाँ तक पहुँचा?"],
    ["mine", "नमस्ते! चालीस सेंसर खेतों में लग चुके हैं 🌱"],
    ["theirs", "बहुत बढ़िया। तो बात करते हैं कि पहले किससे मिलना चाहिए।"],
  ],
};

const [into] = process.argv.slice(2);
mkdirSync(into, { recursive: true });
const directory = mkdtempSync(join(tmpdir(), "vyoma-screens-"));
const server = await startServer(0, ["--data-dir", directory, "--pool", "founders=scored", "--cooldown", "1ms"]);
try {
  for (const [screen, viewport] of Object.entries(SCREENS)) {
    for (const theme of THEMES) await picture(ENGLISH, { screen, viewport, theme });
  }
  await picture(HINDI, { screen: "phone", viewport: SCREENS.phone, theme: "light", only: "conversation", suffix: "-hindi" });
} finally {
  await server.kill();
  rmSync(directory, { recursive: true, force: true });
}

/** All views, or `only` one, with these people on this screen. */
async function picture(people, { screen, viewport, theme, only, suffix = "" }) {
  const browser = await launch("chromium", {
    language: people.language,
    flags: [
      `--host-resolver-rules=MAP ${HOST} 127.0.0.1:${server.port}`,
      `--unsafely-treat-insecure-origin-as-secure=http://${HOST}`,
      "--hide-scrollbars",
    ],
  });
  try {
    const media = [
      { name: "prefers-color-scheme", value: theme },
      { name: "prefers-reduced-motion", value: "reduce" },
    ];
    const person = await Person.open(browser, HOST, { viewport, media });
    await stopsTheClock(person.page);
    await visits(person, people, async (view, page = person.page) => {
      if (only && view !== only) return;
      const name = `${view}-${screen}-${theme}${suffix}.png`;
      const image = await page.screenshot({ type: "png", optimizeForSpeed: false });
      assert.ok(image.length < MAX_BYTES, `${name} has ${image.length} bytes`);
      writeFileSync(join(into, name), image);
      console.log(`${name}  ${Math.round(image.length / 1024)} KiB`);
    });
    person.assertClean();
  } finally {
    await browser.close();
  }
}

async function visits(person, { own, chips, other, talk }, take) {
  await person.goes("/?pool=founders");
  await person.sees("arrival");
  await person.replaces("#name", own.name);
  await take("start");
  for (const [field, values] of Object.entries(chips)) await person.chooses(field, ...values);
  await person.replaces("#headline", own.headline);
  await person.page.evaluate(() => {
    document.activeElement.blur();
    scrollTo(0, 0);
  });
  await take("arrival");
  await person.presses("#start");
  await person.readsLike("#ahead", /\S/);
  await person.presses("#make-invitation");
  await person.until(() => document.querySelector("#invite-qr").naturalWidth > 0);
  await take("waiting");
  await person.presses("#cancel");
  await person.presses("#start");
  await person.sees("waiting");
  const partnerThere = await partner(`127.0.0.1:${server.port}`, other, { pool: "founders" });
  await converses(person, partnerThere, talk);
  await take("conversation");
  const second = await person.opensTab("/?pool=founders");
  await second.sees("elsewhere");
  await take("elsewhere", second.page);
  await second.page.close();
  partnerThere.leaves();
  await person.isIn("state", "ended");
  await take("ended");
  await partnerThere.close();
  await demonstrates(person);
  await take("demo");
}

async function converses(person, other, talk) {
  await person.sees("conversation");
  for (const [side, text] of talk) {
    if (side === "mine") await person.says(text);
    else {
      await other.says(text);
      await person.hears(text);
    }
  }
  const { n } = await other.hears("message", ({ value }) => value === talk.findLast(([side]) => side === "mine")[1]);
  other.client.read(n);
  await person.marked(n, "read");
  other.client.typing(true);
  await person.finds(".vy-typing[data-on]");
}

async function demonstrates(person) {
  await person.goes("/demo");
  const [left, right] = ["#demo-a ", "#demo-b "].map((within) => Object.assign(person.at(person.page), { within }));
  await left.says("Hello! Can you see this?");
  await right.hears("Hello! Can you see this?");
  await right.says("I can, and you see that I have read it.");
  await left.hears("I can, and you see that I have read it.");
  await left.marked(1, "read");
}

/** The page's time begins at `CLOCK`, in India. */
async function stopsTheClock(page) {
  await page.emulateTimezone("Asia/Kolkata");
  await page.evaluateOnNewDocument((start) => {
    const offset = start - Date.now();
    const Real = Date;
    globalThis.Date = class extends Real {
      constructor(...parts) {
        super(...(parts.length === 0 ? [Real.now() + offset] : parts));
      }
      static now() {
        return Real.now() + offset;
      }
    };
  }, CLOCK);
}
