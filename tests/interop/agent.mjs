// A client library in a process of its own, driven by lines.
//
// To the client: `open URL`, `text HEX`, `binary HEX`, `ping`, `close` (with code 1000).
// From the client: `open`, `text HEX`, `binary HEX`, `pong`, `closed CODE`.
// After `closed` it may be opened again. Payloads are in hexadecimal, so any byte survives a line.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { patiently } from "../server.mjs";

const here = import.meta.dirname;

function required(variable) {
  const value = process.env[variable];
  if (value) return value;
  throw new Error(`${variable} is not set: run these tests by \`cargo xtask test\``);
}

const python = (name) => () => [required("VYOMA_PYTHON"), [`${here}/clients.py`, name]];
const node = (name) => () => [process.execPath, [`${here}/client.mjs`, name]];

/** Every client, and the command that starts it. A new one is one line here and its code. */
export const CLIENTS = {
  "websockets": python("websockets"),
  "websocket-client": python("websocket-client"),
  "aiohttp": python("aiohttp"),
  "wsproto": python("wsproto"),
  "libcurl": python("libcurl"),
  "ws": node("ws"),
  "undici": node("undici"),
  "tungstenite": () => [required("VYOMA_XTASK"), ["interop-client"]],
};

export class Agent {
  #events = [];
  #wanted = null;

  constructor(name) {
    const [command, args] = CLIENTS[name]();
    this.name = name;
    this.child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
    createInterface({ input: this.child.stdout }).on("line", (line) => this.#push(line));
    this.child.once("exit", () => this.#push("exited"));
    this.child.once("error", (error) => this.#push(`did not start: ${error.message}`));
    // Writing to a client that has died is no news: its `exited` is.
    this.child.stdin.on("error", () => {});
  }

  #push(event) {
    if (this.#wanted) this.#wanted(event);
    else this.#events.push(event);
    this.#wanted = null;
  }

  do(word, argument) {
    this.child.stdin.write(argument === undefined ? `${word}\n` : `${word} ${argument}\n`);
  }

  send(message) {
    this.do(message.kind, message.data.toString("hex"));
  }

  /** The next event must be `event`. */
  async expect(event) {
    const next = this.#events.length
      ? this.#events.shift()
      : await patiently(new Promise((resolve) => (this.#wanted = resolve)), `${this.name}: ${brief(event)}`);
    assert.equal(brief(next), brief(event), `${this.name} got something else`);
    assert.ok(next === event, `${this.name} got other bytes than ${brief(event)}`);
  }

  async expectMessage(message) {
    await this.expect(`${message.kind} ${message.data.toString("hex")}`.trimEnd().replace(/^(text|binary)$/, "$1 "));
  }

  kill() {
    this.child.kill("SIGKILL");
  }
}

function brief(event) {
  return event.length > 120 ? `${event.slice(0, 100)}… (${event.length} characters)` : event;
}
