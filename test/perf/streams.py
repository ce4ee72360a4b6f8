"""Long exchanges that must stand whatever changes: downloads and uploads over HTTP/1.1, streams over HTTP/2.

    streams = Streams(count=60, http1_port=…, http2_port=…)   # each (address, port) of a proxy; a third of each kind
    streams.start(); … streams.finish(); streams.broken        # what did not come to its end whole, in words

The origin sends a number every `PAUSE_S` to each download, and an upload's client to the origin: what ends early, is cut or
lacks a number is broken.
"""
import threading

from harness import RawClient
from http2_client import Http2Client
from origins import RawOrigin

PAUSE_S = 0.2
PER_CONNECTION = 10     # HTTP/2 streams
PATH = "/streams"


def chunk(text):
    return f"{len(text):x}\r\n{text}\r\n".encode()


class NumberingOrigin(RawOrigin):
    """Answers GET with numbers until it is told to finish, and POST with the content it got."""

    def __init__(self):
        super().__init__(self.answer)
        self.finished = threading.Event()

    def answer(self, connection):
        reader = connection.makefile("rb")
        while line := reader.readline():
            while reader.readline() not in (b"\r\n", b""):
                pass
            connection_lasts = self.download(connection) if line.startswith(b"GET ") else self.take_upload(connection, reader)
            if not connection_lasts:
                return

    def download(self, connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        number = 0
        while not self.finished.wait(PAUSE_S):
            connection.sendall(chunk(f"{number}\n"))
            number += 1
        connection.sendall(chunk("end") + b"0\r\n\r\n")
        return True

    def take_upload(self, connection, reader):
        content = b""
        while size := int(reader.readline(), 16):
            content += reader.read(size)
            reader.readline()
        reader.readline()
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(content) + content)
        return True


def check_numbers(content):
    *numbers, end = content.decode().split("\n")
    if end != "end" or numbers != [str(number) for number in range(len(numbers))]:
        raise AssertionError(f"{len(content)} bytes that end with {content[-20:]!r}")


class Streams:
    def __init__(self, count, http1, http2):
        self.count, self.http1, self.http2 = count, http1, http2
        self.origin, self.threads, self.broken, self.whole = NumberingOrigin(), [], [], 0
        self.begun = threading.Semaphore(0)
        self.lock = threading.Lock()

    def start(self):
        """Returns once all have begun."""
        third = self.count // 3
        jobs = [(self.download, 1)] * third + [(self.upload, 1)] * third
        left = self.count - 2 * third
        jobs += [(self.streams, min(PER_CONNECTION, left - at)) for at in range(0, left, PER_CONNECTION)]
        for job, many in jobs:
            self.threads.append(threading.Thread(target=self.guarded, args=(job, many), daemon=True))
            self.threads[-1].start()
        for _ in jobs:
            self.begun.acquire(timeout=30)

    def finish(self):
        self.origin.finished.set()
        for thread in self.threads:
            thread.join(30)
            if thread.is_alive():
                self.broken.append("one does not end")

    def guarded(self, job, many):
        try:
            job(many)
            with self.lock:
                self.whole += many
        except Exception as error:
            with self.lock:
                self.broken.append(f"{job.__name__}: {error}")
            self.begun.release()

    def head(self, method, more=""):
        return f"{method} {PATH} HTTP/1.1\r\nhost: shop.example\r\n{more}\r\n"

    def download(self, _):
        with RawClient(self.http1[1], self.http1[0]) as client:
            client.send(self.head("GET"))
            client.fill()
            self.begun.release()
            check_numbers(client.read_response().content)

    def upload(self, _):
        with RawClient(self.http1[1], self.http1[0]) as client:
            client.send(self.head("POST", "transfer-encoding: chunked\r\n"))
            self.begun.release()
            number = 0
            while not self.origin.finished.wait(PAUSE_S):
                client.send(chunk(f"{number}\n"))
                number += 1
            client.send(chunk("end") + b"0\r\n\r\n")
            check_numbers(client.read_response("POST").content)

    def streams(self, many):
        with Http2Client(self.http2[1], address=self.http2[0]) as client:
            opened = [client.request(path=PATH) for _ in range(many)]
            self.begun.release()
            for stream in opened:
                response = client.response(stream)
                check_numbers(response.content)
