// A conversation as a file of the person's: as text, or as JSON.
//
// Knows the form of both. Must not know where entries are kept.

import { nameOf } from "./card.js";
import { make } from "./nodes.js";

/** @typedef {import("./store.js").Talk} Talk */
/** @typedef {import("./store.js").Entry} Entry */

/** How long a browser may take to begin with a download. */
const DOWNLOAD_MS = 60_000;

/**
 * @param {"text" | "json"} form
 * @param {Talk} talk
 * @param {Entry[]} entries
 * @param {(entry: Entry) => string} mark how far an own message has come
 * @param {import("../words.js").Words} words
 */
export function save(form, talk, entries, mark, words) {
  const parts = form === "json"
    ? [`${JSON.stringify(record(talk, entries, mark), null, 2)}\n`]
    : textOf(talk, entries, words);
  const [type, ending] = form === "json" ? ["application/json", "json"] : ["text/plain;charset=utf-8", "txt"];
  const link = make("a", "");
  link.href = URL.createObjectURL(new Blob(parts, { type }));
  link.download = `conversation-${stamp(talk.began)}.${ending}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), DOWNLOAD_MS);
}

/** @param {Talk} talk @param {Entry[]} entries @param {(entry: Entry) => string} mark */
function record(talk, entries, mark) {
  const { conversation, partner, why, common, began, ended } = talk;
  return {
    format: "vyomachat conversation",
    version: 1,
    conversation,
    partner,
    why,
    common,
    began: new Date(began).toISOString(),
    ended,
    entries: entries.map((entry) => recorded(entry, mark)),
  };
}

/** @param {Entry} entry @param {(entry: Entry) => string} mark */
function recorded(entry, mark) {
  const time = new Date(entry.time).toISOString();
  if (entry.kind === "gap") return { gap: { from: entry.from, to: entry.to }, time };
  const { side, n, bytes, text } = entry;
  const said = bytes === undefined ? { value: entry.json ? JSON.parse(text ?? "null") : text } : { bytes };
  return { from: side === "mine" ? "me" : "partner", n, time, ...said, ...(side === "mine" && { mark: mark(entry) }) };
}

/** @param {Talk} talk @param {Entry[]} entries @param {import("../words.js").Words} words */
function textOf(talk, entries, words) {
  const name = nameOf(talk.partner, words);
  const you = words.say("conversation.you");
  const lines = [words.say("conversation.saved.title", { name, day: words.day(talk.began) }), ""];
  let day = words.day(talk.began);
  for (const entry of entries) {
    const own = words.day(entry.time);
    if (own !== day) lines.push("", own, "");
    day = own;
    lines.push(`[${words.time(entry.time)}] ${lineOf(entry, entry.side === "mine" ? you : name, words)}`);
  }
  return lines.map((line) => `${line}\n`);
}

/** @param {Entry} entry @param {string} speaker @param {import("../words.js").Words} words */
function lineOf({ kind, from = 1, to, text = "", bytes }, speaker, words) {
  if (kind === "gap") {
    const known = typeof to === "number";
    const key = known ? "conversation.gap" : "conversation.gap.unknown";
    return words.say(key, { count: known ? to - from + 1 : 0, name: speaker });
  }
  if (bytes !== undefined) return `${speaker}: ${words.say("conversation.bytes", { size: words.size(bytes) })}`;
  // Further lines are set off, so that nobody can write what looks like somebody else's.
  return `${speaker}: ${text.replace(/\r\n?|[\n\u0085\u2028\u2029]/g, "\n    ")}`;
}

/** A moment as part of a file's name. @param {number} time */
function stamp(time) {
  const moment = new Date(time);
  const two = (/** @type {number} */ number) => String(number).padStart(2, "0");
  const day = [moment.getFullYear(), two(moment.getMonth() + 1), two(moment.getDate())].join("-");
  return `${day}-${two(moment.getHours())}${two(moment.getMinutes())}`;
}
