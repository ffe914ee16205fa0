// Every view by axe-core's rules, in both themes, on a desktop and on a phone; and with more contrast.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Stage } from "./stage.mjs";
import { walk } from "./walk.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SCREENS = {
  desktop: { width: 1280, height: 800 },
  phone: { width: 390, height: 844, isMobile: true, hasTouch: true },
  "small phone": { width: 320, height: 568, isMobile: true, hasTouch: true },
};
const LIGHT = [["prefers-color-scheme", "light"]];
const DARK = [["prefers-color-scheme", "dark"]];
// WCAG's enhanced contrast of 7 to 1 is promised only to whoever asks for more.
const MORE = [["prefers-contrast", "more"]];
const stage = new Stage();
const sessions = new WeakMap();

for (const screen of ["desktop", "phone"]) {
  stage.test(`no view violates axe-core's rules, light or dark, on a ${screen}`, [["chromium"]], async (kind) => {
    await stage.serves();
    const found = [];
    const look = async (view, { page }) => {
      for (const features of [LIGHT, DARK]) {
        await pretend(page, features);
        found.push(...(await violations(page)).map((one) => `${view}, ${features[0][1]}: ${one}`));
      }
    };
    await walk(stage, kind, look, { viewport: SCREENS[screen] });
    assert.deepEqual(found, []);
  });
}

stage.test("whoever asks for more contrast gets 7 to 1, light and dark", [["chromium"]], async (kind) => {
  await stage.serves();
  const found = [];
  const look = async (view, { page }) => {
    for (const features of [LIGHT, DARK]) {
      await pretend(page, [...features, ...MORE]);
      const enhanced = { runOnly: ["color-contrast-enhanced"], rules: { "color-contrast-enhanced": { enabled: true } } };
      found.push(...(await violations(page, enhanced)).map((one) => `${view}, ${features[0][1]}: ${one}`));
    }
  };
  await walk(stage, kind, look, { viewport: SCREENS.desktop });
  assert.deepEqual(found, []);
});

stage.test("no view violates axe-core's rules in Firefox", [["firefox"]], async (kind) => {
  await stage.serves();
  const found = [];
  const look = async (view, { page }) =>
    found.push(...(await violations(page)).map((one) => `${view}: ${one}`));
  await walk(stage, kind, look);
  assert.deepEqual(found, []);
});

stage.test("every view fits a phone of 320 pixels", [["chromium"], ["firefox"]], async (kind) => {
  await stage.serves();
  const found = [];
  // Firefox has no phones to pretend; its window is as narrow.
  const viewport = kind === "firefox" ? { width: 320, height: 568 } : SCREENS["small phone"];
  const look = async (view, { page }) => {
    const over = await page.evaluate(wider);
    if (over.length > 0) found.push(`${view}: ${over}`);
  };
  await walk(stage, kind, look, { viewport });
  assert.deepEqual(found, []);
});

stage.test("with forced colours every control is still there to see", [["chromium"]], async (kind) => {
  await stage.serves();
  const found = [];
  const look = async (view, { page }) => {
    await pretend(page, [["forced-colors", "active"]]);
    const flat = await page.evaluate(flatControls);
    if (flat.length > 0) found.push(`${view}: ${flat}`);
  };
  await walk(stage, kind, look, { viewport: SCREENS.desktop });
  assert.deepEqual(found, []);
});

/** Sets media features, as long as the session is there; puppeteer's own call knows only some of them. */
async function pretend(page, features) {
  if (!sessions.has(page)) sessions.set(page, await page.createCDPSession());
  await sessions.get(page).send("Emulation.setEmulatedMedia", {
    features: features.map(([name, value]) => ({ name, value })),
  });
  const query = features.map(([name, value]) => `(${name}: ${value})`).join(" and ");
  assert.ok(await page.evaluate((wanted) => matchMedia(wanted).matches, query), query);
}

/** What axe-core finds, a line each. */
async function violations(page, options = {}) {
  // By the debugger, since the page's own policy lets nothing in.
  await page.evaluate(`globalThis.axe ?? (() => { ${AXE} })()`);
  const results = await page.evaluate((chosen) => axe.run(document, { resultTypes: ["violations"], ...chosen }), options);
  return results.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id} at ${target}: ${failureSummary.replaceAll(/\s+/g, " ")}`));
}

/** In the page: what reaches beyond its window's edge, unless it scrolls by itself. */
function wider() {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  return [...document.body.querySelectorAll("*")]
    .filter((element) => element.getBoundingClientRect().right > width + 1)
    .map((element) => `${element.tagName}.${element.className}`)
    .slice(0, 5);
}

/** In the page: buttons and fields without a line around them, which is all that forced colours leave. */
function flatControls() {
  return [...document.querySelectorAll("button, input:not([type=checkbox]), textarea, select")]
    .filter((element) => element.checkVisibility())
    .filter((element) => {
      const { borderTopStyle, borderTopWidth, textDecorationLine } = getComputedStyle(element);
      const lined = borderTopStyle !== "none" && Number.parseFloat(borderTopWidth) > 0;
      return !lined && textDecorationLine === "none";
    })
    .map((element) => `${element.tagName}.${element.className}#${element.id}`);
}
