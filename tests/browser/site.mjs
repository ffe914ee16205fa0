// A site of an application's own: some files of web/ and a page, under the strictest policy, with the socket
// of a server behind it. As a reverse proxy would do it.
//
// Knows HTTP. Must not know what the page does.

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { connect } from "node:net";
import { extname, join, normalize } from "node:path";

const WEB = new URL("../../web/", import.meta.url).pathname;

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
};

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

/**
 * Serves `pages` (path to text) and web/, and tunnels upgrades to `port()`; returns where, and `close`.
 *
 * @param {Record<string, string>} pages
 * @param {() => number} port of the server, which may change
 */
export async function startSite(pages, port) {
  const sockets = new Set();
  const site = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://site");
    const body = pages[pathname] ?? (await readFile(join(WEB, normalize(pathname))).catch(() => null));
    if (body === null) return response.writeHead(404).end();
    const type = TYPES[extname(pathname)] ?? TYPES[".html"];
    response.writeHead(200, { "Content-Type": type, "Content-Security-Policy": POLICY, "Cache-Control": "no-store" });
    response.end(body);
  });
  site.on("upgrade", (request, socket, head) => {
    const server = connect(port(), "127.0.0.1");
    const lines = [`GET ${request.url} HTTP/1.1`];
    for (let at = 0; at < request.rawHeaders.length; at += 2) {
      lines.push(`${request.rawHeaders[at]}: ${request.rawHeaders[at + 1]}`);
    }
    server.write(`${lines.join("\r\n")}\r\n\r\n`);
    server.write(head);
    server.pipe(socket).pipe(server);
    for (const end of [server, socket]) {
      sockets.add(end);
      end.on("error", () => {});
      end.on("close", () => {
        server.destroy();
        socket.destroy();
      });
    }
  });
  site.listen(0, "127.0.0.1");
  await once(site, "listening");
  return {
    address: `http://127.0.0.1:${site.address().port}/`,
    cut: () => sockets.forEach((socket) => socket.destroy()),
    close: async () => {
      sockets.forEach((socket) => socket.destroy());
      site.closeAllConnections();
      site.close();
      await once(site, "close");
    },
  };
}
