// Partners without a browser: one who speaks `vyoma.v1` through the SDK in Node, or through a bare socket,
// and one who speaks plain text.
//
// Knows sockets and the SDK. Must not know the page.

import { once } from "node:events";
import { WebSocket } from "ws";
import { connect } from "../../web/vyoma.js";
import { patiently } from "../server.mjs";

/** Somebody who looks for a partner through the SDK. `heard` are the values of the partner's messages. */
export async function partner(host, profile = { name: "Ben" }, { pool, ...how } = {}) {
  const query = pool === undefined ? "" : `?pool=${pool}`;
  const client = await connect(`ws://${host}/ws${query}`, { WebSocket, settings: { backoff_first_ms: 50 } });
  const events = [];
  let look = () => {};
  for (const type of ["waiting", "matched", "message", "away", "back", "ended", "done", "typing", "read", "error"]) {
    client.on(type, (event) => {
      events.push(event);
      look();
    });
  }
  client.join(profile, how);
  return {
    client,
    heard: () => events.filter(({ type }) => type === "message").map(({ value }) => value),
    /** The first event of this type that is like `wanted`; waits for it. */
    hears(type, wanted = () => true) {
      const found = new Promise((resolve) => {
        look = () => {
          const event = events.find((each) => each.type === type && wanted(each));
          if (event) resolve(event);
        };
        look();
      });
      return patiently(found, `${type} at a partner without a browser`);
    },
    async says(...values) {
      await this.hears("matched");
      for (const value of values) await client.send(value);
    },
    leaves: () => client.leave(),
    close: () => client.close(),
  };
}

/** Somebody of the plain dialect, with whom the server speaks plain text. */
export async function plainPartner(host) {
  const socket = new WebSocket(`ws://${host}/`);
  const heard = [];
  let look = () => {};
  socket.on("message", (data) => {
    heard.push(data.toString());
    look();
  });
  await patiently(once(socket, "open"), "a plain socket to open");
  return {
    heard,
    hears(text) {
      const found = new Promise((resolve) => {
        look = () => heard.includes(text) && resolve(text);
        look();
      });
      return patiently(found, `"${text}" at a plain partner`);
    },
    says: (text) => socket.send(text),
    close: () => socket.close(1000),
  };
}
