// Everything by the keyboard alone: from the arrival to a message, next, undo, and the dialogs.

import assert from "node:assert/strict";
import { partner } from "./partner.mjs";
import { EACH, Stage } from "./stage.mjs";

const stage = new Stage();
// More stops than any view has.
const MAX_STOPS = 80;

stage.test("from the arrival to next and back without a mouse", EACH, async (kind) => {
  await stage.serves();
  const ada = await stage.person(kind);
  await ada.sees("arrival");
  await walksTo(ada, "#name");
  await ada.page.keyboard.type("Ada");
  await walksTo(ada, "#start");
  await ada.page.keyboard.press("Enter");
  await ada.sees("waiting");
  const ben = await partner(stage.host());
  await ada.sees("conversation");
  await ada.finds(".vy-draft");
  await walksTo(ada, ".vy-draft");
  await ada.page.keyboard.type("By keyboard");
  await ada.page.keyboard.press("Enter");
  await ben.hears("message", ({ value }) => value === "By keyboard");

  await walksTo(ada, ".vy-next");
  await ada.page.keyboard.press("Enter");
  await ada.finds(".vy-undo");
  await walksTo(ada, ".vy-undo");
  await ada.page.keyboard.press("Enter");
  await ada.finds(".vy-list");
  await ada.until(() => document.activeElement.matches(".vy-draft"));
  await walksTo(ada, ".vy-next");
  await ada.page.keyboard.press(" ");
  await ben.hears("ended");
  await ada.sees("waiting");
  await ben.close();
});

stage.test("menu and dialog open, close and give the focus back", EACH, async (kind) => {
  await stage.serves();
  const ada = await stage.person(kind);
  await ada.arrives("Ada");
  await ada.sees("waiting");
  const ben = await partner(stage.host());
  await ada.sees("conversation");
  await ada.finds(".vy-draft");
  await walksTo(ada, ".vy-menu");
  await ada.page.keyboard.press("Enter");
  await ada.finds(".vy-actions");
  await ada.page.keyboard.press("Escape");
  await ada.misses(".vy-actions");
  await ada.until(() => document.activeElement?.matches(".vy-menu"));
  await ada.page.keyboard.press("Enter");
  await ada.finds(".vy-report");
  await walksTo(ada, ".vy-report");
  await ada.page.keyboard.press("Enter");
  await ada.finds(".vy-report-form");
  await walksTo(ada, ".vy-reason");
  await ada.page.keyboard.type("spam");
  await walksTo(ada, ".vy-report-send");
  await ada.page.keyboard.press("Enter");
  const [line] = await stage.keeps("reports.jsonl", 1);
  assert.equal(JSON.parse(line).reason, "spam");
  await ada.misses(".vy-report-form");
  await ben.close();
});

/** Goes by Tab, or back, until the focus is at `selector`; each stop on the way has to be seen. */
async function walksTo(person, selector) {
  const { keyboard } = person.page;
  const unseen = [];
  for (let stop = 0; stop <= MAX_STOPS; stop += 1) {
    const { there, back, seen, name } = await person.page.evaluate(focused, selector);
    if (!seen) unseen.push(name);
    if (there) return assert.deepEqual(unseen, [], "the focus was there, and nothing showed it");
    if (back) await keyboard.down("Shift");
    await keyboard.press("Tab");
    if (back) await keyboard.up("Shift");
  }
  throw new Error(`${MAX_STOPS} times Tab did not lead to ${selector}`);
}

/** In the page: whether the focus is where it should be, and whether it shows. */
function focused(selector) {
  const element = document.activeElement;
  const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
  const lined = outlineStyle !== "none" && Number.parseFloat(outlineWidth) > 0;
  const seen = element === document.body || !element.matches(":focus-visible") || lined || boxShadow !== "none";
  const before = element.compareDocumentPosition(document.querySelector(selector)) & Node.DOCUMENT_POSITION_PRECEDING;
  return { there: element.matches(selector), back: before !== 0, seen, name: `${element.tagName}.${element.className}` };
}
