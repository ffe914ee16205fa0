// How people come in: by an invitation, in their language, over plain HTTP, without JavaScript.

import assert from "node:assert/strict";
import { LAN } from "./browser.mjs";
import { partner } from "./partner.mjs";
import { ALL, EACH, MIXED, Stage } from "./stage.mjs";

const stage = new Stage();
stage.test("an invitation brings together the two who have it", ALL, async (first, second) => {
  await stage.serves();
  const ada = await stage.person(first);
  await ada.arrives("Ada");
  await ada.readsLike("#ahead", /\S/);
  await ada.presses("#make-invitation");
  const link = await ada.until(() => document.querySelector("#invite-link").value);
  const code = await ada.reads("#invite-code");
  assert.equal(new URL(link).searchParams.get("invite"), code);
  assert.equal(new URL(link).host, stage.host());
  await ada.until(() => document.querySelector("#invite-qr").naturalWidth > 0);

  // Somebody else who comes is not the one who was invited.
  const dan = await partner(stage.host(), { name: "Dan" });
  await dan.hears("waiting");
  const ben = await stage.person(second, `/${new URL(link).search}`);
  await ben.arrives("Ben");
  await Promise.all([ada.sees("conversation"), ben.sees("conversation")]);
  assert.match(await ada.reads(".vy-name"), /Ben/);
  await ben.says("I got your link");
  await ada.hears("I got your link");
  assert.ok(!(await ben.page.url()).includes("invite"), "the invitation is used, and gone from the address");
  await dan.close();

  const late = await stage.person(first, `/${new URL(link).search}`);
  await late.arrives("Eve");
  await late.sees("problem");
  assert.match(await late.reads("#problem"), /invit/i);
});

stage.test("an invitation leads into the pool in which it was made", [MIXED], async (first, second) => {
  await stage.serves("--pool", "founders=scored");
  const ada = await stage.person(first, "/?pool=founders");
  await ada.arrives("Ada");
  await ada.readsLike("#ahead", /\S/);
  await ada.presses("#make-invitation");
  const link = await ada.until(() => document.querySelector("#invite-link").value);
  const ben = await stage.person(second, `/${new URL(link).search}`);
  await ben.arrives("Ben");
  await Promise.all([ada, ben].map((person) => person.isIn("state", "talking")));
});

stage.test("an invitation that never was says so, and leads on", EACH, async (kind) => {
  await stage.serves();
  const ada = await stage.person(kind, "/?invite=baku-niro-zapi-tulo");
  await ada.arrives("Ada");
  await ada.sees("problem");
  assert.match(await ada.reads("#problem"), /invit/i);
  await ada.presses("#retry");
  await ada.sees("waiting");
  const ben = await partner(stage.host());
  await ada.sees("conversation");
  await ben.close();
});

stage.test("cancel cancels", EACH, async (kind) => {
  await stage.serves();
  const ada = await stage.person(kind);
  await ada.arrives("Ada");
  // Of a connection that is given up before there is one, Chromium's console tells.
  await ada.readsLike("#ahead", /\S/);
  await ada.presses("#cancel");
  await ada.sees("arrival");
  const ben = await partner(stage.host());
  assert.equal((await ben.hears("waiting")).ahead, 0);
  const cleo = await partner(stage.host(), { name: "Cleo" });
  assert.equal((await cleo.hears("matched")).partner.name, "Ben");
  await ada.sees("arrival");
  await Promise.all([ben.close(), cleo.close()]);
});

stage.test("what was entered is remembered on the device, and can be forgotten", EACH, async (kind) => {
  await stage.serves();
  const ada = await stage.person(kind);
  await ada.sees("arrival");
  await ada.replaces("#name", "Ada");
  await ada.chooses("#topics", "Weaving");
  await ada.presses("#start");
  await ada.sees("waiting");
  await ada.presses("#cancel");
  await ada.sees("arrival");
  await ada.reloads();
  await ada.sees("arrival");
  await ada.until(() => document.querySelector("#name").value === "Ada");
  await ada.until(() => document.querySelector(".chip")?.textContent.includes("Weaving"));
  await ada.presses("#forget");
  await ada.reloads();
  await ada.sees("arrival");
  assert.equal(await ada.page.$eval("#name", (field) => field.value), "");
  await ada.misses(".chip");
});

stage.test("over plain HTTP on a network people meet and talk all the same", ALL, async (first, second) => {
  await stage.serves();
  const host = stage.host(LAN);
  const people = [];
  for (const [kind, name] of [[first, "Ada"], [second, "Ben"]]) {
    const person = await stage.person(kind, "/", { host });
    people.push(person);
    assert.equal(await person.page.evaluate(() => isSecureContext), false);
    await person.arrives(name);
    if (name === "Ada") await person.sees("waiting");
  }
  const [ada, ben] = people;
  await Promise.all([ada.sees("conversation"), ben.sees("conversation")]);
  await ada.says("over the LAN");
  await ben.hears("over the LAN");
  await ada.marked(1, "delivered");
});

stage.test("two tabs of one person never meet each other, and are told so", [MIXED], async (kind) => {
  await stage.serves();
  const ada = await stage.person(kind);
  await ada.arrives("Ada");
  await ada.sees("waiting");
  const second = await ada.opensTab();
  await second.presses("#start");
  await second.sees("waiting");
  await second.finds("#try-demo");
});

stage.test("the demonstration shows both sides", EACH, async (kind) => {
  await stage.serves();
  const ada = await stage.person(kind, "/demo");
  await ada.sees("demo");
  const [left, right] = ["#demo-a ", "#demo-b "].map((within) => Object.assign(ada.at(ada.page), { within }));
  await left.says("Hello, other side");
  await right.hears("Hello, other side");
  await right.says("Hello yourself");
  await left.hears("Hello yourself");
  await left.marked(1, "read");
  await right.presses(".vy-leave");
  await left.isIn("state", "ended");
  await left.presses(".vy-find");
  await right.isIn("state", "talking");
  await right.says("Once more");
  await left.hears("Once more");
});

stage.test("without JavaScript the page says something useful", [["chromium"]], async (kind) => {
  await stage.serves();
  const ada = await stage.person(kind);
  await ada.page.setJavaScriptEnabled(false);
  await ada.page.reload();
  const text = await ada.page.$eval("body", (body) => body.innerText);
  assert.match(text, /VyomaChat/);
  assert.match(text, /needs JavaScript/);
});
