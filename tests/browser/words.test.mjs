// Every language says all that there is to say, and nothing else.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

const web = new URL("../../web/", import.meta.url);
const files = readdirSync(new URL("words/", web));
const tables = await Promise.all(files.map(async (file) => {
  const { default: table } = await import(new URL(`words/${file}`, web));
  return [file, table];
}));
const english = tables.find(([file]) => file === "en.js")[1];

const forms = (sentence) => (typeof sentence === "string" ? [sentence] : Object.values(sentence));
const places = (text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
const allPlaces = (sentence) => [...new Set(forms(sentence).flatMap(places))].sort();

for (const [file, table] of tables) {
  test(`${file} is complete`, () => {
    assert.ok(table.name.length > 0);
    assert.ok(["ltr", "rtl"].includes(table.direction));
    assert.deepEqual(Object.keys(table.words).sort(), Object.keys(english.words).sort());
    const { pluralCategories } = new Intl.PluralRules(file.replace(".js", "")).resolvedOptions();
    for (const [key, sentence] of Object.entries(table.words)) {
      assert.deepEqual(allPlaces(sentence), allPlaces(english.words[key]), `the values in ${key}`);
      assert.equal(typeof sentence, typeof english.words[key], `whether ${key} has forms`);
      if (typeof sentence === "string") continue;
      for (const category of pluralCategories) assert.ok(sentence[category], `${key} for ${category}`);
    }
    for (const text of Object.values(table.words).flatMap(forms)) {
      assert.ok(text.trim() === text && text !== "", `"${text}" is trimmed`);
    }
  });
}

test("what the page says is in the table, and all of the table is said", () => {
  const sources = readdirSync(web, { recursive: true })
    .filter((path) => /^(app\.js|index\.html|conversation\.js|(page|conversation)\/.*\.js)$/.test(path))
    .map((path) => readFileSync(new URL(path, web), "utf8"))
    .join("\n");
  // A key that is put together may have anything in its place.
  const plain = sources.replace(/\$\{[^}]*\}/g, "*");
  const literals = [...plain.matchAll(/["'`]([a-z]+\.[a-z*][\w.*-]*)["'`]/g)].map(([, key]) => key);
  const said = literals.map((key) => new RegExp(`^${key.replaceAll(".", "\\.").replaceAll("*", "[\\w-]+")}$`));
  const keys = Object.keys(english.words);
  const unsaid = keys.filter((key) => !said.some((pattern) => pattern.test(key)));
  assert.deepEqual(unsaid, [], "sentences that nobody says");
  for (const [, key] of sources.matchAll(/(?:\bsay\(|data-say=)"([^"$]+)"/g)) {
    assert.ok(keys.includes(key), `"${key}" is said, and in no table`);
  }
});

test("English in the markup is what the table says", () => {
  const html = readFileSync(new URL("index.html", web), "utf8");
  let seen = 0;
  for (const [, key, text] of html.matchAll(/data-say="([^"]+)"[^>]*>([^<]*)</g)) {
    assert.equal(text, english.words[key], key);
    seen += 1;
  }
  assert.ok(seen > 20);
});
