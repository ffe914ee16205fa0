// The page: the place where two people meet. Here it begins.
//
// Knows in which order its parts are made; each says what it is about.

import { Arrival } from "./page/arrival.js";
import { makeRoomForKeyboard } from "./page/keyboard.js";
import { speak } from "./page/language.js";
import { readAddress, readPlace } from "./page/place.js";
import { Seeking } from "./page/seeking.js";
import { clientOf } from "./page/server.js";
import { show } from "./page/views.js";

const place = readPlace();
const address = readAddress();
makeRoomForKeyboard();
const words = await speak(place.languages);

if (address.demo) {
  show("demo");
  const { demonstrate } = await import("./page/demo.js");
  await demonstrate(words);
} else {
  await arrive();
}

async function arrive() {
  const client = await clientOf(address.pool);
  const seeking = new Seeking(words, address, client);
  const arrival = new Arrival(words, place, address.invite !== null, (profile) => seeking.start(profile));
  seeking.arrival = () => arrival.profile;
  await seeking.begin();
}
