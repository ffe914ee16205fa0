// Clients of a server of their own, what each hears, and a line that can be cut: for the tests of the SDK.
//
// Knows the SDK and the server's start. Must not know what is tested.

import net from "node:net";
import { after, before } from "node:test";

import { WebSocket as WsSocket } from "ws";

import { connect } from "../../web/vyoma.js";
import { patiently, startServer } from "../server.mjs";

export let server;
const open = [];

before(async () => (server = await startServer(0, ["--pool", "founders=scored:500"])));
after(async () => {
  await Promise.all(open.map((close) => close()));
  await server?.kill();
});

/** A TCP proxy whose connections can be cut. */
export async function proxy(to) {
  const sockets = new Set();
  const listener = net.createServer((near) => {
    const far = net.connect(to, "127.0.0.1");
    for (const [one, other] of [[near, far], [far, near]]) {
      sockets.add(one);
      one.on("error", () => {});
      one.on("close", () => other.destroy());
      one.pipe(other);
    }
  });
  await new Promise((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const cut = () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  open.push(() => {
    cut();
    listener.close();
  });
  return { port: listener.address().port, cut };
}

/** A client, and what it hears by type. */
export async function client(how = {}) {
  const { port = server.port, pool, storage, seat, settings, WebSocket = WsSocket } = how;
  const options = { storage, seat, WebSocket, settings: { backoff_first_ms: 50, backoff_most_ms: 200, ...settings } };
  const query = pool ? `?pool=${pool}` : "";
  const it = await connect(`http://127.0.0.1:${port}/ws${query}#ignored`, options);
  const heard = [];
  const waiting = new Set();
  const types = [
    "waiting", "matched", "written", "accepted", "delivered", "read", "undelivered", "gap", "typing",
    "signal", "invitation", "away", "back", "lost", "restored", "ended", "done", "error", "trouble",
    "cannot_connect", "not_kept", "handler_failed",
  ];
  const note = (event) => {
    heard.push(event);
    for (const look of waiting) look();
  };
  for (const type of types) it.on(type, note);
  const hear = (type, from = 0) =>
    patiently(new Promise((resolve) => {
      const look = () => {
        const found = heard.slice(from).find((event) => event.type === type);
        if (!found) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
    }), `"${type}"`);
  open.push(() => it.close());
  return { it, heard, hear, listen: () => it.on("message", note) };
}

export async function pair(first = {}, second = {}) {
  const [ada, ben] = [await client(first), await client(second)];
  ada.it.join({ name: "Ada" });
  await ada.hear("waiting");
  ben.it.join({ name: "Ben", languages: ["en"] });
  await Promise.all([ada.hear("matched"), ben.hear("matched")]);
  return [ada, ben];
}

export const isRefused = (reason) => (error) => error.name === "Refused" && error.reason === reason;
