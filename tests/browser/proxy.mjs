// A stretch of network between a page and the server that a test can cut, or have go silent, as a
// phone's does.
//
// Knows TCP. Must not know what passes.

import { once } from "node:events";
import { connect, createServer } from "node:net";

/** Listens on a port of its own and passes all to `port` of the loopback address. */
export async function startProxy(port) {
  const pairs = new Set();
  // Nothing passes; what comes stays where it is.
  let silent = false;
  // New connections end at once.
  let closed = false;
  const listener = createServer((near) => {
    if (closed) return void near.destroy();
    const pair = [near, connect(port, "127.0.0.1")];
    pairs.add(pair);
    pass(...pair);
    pass(...pair.toReversed());
    if (silent) for (const socket of pair) socket.pause();
  });

  function pass(from, to) {
    from.on("error", () => {});
    from.on("data", (data) => to.write(data));
    from.on("end", () => silent || to.end());
    from.on("close", () => silent || to.destroy());
  }

  const each = (what) => {
    for (const pair of pairs) for (const socket of pair) what(socket);
  };
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  return {
    port: listener.address().port,
    /** Nothing passes any more, and neither side is told; new connections get no answer either. */
    stall() {
      silent = true;
      each((socket) => socket.pause());
    },
    /** The same, but the server sees the connections end; the page doesn't. */
    sever() {
      this.stall();
      for (const [, far] of pairs) far.destroy();
    },
    /** New connections pass again; those that were silent stay so for ever. */
    mend() {
      silent = false;
      closed = false;
    },
    /** What was held back passes on, as if nothing had been. */
    resume() {
      silent = false;
      each((socket) => socket.resume());
    },
    /** Every connection ends, and new ones do, too. */
    cut() {
      silent = false;
      closed = true;
      each((socket) => socket.destroy());
      pairs.clear();
    },
    close() {
      this.cut();
      listener.close();
    },
  };
}
