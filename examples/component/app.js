// A page of one's own around the conversation: three lines mount it, the rest is this page's own affair.

import { connect } from "/vyoma.js";
import { mount } from "/conversation.js";

const client = await connect("/ws");
await mount(document.querySelector("#conversation"), client, { onstate: show, ondone: () => show("idle") });

const form = document.querySelector("#who");
const state = document.querySelector("#state");

form.addEventListener("submit", (event) => {
  event.preventDefault();
  client.join({ name: new FormData(form).get("name"), topics: ["founding"] });
  show("waiting");
});
client.on("waiting", () => show("waiting"));

function show(now) {
  const waits = now === "waiting" || client.state === "queued";
  document.querySelector("#who").hidden = waits || now !== "idle";
  document.querySelector("#state").textContent = waits && now !== "talking" ? "Looking for a founder…" : "";
}
