// The page in Hindi, and in a third language that is one more file, written from right to left.

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import english from "../../web/words/en.js";
import hindi from "../../web/words/hi.js";
import { EACH, Stage } from "./stage.mjs";
import { walk } from "./walk.mjs";

const stage = new Stage({ browser: { language: "hi" } });
// What the people in `walk` are called and say, and what has no other script: all else is in Devanagari.
const NO_WORDS = /VyomaChat|English|Ada|Ben Okafor|https?:\S+|[a-z]{4}(-[a-z]{4}){3}|\bQR\b|\bTXT\b|\bJSON\b|Enter|Shift|\d [ap]m\b/g;

const SAYS = ["नमस्ते!", "नमस्ते, आप कैसे हैं?"];
const ADA = { name: "Ada", headline: "इंजनों पर लिखती हूँ", topics: ["बुनाई"], offers: ["डिज़ाइन"] };
const BEN = { name: "Ben Okafor", headline: "करघे ठीक करते हैं", topics: ["बुनाई"], languages: ["hi"] };

stage.test("a browser that speaks Hindi gets all of the page in Devanagari", EACH, async (kind) => {
  await stage.serves();
  const found = [];
  const look = async (view, { page }) => {
    const { texts, language, direction } = await page.evaluate(everyText);
    assert.deepEqual([language, direction], ["hi", "ltr"], view);
    const left = texts.filter((text) => /[A-Za-z]{2,}/.test(text.replaceAll(NO_WORDS, "")));
    found.push(...left.map((text) => `${view}: ${text}`));
  };
  await walk(stage, kind, look, { says: SAYS, own: ADA, profile: BEN });
  assert.deepEqual([...new Set(found)], []);
});

stage.test("a language that was chosen stays", EACH, async (kind) => {
  await stage.serves();
  const ada = await stage.person(kind);
  await ada.sees("arrival");
  await ada.page.select("#language", "en");
  await ada.until(() => document.documentElement.lang === "en");
  await ada.sees("arrival");
  await ada.readsLike("#start", new RegExp(`^${english.words["arrival.start"]}$`));
  await ada.reloads();
  await ada.sees("arrival");
  assert.equal(await ada.page.evaluate(() => document.documentElement.lang), "en");
  await ada.page.select("#language", "hi");
  await ada.readsLike("#start", new RegExp(`^${hindi.words["arrival.start"]}$`));
});

stage.test("a third language is one more file, and may go from right to left", EACH, async (kind) => {
  const web = join(stage.directory, "web");
  mkdirSync(join(web, "words"), { recursive: true });
  writeFileSync(join(web, "words/ar.js"), `export default ${JSON.stringify(mirrored(english))};\n`);
  await stage.serves("--web-dir", web);
  const ada = await stage.person(kind);
  await ada.sees("arrival");
  await ada.page.select("#language", "ar");
  await ada.until(() => document.documentElement.dir === "rtl");
  await ada.readsLike("#start", /^ا/);
  const found = [];
  const look = async (view, { page }) => {
    const { direction, over, texts } = await page.evaluate(everyText);
    assert.equal(direction, "rtl");
    if (over > 0) found.push(`${view}: ${over} pixels too wide`);
    const ours = Object.values(english.words).filter((text) => typeof text === "string" && text.length > 3);
    found.push(...texts.filter((text) => ours.includes(text)).map((text) => `${view}: ${text}`));
  };
  await ada.page.setViewport({ width: 320, height: 600 });
  await walk(stage, kind, look, { as: ada, says: ["مرحبا", "أهلا"] });
  assert.deepEqual(found, []);
});

/** The table of another language, each sentence with a letter of its script before it. */
function mirrored({ words }) {
  const marked = (sentence) =>
    typeof sentence === "string"
      ? `ا ${sentence}`
      : Object.fromEntries(Object.entries(sentence).map(([form, text]) => [form, `ا ${text}`]));
  const entries = Object.entries(words).map(([key, sentence]) => [key, marked(sentence)]);
  return { name: "العربية", direction: "rtl", words: Object.fromEntries(entries) };
}

/** In the page: every text that is shown, or that a screen reader says. */
function everyText() {
  const texts = [];
  for (const element of document.body.querySelectorAll("*")) {
    if (!element.checkVisibility() || element.matches("script, noscript, option")) continue;
    for (const name of ["aria-label", "title", "placeholder", "alt"]) {
      if (element.hasAttribute(name)) texts.push(element.getAttribute(name));
    }
    for (const node of element.childNodes) {
      if (node.nodeType === Node.TEXT_NODE) texts.push(node.data.trim());
    }
  }
  const { lang: language, dir: direction, scrollWidth, clientWidth } = document.documentElement;
  return { texts: texts.filter((text) => text !== ""), language, direction, over: scrollWidth - clientWidth };
}
