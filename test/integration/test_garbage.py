"""Garbage on every port: who behaves beside it sees no error, nothing breaks, and nothing is left behind.

PORTICO_GARBAGE_SECONDS=60 for more than the few seconds of an ordinary run, PORTICO_GARBAGE_SEED=N for other garbage: what
thread T sends as its Nth is a function of seed, T and N. A failure prints the seed.
"""
import collections
import os
import random
import socket
import ssl
import struct
import threading
import time
from pathlib import Path

import garbage
from control_plane import Authority, ControlPlane, Messages
from harness import TIMEOUT_S, Case, Proxy, RawClient, eventually, free_port, get, sanitized
from harness import cluster as file_cluster, gateway as file_gateway, route as file_route
from http2_client import Http2Client
from origins import Origin, RawOrigin, answer
from shop import self_signed
from test_stream import StreamedProxy, gateway, path_says, resource, says

SECONDS = float(os.environ.get("PORTICO_GARBAGE_SECONDS", 4))
SEED = os.environ.get("PORTICO_GARBAGE_SEED", "1")
THREADS = 4
HELD_MAX = 12           # connections that each thread leaves open, silent and half said
SOURCE = "127.0.0.2"    # where garbage comes from
GROWTH_MIB = 96         # of each process's memory: caches, arenas and what gRPC keeps, but no leak
ANSWERS = [b"HTTP/1.1 200 ", b"HTTP/1.1 400 ", b"grpc-status", b"\x15\x03"]     # what some of it gets: not all falls at the door
FILES_SLACK = {"proxy": 2, "control plane": 12, "control plane over TLS": 12}   # gRPC keeps some of its own for later
PATIENCE_S = 30         # more than was asked for, at most
PACE_S = 0.03           # between two acts of one who behaves, so that most of what comes is garbage
SAID_BYTES_MAX = 1 << 20    # on standard error: who sends garbage must not fill a disk


class Round:
    """How long all go on, and what was thrown: the time that was asked for, and on a slow machine until all was there once."""

    def __init__(self, seconds):
        self.until = time.monotonic() + seconds
        self.sent, self.answered = collections.Counter(), collections.Counter()

    def whole(self):
        return set(self.sent) == set(garbage.KINDS) and set(self.answered) == set(ANSWERS)

    def over(self):
        late = time.monotonic() - self.until
        return late > 0 and (self.whole() or late > PATIENCE_S)


class Thrower(threading.Thread):
    """Sends one item after the other to one port after the other."""

    def __init__(self, name, ports, whole):
        super().__init__(daemon=True)
        self.seed, self.ports, self.round = f"{SEED}/{name}", ports, whole
        self.held, self.fault = collections.deque(), None

    def run(self):
        number = 0
        try:
            while not self.round.over():
                self.throw(random.Random(f"{self.seed}/{number}"))
                number += 1
        except Exception as fault:      # a mistake of ours, not of what is tested
            self.fault = fault
        for connection in self.held:
            connection.close()

    def throw(self, chance):
        port_name = chance.choice(sorted(self.ports))
        port, speaks = self.ports[port_name]
        kind, pieces = garbage.make(chance, speaks)
        self.round.sent[kind] += 1
        connection = socket.create_connection(("127.0.0.1", port), TIMEOUT_S, (SOURCE, 0))
        connection.settimeout(0.2)
        try:
            for piece in pieces:
                connection.sendall(piece)
            self.part(connection, chance)
        except OSError:
            connection.close()          # refused in the middle, or it does not read on

    def part(self, connection, chance):
        """Reads the answer or does not, ends its side or does not, and leaves politely, rudely or later."""
        if chance.random() < 0.5:
            connection.settimeout(0.05)
            try:
                while answer := connection.recv(65536):
                    self.round.answered.update(sign for sign in ANSWERS if sign in answer)
            except TimeoutError:
                pass
        if chance.random() < 0.3:
            connection.shutdown(socket.SHUT_WR)
        if chance.random() < 0.3:
            self.held.append(connection)
            if len(self.held) > HELD_MAX:
                self.held.popleft().close()
            return
        if chance.random() < 0.3:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()


class Dripper(threading.Thread):
    """Connections that say a byte at a time."""

    def __init__(self, ports, whole):
        super().__init__(daemon=True)
        self.ports, self.round, self.fault = ports, whole, None

    def run(self):
        chance = random.Random(f"{SEED}/drip")
        open_now = []
        while not self.round.over():
            if len(open_now) < 3 * len(self.ports):
                port, speaks = list(self.ports.values())[len(open_now) % len(self.ports)]
                connection = socket.create_connection(("127.0.0.1", port), TIMEOUT_S, (SOURCE, 0))
                connection.setblocking(False)
                open_now.append((connection, b"".join(garbage.make(chance, speaks)[1]), 0))
            connection, data, at = open_now.pop(0)
            try:
                connection.send(data[at:at + 1])
                open_now.append((connection, data, (at + 1) % len(data)))
            except BlockingIOError:
                open_now.append((connection, data, at))
            except OSError:
                connection.close()
            time.sleep(0.002)
        for connection, _, _ in open_now:
            connection.close()


class Benign(threading.Thread):
    """Does one thing again and again, as it should be done; `errors` is what went otherwise."""

    def __init__(self, name, act, whole):
        super().__init__(name=name, daemon=True)
        self.act, self.round, self.times, self.errors = act, whole, 0, []

    def run(self):
        while not self.round.over() and len(self.errors) < 5:
            try:
                self.act()
            except Exception as error:
                self.errors.append(f"{type(error).__name__}: {error}")
            self.times += 1
            time.sleep(PACE_S)


def open_files(process):
    return len(os.listdir(f"/proc/{process.pid}/fd"))


def resident_mib(process):
    line = next(line for line in Path(f"/proc/{process.pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) // 1024


def of_each(things, measure):
    return {name: measure(thing.process) for name, thing in things.items()}


class Garbage(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        Messages.load()
        cls.authority = cls.use(Authority())
        cls.person = cls.authority.issue("alice")
        cls.control_plane = cls.use(ControlPlane())
        cls.over_tls = cls.use(ControlPlane(store="memory:", tls=cls.authority))
        cls.proxy = StreamedProxy(cls.control_plane)
        cls.https_port = free_port()
        with cls.control_plane.client() as client:
            client.apply(*cls.configuration())
        cls.use(cls.proxy)
        cls.things = {"proxy": cls.proxy, "control plane": cls.control_plane, "control plane over TLS": cls.over_tls}

    @classmethod
    def configuration(cls):
        certificate, key = self_signed("shop.example", cls.control_plane.folder)
        secret = resource("secret", "certificate", {"tls": {"certificate": {"inline": certificate.read_text()},
                                                            "privateKey": {"inline": key.read_text()}}})
        whole = gateway(cls.proxy.port)
        listener = whole.gateway.spec.listeners.add(name="https", port=cls.https_port, protocol="LISTENER_PROTOCOL_HTTPS")
        listener.tls.certificate_refs.add(name="certificate")
        return whole, secret, says("one")

    def ports(self):
        """Name -> (port, what is spoken there)."""
        found = {"http": (self.proxy.port, "http"), "https": (self.https_port, "tls"),
                 "proxy admin": (self.proxy.admin_port, "http")}
        for thing in ("control plane", "control plane over TLS"):
            for name, address in self.things[thing].addresses.items():
                speaks = "http" if name == "admin_address" else "tls" if "TLS" in thing else "grpc"
                found[f"{thing}: {name}"] = (int(address.rsplit(":", 1)[1]), speaks)
        return found

    # ---- who behaves ----

    def ask_http1(self):
        with RawClient(self.proxy.port) as client:
            for _ in range(5):
                self.assertEqual(client.exchange(get()).content, b"one")

    def ask_http2(self):
        with Http2Client(self.proxy.port) as client:
            for _ in range(5):
                self.assertEqual(client.exchange().content, b"one")

    def ask_https(self):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection(("127.0.0.1", self.https_port), TIMEOUT_S) as plain:
            with context.wrap_socket(plain, server_hostname="shop.example") as client:
                client.sendall(get(more="connection: close\r\n").encode())
                content = b"".join(iter(lambda: client.recv(65536), b""))
        self.assertTrue(content.startswith(b"HTTP/1.1 200 ") and content.endswith(b"one"), content)

    def ask_admin(self):
        for page in ("/ready", "/live", "/metrics"):
            self.assertEqual(self.proxy.admin(page).status, 200)
            self.assertEqual(self.control_plane.admin(page)[0], 200)

    def list_over_tls(self):
        with self.over_tls.client(self.authority.credentials(self.person)) as client:
            client.list()

    def change(self, client):
        """A route of its own changes, and the proxy has it in the end."""
        word = f"word {time.monotonic_ns()}"
        client.apply(path_says("/beside", word))

        def arrived():
            with RawClient(self.proxy.port) as proxied:
                return proxied.exchange(get("/beside")).content.decode() == word
        eventually(arrived, "the change reaches the proxy")

    def acts(self, client):
        return {"HTTP/1.1": self.ask_http1, "HTTP/2": self.ask_http2, "HTTPS": self.ask_https, "admin": self.ask_admin,
                "list": lambda: self.assertIn("shop", client.names(kind="Route")), "list over TLS": self.list_over_tls,
                "change": lambda: self.change(client)}

    # ---- all at once ----

    def run_all(self, seconds):
        """Throws garbage beside those who behave: (who behaves, what was thrown)."""
        whole = Round(seconds)
        client = self.control_plane.client()
        throwers = [Thrower(number, self.ports(), whole) for number in range(THREADS)]
        dripper = Dripper(self.ports(), whole)
        benign = [Benign(name, act, whole) for name, act in self.acts(client).items()]
        everybody = [*throwers, dripper, *benign]
        for one in everybody:
            one.start()
        for one in everybody:
            one.join(seconds + PATIENCE_S + 3 * TIMEOUT_S)
            self.assertFalse(one.is_alive(), f"seed {SEED}: {one.name} hangs")
        client.channel.close()
        for one in [*throwers, dripper]:
            if one.fault:
                raise one.fault
        return benign, whole

    def test_nobody_notices(self):
        self.run_all(SECONDS / 4)       # so that what is made once is made
        files, memory = of_each(self.things, open_files), of_each(self.things, resident_mib)
        benign, thrown = self.run_all(SECONDS)
        for name, thing in self.things.items():
            self.assertIsNone(thing.process.poll(), f"seed {SEED}: the {name} has ended")
        self.assertEqual({one.name: one.errors for one in benign if one.errors}, {}, f"seed {SEED}")
        self.assertTrue(all(one.times for one in benign), "each had a turn")
        self.assertTrue(thrown.whole(), f"all kinds are thrown, and some is understood: {thrown.sent} {thrown.answered}")
        self.check_remains(files, memory)
        if "PORTICO_GARBAGE_SECONDS" in os.environ:
            print(f"  sent {sum(thrown.sent.values())}: {dict(thrown.sent)}\n  answered: {dict(thrown.answered)}\n"
                  f"  beside: { {one.name: one.times for one in benign} }\n"
                  f"  MiB: {memory} before, {of_each(self.things, resident_mib)} after\n"
                  f"  open files: {files} before, {of_each(self.things, open_files)} after", flush=True)

    def check_remains(self, files, memory):
        for name, thing in self.things.items():
            eventually(lambda: open_files(thing.process) <= files[name] + FILES_SLACK[name],
                       f"seed {SEED}: the {name} closes what it opened ({files[name]} files before)", 2 * TIMEOUT_S)
            self.assertLess(len(thing.errors()), SAID_BYTES_MAX, f"seed {SEED}: what the {name} says is bounded")
            if not sanitized():
                grown = resident_mib(thing.process) - memory[name]
                self.assertLess(grown, GROWTH_MIB, f"seed {SEED}: the {name} grows")
        eventually(lambda: not self.proxy.metric("portico_downstream_connections"), "no connection is counted any more",
                   2 * TIMEOUT_S)


class FromOrigins(Case):
    """Origins that answer with it: each request has one answer or a connection that ends, and the others notice nothing."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        Messages.load()
        cls.good = cls.use(Origin(lambda request: answer(b"good")))
        cls.chance = random.Random(f"{SEED}/origins")
        cls.over_http1 = cls.use(RawOrigin(lambda connection: cls.spoil(connection, garbage.http1_response)))
        cls.over_http2 = cls.use(RawOrigin(lambda connection: cls.spoil(connection, garbage.h2_answer)))
        cls.proxy = cls.use(Proxy(lambda port: (
            file_gateway(port, "timeouts: {streamIdle: 1s}") + file_cluster("good", cls.good.port) +
            file_cluster("http1", cls.over_http1.port) + file_cluster("http2", cls.over_http2.port, "protocol: HTTP2") +
            file_route("all", [f"{{matches: [{{path: {{value: /{name}}}}}], backendRefs: [{{name: {name}}}]}}" for name in
                               ("good", "http1", "http2")]))))

    @classmethod
    def spoil(cls, connection, make):
        """Answers what comes with garbage, and leaves or does not."""
        connection.settimeout(5)
        while connection.recv(65536):
            connection.sendall(make(cls.chance))
            if cls.chance.random() < 0.5:
                return

    def ask(self, target):
        """The status, or 0 if the connection ended without a response that is whole."""
        try:
            with RawClient(self.proxy.port) as client:
                client.send(get(target))
                return client.read_response().status
        except (AssertionError, OSError):
            return 0

    def test_nobody_notices(self):
        files, statuses, until = self.proxy.open_files(), collections.Counter(), time.monotonic() + SECONDS
        clients = [threading.Thread(target=self.ask_until, args=(until, name, statuses)) for name in ("http1", "http2") * 8]
        for client in clients:
            client.start()
        while time.monotonic() < until:
            self.assertEqual(self.ask("/good"), 200, f"seed {SEED}")
            time.sleep(PACE_S)
        for client in clients:
            client.join(3 * TIMEOUT_S)
            self.assertFalse(client.is_alive(), f"seed {SEED}: a request has no end")
        self.assertIsNone(self.proxy.process.poll(), f"seed {SEED}: the proxy has ended")
        self.assertTrue({200, 502} <= set(statuses), statuses)
        others = {status for status in statuses if not 200 <= status < 400}     # a spoilt 200 may be a 202 or a 300
        self.assertLessEqual(others, {0, 502, 504}, f"seed {SEED}")
        eventually(lambda: self.proxy.open_files() <= files + 4, f"seed {SEED}: it closes what it opened", 2 * TIMEOUT_S)
        if "PORTICO_GARBAGE_SECONDS" in os.environ:
            print(f"  answered: {dict(statuses)}", flush=True)

    def ask_until(self, until, name, statuses):
        while time.monotonic() < until:
            statuses[self.ask(f"/{name}")] += 1
