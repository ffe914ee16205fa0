// The Python client under examples/ was written from docs/protocol.md alone: it chats, is cut and
// resumes, and meets a plain client.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { Agent } from "./agent.mjs";
import { patiently, startServer } from "../server.mjs";

const example = join(import.meta.dirname, "../../examples/python/chat.py");

/** One who chats with the example. `heard` is what their partner said, `notes` what the client did. */
class Chatter {
  heard = [];
  notes = [];
  #changed = () => {};

  constructor(context, port) {
    const args = ["-u", example, `ws://127.0.0.1:${port}`];
    this.child = spawn(process.env.VYOMA_PYTHON, args, { stdio: ["pipe", "pipe", "inherit"] });
    context.after(() => this.child.kill("SIGKILL"));
    createInterface({ input: this.child.stdout }).on("line", (line) => {
      const [list, text] = line.startsWith("> ") ? [this.heard, line.slice(2)] : [this.notes, line];
      list.push(text);
      this.#changed();
    });
  }

  say(text) {
    this.child.stdin.write(`${text}\n`);
  }

  async until(holds, what) {
    while (!holds()) {
      const changed = new Promise((resolve) => (this.#changed = resolve));
      await patiently(changed, `${what}; heard ${this.heard.length}: ${this.notes.join(" / ")}`);
    }
  }

  noted(note) {
    return this.until(() => this.notes.some((line) => line.includes(note)), note);
  }
}

const words = (who, from, to) => Array.from({ length: to - from }, (_, n) => `${who} ${from + n}`);

test("the Python example chats, is cut, and resumes", async (context) => {
  const data = await mkdtemp(join(tmpdir(), "vyoma-"));
  context.after(() => rm(data, { recursive: true }));
  let server = await startServer(0, ["--data-dir", data]);
  context.after(() => server.kill());
  const [a, b] = [new Chatter(context, server.port), new Chatter(context, server.port)];
  await Promise.all([a.noted("matched"), b.noted("matched")]);

  for (let cut = 0; cut < 2; cut += 1) {
    const [from, middle, to] = [cut * 60, cut * 60 + 30, cut * 60 + 60];
    words("a", from, middle).forEach((line) => a.say(line));
    words("b", from, middle).forEach((line) => b.say(line));
    await a.until(() => a.heard.length > from, "a first word");
    await server.kill();
    words("a", middle, to).forEach((line) => a.say(line));
    words("b", middle, to).forEach((line) => b.say(line));
    server = await startServer(server.port, ["--data-dir", data]);
    await a.until(() => a.heard.length >= to, `${to} messages from b`);
    await b.until(() => b.heard.length >= to, `${to} messages from a`);
  }
  assert.deepEqual(a.heard, words("b", 0, 120));
  assert.deepEqual(b.heard, words("a", 0, 120));

  a.child.stdin.end();
  await b.noted("partner_left");
});

test("the Python example talks with a plain client", async (context) => {
  const server = await startServer();
  context.after(() => server.kill());
  const plain = new Agent("ws");
  context.after(() => plain.kill());
  const hears = (words) => plain.expectMessage({ kind: "text", data: Buffer.from(words) });
  plain.do("open", `ws://127.0.0.1:${server.port}`);
  await plain.expect("open");
  await hears("⌛ Waiting for another entrepreneur...");
  const chatter = new Chatter(context, server.port);
  await hears("🎯 Connected with an entrepreneur!");
  chatter.say("hello, plain one");
  await hears("hello, plain one");
  plain.send({ kind: "text", data: Buffer.from("and hello, v1") });
  await chatter.until(() => chatter.heard.length > 0, "a word from the plain client");
  assert.deepEqual(chatter.heard, ["and hello, v1"]);
  chatter.child.stdin.end();
  await hears("\u26a0\ufe0f Partner disconnected.");
});
