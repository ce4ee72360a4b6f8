"""What runs in the demo: the services of examples/shop, a control plane, two proxies; and their clients: curl, porticoctl."""
import importlib.machinery
import importlib.util
import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

import yaml

from demo.told import aside, until

ROOT = Path(__file__).resolve().parent.parent.parent.parent
SHOP = ROOT / "examples/shop"
HOST = "api.shop.example"
GATEWAY = "default/shop"
NODES = {"edge-1": "127.0.0.1", "edge-2": "127.0.0.2"}     # the same ports at two addresses
API_PORT, DISCOVERY_PORT, CONTROL_ADMIN_PORT, ADMIN_PORT = 9900, 9901, 9902, 9903
PROGRAM_PORTS = {API_PORT, DISCOVERY_PORT, CONTROL_ADMIN_PORT, ADMIN_PORT}
PROXY, CONTROL_PLANE, PORTICOCTL = ("dataplane/portico-proxy", "controlplane/portico-controlplane", "tools/ctl/porticoctl")
LATENCY_MS = 30
START_SECONDS_MAX = 20
END_SECONDS_MAX = 60
LINES_SHOWN = 6


def load_module(path, name):
    loader = importlib.machinery.SourceFileLoader(name, str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    sys.modules[name] = module
    loader.exec_module(module)
    return module


services = load_module(SHOP / "services.py", "shop_services")
token = load_module(SHOP / "token", "shop_token")


# ---- ports and configuration ----

def is_free(port):
    for address in NODES.values():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError:
                return False
    return True


def free_port(taken):
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port not in taken and is_free(port):
            return port


def choose_ports(text):
    """port in shop.yaml, or of the programs -> port to use: the same where it is free."""
    wanted = sorted({int(port) for port in re.findall(r"port: (\d+)", text)} | PROGRAM_PORTS)
    chosen = {}
    for port in wanted:
        chosen[port] = port if is_free(port) else free_port(set(wanted) | set(chosen.values()))
    return chosen


def with_ports(text, ports):
    return re.sub(r"port: (\d+)", lambda match: f"port: {ports[int(match[1])]}", text)


def replaced(text, old, new):
    assert old in text, f"shop.yaml no longer has {old!r}, which the demo changes"
    return text.replace(old, new)


# Longer deadlines than shop.yaml's: what else runs on the machine may starve a service for that long.
PATIENCE = {"    timeouts: {request: 1s}  ": "    timeouts: {request: 10s} ",
            "timeouts: {request: 2s, backendRequest: 700ms}": "timeouts: {request: 10s, backendRequest: 5s}",
            "timeouts: {request: 300ms}": "timeouts: {request: 5s}", "timeouts: {request: 200ms}": "timeouts: {request: 2s}",
            "timeouts: {request: 100ms}": "timeouts: {request: 2s}"}


def patient(text):
    for old, new in PATIENCE.items():
        text = replaced(text, old, new)
    return text


def line_of(text, piece):
    return text[:text.index(piece)].count("\n") + 1


# ---- what runs ----

class Program:
    """One of our binaries as a process. Started again it has the flags, and so the ports and the folder, that it had."""

    def __init__(self, binary, folder, arguments):
        self.folder, self.command = folder, [str(binary), *arguments]
        self.process, self.before = None, []

    def start(self):
        """Another process, also while the one before still runs."""
        if self.process:
            self.before.append(self.process)
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / "stdout.log", "ab") as out, open(self.folder / "stderr.log", "ab") as errors:
            self.process = subprocess.Popen(self.command, cwd=self.folder, stdout=out, stderr=errors,
                                            stdin=subprocess.DEVNULL)

    def wait(self, condition, what):
        """Until it holds; RuntimeError if the process ends before, or the time is up."""
        until(lambda: self.process.poll() is not None or condition(), START_SECONDS_MAX)
        if self.process.poll() is not None or not condition():
            raise RuntimeError(f"{what}:\n{self.log()[-2000:]}")

    def exits(self):
        """The exit code, None if it goes on."""
        try:
            return self.process.wait(END_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            return None

    def kill(self):
        for process in (self.process, *self.before):
            if process and process.poll() is None:
                process.kill()
                process.wait()

    def log(self):
        path = self.folder / "stderr.log"
        return path.read_text(errors="replace") if path.exists() else ""


class ControlPlane(Program):
    def __init__(self, binary, folder, ports):
        self.api, self.discovery, self.admin = (
            f"127.0.0.1:{ports[port]}" for port in (API_PORT, DISCOVERY_PORT, CONTROL_ADMIN_PORT))
        self.store = folder / "portico.db"
        super().__init__(binary, folder, [
            f"--api_address={self.api}", f"--discovery_address={self.discovery}",
            f"--admin_address={self.admin}", "--store=sqlite:portico.db", "--secrets_key_file=secrets.key"])

    def start(self):
        (self.folder / "stdout.log").unlink(missing_ok=True)    # where it prints its addresses once it serves
        super().start()
        self.wait(lambda: "discovery_address=" in (self.folder / "stdout.log").read_text(),
                  "the control plane did not start")


class Proxy(Program):
    """One of the proxies; whoever asks it goes to its address."""

    def __init__(self, binary, folder, name, address, ports, discovery):
        self.name, self.address, self.admin = name, address, f"{address}:{ports[ADMIN_PORT]}"
        super().__init__(binary, folder, [
            f"--discovery_address={discovery}", f"--gateway={GATEWAY}", f"--node_id={name}",
            f"--bind_address={address}", f"--admin_address={self.admin}", "--workers=2", "--drain_delay=1s",
            "--state_dir=.", "--state_key_file=state.key", "--takeover=takeover.socket"])

    @property
    def state(self):
        """The file that it can start from."""
        return self.folder / f"{GATEWAY.replace('/', '.')}.state"

    def ask_admin(self, target):
        """The status of an answer of the admin port, None without one."""
        try:
            with urllib.request.urlopen(f"http://{self.admin}{target}", timeout=2) as answer:
                return answer.status
        except urllib.error.HTTPError as answer:
            return answer.code
        except OSError:
            return None

    def metrics(self):
        with urllib.request.urlopen(f"http://{self.admin}/metrics", timeout=5) as answer:
            return answer.read().decode()

    def is_ready(self):
        return self.ask_admin("/ready") == 200

    def wait_alive(self):
        self.wait(lambda: self.ask_admin("/live") == 200, f"{self.name} did not start")

    def wait_ready(self):
        self.wait(self.is_ready, f"{self.name} is not ready")


class Stage:
    """The folder and all that runs in one show. Ends what it started, by process id."""

    def __init__(self, binaries):
        text = (SHOP / "shop.yaml").read_text()
        self.ports = choose_ports(text)
        self.text = patient(with_ports(text, self.ports))
        self.folder = Path(tempfile.mkdtemp(prefix="portico-demo-"))
        self.config = self.folder / "shop.yaml"
        self.authority = self.folder / "tls/ca.crt"
        self.porticoctl_binary = binaries / PORTICOCTL
        self.service_processes = {}
        self.revision = 0       # the newest
        self.unshifted = 0      # the last before the catalogue was shifted
        self.control_plane = ControlPlane(binaries / CONTROL_PLANE, self.folder / "control-plane", self.ports)
        self.proxies = [Proxy(binaries / PROXY, self.folder / name, name, address, self.ports, self.control_plane.discovery)
                        for name, address in NODES.items()]
        listeners = next(one for one in yaml.safe_load_all(text) if one["kind"] == "Gateway")["spec"]["listeners"]
        self.http, self.https = (self.ports[listener["port"]] for listener in listeners)

    def prepare(self):
        subprocess.run([str(SHOP / "make-certificates"), str(self.folder / "tls")], check=True, stderr=subprocess.DEVNULL)

    def instances(self):
        return services.instances(self.text)

    def start_service(self, instance):
        process = services.start(instance, self.folder / "logs", latency_ms=LATENCY_MS)
        self.service_processes[instance.name] = process
        services.wait_ready(instance, process)

    def origin_log(self, service):
        lines = []
        for path in (self.folder / "logs").glob(f"{service}-*.jsonl"):
            lines += [json.loads(line) for line in path.read_text().split("\n")[:-1]]
        return lines

    def stop(self):
        for program in (*self.proxies, self.control_plane):
            program.kill()
        services.stop(self.service_processes.values())
        shutil.rmtree(self.folder, ignore_errors=True)

    def token(self, **claims):
        return token.mint("alice", self.folder / "tls", **claims)

    def url(self, target):
        return f"https://{HOST}:{self.https}{target}"

    # ---- clients ----

    def porticoctl(self, *words, quietly=False):
        """What it said; told to the reader as well."""
        done = subprocess.run([str(self.porticoctl_binary), *words, f"--api_address={self.control_plane.api}"],
                              cwd=self.folder, capture_output=True, text=True, check=False)
        said = Said(done.returncode, done.stdout, done.stderr)
        if not quietly:
            tell(words, said)
        return said

    def apply(self, text):
        self.config.write_text(text)
        return self.porticoctl("apply", "-f", "shop.yaml", "--wait")

    def took(self, said):
        """Whether porticoctl says that both proxies run one revision more; it is the newest from then on."""
        self.revision += 1
        return said.code == 0 and re.search(rf"(?m)^revision {self.revision} runs on 2/2 proxies \(\d+ ms\)$",
                                            said.out + said.error)

    def curl(self, target, *arguments):
        """A real curl through every proxy: answers by its name."""
        return {proxy.name: curl(self, proxy, self.url(target), *arguments) for proxy in self.proxies}

    def curl_in_clear(self, target, *arguments):
        return {proxy.name: curl(self, proxy, f"http://{proxy.address}:{self.http}{target}", *arguments)
                for proxy in self.proxies}


class Said:
    def __init__(self, code, out, error):
        self.code, self.out, self.error = code, out, error

    def __str__(self):
        return f"exit {self.code}: {self.out[-300:]}{self.error[-300:]}"


def tell(words, said):
    aside("$ porticoctl " + " ".join(words))
    lines = (said.out + said.error).splitlines()
    if len(lines) > LINES_SHOWN:
        aside(f"    … {len(lines) - LINES_SHOWN} lines")
    for line in lines[-LINES_SHOWN:]:
        aside(f"    {line[:200]}")


class Answer:
    def __init__(self, status, version, seconds, content, fields, error=""):
        self.status, self.version, self.seconds = status, version, seconds
        self.content, self.fields, self.error = content, fields, error

    def __str__(self):
        return self.error or f"answered {self.status}: {self.content[:120]!r}"


def curl(stage, proxy, url, *arguments):
    """A real curl; what it took is curl's own figure."""
    head = proxy.folder / "head.txt"
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--max-time", "10", "--cacert", str(stage.authority), "--resolve",
         f"{HOST}:{stage.https}:{proxy.address}", "--dump-header", str(head), "--write-out",
         "\n%{http_code} %{http_version} %{time_total}", *arguments, url], capture_output=True, check=False)
    content, _, figures = done.stdout.decode(errors="replace").rpartition("\n")
    status, version, seconds = figures.split(" ")
    fields = dict(re.findall(r"(?m)^([^:\s]+): (.*?)\r?$", head.read_text(errors="replace").lower())) if head.exists() else {}
    return Answer(int(status), version, float(seconds), content, fields, done.stderr.decode().strip())


def bearer(value):
    return ("-H", f"authorization: Bearer {value}")
