"""What the integration tests stand on: a real proxy in a folder of its own, and wrappers of the clients.

    class Greeting(Case):
        @classmethod
        def setUpClass(cls):
            super().setUpClass()
            cls.origin = cls.use(Origin())
            cls.proxy = cls.use(Proxy(forward_all(cls.origin)))

        def test_answers(self):
            self.assertEqual(curl(self.proxy.url("/")).status, 200)

`use` starts a thing and stops it after the last case of the class, in reverse order; `self.use_here` after this case.
No sleeps: `eventually` polls with a deadline, and everything that reads has a timeout.
"""
import fcntl
import functools
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request
from pathlib import Path

import secrecy

ROOT = Path(__file__).resolve().parent.parent.parent
TIMEOUT_S = 10


def proxy_binary():
    return os.environ.get("PORTICO_PROXY", str(ROOT / "bazel-bin/dataplane/portico-proxy"))


def control_plane_binary():
    return os.environ.get("PORTICO_CONTROLPLANE", str(ROOT / "bazel-bin/controlplane/portico-controlplane"))


def porticoctl_binary():
    return os.environ.get("PORTICO_CTL", str(ROOT / "bazel-bin/tools/ctl/porticoctl"))


def sanitized():
    """Whether the proxy is built with AddressSanitizer: bounds on memory and time do not hold then."""
    return os.environ.get("PORTICO_SANITIZED") == "1"


def eventually(condition, what, seconds=TIMEOUT_S):
    """Polls until `condition()` is true and returns its value. `what` it is, or a function that says it when it failed."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"did not happen within {seconds} s: {what() if callable(what) else what}")
        time.sleep(0.005)


PORTS = range(15000, 32000)     # below those that the system gives to whoever connects
_given_out = set()
_ports_lock = []                # the open file: a lock of one of its bytes is that port, until this process ends


def free_port():
    """A port that nothing listens on, never given out twice by this process, nor by another one while this one runs."""
    if not _ports_lock:
        path = Path(tempfile.gettempdir()) / f"portico-test-ports-{os.getuid()}"
        _ports_lock.append(open(path, "ab"))            # pylint: disable=consider-using-with
    first = random.randrange(len(PORTS))
    for port in (PORTS[(first + i) % len(PORTS)] for i in range(len(PORTS))):
        if port in _given_out:
            continue
        with socket.socket() as probe:
            try:
                fcntl.lockf(_ports_lock[0], fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
                _given_out.add(port)
                probe.bind(("", port))
                return port
            except OSError:
                continue
    raise AssertionError("no port is free")


def table(rows):
    """Makes one case of each row {name: arguments} of a test method: a failing row fails alone and is counted alone."""
    def mark(method):
        method.rows = rows
        return method
    return mark


class Case(unittest.TestCase):
    longMessage = True
    maxDiff = 4000

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        for name, method in list(vars(cls).items()):
            for row, arguments in getattr(method, "rows", {}).items():
                arguments = arguments if isinstance(arguments, tuple) else (arguments,)
                case = functools.partialmethod(method, *arguments)
                setattr(cls, f"{name}__{re.sub('[^a-zA-Z0-9]+', '_', row)}", case)
            if hasattr(method, "rows"):
                delattr(cls, name)

    @classmethod
    def use(cls, thing):
        cls.addClassCleanup(thing.stop)      # also of a thing that starts only half
        thing.start()
        return thing

    def use_here(self, thing):
        self.addCleanup(thing.stop)
        thing.start()
        return thing

    def assertProblem(self, response, status, proxy_status=None):
        """A local answer: its status, a problem document (RFC 9457) that agrees, and proxy-status (RFC 9209)."""
        self.assertEqual(response.status, status, response)
        self.assertTrue((response.field("content-type") or "").startswith("application/problem+json"), response)
        self.assertEqual(json.loads(response.content)["status"], status, response)
        self.assertIsNotNone(response.field("proxy-status"), response)
        if proxy_status:
            self.assertIn(proxy_status, response.field("proxy-status"), response)


class Response:
    def __init__(self, status, fields, content=b"", trailers=(), interim=()):
        self.status, self.fields, self.content = status, fields, content
        self.trailers, self.interim = list(trailers), list(interim)

    def field(self, name):
        """All values of the field, joined; None if it is absent."""
        values = [value for field, value in self.fields if field.lower() == name]
        return ", ".join(values) if values else None

    def trailer(self, name):
        return next((value for field, value in self.trailers if field.lower() == name), None)

    def json(self):
        return json.loads(self.content)

    def __repr__(self):
        return f"{self.status} {self.fields} {self.content[:400]!r}"


# ---- configurations ----

GATEWAY = """\
kind: Gateway
metadata: {{name: default}}
spec:
  listeners: [{{name: http, port: {port}, protocol: HTTP}}]
  addresses: [{{type: IPAddress, value: 127.0.0.1}}]
{more}"""


def gateway(port, more=""):
    return GATEWAY.format(port=port, more="".join(f"  {line}\n" for line in more.splitlines() if line))


def cluster(name, ports, more=""):
    ports = ports if isinstance(ports, (list, tuple)) else [ports]
    endpoints = ", ".join(f"{{address: 127.0.0.1, port: {port}}}" for port in ports)
    return (f"---\nkind: Cluster\nmetadata: {{name: {name}}}\nspec:\n  endpoints: [{endpoints}]\n" +
            "".join(f"  {line}\n" for line in more.splitlines() if line))


def route(name, rules, hostnames=()):
    hosts = f"  hostnames: [{', '.join(json.dumps(host) for host in hostnames)}]\n" if hostnames else ""
    return f"---\nkind: Route\nmetadata: {{name: {name}}}\nspec:\n{hosts}  rules:\n" + "".join(
        f"  - {rule}\n" for rule in rules)


def forward_all(origin, gateway_more="", cluster_more="", rule_more=""):
    """port -> a configuration that sends everything to one origin."""
    return lambda port: (gateway(port, gateway_more) + cluster("origin", origin.port, cluster_more) +
                         route("all", [f"{{backendRefs: [{{name: origin}}]{rule_more}}}"]))


# ---- the proxy ----

class Proxy:
    """One portico-proxy in a temporary folder. `config` is text, or a function of the port of its HTTP listener."""

    def __init__(self, config, files=None, arguments=(), workers=1, gateway_name="default", wait=True):
        self.port, self.admin_port = free_port(), free_port()
        self.text = config(self.port) if callable(config) else config
        self.files, self.arguments, self.workers = files or {}, list(arguments), workers
        self.gateway_name, self.wait_for_ready = gateway_name, wait
        self.folder = self.process = None

    def start(self):
        self.folder = Path(tempfile.mkdtemp(prefix="portico-test-"))
        for name, content in self.files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.config_path.write_text(self.text)
        self.run()

    def source_arguments(self):
        """Where the configuration comes from."""
        return [f"--config={self.config_path}"]

    def run(self):
        """Starts the process, again if it has ended."""
        command = [proxy_binary(), *self.source_arguments(), f"--admin_address=127.0.0.1:{self.admin_port}",
                   f"--gateway={self.gateway_name}", f"--workers={self.workers}", *self.arguments]
        with open(self.folder / "stdout", "wb") as out, open(self.folder / "stderr", "wb") as errors:
            self.process = subprocess.Popen(command, stdout=out, stderr=errors, stdin=subprocess.DEVNULL)
        if self.wait_for_ready:
            eventually(self.is_ready, lambda: f"the proxy is ready, not {self.readiness()}; it said:\n{self.errors()}")

    def readiness(self):
        try:
            answer = self.admin("/ready")
            return f"{answer.status}: {answer.content.decode()}"
        except OSError as error:
            return str(error)

    def is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the proxy ended with {self.process.returncode}:\n{self.errors()}")
        try:
            return self.admin("/ready").status == 200
        except OSError:
            return False

    def stop(self):
        if self.process is None:
            if self.folder:
                shutil.rmtree(self.folder, ignore_errors=True)
            return
        self.process.send_signal(signal.SIGCONT)
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL if not sanitized() else signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        said, logged = self.errors(), (self.folder / "stdout").read_bytes()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.process = None
        # A sanitizer's report, or a check of ours that failed, fails whatever case was running.
        for sign in ("Sanitizer:", "runtime error:", "check failed"):
            if sign.lower() in said.lower():
                raise AssertionError(f"the proxy broke:\n{said[-8000:]}")
        secrecy.check("the proxy's log", said)
        secrecy.check("the access log", logged)

    @property
    def config_path(self):
        return self.folder / "portico.yaml"

    def replace_config(self, text):
        """As an editor or a deployment does it: write beside, then rename."""
        beside = self.folder / "portico.yaml.new"
        beside.write_text(text(self.port) if callable(text) else text)
        beside.rename(self.config_path)

    def url(self, target="/", scheme="http", port=None):
        return f"{scheme}://127.0.0.1:{port or self.port}{target}"

    def admin(self, target, method="GET", content=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.admin_port}{target}", data=content, method=method)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
                return Response(answer.status, list(answer.headers.items()), answer.read())
        except urllib.error.HTTPError as answer:
            return Response(answer.code, list(answer.headers.items()), answer.read())

    def metric(self, name, **labels):
        """The sum of the samples of a metric that have these labels; None if there is none."""
        values = []
        for line in self.admin("/metrics").content.decode().splitlines():
            match = re.match(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$", line)
            if match and match[1] == name:
                found = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', match[2] or ""))
                if all(found.get(key) == value for key, value in labels.items()):
                    values.append(float(match[3]))
        return sum(values) if values else None

    def errors(self):
        return (self.folder / "stderr").read_text(errors="replace") if self.folder else ""

    def access_log(self):
        """The lines so far; each must be one JSON object."""
        text = (self.folder / "stdout").read_text()
        return [json.loads(line) for line in text.split("\n")[:-1]]

    def resident_kib(self):
        return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())[1])

    def open_files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def exits(self, seconds=TIMEOUT_S):
        """Waits for the process to end by itself and returns its exit code."""
        return self.process.wait(seconds)


def check(text, files=None, arguments=("--check",)):
    """portico-proxy --check on a configuration: (exit code, what it said)."""
    with tempfile.TemporaryDirectory(prefix="portico-test-") as folder:
        for name, content in (files or {}).items():
            Path(folder, name).write_bytes(content if isinstance(content, bytes) else content.encode())
        path = Path(folder, "portico.yaml")
        path.write_text(text)
        if not any(argument.startswith("--config") for argument in arguments):
            arguments = [f"--config={path}", *arguments]
        done = subprocess.run([proxy_binary(), *arguments], capture_output=True, text=True,
                              timeout=TIMEOUT_S, check=False)
        return done.returncode, done.stdout + done.stderr


# ---- clients ----

def run(*command, timeout=60, **options):
    return subprocess.run(list(command), capture_output=True, timeout=timeout, check=False, **options)


def curl(url, *arguments):
    """curl as a client; raises AssertionError with curl's own words if there was no answer."""
    done = run("curl", "--silent", "--show-error", "--include", "--max-time", str(TIMEOUT_S), *arguments, url)
    if done.returncode:
        raise AssertionError(f"curl {url}: exit {done.returncode}: {done.stderr.decode()} {done.stdout[:400]!r}")
    interim, rest = [], done.stdout
    while True:
        head, _, rest = rest.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        status = int(lines[0].split(" ")[1])
        fields = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:]]
        if status >= 200 or status == 101:
            return Response(status, fields, rest, interim=interim)
        interim.append(Response(status, fields))


def h2load(url, *arguments):
    """h2load's counts: {total, succeeded, failed, errored, ...}."""
    text = run("h2load", *arguments, url).stdout.decode()
    match = re.search(r"requests: (.*)", text)
    assert match, text
    counts = {word: int(number) for number, word in re.findall(r"(\d+) (\w+)", match[1])}
    statuses = re.search(r"status codes: (.*)", text)
    counts.update((word, int(number)) for number, word in re.findall(r"(\d+) (\dxx)", statuses[1]))
    return counts


def wrk(url, *arguments):
    """wrk's counts: {requests, errors}."""
    text = run("wrk", *arguments, url).stdout.decode()
    requests = re.search(r"(\d+) requests in", text)
    assert requests, text
    sockets = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    others = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    errors = (sum(map(int, sockets.groups())) if sockets else 0) + (int(others[1]) if others else 0)
    return {"requests": int(requests[1]), "errors": errors}


class RawClient:
    """A socket that sends the bytes it is told and reads HTTP/1.1 responses strictly."""

    def __init__(self, port, address="127.0.0.1"):
        self.socket = socket.create_connection((address, port), timeout=TIMEOUT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        try:
            self.socket.sendall(data if isinstance(data, bytes) else data.encode("latin-1"))
        except (BrokenPipeError, ConnectionResetError):
            pass        # the answer, if there is one, is still to be read

    def finish(self):
        self.socket.shutdown(socket.SHUT_WR)

    def fill(self):
        """Reads once; False at the end of the connection."""
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            return False
        self.buffer += data
        return bool(data)

    def take_line(self):
        while b"\r\n" not in self.buffer:
            if not self.fill():
                raise AssertionError(f"the connection ended within a line: {self.buffer[:200]!r}")
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line.decode("latin-1")

    def take(self, count):
        while len(self.buffer) < count:
            if not self.fill():
                raise AssertionError(f"the connection ended {count - len(self.buffer)} bytes early")
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def take_fields(self):
        fields = []
        while line := self.take_line():
            name, colon, value = line.partition(":")
            assert colon and re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name), f"not a field line: {line!r}"
            fields.append((name, value.strip(" \t")))
        return fields

    def read_head(self):
        line = self.take_line()
        match = re.fullmatch(r"HTTP/1\.1 (\d{3}) ([\t -~]*)", line)
        assert match, f"not a status line: {line!r}"
        return Response(int(match[1]), self.take_fields())

    def read_response(self, method="GET"):
        """One final response with the interim ones before it."""
        interim = []
        response = self.read_head()
        while 100 <= response.status < 200 and response.status != 101:
            interim.append(response)
            response = self.read_head()
        response.interim = interim
        length, coding = response.field("content-length"), response.field("transfer-encoding")
        assert length is None or coding is None, response
        if method == "HEAD" or response.status in (101, 204, 304):
            return response
        if coding:
            assert coding == "chunked", response
            pieces = []
            while size := self.take_chunk_size():
                pieces.append(self.take(size))
                assert self.take(2) == b"\r\n"
            response.content, response.trailers = b"".join(pieces), self.take_fields()
        elif length is not None:
            response.content = self.take(int(length))
        else:
            while self.fill():
                pass
            response.content, self.buffer = self.buffer, b""
        return response

    def take_chunk_size(self):
        line = self.take_line()
        assert re.fullmatch(r"[0-9a-fA-F]+", line), f"not a chunk size: {line!r}"
        return int(line, 16)

    def is_closed(self):
        """Whether the peer ends the connection without sending anything more."""
        return not self.buffer and not self.fill()

    def exchange(self, data, method="GET"):
        self.send(data)
        return self.read_response(method)


def get(target="/", host="shop.example", more="", method="GET"):
    """The bytes of a request without content."""
    return f"{method} {target} HTTP/1.1\r\nhost: {host}\r\n{more}\r\n"
