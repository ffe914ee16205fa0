"""A client of vyoma.v1 in Python, written from docs/protocol.md alone.

    python chat.py [ws://localhost:3001]

What you type is sent, what the partner says is printed. It numbers, acknowledges, and resumes when its
connection is lost. It leaves out: the credit (256 KiB is more than anybody types), profiles, typing,
read marks, keeping its state in a file, and renewing its device.
"""

import asyncio
import json
import random
import sys
import time

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, WebSocketException


class Client:
    def __init__(self, url):
        self.url, self.socket = url, None
        self.device = self.seat = None  # the seat: what `matched` told
        self.attempt, self.next, self.received, self.outbox = 0, 1, 0, {}

    async def run(self):
        wait = 0.5
        while True:
            try:
                async with connect(self.url, subprotocols=["vyoma.v1"]) as socket:
                    async for text in socket:
                        if await self.hear(socket, text):
                            return
                        wait = 0.5
                    if socket.close_code == 4409:
                        return print("* somebody else holds this place")
            except (OSError, WebSocketException) as error:
                print(f"* {error}; trying again")
            self.socket = None
            await asyncio.sleep(random.uniform(0, wait))
            wait = min(wait * 2, 15)

    async def hear(self, socket, text):
        """Returns whether the conversation is over."""
        if isinstance(text, bytes):
            n = int.from_bytes(text[:8], "big")
            return await self.take(socket, n, f"({len(text) - 8} bytes)")
        message = json.loads(text)
        kind = message["type"]
        if kind == "hello":
            self.device = self.device or message["device"]
            await self.say(socket, self.resume() if self.seat else {"type": "join", "device": self.device})
        elif kind == "matched":
            self.seat, self.socket = message, socket
            print("* matched; say something")
        elif kind == "message":
            await self.take(socket, message["n"], message["payload"])
        elif kind == "ack" and message["stream"] == self.seat["stream"]:
            self.outbox = {n: said for n, said in self.outbox.items() if n > message["n"]}
        elif kind == "token":
            self.seat["token"] = message["token"]
            await self.say(socket, {"type": "token", "epoch": message["epoch"]})
        elif kind == "resumed":
            self.outbox = {n: said for n, said in self.outbox.items() if n > message["received"]}
            self.follow(message["partner_stream"])
            n = message["expected"]
            while n < self.next:  # what is typed meanwhile waits for its turn
                await self.say(socket, {"type": "message", "n": n, "payload": self.outbox[n]})
                n += 1
            self.socket = socket
        elif kind == "partner":
            self.follow(message["stream"])
            print(f"* your partner is {message['state']}")
        elif kind == "gap":
            print(f"* messages {message['from']} to {message['to'] or '?'} are lost")
            if message["stream"] == self.seat["partner_stream"] and (message["to"] or 0) > self.received:
                self.received = message["to"]
                await self.acknowledge(socket)
        elif kind == "goaway":
            await asyncio.sleep(message["delay_ms"] / 1000)
            await socket.close(1001)
        elif kind == "ended":
            print(f"* {message['reason']}")
            return True
        elif kind == "error":
            print(f"* {message['sentence']}")
            return message.get("about") == "resume"
        return False

    async def take(self, socket, n, said):
        if n == self.received + 1:
            print(f"> {said}", flush=True)
            self.received = n
            await self.acknowledge(socket)
        elif n > self.received:
            await socket.close(1001)

    def follow(self, stream):
        if stream and stream != self.seat["partner_stream"]:
            self.seat["partner_stream"], self.received = stream, 0

    def resume(self):
        self.attempt = max(self.attempt + 1, int(time.time() * 1000))
        seat = {key: self.seat[key] for key in ("token", "stream", "partner_stream")}
        first = min(self.outbox, default=self.next)
        return {"type": "resume", "device": self.device, "attempt": self.attempt, **seat,
                "received": self.received, "first": first, "next": self.next}

    async def acknowledge(self, socket):
        await self.say(socket, {"type": "ack", "conversation": self.seat["conversation"],
                                "stream": self.seat["partner_stream"], "n": self.received})

    async def send(self, text):
        n, self.next = self.next, self.next + 1
        self.outbox[n] = text
        if self.socket:
            await self.say(self.socket, {"type": "message", "n": n, "payload": text})

    @staticmethod
    async def say(socket, envelope):
        try:
            await socket.send(json.dumps(envelope))
        except ConnectionClosed:
            pass  # it stays in the outbox; the reader notices, and resumes


async def type_lines(client):
    while line := await asyncio.to_thread(sys.stdin.readline):
        while not client.seat:
            await asyncio.sleep(0.05)
        await client.send(line.rstrip("\n"))
    while client.outbox:
        await asyncio.sleep(0.05)
    await client.say(client.socket, {"type": "leave"})


async def main():
    client = Client(sys.argv[1] if len(sys.argv) > 1 else "ws://localhost:3001")
    typing = asyncio.create_task(type_lines(client))
    await client.run()
    typing.cancel()


if __name__ == "__main__":
    asyncio.run(main())
