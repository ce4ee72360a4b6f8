"""porticoctl against a real portico-controlplane."""
import json
import subprocess
import tempfile
from pathlib import Path

from control_plane import Authority, ControlPlane
from harness import TIMEOUT_S, Case, eventually, free_port, porticoctl_binary, table
from test_stream import StreamedProxy

GATEWAY = "kind: Gateway\nmetadata: {name: %s}\nspec: {listeners: [{name: http, port: 8080, protocol: HTTP}]}\n"
CLUSTER = "kind: Cluster\nmetadata: {name: %s}\nspec:\n  endpoints:\n  - {address: 127.0.0.1, port: %s}\n"
ROUTE = "kind: Route\nmetadata: {name: %s}\nspec:\n  rules:\n  - backendRefs: [{name: %s}]\n"


def ctl(*words, folder=None, text=""):
    """(exit code, standard output, standard error)."""
    done = subprocess.run([porticoctl_binary(), *words], cwd=folder, input=text, capture_output=True, text=True,
                          timeout=TIMEOUT_S, check=False)
    return done.returncode, done.stdout, done.stderr


class Waiting(Case):
    """`apply --wait` with a real proxy."""

    def test_a_change_runs(self):
        control_plane = self.use_here(ControlPlane(store="memory:"))
        proxy = StreamedProxy(control_plane, wait=False)
        address = f"--api_address={control_plane.addresses['api_address']}"
        gateway = GATEWAY.replace("8080", str(proxy.port)) % "default"
        self.assertEqual(ctl("apply", "-f", "-", address, text=gateway)[0], 0)
        self.use_here(proxy)
        eventually(proxy.is_ready, "the proxy serves")
        more = ROUTE % ("shop", "orders") + "---\n" + CLUSTER % ("orders", 9001)
        code, out, error = ctl("apply", "-f", "-", "--wait", address, text=more)
        self.assertEqual(code, 0, error)
        self.assertRegex(out, r"revision 2 runs on 1/1 proxies \(\d+ ms\)\n$")
        code, out, error = ctl("status", address)
        self.assertEqual(code, 0, error)
        self.assertRegex(out, r"\nedge-1 +default/default +2 ")


class Commands(Case):
    """One control plane for all; each case has names of its own."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.control_plane = cls.use(ControlPlane(store="memory:"))
        cls.address = f"--api_address={cls.control_plane.addresses['api_address']}"

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="portico-test-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def ctl(self, *words, text="", code=0):
        got, out, error = ctl(*words, self.address, folder=self.folder, text=text)
        self.assertEqual(got, code, out + error)
        return out, error

    def apply(self, text):
        """Returns the revision."""
        out, _ = self.ctl("apply", "-f", "-", text=text)
        return int(out.split()[-1])

    def test_apply_and_get(self):
        (self.folder / "a.yaml").write_text(CLUSTER % ("got", 9001))
        out, _ = self.ctl("apply", "-f", "a.yaml")
        self.assertRegex(out, r"^Cluster default/got created\nrevision \d+\n$")
        shown, _ = self.ctl("get", "clusters", "got", "-o", "yaml")
        self.assertIn("port: 9001", shown)
        self.assertEqual(json.loads(self.ctl("get", "cluster", "got", "-o", "json")[0])["metadata"]["name"], "got")
        self.assertRegex(self.ctl("get", "all")[0], r"\nCluster +default +got +\d+\n")
        again, _ = self.ctl("apply", "-f", "a.yaml")
        self.assertRegex(again, r"^revision \d+\n$")

    def test_a_dry_run_changes_nothing(self):
        out, _ = self.ctl("apply", "-f", "-", "--dry-run", text=CLUSTER % ("dry", 1))
        self.assertIn("nothing was changed", out)
        self.ctl("get", "cluster", "dry", code=1)

    def test_a_secret_is_shown_as_its_digest(self):
        keys = '{"keys":[{"kty":"oct","alg":"HS256","kid":"a","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTEyMzQ"}]}'
        self.apply(f"kind: Secret\nmetadata: {{name: hidden}}\nspec: {{jwks: {{inline: '{keys}'}}}}\n")
        out, _ = self.ctl("get", "secret", "hidden", "-o", "yaml")
        self.assertIn("sha256:", out)
        self.assertNotIn("c2VjcmV0", out)

    @table({
        "misspelt": ("kind: Route\nmetadata: {name: r}\nspec:\n  rulez: []\n", "a.yaml:4: spec: unknown field `rulez`"),
        "a bad value": (CLUSTER % ("c", 65536), "a.yaml:5: spec.endpoints[0].port: "),
        "a reference to nothing": (ROUTE % ("r", "nowhere"), "a.yaml:5: spec.rules[0].backendRefs[0].name: "),
    })
    def test_refused_with_its_line(self, text, says):
        (self.folder / "a.yaml").write_text(text)
        out, error = self.ctl("apply", "-f", "a.yaml", code=1)
        self.assertEqual(out, "")
        self.assertIn(says, error)

    def test_history_and_rollback(self):
        before = self.apply(CLUSTER % ("rolled", 1))
        self.apply(CLUSTER % ("rolled", 2))
        self.assertRegex(self.ctl("history", "--limit", "1")[0], r"anonymous +127\.0\.0\.1:\d+ +1 updated\n$")
        self.assertIn("Cluster default/rolled updated\n", self.ctl("rollback", str(before))[0])
        self.assertIn("port: 1\n", self.ctl("get", "cluster", "rolled", "-o", "yaml")[0])
        self.assertIn(f"rollback to {before}", self.ctl("history", "--limit", "1")[0])
        self.ctl("rollback", "1000000", code=1)

    def test_delete(self):
        self.apply(CLUSTER % ("needed", 1) + "---\n" + ROUTE % ("needs", "needed"))
        _, error = self.ctl("delete", "cluster", "needed", code=1)
        self.assertIn("Route default/needs", error)
        self.assertIn("Route default/needs deleted\n", self.ctl("delete", "route", "needs")[0])
        self.ctl("delete", "cluster", "needed")
        self.ctl("delete", "cluster", "needed", code=1)

    def test_status_without_proxies(self):
        self.assertRegex(self.ctl("status")[0], r"^NODE +GATEWAY [^\n]*\n$")

    def test_wait_without_proxies(self):
        out, error = self.ctl("apply", "-f", "-", "--wait", text=GATEWAY % "waiting", code=1)
        self.assertIn("Gateway default/waiting created\n", out)
        self.assertIn("no proxy is connected", error)


class Reach(Case):
    def test_unreachable(self):
        port = free_port()
        code, _, error = ctl("status", f"--api_address=127.0.0.1:{port}")
        self.assertEqual(code, 1)
        self.assertIn(f"control plane unreachable at 127.0.0.1:{port}: ", error)

    def test_tls(self):
        authority = self.use_here(Authority())
        control_plane = self.use_here(ControlPlane(store="memory:", tls=authority))
        certificate, key = authority.issue("alice")
        address = f"--api_address={control_plane.addresses['api_address']}"
        tls = [f"--tls_cert={certificate}", f"--tls_key={key}", f"--ca={authority.certificate}"]
        self.assertEqual(ctl("apply", "-f", "-", address, *tls, text=CLUSTER % ("c", 1))[0], 0)
        self.assertIn("alice", ctl("history", address, *tls)[1])
        code, _, error = ctl("status", address, "--timeout=2s")
        self.assertEqual(code, 1)
        self.assertIn("control plane unreachable at ", error)
