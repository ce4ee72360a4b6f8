#!/usr/bin/python3
"""One instance of one service of the shop: user, product, order or inventory.

A small real HTTP server: HTTP/1.1 with keep-alive, and HTTP/2 by prior knowledge on the same port (inventory is called
that way). Every answer takes a while, as a database would; after SIGUSR1 all are 500, after another one they are not. Each
exchange is a JSON line in the log with the times at which it began and ended, so that one can see what ran at the same time.
"""
import argparse
import asyncio
import json
import random
import signal
import sys
import time
from urllib.parse import parse_qs, unquote, urlsplit

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings

import data

HEAD_BYTES_MAX = 64 * 1024
HTTP2_PREFACE = b"PRI * HTTP/2.0\r\n\r\n"
REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 500: "Internal Server Error"}


class Shop:
    """What a service answers: path -> status and JSON. No I/O."""

    def __init__(self, service, version):
        self.service = service
        self.version = version

    def answer(self, target):
        url = urlsplit(target)
        segments = [unquote(segment) for segment in url.path.split("/")[1:]]
        found = getattr(self, self.service)(segments, parse_qs(url.query))
        return (404, {"error": "there is no such thing", "path": url.path}) if found is None else (200, found)

    def user(self, segments, query):
        if segments == ["v1", "users"]:
            return {"users": list(data.USERS.values())}
        return data.USERS.get(segments[2]) if len(segments) == 3 and segments[:2] == ["v1", "users"] else None

    def product(self, segments, query):
        if segments == ["products"]:
            return {"products": [self.described(product) for product in data.PRODUCTS.values()]}
        if len(segments) == 2 and segments[0] == "products" and segments[1] in data.PRODUCTS:
            return self.described(data.PRODUCTS[segments[1]])
        return None

    def described(self, product):
        return dict(product, currency="CHF", version=2) if self.version == 2 else product

    def order(self, segments, query):
        if len(segments) != 3 or segments[0] != "customers" or segments[2] != "orders":
            return None
        limit = int(query.get("limit", ["20"])[0])
        return {"orders": data.ORDERS.get(segments[1], [])[:limit]}

    def inventory(self, segments, query):
        if len(segments) == 2 and segments[0] == "stock" and segments[1] in data.STOCK:
            return {"productId": segments[1], "available": data.STOCK[segments[1]]}
        return None


class Service:
    """One instance: answers requests after its latency and writes the log. Both protocols end here."""

    def __init__(self, options):
        self.name = options.name
        self.shop = Shop(options.service, options.version)
        self.latency_ms = options.latency_ms
        self.fails = False
        self.log = open(options.log, "a", buffering=1, encoding="utf-8") if options.log else sys.stdout
        self.random = random.Random(options.name)

    async def exchange(self, method, target, fields):
        """-> status, fields, content. The log line is written as soon as the answer is known."""
        begin = time.time()
        if target == "/healthz":
            status, body = 200, {"status": "ok", "instance": self.name}
        else:
            await asyncio.sleep(self.latency_ms * self.random.uniform(0.75, 1.25) / 1000)
            status, body = (405, {"error": "only GET and HEAD"}) if method not in ("GET", "HEAD") else \
                (500, {"error": "out of order"}) if self.fails else self.shop.answer(target)
        content = (json.dumps(body, ensure_ascii=False) + "\n").encode()
        answer_fields = [("content-type", "application/json"), ("content-length", str(len(content))),
                         ("x-served-by", self.name)]
        if status == 405:
            answer_fields.append(("allow", "GET, HEAD"))
        self.write_log(method, target, fields, status, begin)
        return status, answer_fields, b"" if method == "HEAD" else content

    def write_log(self, method, target, fields, status, begin):
        if target == "/healthz":
            return
        line = {"instance": self.name, "method": method, "path": target, "status": status, "begin": round(begin, 6),
                "end": round(time.time(), 6)}
        for key, name in (("requestId", "x-request-id"), ("trace", "traceparent"), ("user", "x-user-id"),
                          ("consumer", "x-consumer")):
            if name in fields:
                line[key] = fields[name]
        self.log.write(json.dumps(line) + "\n")

    def turn(self):
        """Out of order, or in order again."""
        self.fails = not self.fails

    async def connection(self, reader, writer):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            protocol = Http2 if head == HTTP2_PREFACE else Http1
            await protocol(self, reader, writer).run(head)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            pass        # the peer left, or sends what no client of ours sends
        finally:
            writer.close()


class Http1:
    """The server's side of one HTTP/1.1 connection."""

    def __init__(self, service, reader, writer):
        self.service, self.reader, self.writer = service, reader, writer

    async def run(self, head):
        while await self.one(head):
            head = await self.reader.readuntil(b"\r\n\r\n")

    async def one(self, head):
        lines = head.decode("latin-1").split("\r\n")
        method, target, version = lines[0].split(" ")
        fields = {}
        for line in lines[1:-2]:
            name, _, value = line.partition(":")
            fields[name.lower()] = value.strip()
        if fields.get("expect", "").lower() == "100-continue":
            self.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        await self.skip_content(fields)
        status, answer_fields, content = await self.service.exchange(method, target, fields)
        keep = version == "HTTP/1.1" and "close" not in fields.get("connection", "").lower()
        if not keep:
            answer_fields.append(("connection", "close"))
        text = f"HTTP/1.1 {status} {REASONS[status]}\r\n" + "".join(f"{n}: {v}\r\n" for n, v in answer_fields)
        self.writer.write(text.encode() + b"\r\n" + content)
        await self.writer.drain()
        return keep

    async def skip_content(self, fields):
        if "chunked" in fields.get("transfer-encoding", "").lower():
            while size := int((await self.reader.readuntil(b"\r\n")).split(b";")[0], 16):
                await self.reader.readexactly(size + 2)
            while await self.reader.readuntil(b"\r\n") != b"\r\n":
                pass
            return
        left = int(fields.get("content-length", "0"))
        while left > 0:
            piece = await self.reader.read(min(left, 65536))
            if not piece:
                raise ConnectionError("content ended early")
            left -= len(piece)


class Http2:
    """The server's side of one HTTP/2 connection; each stream is answered by a task of its own."""

    def __init__(self, service, reader, writer):
        self.service, self.reader, self.writer = service, reader, writer
        self.codec = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        self.tasks = {}

    async def run(self, first):
        self.codec.initiate_connection()
        self.codec.update_settings({h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 256})
        received = first
        try:
            while received:
                for event in self.codec.receive_data(received):
                    self.on_event(event)
                await self.flush()
                received = await self.reader.read(65536)
        except h2.exceptions.ProtocolError:
            await self.flush()
        finally:
            for task in self.tasks.values():
                task.cancel()

    def on_event(self, event):
        if isinstance(event, h2.events.RequestReceived):
            self.tasks[event.stream_id] = asyncio.ensure_future(self.answer(event.stream_id, dict(event.headers)))
        elif isinstance(event, h2.events.DataReceived):
            self.codec.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamReset):
            task = self.tasks.pop(event.stream_id, None)
            if task:
                task.cancel()

    async def answer(self, stream, fields):
        status, answer_fields, content = await self.service.exchange(fields[":method"], fields[":path"], fields)
        # Answers of the shop are smaller than the smallest initial window, so they need no flow control of ours.
        self.codec.send_headers(stream, [(":status", str(status))] + answer_fields, end_stream=not content)
        if content:
            self.codec.send_data(stream, content, end_stream=True)
        self.tasks.pop(stream, None)
        await self.flush()

    async def flush(self):
        self.writer.write(self.codec.data_to_send())
        await self.writer.drain()


async def serve(options):
    service = Service(options)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, service.turn)
    server = await asyncio.start_server(service.connection, options.host, options.port, limit=HEAD_BYTES_MAX,
                                        backlog=1024)
    print(f"{options.name} listens on {options.host}:{options.port}", file=sys.stderr, flush=True)
    await stop.wait()
    server.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("service", choices=["user", "product", "order", "inventory"])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--name", help="of this instance (default: SERVICE-PORT)")
    parser.add_argument("--version", type=int, default=1, choices=[1, 2], help="of the product service")
    parser.add_argument("--latency-ms", type=float, default=30, help="mean time of an answer, give or take a quarter")
    parser.add_argument("--log", help="file of JSON lines (default: standard output)")
    options = parser.parse_args()
    options.name = options.name or f"{options.service}-{options.port}"
    try:
        asyncio.run(serve(options))
    except OSError as error:
        sys.exit(f"{options.name}: {error.strerror or error}")


if __name__ == "__main__":
    main()
