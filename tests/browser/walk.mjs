// A walk through every view of the page, for whoever wants to look at each of them.
//
// Knows how each view is reached. Must not know what is looked for.

import { partner } from "./partner.mjs";

/** Who goes through the views. */
export const ADA = {
  name: "Ada",
  headline: "Writes notes on engines",
  topics: ["Weaving", "Steam engines"],
  offers: ["Pattern design"],
};

/** A partner with a full card. */
export const BEN = {
  name: "Ben Okafor",
  headline: "Repairs looms, and the people who work them",
  offers: ["Mechanics", "Honest feedback"],
  seeks: ["Pattern design"],
  topics: ["Weaving", "Steam engines"],
  languages: ["en", "hi"],
};

const TALK = ["Hello!", "Hello, and welcome."];

/**
 * Takes somebody through every view, and calls `look(name, person)` in each: somebody new with a browser of
 * this kind, or `as` somebody who is at the arrival. `says` are what the two say, by turns; `profile` is the
 * partner's.
 */
export async function walk(stage, kind, look, { says = TALK, profile = BEN, own = ADA, as, ...where } = {}) {
  const person = as ?? (await stage.person(kind, "/", where));
  await arrival(person, look, own);
  await waiting(person, look);
  const ben = await conversation(stage, person, look, { says, profile });
  const second = await person.opensTab();
  await second.sees("elsewhere");
  await look("elsewhere", second);
  await second.page.close();
  await ended(person, ben, look);
  await ben.close();
  await person.goes("/?invite=baku-niro-zapi-tulo");
  await person.arrives(own.name);
  await person.sees("problem");
  await look("problem", person);
  await person.goes("/demo");
  await person.sees("demo");
  await person.finds("#demo-a .vy-draft");
  await person.finds("#demo-b .vy-draft");
  await look("demo", person);
}

async function arrival(person, look, { name, headline, topics, offers }) {
  await person.sees("arrival");
  await look("arrival", person);
  await person.replaces("#name", name);
  await person.chooses("#topics", ...topics);
  await person.chooses("#offers", ...offers);
  await person.replaces("#headline", headline);
  await person.finds(".chip");
  await look("arrival, with all there is to say", person);
}

async function waiting(person, look) {
  await person.presses("#start");
  await person.sees("waiting");
  await person.readsLike("#ahead", /\S/);
  await look("waiting", person);
  await person.presses("#make-invitation");
  await person.finds("#invite-qr");
  await person.readsLike("#invite-code", /\w/);
  await person.until(() => document.querySelector("#invite-qr").naturalWidth > 0);
  await look("waiting, with an invitation", person);
}

async function conversation(stage, person, look, { says, profile }) {
  const invite = await person.page.$eval("#invite-code", (code) => code.textContent);
  const ben = await partner(stage.host(), profile, { invite });
  await person.sees("conversation");
  await look("a conversation that begins", person);
  for (const [index, text] of says.entries()) {
    if (index % 2 === 0) await person.says(text);
    else {
      await ben.says(text);
      await person.hears(text);
    }
  }
  ben.client.typing(true);
  await person.finds(".vy-typing[data-on]");
  await look("a conversation", person);
  await person.presses(".vy-emoji");
  await person.finds(".vy-emojis");
  await look("a conversation, with emoji", person);
  await person.page.keyboard.press("Escape");
  await person.misses(".vy-emojis");
  await person.presses(".vy-menu");
  await person.finds(".vy-actions");
  await look("a conversation, with its menu", person);
  await person.presses(".vy-report");
  await person.finds(".vy-report-form");
  await look("a conversation, with the report's dialog", person);
  await person.page.keyboard.press("Escape");
  await person.misses(".vy-report-form");
  await person.presses(".vy-next");
  await person.finds(".vy-undo");
  await look("parting", person);
  await person.presses(".vy-undo");
  await person.finds(".vy-list");
  return ben;
}

async function ended(person, ben, look) {
  ben.leaves();
  await person.isIn("state", "ended");
  await person.finds(".vy-ended");
  await look("a conversation that has ended", person);
}
