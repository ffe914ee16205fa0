// Values, as applications hand them over and see them, and the JSON that the rules know them as.
//
// Must not know what they are for.

import { SENTENCES } from "./ends.js";

/** An event as applications see it: values instead of JSON. @param {any} event */
export function shown(event) {
  if (event.type === "matched") {
    return { ...event, partner: parsed(event.partner), common: parsed(event.common ?? null) };
  }
  if (event.type === "message" && event.json !== undefined) {
    return { ...event, value: JSON.parse(event.json) };
  }
  if (event.type === "signal") return { type: "signal", value: JSON.parse(event.payload) };
  if (event.type !== "ended") return event;
  return { ...event, sentence: SENTENCES[/** @type {keyof typeof SENTENCES} */ (event.reason)] };
}

/** @param {string | null} json */
export function parsed(json) {
  return json === null ? null : JSON.parse(json);
}

/** @param {string[]} [languages] */
export function rulesOf(languages) {
  return languages === undefined || languages === null ? null : JSON.stringify({ languages });
}

/** @param {import("./client.js").Profile} [profile] */
export function jsonOf(profile) {
  return profile === undefined || profile === null ? null : JSON.stringify(profile);
}

/** @param {unknown} value */
export function bodyOf(value) {
  if (value instanceof Uint8Array) return value.slice();
  if (value instanceof ArrayBuffer) return new Uint8Array(value.slice(0));
  // What isn't JSON at all (undefined, a function) is refused as such.
  return JSON.stringify(value) ?? "";
}
