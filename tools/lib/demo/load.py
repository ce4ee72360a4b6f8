"""Clients that ask the proxies over and over, as behind a balancer, and count exactly what fails."""
import collections
import contextlib
import http.client
import socket
import ssl
import threading
import time

from demo.stage import HOST
from demo.told import until

PROBE_SECONDS = 0.1
PAUSE_SECONDS = 0.05        # after a failure, so that a broken proxy does not become a busy loop
VERSIONS = {"product-1": 1, "product-2": 1, "product-v2-1": 2}     # what answers the catalogue
CLOSED = (ConnectionResetError, http.client.RemoteDisconnected, BrokenPipeError, ssl.SSLError)


# When it was asked, of which proxy, and which instance of a service answered.
Answered = collections.namedtuple("Answered", "asked proxy instance")


class Connection:
    """One kept connection to one proxy."""

    def __init__(self, stage, proxy, context):
        self.proxy, self.used, self.answering = proxy, False, False
        plain = socket.create_connection((proxy.address, stage.https), timeout=10)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = context.wrap_socket(plain, server_hostname=HOST)

    def ask(self, target, fields):
        """-> status, fields, whether it was the last."""
        self.answering = False
        lines = [f"GET {target} HTTP/1.1", f"host: {HOST}", *fields]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        response = http.client.HTTPResponse(self.socket)
        response.begin()
        self.answering = True
        response.read()
        self.used = True
        return response.status, response.headers, response.will_close

    def may_ask_again(self):
        """Closed before an answer began, after earlier ones: RFC 9112 section 9.3.1 has a client ask anew."""
        return self.used and not self.answering

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.close()


class Load:
    """Half of the clients for each proxy. Which proxies there are to ask is decided as a balancer does it: those whose
    /ready says 200, asked ten times a second; without those that were taken out by hand, and with those that are trusted."""

    def __init__(self, stage, targets, clients):
        self.stage, self.targets = stage, targets
        self.context = ssl.create_default_context(cafile=str(stage.authority))
        self.failures, self.again = [], 0   # again: asked anew, see Connection.may_ask_again
        self.during = ""                # what is being shown
        self.answers = []               # Answered, in the order of the answers
        self.ready, self.taken_out, self.trusted = list(stage.proxies), set(), set()
        self.at = {}                    # client -> the proxy that it asks
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self.watch, daemon=True)]
        self.threads += [threading.Thread(target=self.client, args=(number,), daemon=True) for number in range(clients)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join(15)
        self.failures += [f"client {thread.name} never came back" for thread in self.threads if thread.is_alive()]

    # ---- the balancer ----

    def watch(self):
        while not self.stopping.wait(PROBE_SECONDS):
            ready = [proxy for proxy in self.stage.proxies if proxy in self.trusted or proxy.is_ready()]
            with self.lock:
                self.ready = ready

    def place(self, number):
        """The proxy that a client is to ask now; None: there is none."""
        with self.lock:
            there = [proxy for proxy in self.ready if proxy not in self.taken_out]
            self.at[number] = there[number % len(there)] if there else None
            return self.at[number]

    def take_out(self, proxy):
        """Returns when nobody asks it any more."""
        with self.lock:
            self.taken_out.add(proxy)
        return until(lambda: proxy not in list(self.at.values()), 15)

    def put_back(self, proxy):
        with self.lock:
            self.taken_out.discard(proxy)

    # ---- the clients ----

    def client(self, number):
        connection, turn = None, number
        while not self.stopping.is_set():
            proxy = self.place(number)
            if connection and connection.proxy is not proxy:
                connection = connection.close()
            target, fields = self.targets[turn % len(self.targets)]
            asked = time.monotonic()
            try:
                if proxy is None:
                    raise ConnectionError("no proxy is ready")
                connection = connection or Connection(self.stage, proxy, self.context)
                status, answer_fields, last = connection.ask(target, fields)
            except (OSError, http.client.HTTPException) as error:
                if connection and connection.may_ask_again() and isinstance(error, CLOSED):
                    with self.lock:
                        self.again += 1
                else:
                    self.failed(f"{proxy and proxy.name} {target}: {error!r}")
                connection = connection and connection.close()
                continue
            turn += 1
            self.count(Answered(asked, proxy.name, answer_fields.get("x-served-by")), target, status)
            if last:
                connection = connection.close()
        if connection:
            connection.close()

    def count(self, answered, target, status):
        with self.lock:
            self.answers.append(answered)
            if status != 200:
                seconds = time.monotonic() - answered.asked
                self.failures.append(f"{self.during}: {answered.proxy} {target}: {status} after {seconds:.2f} s")

    def failed(self, what):
        with self.lock:
            self.failures.append(f"{self.during}: {what}")
        self.stopping.wait(PAUSE_SECONDS)

    # ---- what was counted ----

    @property
    def done(self):
        return len(self.answers)

    def since(self, begin):
        """The answers to what was asked since then, by proxy."""
        with self.lock:
            late = [one for one in self.answers if one.asked >= begin]
        return {proxy.name: [one for one in late if one.proxy == proxy.name] for proxy in self.stage.proxies}

    def wait_for(self, more, *proxies, seconds=30):
        """Until each of the proxies (default: all) has answered so many requests that are asked from now on."""
        begin, names = time.monotonic(), [proxy.name for proxy in proxies or self.stage.proxies]
        return until(lambda: all(len(self.since(begin)[name]) >= more for name in names), seconds)

    def catalogue(self, more):
        """What comes from now on: name of a proxy -> answers of the catalogue's version 1 and of its version 2."""
        begin = time.monotonic()
        self.wait_for(more)
        counts = {}
        for name, answers in self.since(begin).items():
            versions = [VERSIONS.get(one.instance) for one in answers]
            counts[name] = (versions.count(1), versions.count(2))
        return counts
