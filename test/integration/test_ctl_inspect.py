"""What porticoctl shows of a real portico-controlplane beside single resources."""
import json
import re
import subprocess
import threading

from control_plane import ControlPlane
from ctl_case import CLUSTER, GATEWAY, KEYS, ROUTE, CtlCase, ctl
from harness import TIMEOUT_S, Case, eventually, porticoctl_binary, table
from test_stream import StreamedProxy

POLICY = """kind: AuthPolicy
metadata: {name: %s}
spec:
  targetRefs: [{kind: Route, name: %s}]
  authentication: {anyOf: [{anonymous: {}}]}
  authorization: {defaultAction: Deny}
"""


class Diff(CtlCase):
    def test_the_same_then_another(self):
        self.apply(CLUSTER % ("differs", 1))
        self.assertEqual(self.ctl("diff", "-f", self.write("a.yaml", CLUSTER % ("differs", 1)))[0], "")
        out, _ = self.ctl("diff", "-f", self.write("b.yaml", CLUSTER % ("differs", 2) + "---\n" + CLUSTER % ("new", 3)), code=1)
        self.assertRegex(out, r"--- Cluster default/differs \(revision \d+\)\n\+\+\+ Cluster default/differs \(b\.yaml\)\n@@")
        self.assertIn("\n-    port: 1\n+    port: 2\n", out)
        self.assertIn("--- /dev/null\n+++ Cluster default/new (b.yaml)\n", out)
        self.ctl("apply", "-f", "b.yaml")
        self.assertEqual(self.ctl("diff", "-f", "b.yaml")[0], "")

    def test_a_secret_is_a_digest(self):
        secret = "kind: Secret\nmetadata: {name: kept}\nspec: {jwks: {inline: '%s'}}\n"
        self.apply(secret % KEYS)
        self.ctl("diff", "-f", self.write("same.yaml", secret % KEYS))
        out, _ = self.ctl("diff", "-f", self.write("other.yaml", secret % KEYS.replace('"kid":"a"', '"kid":"b"')), code=1)
        self.assertEqual(len(re.findall(r'^[-+]    inline: "sha256:[0-9a-f]{64}"$', out, re.M)), 2, out)
        self.assertNotIn("c2VjcmV0", out)

    def test_errors(self):
        out, error = self.ctl("diff", "-f", self.write("bad.yaml", ROUTE % ("r", "nowhere")), code=2)
        self.assertEqual(out, "")
        self.assertIn("bad.yaml:5: spec.rules[0].backendRefs[0].name: ", error)
        self.assertEqual(ctl("diff", "-f", "-", "--api_address=127.0.0.1:1", text=CLUSTER % ("c", 1))[0], 2)


class Describe(CtlCase):
    def test_a_route_with_its_policies(self):
        first = self.apply(GATEWAY % "front" + "---\n" + CLUSTER % ("shown", 1) + "---\n" + ROUTE % ("shown", "shown"))
        second = self.apply(POLICY % ("closed", "shown"))
        out, _ = self.ctl("describe", "route", "shown")
        self.assertIn(f"Route default/shown\nrevision {first}, first stored at revision {first}; the configuration is at "
                      f"revision {second}\n", out)
        self.assertIn("refers to:\n  Cluster default/shown\n", out)
        self.assertIn("is referred to by:\n  AuthPolicy default/closed (guards it)\n", out)
        self.assertIn("  rule 0 on Gateway front, listener http\n    authentication: AuthPolicy closed, from Route shown\n"
                      "    authorization: AuthPolicy closed, from Route shown\n", out)
        self.assertRegex(out, rf"revisions:\n  {first}: created \S+ by anonymous from 127\.0\.0\.1:\d+\n")
        self.assertIn("holds for:\n  Route default/shown, rule 0 on Gateway front, listener http: authentication and "
                      "authorization\n", self.ctl("describe", "authpolicy", "closed")[0])
        self.assertIn("proxies:\n  none\n", self.ctl("describe", "gateway", "front")[0])
        self.assertIn("there is no Route default/x", self.ctl("describe", "route", "x", code=1)[1])


class DescribeFleet(Case):
    def test_a_gateway_with_its_proxy(self):
        control_plane = self.use_here(ControlPlane(store="memory:"))
        proxy = StreamedProxy(control_plane, wait=False)
        address = f"--api_address={control_plane.addresses['api_address']}"
        self.assertEqual(ctl("apply", "-f", "-", address, text=GATEWAY.replace("8080", str(proxy.port)) % "default")[0], 0)
        self.use_here(proxy)
        eventually(proxy.is_ready, "the proxy serves")
        eventually(lambda: "proxies:\n  edge-1 runs revision 1 of 1: good\n" in ctl("describe", "gateway", "default", address)[1],
                   "the proxy is told of")


class Explain(CtlCase):
    def test_what_the_control_plane_holds(self):
        self.apply(GATEWAY % "front" + "---\n" + CLUSTER % ("explained", 1) + "---\n" + ROUTE % ("explained", "explained"))
        before = self.apply(CLUSTER % ("explained", 2))
        self.apply(POLICY % ("later", "explained"))
        out, _ = self.ctl("explain", "--url", "http://x/a")
        self.assertIn("wins: Route default/explained, rule 0, match 0", out)
        self.assertIn("authentication: AuthPolicy later, from Route explained\n", out)
        self.assertIn("authentication: none\n", self.ctl("explain", "--url", "http://x/a", f"--revision={before}")[0])
        self.assertIn("no listener for https", self.ctl("explain", "--url", "https://x/a", code=1)[1])
        code, _, error = ctl("explain", "--url", "http://x/a", "--api_address=127.0.0.1:1")
        self.assertEqual(code, 1)
        self.assertIn("control plane unreachable at 127.0.0.1:1: ", error)


class Fields(Case):
    def test_a_field_has_its_comment(self):
        code, out, error = ctl("fields", "Route.spec.rules.timeouts.request")
        self.assertEqual((code, error), (0, ""))
        self.assertIn("The whole exchange, from the request head to the last byte of the response.", out)
        for kind in ctl("fields")[1].split("\n"):
            if kind and not kind.startswith(" "):
                self.assertRegex(ctl("fields", kind)[1], rf"^{kind}: a kind\n    \S")


BASH = """
source <(porticoctl completion bash)
COMP_LINE=$1 COMP_POINT=${#1}
_porticoctl
printf '%s\\n' "${COMPREPLY[@]}"
"""


class Completion(CtlCase):
    def complete(self, line):
        """What bash offers behind the line, with porticoctl on its path."""
        path = self.folder / "porticoctl"
        if not path.exists():
            path.symlink_to(porticoctl_binary())
        done = subprocess.run(["bash", "-c", BASH, "bash", line], env={"PATH": f"{self.folder}:/usr/bin:/bin"},
                              capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    @table({
        "a command": ("porticoctl roll", ["rollback"]),
        "a kind": ("porticoctl get au", ["authpolicy"]),
        "a flag": ("porticoctl apply -f a.yaml --pr", ["--prune"]),
        "a value behind a space": ("porticoctl get all -o j", ["json"]),
        "a value behind an equals sign": ("porticoctl get all --output=j", ["json"]),
        "a field": ("porticoctl fields Route.spec.ho", ["Route.spec.hostnames"]),
        "nothing known": ("porticoctl apply -f ", []),
    })
    def test_bash(self, line, offers):
        self.assertEqual(self.complete(line), offers)

    def test_names(self):
        self.apply(CLUSTER % ("offered-one", 1) + "---\n" + CLUSTER % ("offered-two", 1))
        self.assertEqual(self.complete(f"porticoctl get cluster {self.address} offered-"), ["offered-one", "offered-two"])
        self.assertEqual(self.complete("porticoctl get cluster --api_address=127.0.0.1:1 offered-"), [])


class Watched:
    """porticoctl watch in the background, and the lines that it printed."""

    def __init__(self, *words):
        self.process = subprocess.Popen([porticoctl_binary(), "watch", *words], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        self.lines, self.errors = [], []
        self.readers = [threading.Thread(target=self.read, args=each) for each in
                        ((self.process.stdout, self.lines), (self.process.stderr, self.errors))]

    @staticmethod
    def read(pipe, lines):
        with pipe:
            for line in pipe:
                lines.append(line)

    def start(self):
        for reader in self.readers:
            reader.start()

    def stop(self):
        self.process.kill()
        self.process.wait()
        for reader in self.readers:
            reader.join()


class Watch(Case):
    def test_changes_come_and_a_break_loses_none(self):
        control_plane = self.use_here(ControlPlane())
        address = f"--api_address={control_plane.addresses['api_address']}"
        ctl("apply", "-f", "-", address, text=CLUSTER % ("before", 1))
        watched = self.use_here(Watched("clusters", "-o", "json", "--after=0", address))
        eventually(lambda: len(watched.lines) == 1, "what is stored is told")
        ctl("apply", "-f", "-", address, text=CLUSTER % ("a", 1) + "---\n" + GATEWAY % "not-watched")
        eventually(lambda: len(watched.lines) == 2, "a change is told")
        control_plane.end()
        eventually(lambda: watched.errors, "the break is told")
        control_plane.start()
        eventually(lambda: ctl("apply", "-f", "-", address, text=CLUSTER % ("a", 2))[0] == 0, "it is changed again")
        ctl("delete", "cluster", "before", address)
        eventually(lambda: len(watched.lines) == 4, "what came meanwhile is told")
        told = [(one["change"], one["resource"]["metadata"]["name"]) for one in map(json.loads, watched.lines)]
        self.assertEqual(sorted(told), [("created", "a"), ("created", "before"), ("deleted", "before"), ("updated", "a")])
        self.assertIn("; trying again\n", watched.errors[0])

    def test_unreachable(self):
        code, _, error = ctl("watch", "--api_address=127.0.0.1:1")
        self.assertEqual(code, 1)
        self.assertIn("control plane unreachable at 127.0.0.1:1: ", error)
