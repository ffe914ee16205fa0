// A page of one's own around the conversation: three lines mount it, the rest is this page's own affair.

import { connect } from "./vyoma.js";
import { mount } from "./conversation.js";

const form = document.querySelector("form");
const state = document.querySelector("#state");

const client = await connect("/ws");
const view = await mount(document.querySelector("main"), client, { onstate: () => setTimeout(show), ondone: show });

form.addEventListener("submit", (event) => {
  event.preventDefault();
  client.join({ name: form.elements.name.value, topics: ["founding"] });
  show();
});
client.on("waiting", show);
show();

/** What is around the conversation: the form, or that somebody is looked for, or nothing. */
function show() {
  const waits = client.state === "queued";
  form.hidden = waits || view.state !== "idle";
  state.textContent = waits ? "Looking for a founder…" : "";
}
