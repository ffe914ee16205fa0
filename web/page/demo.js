// Both sides of a conversation on one screen: two devices that live as long as the page, and a private invitation.
//
// Knows the SDK and the conversation's view, as any application does. Must not know anything else of the page.

import { byId, tell } from "./dom.js";
import { conversationView } from "./late.js";
import { clientOf } from "./server.js";

/** @param {import("../words.js").Words} words */
export async function demonstrate(words) {
  const { MemoryStore, mount } = await conversationView();
  const sides = /** @type {const} */ (["a", "b"]);
  const clients = await Promise.all(sides.map(() => clientOf(null, { storage: "memory" })));
  const meet = async () => {
    byId("demo-again").hidden = true;
    tell("demo-status", words.say("demo.connecting"));
    for (const client of clients) if (client.state !== "idle") client.leave();
    const { code } = await clients[0].invite();
    clients.forEach((client, index) => client.join(person(words, sides[index]), { invite: code }));
  };
  const again = () => meet().catch(({ message }) => tell("demo-status", message));
  byId("demo-again").addEventListener("click", again);
  for (const [index, side] of sides.entries()) {
    const client = clients[index];
    byId(`demo-${side}-name`).textContent = words.say("demo.side", { name: words.say(`demo.${side}.name`) });
    client.on("matched", () => tell("demo-status", ""));
    client.on("cannot_connect", () => tell("demo-status", words.say("waiting.lost-line")));
    client.on("error", ({ sentence }) => tell("demo-status", sentence));
    await mount(byId(`demo-${side}`), client, {
      words,
      store: new MemoryStore(),
      onnext: again,
      onfind: again,
      ondone: () => (byId("demo-again").hidden = false),
    });
  }
  await again();
}

/** @param {import("../words.js").Words} words @param {"a" | "b"} side */
function person(words, side) {
  return {
    name: words.say(`demo.${side}.name`),
    headline: words.say(`demo.${side}.headline`),
    topics: [words.say("demo.topic")],
    languages: [words.tag],
  };
}
