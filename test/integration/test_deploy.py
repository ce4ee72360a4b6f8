"""deploy/ against the binaries: a flag of a unit that there is not, or a metric of the dashboard that nobody prints, fails."""
import json
import re
import shutil
import socket
import subprocess
import tempfile
import unittest
from pathlib import Path

import garbage
from control_plane import ControlPlane, Messages, cluster, resource
from harness import ROOT, TIMEOUT_S, Case, RawClient, control_plane_binary, eventually, free_port, get, proxy_binary, table
from http2_client import Http2Client
from origins import Origin
from shop import self_signed
from test_stream import StreamedProxy, gateway, says

DASHBOARD = ROOT / "deploy/grafana/portico.json"
UNITS = ROOT / "deploy/systemd"


def expressions(panels):
    """[(title, expression, legend)] of all panels."""
    return [(panel["title"], target["expr"], target["legendFormat"]) for panel in panels for target in panel.get("targets", [])]


class Dashboard(Case):
    """One of everything that has a metric has happened."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        Messages.load()
        cls.dashboard = json.loads(DASHBOARD.read_text())
        cls.origin = cls.use(Origin())
        cls.control_plane = cls.use(ControlPlane())
        cls.proxy = StreamedProxy(cls.control_plane)
        with cls.control_plane.client() as client:
            client.apply(*cls.configuration())
            cls.use(cls.proxy)
            cls.happen()
        cls.samples = cls.read()

    @classmethod
    def configuration(cls):
        certificate, key = self_signed("shop.example", cls.control_plane.folder)
        secret = resource("secret", "certificate", {"tls": {"certificate": {"inline": certificate.read_text()},
                                                            "privateKey": {"inline": key.read_text()}}})
        cls.https_port = free_port()
        whole = gateway(cls.proxy.port)
        listener = whole.gateway.spec.listeners.add(name="https", port=cls.https_port, protocol="LISTENER_PROTOCOL_HTTPS")
        listener.tls.certificate_refs.add(name="certificate")
        return (whole, secret, cluster("origin", cls.origin.port),
                resource("route", "shop", {"rules": [{"backendRefs": [{"name": "origin"}]}]}))

    @classmethod
    def happen(cls):
        """A request, frames that say nothing, and a handshake that is no TLS."""
        with RawClient(cls.proxy.port) as client:
            client.exchange(get())
        with Http2Client(cls.proxy.port) as client:
            stream = client.request(method="POST", end=False)
            client.send_raw(garbage.frame(garbage.DATA, 0, stream) * 10 + garbage.frame(garbage.DATA, 1, stream))
            client.response(stream)
        with socket.create_connection(("127.0.0.1", cls.https_port), TIMEOUT_S) as client:
            client.sendall(b"no TLS\r\n\r\n")
            client.recv(1000)
        eventually(lambda: cls.proxy.metric("portico_tls_handshake_failures_total"), "the handshake is counted")
        eventually(lambda: cls.proxy.metric("portico_misbehaviour_total"), "the violation is counted")

    @classmethod
    def read(cls):
        """{name of a sample: names of its labels}, of both processes."""
        text = cls.proxy.admin("/metrics").content.decode() + cls.control_plane.admin("/metrics")[1]
        found = {}
        for name, labels in re.findall(r"^([a-z_]+)(?:\{(.*)\})? \S+$", text, re.M):
            found.setdefault(name, set()).update(re.findall(r'(\w+)="', labels))
        return found

    def test_each_metric_is_printed(self):
        texts = [expression for _, expression, _ in expressions(self.dashboard["panels"])]
        texts += [variable["query"]["query"] for variable in self.dashboard["templating"]["list"] if variable["type"] == "query"]
        named = {name for text in texts for name in re.findall(r"\bportico_\w+", text)}
        self.assertGreater(len(named), 10)
        self.assertEqual(named - set(self.samples), set())

    def test_each_label_is_one_of_its_metrics(self):
        for title, expression, legend in expressions(self.dashboard["panels"]):
            with self.subTest(title):
                metrics = re.findall(r"\bportico_\w+", expression)
                has = set.union(*(self.samples.get(name, set()) for name in metrics)) | {"instance"}     # Prometheus adds that
                wanted = set(re.findall(r"(\w+) ?=~?\"", expression)) | set(re.findall(r"\{\{(\w+)\}\}", legend))
                wanted |= {label for group in re.findall(r"by \(([^)]*)\)", expression) for label in group.split(", ")}
                self.assertEqual(wanted - has, set(), expression)

    def test_each_legend_is_what_remains(self):
        """Of a sum by some labels the legend can name no others."""
        for title, expression, legend in expressions(self.dashboard["panels"]):
            for group in re.findall(r"^(?:60 \* )?(?:sum|min|max) by \(([^)]*)\)", expression):
                with self.subTest(title):
                    self.assertLessEqual(set(re.findall(r"\{\{(\w+)\}\}", legend)), set(group.split(", ")))

    def test_panels_have_numbers_of_their_own(self):
        numbers = [panel["id"] for panel in self.dashboard["panels"]]
        self.assertEqual(len(numbers), len(set(numbers)))


class UnitControlPlane(ControlPlane):
    """Started by its unit's command."""

    def command(self):
        addresses = [f"--{name}_address=127.0.0.1:0" for name in ("api", "discovery", "admin")]
        return command("portico-controlplane.service", self.folder, addresses)

    def start(self):
        super().start()
        assert (self.folder / "portico-controlplane/portico.db").exists(), "the store is in the state's folder"


class UnitProxy(StreamedProxy):
    """Started by its unit's command, one of the two turns."""

    def run(self):
        flags = [*self.source_arguments(), f"--admin_address=127.0.0.1:{self.admin_port}", "--drain_timeout=1s"]
        with open(self.folder / "stdout", "wb") as out, open(self.folder / "stderr", "wb") as errors:
            self.process = subprocess.Popen(command("portico-proxy@.service", self.machine, flags), stdout=out, stderr=errors)
        eventually(lambda: "in force" in self.errors(), lambda: f"it serves; it said:\n{self.errors()}")


BINARIES = {"portico-controlplane": control_plane_binary, "portico-proxy": proxy_binary}


def exec_start(unit):
    line = next(line for line in (UNITS / unit).read_text().splitlines() if line.startswith("ExecStart="))
    return line.removeprefix("ExecStart=").split()


def command(unit, machine, flags):
    """As systemd makes it, with the folders of a machine elsewhere and the binaries that are tested."""
    path, *words = exec_start(unit)
    folder = Path(machine) / Path(path).name
    folder.mkdir(mode=0o700, exist_ok=True)
    words = [word.replace("%S", str(machine)).replace("%t", str(machine)) for word in words]
    at = words.index("$PORTICO_FLAGS")
    return [BINARIES[Path(path).name](), *words[:at], *flags, *words[at + 1:]]


class Units(Case):
    @table({"control plane": "portico-controlplane.service", "proxy": "portico-proxy@.service"})
    def test_flags(self, unit):
        path, *words = exec_start(unit)
        done = subprocess.run([BINARIES[Path(path).name](), "--help"], capture_output=True, text=True, timeout=TIMEOUT_S,
                              check=True)
        flags = re.findall(r"--\w+", " ".join(words))
        self.assertTrue(flags)
        self.assertEqual([flag for flag in flags if f"  {flag}=" not in done.stdout and f", {flag}=" not in done.stdout], [])

    @table({"control plane": ("portico-controlplane.service", "portico-controlplane.service"),
            "proxy": ("portico-proxy@.service", "portico-proxy@a.service")})
    @unittest.skipUnless(shutil.which("systemd-analyze"), "there is no systemd-analyze here")
    def test_verified(self, unit, instance):
        """By systemd itself, with the binary where it is here."""
        path = exec_start(unit)[0]
        with tempfile.TemporaryDirectory(prefix="portico-test-") as folder:
            for file in {unit, instance}:
                Path(folder, file).write_text((UNITS / unit).read_text().replace(path, BINARIES[Path(path).name]()))
            done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(Path(folder, instance))], capture_output=True,
                                  text=True, timeout=60, check=False)
        said = [line for line in (done.stdout + done.stderr).splitlines() if "portico" in line]
        self.assertEqual((done.returncode, said), (0, []), done.stdout + done.stderr)

    def test_turns(self):
        """The control plane serves, one turn of the proxy after the other too, and the first ends well, so that it stays down."""
        Messages.load()
        control_plane = self.use_here(UnitControlPlane())
        turns = [UnitProxy(control_plane) for _ in range(2)]
        turns[1].port, turns[1].admin_port = turns[0].port, turns[0].admin_port
        with control_plane.client() as client:
            client.apply(gateway(turns[0].port), says("one"))
        for turn in turns:
            turn.machine = control_plane.folder
            self.use_here(turn)
            self.assertEqual(turn.word(), "one")
        self.assertEqual(turns[0].exits(), 0)
        self.assertIn("takeover", " ".join(turns[1].process.args))
        self.assertEqual(turns[1].word(), "one")
