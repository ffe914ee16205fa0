"""Python WebSocket clients behind one line protocol: `python clients.py NAME`.

Knows how each library connects, sends and receives. Must not know what is exchanged: it does what
standard input says and tells on standard output what happens (see agent.mjs for the words).
"""

import asyncio
import os
import select
import socket
import sys
import threading
from urllib.parse import urlsplit


# The body of our pings: a pong with any other is the server's own, which needs no answer.
QUESTION = b"are you there"


def tell(word, data=None):
    """Prints one event; a single write, so that two threads never mix their lines."""
    line = word if data is None else f"{word} {data.hex()}"
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def tell_closed(code):
    sys.stdout.write(f"closed {code}\n")
    sys.stdout.flush()


def tell_pong(body):
    if bytes(body) == QUESTION:
        tell("pong")


def tell_message(message):
    """A message as most libraries return it: str for text, bytes for binary."""
    if isinstance(message, str):
        tell("text", message.encode())
    else:
        tell("binary", bytes(message))


class Websockets:
    """websockets, its threaded client."""

    def open(self, url):
        from websockets.sync.client import connect

        self.socket = connect(url, compression=None)

    def text(self, data):
        self.socket.send(data.decode())

    def binary(self, data):
        self.socket.send(data)

    def ping(self):
        answered = self.socket.ping()
        threading.Thread(target=lambda: answered.wait() and tell("pong"), daemon=True).start()

    def close(self):
        self.socket.close(1000)

    def listen(self):
        for message in self.socket:
            tell_message(message)
        tell_closed(self.socket.close_code)


class WebsocketClient:
    """websocket-client, its plain blocking WebSocket."""

    def open(self, url):
        import websocket

        self.codes = websocket.ABNF
        self.socket = websocket.create_connection(url)

    def text(self, data):
        self.socket.send(data.decode())

    def binary(self, data):
        self.socket.send_binary(data)

    def ping(self):
        self.socket.ping(QUESTION)

    def close(self):
        self.socket.send_close(1000)

    def listen(self):
        while True:
            opcode, data = self.socket.recv_data(control_frame=True)
            if opcode == self.codes.OPCODE_TEXT:
                # Text comes as str or bytes, depending on whether it was checked.
                tell("text", data.encode() if isinstance(data, str) else data)
            elif opcode == self.codes.OPCODE_BINARY:
                tell("binary", data)
            elif opcode == self.codes.OPCODE_PONG:
                tell_pong(data)
            elif opcode == self.codes.OPCODE_CLOSE:
                self.socket.shutdown()
                tell_closed(int.from_bytes(data[:2], "big") if data else 1005)
                return


class Aiohttp:
    """aiohttp, on an event loop in a thread of its own."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()

    def open(self, url):
        self.run(self.connect(url))

    async def connect(self, url):
        import aiohttp

        self.kinds = aiohttp.WSMsgType
        self.session = aiohttp.ClientSession()
        # Without autoping the library hands pongs over, but leaves answering pings to us.
        self.socket = await self.session.ws_connect(url, autoping=False)

    def text(self, data):
        self.run(self.socket.send_str(data.decode()))

    def binary(self, data):
        self.run(self.socket.send_bytes(data))

    def ping(self):
        self.run(self.socket.ping(QUESTION))

    def close(self):
        # Closing while another task receives: the receiver returns, the answer is read here.
        self.run(self.socket.close(code=1000))

    def listen(self):
        self.run(self.receive())

    async def receive(self):
        while True:
            message = await self.socket.receive()
            if message.type == self.kinds.TEXT:
                tell("text", message.data.encode())
            elif message.type == self.kinds.BINARY:
                tell("binary", message.data)
            elif message.type == self.kinds.PING:
                await self.socket.pong(message.data)
            elif message.type == self.kinds.PONG:
                tell_pong(message.data)
            elif message.type == self.kinds.CLOSING:
                continue
            else:
                break
        await self.session.close()
        tell_closed(self.socket.close_code)


class Wsproto:
    """wsproto, sans I/O, with a socket of our own."""

    def __init__(self):
        self.lock = threading.Lock()

    def open(self, url):
        from wsproto import WSConnection, events
        from wsproto.connection import ConnectionType

        self.events = events
        parts = urlsplit(url)
        self.socket = socket.create_connection((parts.hostname, parts.port))
        self.connection = WSConnection(ConnectionType.CLIENT)
        self.send(events.Request(host=parts.netloc, target=parts.path or "/"))
        while not any(isinstance(e, events.AcceptConnection) for e in self.connection.events()):
            self.connection.receive_data(self.socket.recv(4096) or None)

    def send(self, event):
        with self.lock:
            self.socket.sendall(self.connection.send(event))

    def text(self, data):
        self.send(self.events.TextMessage(data=data.decode()))

    def binary(self, data):
        self.send(self.events.BytesMessage(data=data))

    def ping(self):
        self.send(self.events.Ping(payload=QUESTION))

    def close(self):
        self.send(self.events.CloseConnection(code=1000))

    def listen(self):
        parts, events = [], self.events
        while True:
            # What came behind the answer to the upgrade is in the connection already.
            for event in self.connection.events():
                if isinstance(event, events.Message):
                    parts.append(event.data)
                    if event.message_finished:
                        tell_message(type(event.data)().join(parts))
                        parts.clear()
                elif isinstance(event, events.Ping):
                    self.send(event.response())
                elif isinstance(event, events.Pong):
                    tell_pong(event.payload)
                elif isinstance(event, events.CloseConnection):
                    self.socket.close()
                    tell_closed(event.code)
                    return
            data = self.socket.recv(65536)
            with self.lock:
                self.connection.receive_data(data or None)


class Libcurl:
    """libcurl's own WebSocket calls, without the layer that hides pongs."""

    def __init__(self):
        self.lock = threading.Lock()

    def open(self, url):
        from curl_cffi import Curl, CurlError, CurlInfo, CurlOpt, CurlWsFlag

        self.error, self.flags = CurlError, CurlWsFlag
        self.curl = Curl()
        self.curl.setopt(CurlOpt.URL, url.encode())
        self.curl.setopt(CurlOpt.CONNECT_ONLY, 2)  # 2: connect and upgrade, then leave it to us
        self.curl.perform()
        self.socket = self.curl.getinfo(CurlInfo.ACTIVESOCKET)
        self.closing = False

    def attempt(self, call):
        """The call's result, or None where libcurl says CURLE_AGAIN (81)."""
        try:
            with self.lock:
                return call()
        except self.error as error:
            if error.code == 81:
                return None
            raise

    def send(self, data, flag):
        while True:
            sent = self.attempt(lambda: self.curl.ws_send(data, flag))
            if sent is None:
                select.select([], [self.socket], [])
            elif sent == len(data):
                return
            else:
                data = data[sent:]

    def text(self, data):
        self.send(data, self.flags.TEXT)

    def binary(self, data):
        self.send(data, self.flags.BINARY)

    def ping(self):
        self.send(QUESTION, self.flags.PING)

    def close(self):
        self.closing = True
        self.send((1000).to_bytes(2, "big"), self.flags.CLOSE)

    def frame_piece(self):
        """The next piece of a frame with its flags, and whether the message ends with it."""
        data, meta = self.curl.ws_recv()
        ended = meta.bytesleft == 0 and not meta.flags & self.flags.CONT
        return bytes(data), meta.flags, ended

    def listen(self):
        pieces = []
        while True:
            got = self.attempt(self.frame_piece)
            if got is None:
                select.select([self.socket], [], [])
                continue
            data, flags, ended = got
            if flags & self.flags.PONG:
                tell_pong(data)
            elif flags & self.flags.CLOSE:
                if not self.closing:
                    self.send(data, self.flags.CLOSE)
                self.curl.close()
                tell_closed(int.from_bytes(data[:2], "big") if data else 1005)
                return
            elif flags & (self.flags.TEXT | self.flags.BINARY):
                pieces.append(data)
                if ended:
                    tell("text" if flags & self.flags.TEXT else "binary", b"".join(pieces))
                    pieces.clear()


CLIENTS = {
    "websockets": Websockets,
    "websocket-client": WebsocketClient,
    "aiohttp": Aiohttp,
    "wsproto": Wsproto,
    "libcurl": Libcurl,
}


def listen(client):
    try:
        client.listen()
    except Exception as error:  # told to the test, which fails by it
        print(f"{type(client).__name__}: {error!r}", file=sys.stderr, flush=True)
        os._exit(1)


def main():
    client = None
    for line in sys.stdin:
        word, _, argument = line.strip().partition(" ")
        if word == "open":
            client = CLIENTS[sys.argv[1]]()
            client.open(argument)
            tell("open")
            threading.Thread(target=listen, args=(client,), daemon=True).start()
        elif word in ("text", "binary"):
            getattr(client, word)(bytes.fromhex(argument))
        elif word == "ping":
            client.ping()
        elif word == "close":
            client.close()


main()
