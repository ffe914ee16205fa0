// The example of examples/component: a page of one's own, in which the conversation is mounted.

import { fileURLToPath } from "node:url";
import { MIXED, Stage } from "./stage.mjs";

const EXAMPLE = fileURLToPath(new URL("../../examples/component", import.meta.url));
const stage = new Stage();

stage.test("two people talk in a page of one's own", [MIXED], async (...kinds) => {
  await stage.serves("--web-dir", EXAMPLE);
  const [ada, ben] = [await stage.person(kinds[0]), await stage.person(kinds[1])];
  for (const [person, name] of [[ada, "Ada"], [ben, "Ben"]]) {
    await person.page.type("#name", name);
    await person.page.keyboard.press("Enter");
    if (person === ada) await ada.readsLike("#state", /Looking/);
  }
  await ada.isIn("state", "talking");
  await ada.says("Hello from the example");
  await ben.hears("Hello from the example");
  await ada.presses(".vy-leave");
  await ben.isIn("state", "ended");
  await ada.finds("form");
});
