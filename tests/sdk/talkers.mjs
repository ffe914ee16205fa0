// Clients that talk through the JavaScript SDK, and keep account, for vyoma-faults (--javascript).
//
// Started with an address, the milliseconds between two messages, and the clients' ids. Tells what
// happens in lines of JSON on standard output: `arrived` (a count, from time to time), `refused`,
// `lost`, `restored`; `said` once everything they said is delivered. Is told `enough`, upon which they
// say no more, and `end`, upon which each client's `account` is told.

import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

import { WebSocket } from "ws";
import { connect } from "../../web/vyoma.js";

// As those of crates/faults/src/talkers.rs.
const SETTINGS = {
  backoff_first_ms: 100,
  backoff_most_ms: 1_000,
  heartbeat_ms: 2_000,
  probe_ms: 1_000,
};
const TOLD_EVERY_MS = 100;
/** How long a message may take once there are no faults any more. */
const PATIENCE_MS = 60_000;

const [address, pause, ...ids] = process.argv.slice(2);
const tell = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
let enough = false;
let arrived = 0;

class Talker {
  account = { said: 0, delivered: 0, seen: [], surprises: [] };
  #receipts = [];

  static async join(id) {
    const talker = new Talker();
    talker.id = id;
    talker.client = await connect(address, { WebSocket, settings: SETTINGS });
    talker.matched = new Promise((resolve) => talker.client.on("matched", resolve));
    talker.#listen();
    talker.client.join();
    return talker;
  }

  #listen() {
    const { client, account } = this;
    client.on("message", ({ value }) => {
      arrived += 1;
      account.seen.push(value.split(" ").map(Number));
    });
    client.on("lost", () => tell({ type: "lost" }));
    client.on("restored", () => tell({ type: "restored" }));
    client.on("cannot_connect", () => tell({ type: "refused" }));
    const surprising = ["gap", "undelivered", "ended", "trouble", "error", "not_kept", "handler_failed"];
    for (const type of surprising) {
      client.on(type, (event) => account.surprises.push(JSON.stringify(event)));
    }
  }

  /** Says 1, 2, 3 ... until it is enough. */
  async say() {
    await this.matched;
    while (!enough) {
      try {
        this.#receipts.push(await this.client.send(`${this.id} ${this.#receipts.length + 1}`));
      } catch (refused) {
        this.account.surprises.push(String(refused));
        break;
      }
      await sleep(Number(pause));
    }
    this.account.said = this.#receipts.length;
    const late = sleep(PATIENCE_MS, false, { ref: false });
    for (const receipt of this.#receipts) {
      if (await Promise.race([receipt.delivered(), late])) this.account.delivered += 1;
    }
  }
}

const talkers = await Promise.all(ids.map(Number).map(Talker.join));
const telling = setInterval(() => {
  tell({ type: "arrived", count: arrived });
  arrived = 0;
}, TOLD_EVERY_MS);

const ended = new Promise((resolve) => {
  const orders = createInterface({ input: process.stdin });
  orders.on("line", (line) => (line === "enough" ? (enough = true) : resolve()));
  // Whoever ordered this is gone.
  orders.on("close", resolve);
});
Promise.all(talkers.map((talker) => talker.say())).then(() => tell({ type: "said" }));
await ended;
clearInterval(telling);
tell({ type: "arrived", count: arrived });
for (const { id, account } of talkers) tell({ type: "account", id, ...account });
await Promise.all(talkers.map(({ client }) => client.close()));
process.stdin.destroy();
