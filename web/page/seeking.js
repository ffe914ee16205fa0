// One person at this server: looks for a partner, shows the wait and the conversation, and what goes wrong.
//
// Knows the SDK's client and the views. Must not know the wire, nor what a conversation looks like inside.

import { safeLine } from "../conversation/safe.js";
import { byId, tell } from "./dom.js";
import { Invitation } from "./invitation.js";
import { conversationView } from "./late.js";
import { wishMemory } from "./memory.js";
import { startAddress } from "./place.js";
import { Problem } from "./problem.js";
import { clientOf, whyRefused } from "./server.js";
import { Tabs } from "./tabs.js";
import { announce, countUnread, show, shownView } from "./views.js";
import { Waiting } from "./waiting.js";

/** @typedef {import("../vyoma.js").Profile} Profile */
/** @typedef {import("../vyoma.js").Client} Client */
/** `made`: the invitation is the person's own. @typedef {{profile: Profile, invite: string | null, made?: boolean}} Wish */

/** Failures to connect, after which the person is told of it. */
const PATIENT_FAILURES = 2;
/** The longest name that a notification has, in characters. */
const MOST_NAME = 40;

export class Seeking {
  /** What is wished for, while it is. @type {Wish | null} */
  #wish = null;
  /** What was wished for here until another tab took the place. @type {Wish | null} */
  #taken = null;
  #failures = 0;
  /** @type {Promise<any> | null} */
  #view = null;
  /** The conversation is on its way to another tab. */
  #giving = false;
  #mounted = false;

  /**
   * @param {import("../words.js").Words} words
   * @param {{pool: string | null, invite: string | null}} address
   * @param {Client} client that of `clientOf`
   */
  constructor(words, { pool, invite }, client) {
    this.words = words;
    this.pool = pool;
    this.invite = invite;
    this.client = client;
    this.#listen();
    this.waiting = new Waiting(words);
    this.invitation = new Invitation(words);
    this.problem = new Problem(words, () => this.#seekAnybody());
    this.tabs = new Tabs({
      doing: () => this.#doing(),
      give: () => this.#give(),
      takeBack: (seat) => this.#goOn(seat),
    });
    byId("cancel").addEventListener("click", () => this.#cancel());
    byId("anybody").addEventListener("click", () => this.#seekAgain({ invite: null }));
    byId("make-invitation").addEventListener("click", () => this.#invitesSomebody());
    byId("continue-here").addEventListener("click", () => this.#continueHere());
    byId("to-start").addEventListener("click", () => show("arrival"));
  }

  /** Goes on with what this tab was about, or shows the arrival. */
  async begin() {
    if (this.client.conversation) return this.#talk();
    const wish = wishMemory.get();
    const view = wish ? "waiting" : "arrival";
    if (wish) this.waiting.begin(wish);
    show(view);
    const others = await this.tabs.others();
    if (shownView() !== view) return;
    if (others.includes("talking")) this.#isElsewhere("talking");
    // A duplicated tab has a copy of the wish, which is the other's.
    else if (wish && others.length === 0) this.seek(wish);
    else this.#arrive();
  }

  #arrive() {
    wishMemory.set(null);
    show("arrival");
  }

  /** Looks for a partner. @param {Wish} wish */
  seek(wish) {
    this.#wish = wish;
    wishMemory.set(wish);
    this.#failures = 0;
    this.waiting.begin(wish);
    show("waiting");
    if (wish.made && wish.invite) this.invitation.show(wish.invite, this.pool);
    const { client } = this;
    try {
      if (client.state === "talking") client.next(wish.profile);
      else client.join(wish.profile, wish.invite === null ? {} : { invite: wish.invite });
    } catch (refused) {
      this.#isRefused(refused);
    }
  }

  /** What the person entered: with the address's invitation, if it has one. @param {Profile} profile */
  start(profile) {
    this.seek({ profile, invite: this.invite });
  }

  #listen() {
    const { client } = this;
    client.on("waiting", (told) => this.#waits(told));
    client.on("matched", (matched) => this.#talk(matched));
    client.on("lost", () => this.#isLost());
    client.on("cannot_connect", () => this.#cannotConnect());
    client.on("ended", (ended) => this.#ended(ended));
    client.on("error", (error) => error.about === "join" && this.#isRefused(error));
    // Without a place to keep it the conversation lasts as long as the page: no reason to alarm anybody.
    client.on("not_kept", () => {});
  }

  /** Goes on with another client. @param {string} [seat] what another tab has handed over */
  async #begin(seat) {
    this.client = await clientOf(this.pool, { seat });
    this.#listen();
  }

  /** @param {import("../vyoma.js").Events["waiting"]} told */
  async #waits(told) {
    this.#failures = 0;
    this.#wish ??= { profile: {}, invite: null };
    this.waiting.tell(told, this.client.limits.features.includes("invite"));
    show("waiting");
    // What comes next is fetched while nobody waits for it; if that fails, it is once more when it is needed.
    this.#prepare();
    const others = await this.tabs.others();
    if (others.length > 0) this.waiting.meetsNobodyElse();
  }

  /** @param {import("../vyoma.js").Events["matched"]} [matched] */
  async #talk(matched) {
    this.#wish = null;
    wishMemory.set(null);
    this.#forgetInvitation();
    if (matched) {
      this.waiting.over(safeLine(matched.partner?.name, MOST_NAME));
      announce(this.words.say("waiting.found"));
    }
    show("conversation");
    const late = !this.#mounted;
    const view = await this.#prepare();
    // Given to another tab meanwhile, or left.
    if (shownView() !== "conversation") return;
    if (!view) return this.#cannotShow();
    // A partner who was gone before the view was there has left nothing to show.
    const over = view.state === "idle" && this.client.state !== "talking";
    if (late && over) this.#problem("problem.brief", this.words.say("problem.brief-line"));
  }

  /** The view is there before the partner is, so that it misses nothing. Null if it can't be fetched. */
  #prepare() {
    this.#view ??= this.#mount().catch(() => (this.#view = null));
    return this.#view;
  }

  /** No connection, or another version of the page by now; what is kept goes on after reloading. */
  #cannotShow() {
    const back = () => {
      this.client.leave();
      show("arrival");
    };
    this.#problem("problem.load", this.words.say("problem.load-line"), { again: () => location.reload(), back });
  }

  async #mount() {
    const { mount } = await conversationView();
    const view = await mount(byId("conversation"), this.client, {
      words: this.words,
      onunread: countUnread,
      onnext: () => this.#seekAnybody(),
      onfind: () => this.#seekAnybody(),
      ondone: () => show("arrival"),
    });
    this.#mounted = true;
    return view;
  }

  /** What the form has, for whoever wants another partner. @type {() => Profile} */
  arrival = () => ({});

  /** An invitation is used once: the address is the start's again. */
  #forgetInvitation() {
    this.invite = null;
    byId("invited").hidden = true;
    this.invitation.hide();
    if (new URLSearchParams(location.search).has("invite")) {
      const address = startAddress();
      if (this.pool !== null) address.searchParams.set("pool", this.pool);
      history.replaceState(null, "", address);
    }
  }

  /** @param {import("../vyoma.js").Events["ended"]} ended */
  #ended({ conversation, reason }) {
    if (reason === "superseded") return this.#isElsewhere(conversation === null ? "waiting" : "talking");
    if (conversation !== null || reason === "left" || !this.#wish) return;
    this.#problem("problem.ended", this.words.say("problem.ended-line"));
  }

  #isLost() {
    if (shownView() === "waiting") this.waiting.lost();
  }

  async #cannotConnect() {
    this.#failures += 1;
    if (shownView() !== "waiting" || this.#failures < PATIENT_FAILURES) return;
    const why = await whyRefused(this.pool);
    // Cancelled, or connected, meanwhile.
    if (shownView() !== "waiting" || this.#failures === 0) return;
    if (why === 404) this.#noSuchPool();
    else if (why === 503 || why === 429) this.waiting.full();
    else this.waiting.lost();
  }

  /** There is still the place that is there for all. */
  #noSuchPool() {
    const back = () => location.assign(startAddress());
    this.#giveUp("problem.pool", this.words.say("problem.pool-line"), { back });
  }

  /** The server, or the SDK, takes no such wish. @param {any} refused */
  #isRefused({ name, reason, sentence, message }) {
    // What can't be a code leads to nobody, either.
    const why = reason === "bad_value" && this.#wish?.invite ? "bad_invite" : reason ?? name;
    if (why === "in_conversation") return this.#isElsewhere("talking");
    const known = `refused.${why}`;
    const line = this.words.table[known] ? this.words.say(known) : sentence ?? message;
    this.#giveUp("problem.refused", line, this.#wish?.invite ? { label: "arrival.start" } : {});
  }

  /** @type {Problem["show"]} */
  #giveUp(title, line, other) {
    if (this.client.state === "queued") this.client.leave();
    this.#problem(title, line, other);
  }

  /** @type {Problem["show"]} */
  #problem(title, line, other) {
    wishMemory.set(null);
    this.#forgetInvitation();
    this.problem.show(title, line, other);
  }

  #seekAnybody() {
    this.seek({ profile: this.arrival(), invite: null });
  }

  #cancel() {
    this.#wish = null;
    wishMemory.set(null);
    this.invitation.hide();
    this.client.leave();
    show("arrival");
  }

  /** Waits for somebody else than before. @param {Omit<Wish, "profile">} whom */
  #seekAgain(whom) {
    const profile = this.#wish?.profile ?? {};
    this.client.leave();
    if (whom.invite === null) this.#forgetInvitation();
    this.seek({ profile, ...whom });
  }

  async #invitesSomebody() {
    const wish = this.#wish;
    byId("make-invitation").disabled = true;
    try {
      const { code } = await this.client.invite();
      // Who has cancelled, or met somebody, meanwhile wants it no more.
      if (!wish || this.#wish !== wish) return;
      this.#seekAgain({ invite: code, made: true });
      this.invitation.focus();
    } catch (/** @type {any} */ refused) {
      const known = `refused.${refused.reason}`;
      tell("waiting-hint", this.words.table[known] ? this.words.say(known) : refused.message);
    } finally {
      byId("make-invitation").disabled = false;
    }
  }

  // --- Several tabs of one person ---------------------------------------------------------------------

  /** @returns {import("./tabs.js").Doing} */
  #doing() {
    const { state } = this.client;
    // Two tabs may ask for it in one go, and only one can have it.
    if (this.#giving) return "idle";
    return state === "talking" ? "talking" : state === "queued" ? "waiting" : "idle";
  }

  /** Hands the conversation to another tab, and stays without. */
  async #give() {
    this.#giving = true;
    try {
      const seat = await this.client.handOver();
      await this.#forget();
      await this.#begin();
      this.#isElsewhere("talking");
      return seat;
    } finally {
      this.#giving = false;
    }
  }

  /** The view of a client that is no more. */
  async #forget() {
    const view = await this.#view;
    this.#view = null;
    this.#mounted = false;
    view?.close();
    countUnread(0);
  }

  /** @param {"waiting" | "talking"} what goes on in another tab */
  #isElsewhere(what) {
    this.#taken = this.#wish;
    this.#wish = null;
    wishMemory.set(null);
    byId("elsewhere").dataset.what = what;
    byId("elsewhere-title").textContent = this.words.say(`elsewhere.${what}`);
    byId("elsewhere-line").textContent = this.words.say(`elsewhere.${what}-line`);
    byId("elsewhere-problem").textContent = "";
    show("elsewhere");
  }

  async #continueHere() {
    if (byId("elsewhere").dataset.what === "waiting") {
      return this.#taken ? this.seek(this.#taken) : this.#seekAnybody();
    }
    byId("continue-here").disabled = true;
    const seat = await this.tabs.take();
    byId("continue-here").disabled = false;
    if (seat === null) return this.#nobodyGives();
    await this.#goOn(seat);
  }

  /** Goes on with a conversation that was handed over. @param {string} seat */
  async #goOn(seat) {
    await this.#forget();
    await this.client.close();
    await this.#begin(seat);
    this.#talk();
  }

  /** The other tab is gone, asleep, or its conversation is over. */
  #nobodyGives() {
    byId("elsewhere-problem").textContent = this.words.say("elsewhere.silent");
  }
}
