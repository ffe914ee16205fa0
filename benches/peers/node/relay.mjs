// A pairing relay on Node's `ws`, in the library's plainest words: what the first VyomaChat server
// was. Listens on a free port of 127.0.0.1 and prints it.

import { WebSocketServer } from 'ws';

const WAITING = '⌛ Waiting for another entrepreneur...';
const CONNECTED = '🎯 Connected with an entrepreneur!';
const DISCONNECTED = '⚠️ Partner disconnected.';

const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
let waiting = null;

server.on('listening', () => console.log(server.address().port));

server.on('connection', (client) => {
  client.on('message', (data, isBinary) => client.partner?.send(data, { binary: isBinary }));
  client.on('error', () => {}); // `close` follows
  client.on('close', () => leave(client));
  if (!waiting) {
    waiting = client;
    client.send(WAITING);
    return;
  }
  [client.partner, waiting.partner] = [waiting, client];
  waiting = null;
  client.partner.send(CONNECTED);
  client.send(CONNECTED);
});

function leave(client) {
  if (waiting === client) waiting = null;
  const { partner } = client;
  if (!partner) return;
  client.partner = partner.partner = null;
  partner.send(DISCONNECTED);
}
