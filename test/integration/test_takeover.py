"""--takeover: one process takes the listening sockets of another over, and no connection is refused or lost."""
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

from control_plane import ControlPlane, Messages
from harness import (TIMEOUT_S, Case, Proxy, RawClient, check, cluster, curl, eventually, free_port, gateway, get, route,
                     table)
from origins import Origin, answer
from test_stream import KEPT, Fleet, StreamedProxy
from test_stream import gateway as streamed_gateway
from test_stream import says as streamed_says

CLOSE = "connection: close\r\n"
NOBODY = 65534


def says(word, origin=None, more_ports=()):
    """port -> a configuration that answers `word`, and forwards /origin."""
    def text(port):
        listeners = "".join(f", {{name: more-{number}, port: {number}, protocol: HTTP}}" for number in more_ports)
        rules = [f"{{filters: [{{directResponse: {{status: 200, body: {word}}}}}]}}"]
        if origin:
            rules.insert(0, "{matches: [{path: {type: PathPrefix, value: /origin}}], backendRefs: [{name: origin}]}")
        return (gateway(port).replace("protocol: HTTP}]", f"protocol: HTTP}}{listeners}]") +
                (cluster("origin", origin.port) if origin else "") + route("all", rules))
    return text


class Generation(Proxy):
    """One of the processes that have the same ports one after the other. Without `before` it is the first."""

    def __init__(self, config, socket_path, before=None, arguments=(), **options):
        super().__init__(config, arguments=[f"--takeover={socket_path}", "--drain_timeout=8s", *arguments],
                         wait=before is None, **options)
        self.config = config
        if before:
            self.port, self.admin_port = before.port, before.admin_port
            self.text = config(self.port)

    def says_of_itself(self, text):
        return eventually(lambda: text in self.errors(), f"it says {text!r}; it said:\n{self.errors()}")

    def serves(self):
        self.says_of_itself("serving in the place of process")
        return self

    def word(self):
        return curl(self.url()).content.decode()

    def listens(self):
        """The ports of 127.0.0.1 that this process has a listening socket of."""
        lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        ports = {f"socket:[{line[9]}]": int(line[1].split(":")[1], 16) for line in lines if line[3] == "0A"}
        found = set()
        for file in Path(f"/proc/{self.process.pid}/fd").iterdir():
            try:
                found.add(ports.get(os.readlink(file)))
            except FileNotFoundError:
                pass        # it was closed meanwhile
        return found - {None}


class Hanging(Generation):
    """One that waits for a control plane, with the sockets in its hands."""

    def __init__(self, socket_path, before, discovery_port):
        super().__init__(says("unused"), socket_path, before)
        self.discovery_port = discovery_port

    def source_arguments(self):
        return [f"--discovery_address=127.0.0.1:{self.discovery_port}"]


class Load:
    """Requests without a pause: every second thread on a connection of its own for each, the others on kept ones."""

    def __init__(self, port, threads=6):
        self.port, self.failures, self.words, self.ended = port, [], [], threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(number % 2 == 0,)) for number in range(threads)]

    def start(self):
        for thread in self.threads:
            thread.start()
        eventually(lambda: len(self.words) > 50, "the load runs")

    def stop(self):
        self.ended.set()
        for thread in self.threads:
            thread.join()

    def run(self, closing):
        while not self.ended.is_set():
            try:
                with RawClient(self.port) as client:
                    while not self.ended.is_set():
                        response = client.exchange(get(more=CLOSE if closing else ""))
                        self.words.append(response.content.decode() if response.status == 200 else response.status)
                        if response.field("connection") == "close":
                            break
            except (OSError, AssertionError) as error:
                self.failures.append(repr(error))

    def goes_on(self, word):
        """Another hundred requests, the last of which heard `word`."""
        before = len(self.words)
        eventually(lambda: len(self.words) > before + 100 and self.words[-1] == word, f"the load hears {word}")


class Takeover(Case):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="portico-takeover-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.path = self.folder / "proxy.sock"

    def first(self, config=says("old"), **options):
        return self.use_here(Generation(config, self.path, **options))

    def next(self, before, config=says("new"), **options):
        return self.use_here(Generation(config, self.path, before, **options))

    def loaded(self, proxy):
        return self.use_here(Load(proxy.port))


class TakenOver(Takeover):
    @table({"as many workers": (2, 2), "more workers": (1, 3), "fewer workers": (3, 1)})
    def test_nothing_fails(self, before, after):
        gate = threading.Event()

        def slow(request):
            yield answer("0123456789")[:-5]     # the head and half of the content
            gate.wait(TIMEOUT_S)
            yield b"56789"
        origin = self.use_here(Origin(slow))
        self.addCleanup(gate.set)
        old = self.first(says("old", origin), workers=before)
        load = self.loaded(old)
        with RawClient(old.port) as download, RawClient(old.port) as upload:
            download.send(get("/origin/slow"))
            self.assertEqual(download.read_head().status, 200)
            upload.send("POST /origin/up HTTP/1.1\r\nhost: shop.example\r\ncontent-length: 4\r\n\r\nab")
            new = self.next(old, says("new", origin), workers=after).serves()
            load.goes_on("new")
            self.assertEqual(new.listens(), {new.port, new.admin_port})
            eventually(lambda: not old.listens(), "the old one has let go")
            self.assertIsNone(old.process.poll(), "it waits for its last exchanges")
            self.assertEqual(new.admin("/ready").status, 200)
            self.assertIn("new", new.admin("/snapshot").content.decode())
            upload.send("cd")
            gate.set()
            self.assertEqual(download.take(10), b"0123456789")
            self.assertEqual(upload.read_response().content, b"0123456789")
        self.assertEqual(old.exits(), 0)
        load.goes_on("new")
        load.stop()
        self.assertEqual((load.failures, set(load.words)), ([], {"old", "new"}))
        self.assertEqual(new.word(), "new")

    def test_one_after_the_other(self):
        old = self.first(says("g0"), workers=2)
        load = self.loaded(old)
        for number, workers in enumerate((3, 1, 2, 4), 1):
            new = self.next(old, says(f"g{number}"), workers=workers).serves()
            self.assertEqual(old.exits(), 0, old.errors())
            load.goes_on(f"g{number}")
            old = new
        load.stop()
        self.assertEqual(load.failures, [])
        self.assertEqual(set(load.words), {f"g{number}" for number in range(5)})

    def test_a_port_that_the_next_has_not_is_served_for_the_drain(self):
        gate, more = threading.Event(), free_port()
        origin = self.use_here(Origin(lambda request: (gate.wait(TIMEOUT_S), answer("done"))[1]))
        self.addCleanup(gate.set)
        old = self.first(says("old", origin, [more]))
        with RawClient(old.port) as client:
            client.send(get("/origin"))
            eventually(lambda: origin.requests, "the origin was asked")
            self.next(old, says("new", origin)).serves()
            eventually(lambda: old.listens() == {more}, "it has let go of the others")
            with RawClient(more) as late:
                self.assertEqual(late.exchange(get()).content, b"old")
            gate.set()
            self.assertEqual(client.read_response().content, b"done")
        self.assertEqual(old.exits(), 0)
        self.assertRaises(OSError, RawClient, more)

    def test_another_admin_address(self):
        old = self.first()
        new = Generation(says("new"), self.path, old)
        new.admin_port = free_port()
        self.use_here(new).serves()
        self.assertEqual(new.admin("/ready").status, 200)
        self.assertEqual(old.exits(), 0)

    def test_what_it_leaves(self):
        old = self.first()
        self.assertEqual([path.name for path in self.folder.iterdir()], ["proxy.sock"])
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o600)
        new = self.next(old).serves()
        self.assertEqual(old.exits(), 0)
        self.assertTrue(self.path.is_socket())
        new.process.send_signal(signal.SIGTERM)
        self.assertEqual(new.exits(), 0)
        self.assertEqual(list(self.folder.iterdir()), [])


class GoesOn(Takeover):
    """Whatever becomes of the next process before it serves, this one goes on, and the one after that can have it."""

    def goes_on(self, old, load):
        old.says_of_itself("this process goes on")
        load.goes_on("old")
        self.assertEqual(old.admin("/ready").status, 200)
        new = self.next(old).serves()
        self.assertEqual(old.exits(), 0)
        load.goes_on("new")
        load.stop()
        self.assertEqual((load.failures, set(load.words)), ([], {"old", "new"}))
        return new

    def test_a_broken_configuration(self):
        old = self.first(workers=2)
        load = self.loaded(old)
        broken = self.next(old, lambda port: says("new")(port).replace("filters", "filter"), workers=3)
        self.assertEqual(broken.exits(), 1)
        self.goes_on(old, load)

    def test_a_port_that_somebody_has(self):
        taken = self.use_here(Origin())
        old = self.first(workers=2)
        load = self.loaded(old)
        refused = self.next(old, says("new", more_ports=[taken.port]), workers=3)
        self.assertEqual(refused.exits(), 1)
        self.assertIn(f"{taken.port}: address in use", refused.errors())
        self.goes_on(old, load)

    @table({"killed": signal.SIGKILL, "told to end": signal.SIGTERM})
    def test_it_ends_in_the_middle(self, number):
        old = self.first(workers=2)
        load = self.loaded(old)
        hanging = self.use_here(Hanging(self.path, old, free_port()))
        hanging.says_of_itself("taking over from process")
        load.goes_on("old")
        hanging.process.send_signal(number)
        hanging.exits()
        self.goes_on(old, load)

    def test_a_change_waits_until_it_is_known_who_serves(self):
        old = self.first()
        hanging = self.use_here(Hanging(self.path, old, free_port()))
        hanging.says_of_itself("taking over from process")
        more = free_port()
        old.replace_config(says("changed", more_ports=[more]))
        old.process.send_signal(signal.SIGHUP)
        old.says_of_itself("reading the configuration anew")
        self.assertEqual(old.word(), "old")
        self.assertRaises(OSError, RawClient, more)
        hanging.process.kill()
        eventually(lambda: old.word() == "changed", "the change is in force")

    def test_two_at_once(self):
        old = self.first()
        hanging = self.use_here(Hanging(self.path, old, free_port()))
        hanging.says_of_itself("taking over from process")
        second = self.next(old)
        self.assertEqual(second.exits(), 1)
        self.assertIn("is being taken over by another process", second.errors())
        self.assertEqual(old.word(), "old")


class Streamed(Fleet):
    """Both have the same control plane, the same name and the same folder for what they keep."""

    def next(self, before, wait_for):
        proxy = StreamedProxy(self.control_plane, arguments=[one.format(folder=before.folder) for one in self.flags],
                              workers=3, wait=False)
        proxy.port, proxy.admin_port = before.port, before.admin_port
        self.use_here(proxy)
        eventually(lambda: wait_for in proxy.errors(), f"it says {wait_for!r}; it said:\n{proxy.errors()}")
        return proxy

    def test_the_successor_follows_the_control_plane_and_keeps_what_it_serves(self):
        self.flags = [*KEPT, "--takeover={folder}/proxy.sock"]
        old = self.serving(arguments=self.flags)
        load = self.use_here(Load(old.port))
        new = self.next(old, "serving in the place of process")
        self.assertEqual(old.exits(), 0, old.errors())
        self.client.apply(streamed_says("two"))
        load.goes_on("two")
        load.stop()
        self.assertEqual((load.failures, set(load.words)), ([], {"one", "two"}))
        self.kill_control_plane()
        new.process.send_signal(signal.SIGTERM)
        self.assertEqual(new.exits(), 0, new.errors())
        self.assertEqual(self.next(old, "is in force").word(), "two")


class Alone(Takeover):
    """There is nobody to take over from, or not any more."""

    def test_the_old_one_dies_before_the_new_one_serves(self):
        old = self.first(workers=2)
        Messages.load()
        port = free_port()
        hanging = self.use_here(Hanging(self.path, old, port))
        hanging.says_of_itself("taking over from process")
        old.process.kill()
        hanging.says_of_itself("is gone before this one serves")
        with RawClient(old.port) as early:      # the queue is the new one's, so this waits for its configuration
            early.send(get())
            control_plane = ControlPlane()
            control_plane.addresses["discovery_address"] = f"127.0.0.1:{port}"
            self.use_here(control_plane)
            with control_plane.client() as client:
                client.apply(streamed_gateway(old.port), streamed_says("streamed"))
            self.assertEqual(early.read_response().content, b"streamed")
        self.assertEqual(hanging.admin("/ready").status, 200)
        self.assertTrue(self.path.is_socket())

    def test_a_socket_that_is_left_of_a_dead_process(self):
        old = self.first()
        old.process.kill()
        old.exits()
        self.assertTrue(self.path.is_socket())
        new = self.use_here(Generation(says("new"), self.path))
        self.assertIn("left of a process that is gone", new.errors())
        last = self.next(new, says("last")).serves()
        self.assertEqual(last.word(), "last")

    def failing(self, path):
        proxy = Proxy(says("never"), arguments=[f"--takeover={path}"], wait=False)
        self.use_here(proxy)
        return proxy.exits(), proxy.errors()

    def test_a_file_is_not_replaced(self):
        self.path.write_text("notes")
        code, said = self.failing(self.path)
        self.assertEqual(code, 1)
        self.assertIn(f"--takeover: {self.path}: there is something that is no socket; it is not replaced", said)
        self.assertEqual(self.path.read_text(), "notes")

    def test_a_socket_of_somebody_else(self):
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(self.path))
            other.listen()
            code, said = self.failing(self.path)
            self.assertEqual(code, 1)
            self.assertIn("it is no portico-proxy's", said)

    def test_a_process_that_speaks_another_version(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as later:
            later.bind(str(self.path))
            later.listen()

            def refuse():
                end, _ = later.accept()
                with end:
                    end.recv(100)
                    end.send(b"PTKO\x02\x06this process speaks version 2")
            thread = threading.Thread(target=refuse)
            thread.start()
            code, said = self.failing(self.path)
            thread.join()
            self.assertEqual(code, 1)
            self.assertIn("this process speaks version 2", said)

    @unittest.skipUnless(os.geteuid() == 0, "only root can be two users")
    def test_a_process_of_another_user(self):
        self.folder.chmod(0o777)
        serve = ("import socket, sys; s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.bind(sys.argv[1]); "
                 "s.listen(); print('up', flush=True); s.accept()")
        with subprocess.Popen([sys.executable, "-c", serve, str(self.path)], user=NOBODY, stdout=subprocess.PIPE) as other:
            self.addCleanup(other.kill)
            other.stdout.readline()
            code, said = self.failing(self.path)
            other.kill()
        self.assertEqual(code, 1)
        self.assertIn(f"process {other.pid} runs as user {NOBODY} and this one as user 0", said)

    @unittest.skipUnless(os.geteuid() == 0, "only root can be two users")
    def test_another_user_gets_nothing(self):
        proxy = self.first()
        self.folder.chmod(0o777)
        ask = """
import socket, sys
client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
client.connect(sys.argv[1])
for step in (lambda: client.send(b"PTKO\\x01\\x01"), lambda: print(client.recv(1000)), lambda: print(client.recv(1000))):
    try:
        step()
    except OSError as error:
        print(error)
"""

        def said():
            done = subprocess.run([sys.executable, "-c", ask, str(self.path)], user=NOBODY, capture_output=True,
                                  text=True, timeout=TIMEOUT_S, check=False)
            return done.stdout + done.stderr
        self.assertIn("PermissionError", said())
        self.path.chmod(0o666)
        self.assertIn(f"runs as user {NOBODY}", said())
        self.assertIn("turned away", proxy.errors())

    def test_there_is_no_such_folder(self):
        code, said = self.failing(self.folder / "none" / "proxy.sock")
        self.assertEqual(code, 1)
        self.assertIn("no such file or directory", said)

    def test_a_long_path(self):
        code, said = check(says("x")(1), arguments=["--takeover=" + "p" * 100, "--check"])
        self.assertEqual(code, 2)
        self.assertIn("at most 99 bytes", said)
