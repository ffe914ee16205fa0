// Node's WebSocket clients behind one line protocol: `node client.mjs NAME`.
//
// Knows how each library connects, sends and receives. Must not know what is exchanged: it does
// what standard input says and tells on standard output what happens (see agent.mjs for the words).

import { channel } from "node:diagnostics_channel";
import { createInterface } from "node:readline";

// The body of our pings: a pong with any other is the server's own, which needs no answer.
const QUESTION = "are you there";
const hex = (data) => Buffer.from(data).toString("hex");
const tell = (...words) => process.stdout.write(`${words.join(" ")}\n`);

function tellPong(body) {
  if (body?.toString() === QUESTION) tell("pong");
}

async function openWs(url) {
  const { WebSocket } = await import("ws");
  const socket = new WebSocket(url, { perMessageDeflate: false });
  socket.on("open", () => tell("open"));
  socket.on("message", (data, binary) => tell(binary ? "binary" : "text", hex(data)));
  socket.on("pong", tellPong);
  socket.on("close", (code) => tell("closed", code));
  return {
    text: (data) => socket.send(data.toString()),
    binary: (data) => socket.send(data),
    ping: () => socket.ping(QUESTION),
    close: () => socket.close(1000),
  };
}

// undici tells of pongs on a diagnostics channel only.
channel("undici:websocket:pong").subscribe(({ payload }) => tellPong(payload));

async function openUndici(url) {
  const { WebSocket, ping } = await import("undici");
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => tell("open");
  socket.onmessage = ({ data }) => tell(typeof data === "string" ? "text" : "binary", hex(data));
  socket.onclose = ({ code }) => tell("closed", code);
  return {
    text: (data) => socket.send(data.toString()),
    binary: (data) => socket.send(data),
    ping: () => ping(socket, Buffer.from(QUESTION)),
    close: () => socket.close(1000),
  };
}

const open = { ws: openWs, undici: openUndici }[process.argv[2]];
let client;
for await (const line of createInterface({ input: process.stdin })) {
  const [word, argument = ""] = line.split(" ");
  if (word === "open") client = await open(argument);
  else client[word](Buffer.from(argument, "hex"));
}
