"""porticoctl against a real portico-controlplane."""
import json
import os
import signal
import subprocess

from control_plane import Authority, ControlPlane
from ctl_case import CLUSTER, GATEWAY, KEYS, ROUTE, CtlCase, ctl
from harness import TIMEOUT_S, Case, eventually, free_port, porticoctl_binary, table
from test_stream import StreamedProxy


class Waiting(Case):
    """`apply --wait` with a real proxy."""

    def serving(self):
        """(a proxy that serves a Gateway, the flag for its control plane)."""
        control_plane = self.use_here(ControlPlane(store="memory:"))
        proxy = StreamedProxy(control_plane, wait=False)
        address = f"--api_address={control_plane.addresses['api_address']}"
        gateway = GATEWAY.replace("8080", str(proxy.port)) % "default"
        self.assertEqual(ctl("apply", "-f", "-", address, text=gateway)[0], 0)
        self.use_here(proxy)
        eventually(proxy.is_ready, "the proxy serves")
        return proxy, address

    def test_progress_on_a_terminal(self):
        proxy, address = self.serving()
        proxy.process.send_signal(signal.SIGSTOP)
        words = ["apply", "-f", "-", "--wait", "--timeout=1s", address]
        terminal, far_end = os.openpty()
        try:
            subprocess.run([porticoctl_binary(), *words], input=ROUTE % ("shop", "orders") + "---\n" + CLUSTER % ("orders", 1),
                           stdout=subprocess.DEVNULL, stderr=far_end, text=True, timeout=TIMEOUT_S, check=False)
            shown = os.read(terminal, 65536).decode()
        finally:
            os.close(terminal)
            os.close(far_end)
        self.assertIn("revision 2 runs on 0/1 proxies …", shown)
        self.assertIn("edge-1 (default/default) is late: it runs revision 1", shown)

    def test_a_change_runs(self):
        _, address = self.serving()
        more = ROUTE % ("shop", "orders") + "---\n" + CLUSTER % ("orders", 9001)
        code, out, error = ctl("apply", "-f", "-", "--wait", address, text=more)
        self.assertEqual(code, 0, error)
        self.assertRegex(out, r"revision 2 runs on 1/1 proxies \(\d+ ms\)\n$")
        code, out, error = ctl("status", address)
        self.assertEqual(code, 0, error)
        self.assertRegex(out, r"\nedge-1 +default/default +2 ")


class Commands(CtlCase):
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

    def test_what_get_prints_is_applied_again(self):
        self.apply(CLUSTER % ("again", 1))
        seen = self.write("seen.yaml", self.ctl("get", "cluster", "again", "-o", "yaml")[0])
        self.assertRegex(self.ctl("apply", "-f", seen)[0], r"^revision \d+\n$")
        plain = self.write("plain.yaml", self.ctl("get", "cluster", "again", "-o", "yaml", "--plain")[0])
        self.assertEqual(ctl("validate", "-f", seen, folder=self.folder)[0], 0)
        self.apply(CLUSTER % ("again", 2))
        _, error = self.ctl("apply", "-f", seen, code=1)
        self.assertRegex(error, r"seen\.yaml:\d+: metadata\.revision: is \d+, but it was changed at revision \d+")
        self.assertIn("Cluster default/again updated\n", self.ctl("apply", "-f", plain)[0])

    def test_a_digest_is_not_a_secret(self):
        self.apply(f"kind: Secret\nmetadata: {{name: shown}}\nspec: {{jwks: {{inline: '{KEYS}'}}}}\n")
        shown = self.write("shown.yaml", self.ctl("get", "secret", "shown", "-o", "yaml")[0])
        self.assertIn("spec.jwks: is a digest", self.ctl("apply", "-f", shown, code=1)[1])

    def test_what_a_change_surely_did_not_mean(self):
        self.apply(CLUSTER % ("warned", 1) + "---\nkind: Gateway\nmetadata: {name: warned}\nspec: {listeners: [{name: http, "
                   "port: 8080, protocol: HTTP}]}\n---\nkind: Route\nmetadata: {name: warned}\nspec:\n  parentRefs: [{name: "
                   "warned}]\n  rules:\n  - backendRefs: [{name: warned}]\n")
        self.apply(f"kind: Secret\nmetadata: {{name: warned}}\nspec: {{jwks: {{inline: '{KEYS}'}}}}\n---\nkind: AuthPolicy\n"
                   "metadata: {name: warned}\nspec:\n  targetRefs: [{kind: Route, name: warned}]\n  authentication: {anyOf: "
                   "[{jwt: {issuer: i, audiences: [a], jwks: {secretRef: {name: warned}}}}]}\n")
        _, error = self.ctl("delete", "authpolicy", "warned")
        self.assertIn("warning: Route default/warned: spec.rules[0]: callers need no longer say who they are", error)
        _, error = self.ctl("apply", "-f", "-", text="kind: Route\nmetadata: {name: warned-later}\nspec:\n  parentRefs: [{name: "
                            "warned}]\n  rules:\n  - backendRefs: [{name: warned}]\n")
        self.assertIn("warning: Route default/warned-later: spec.rules[0]: can never win", error)

    def test_prune(self):
        labelled = "kind: Cluster\nmetadata: {name: %s, labels: {set: pruned}%s}\nspec: {endpoints: [{address: ::1, port: 1}]}\n"
        one, two, other = (labelled % each for each in (("p1", ""), ("p2", ""), ("p3", ", namespace: other")))
        self.apply("---\n".join([one, two, other, CLUSTER % ("unlabelled", 1)]))
        words = ("apply", "-f", self.write("one.yaml", one), "--prune", "-l", "set=pruned")
        self.assertIn("Cluster default/p2 deleted\nrevision", self.ctl(*words, "--dry-run")[0])
        out, _ = self.ctl(*words)
        self.assertRegex(out, r"^Cluster default/p2 deleted\nrevision \d+\n$")
        self.assertRegex(self.ctl(*words)[0], r"^revision \d+\n$")
        for name, namespace in (("p1", "default"), ("p3", "other"), ("unlabelled", "default")):
            self.ctl("get", "cluster", name, "-n", namespace)
        self.assertIn("--prune needs -l", self.ctl("apply", "-f", "one.yaml", "--prune", code=2)[1])

    def test_a_wait_for_nothing_returns_at_once(self):
        out, _ = self.ctl("apply", "-f", "-", "--wait", text=CLUSTER % ("unreached", 1))
        self.assertRegex(out, r"\nno gateway gets anything of it: there is nothing to wait for\n$")

    def test_delete_reads_names_alone(self):
        self.apply(f"kind: Secret\nmetadata: {{name: named}}\nspec: {{jwks: {{inline: '{KEYS}'}}}}\n")
        out, _ = self.ctl("delete", "-f", "-", text="kind: Secret\nmetadata: {name: named}\nspec: {jwks: {file: gone.json}}\n")
        self.assertIn("Secret default/named deleted\n", out)

    def test_a_dry_run_changes_nothing(self):
        out, _ = self.ctl("apply", "-f", "-", "--dry-run", text=CLUSTER % ("dry", 1))
        self.assertIn("nothing was changed", out)
        self.ctl("get", "cluster", "dry", code=1)

    def test_a_secret_is_shown_as_its_digest(self):
        self.apply(f"kind: Secret\nmetadata: {{name: hidden}}\nspec: {{jwks: {{inline: '{KEYS}'}}}}\n")
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
