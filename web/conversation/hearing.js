// What the client tells, in order: it is kept, and then seen.
//
// Knows the client's events. Must not know elements.

import { newTalk } from "./keeper.js";
import { lose, raise } from "./marks.js";
import { sentence, who } from "./nodes.js";

/** @typedef {import("./store.js").Entry} Entry */
/** @typedef {import("../vyoma/client.js").Events} Events */

export class Hearing {
  /** Stops hearing the client. @type {(() => void)[]} */
  #deaf = [];
  /** What happened is dealt with in order, also where that takes time. @type {Promise<unknown>} */
  #tail;

  /** @param {import("./controller.js").Controller} controller whose `ready` comes before all that is heard */
  constructor(controller) {
    this.controller = controller;
    this.client = controller.client;
    this.element = controller.element;
    this.keeper = controller.keeper;
    this.parts = controller.parts;
    this.words = controller.words;
    this.#tail = controller.ready;
    this.#hearClient();
  }

  stop() {
    for (const stop of this.#deaf) stop();
  }

  #hearClient() {
    this.#on("matched", (event) => this.#matched(event));
    this.#on("message", (event) => this.#message(event));
    this.#on("gap", (event) => this.#gap(event));
    this.#on("accepted", ({ n }) => this.#raise("accepted", n));
    this.#on("delivered", ({ n }) => this.#raise("delivered", n));
    this.#on("read", ({ n }) => this.#raise("read", n));
    this.#on("undelivered", ({ from, to }) => this.#lost(from, to));
    this.#on("typing", ({ on }) => this.parts.showTyping(on, this.controller.name));
    this.#on("away", () => this.#showPartner("away"));
    this.#on("back", () => this.#showPartner("here"));
    this.#on("lost", () => this.showLine("lost"));
    this.#on("cannot_connect", () => this.showLine("lost"));
    this.#on("restored", () => this.showLine("online"));
    this.#on("ended", (event) => this.#ended(event));
    this.#on("done", ({ about }) => about === "report" && this.controller.tell("conversation.reported"));
    this.#on("error", ({ about }) => this.#failed(about));
  }

  /**
   * @template {keyof Events} T
   * @param {T} type
   * @param {(event: Events[T]) => unknown} handler
   */
  #on(type, handler) {
    const stop = this.client.on(type, (event) => {
      const done = this.#tail.then(() => handler(event));
      // A failure is the client's to report; what comes after it is dealt with all the same.
      this.#tail = done.catch(() => {});
      return done;
    });
    this.#deaf.push(stop);
  }

  /** @param {Events["matched"]} event */
  async #matched({ conversation, partner, why, common }) {
    const { talk } = this.keeper;
    if (talk?.conversation === conversation) {
      Object.assign(talk, { partner, why, common });
      this.parts.card.show(talk);
      return this.keeper.write();
    }
    this.parts.parting.stop();
    await this.keeper.drop();
    await this.controller.open(newTalk({ conversation, partner, why, common }));
  }

  /** @param {Events["message"]} event */
  async #message({ n, value, json, bytes }) {
    const { talk } = this.keeper;
    if (!talk || talk.ended) return;
    const said = saidIn(value, json, bytes);
    if (n <= talk.received && (await this.keeper.has({ n, ...said }))) return;
    talk.received = n;
    talk.arrived += 1;
    const entry = this.keeper.make({ kind: "message", side: "theirs", n, serial: talk.arrived, ...said });
    await this.keeper.write(entry);
    this.parts.list.append(entry);
    this.parts.makeRoom();
    this.parts.showTyping(false, this.controller.name);
    const bytesTold = () => this.words.say("conversation.bytes", { size: this.words.size(bytes?.length ?? 0) });
    if (this.controller.state === "talking") this.parts.live.hear(this.controller.name, said.text ?? bytesTold());
    this.controller.countUnread();
  }

  /** @param {Events["gap"]} event */
  async #gap({ from, to }) {
    const { talk } = this.keeper;
    if (!talk || talk.ended) return;
    // Of how many nobody knows, the partner begins to count anew.
    talk.received = to ?? 0;
    const [last] = await this.keeper.page(Infinity, 1);
    if (last?.kind === "gap" && last.to === null && to === null) return;
    const entry = this.keeper.make({ kind: "gap", from, to });
    await this.keeper.write(entry);
    this.parts.list.append(entry);
  }

  /** @param {"accepted" | "delivered" | "read"} stage @param {number} n */
  #raise(stage, n) {
    const { talk } = this.keeper;
    if (!talk) return;
    raise(talk.marks, stage, n);
    this.#showMarks();
  }

  /** @param {number} from @param {number} to */
  #lost(from, to) {
    const { talk } = this.keeper;
    if (!talk) return;
    lose(talk.marks, from, to);
    this.#showMarks();
    this.controller.tell("conversation.undelivered", "problem", { count: to - from + 1 });
  }

  #showMarks() {
    this.keeper.touch();
    this.parts.list.showMarks();
  }

  /** @param {Events["ended"]} event */
  async #ended({ conversation, reason }) {
    const { talk } = this.keeper;
    if (!talk || talk.conversation !== conversation || talk.ended) return;
    talk.ended = reason;
    if (reason === "superseded") this.keeper.freeze();
    else await this.keeper.write();
    this.parts.banner.clear();
    this.parts.showTyping(false, this.controller.name);
    this.parts.list.showMarks();
    if (this.controller.state === "talking") this.controller.enter("ended");
  }

  /** Something that was asked for wasn't done. @param {string} [about] */
  #failed(about) {
    if (about === "block" || about === "report") this.controller.tell(`conversation.${about}.failed`, "problem");
  }

  /** @param {"online" | "lost"} line */
  showLine(line) {
    const { banner } = this.parts;
    if (!this.keeper.talk || this.keeper.talk.ended) return;
    this.element.dataset.line = line;
    if (line === "lost") banner.hold("line", [this.words.say("conversation.lost")]);
    else banner.release("line", [this.words.say("conversation.restored")]);
    this.controller.allow();
  }

  /** @param {"here" | "away"} state */
  #showPartner(state) {
    const { banner } = this.parts;
    if (!this.keeper.talk || this.keeper.talk.ended) return;
    this.element.dataset.partner = state;
    const told = sentence(this.words, `conversation.${state === "away" ? "away" : "back"}`, { name: who(this.controller.name) });
    if (state === "away") banner.hold("partner", told);
    else banner.release("partner", told);
  }
}

/**
 * What a message said, as it is kept.
 *
 * @param {unknown} value @param {string} [json] @param {Uint8Array} [bytes]
 * @returns {Pick<Entry, "text" | "json" | "bytes">}
 */
function saidIn(value, json, bytes) {
  if (bytes) return { bytes: bytes.length };
  return typeof value === "string" ? { text: value } : { text: json, json: true };
}
