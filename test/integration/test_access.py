"""Who may read and write the configuration: the admin token of a new store, certificates, tokens, Roles; whose a resource is."""
import datetime
import os
import sqlite3
from pathlib import Path

import grpc

import secrecy
from control_plane import Authority, ControlPlane, Messages, cluster
from ctl_case import CLUSTER, CtlCase, ctl
from harness import Case, eventually, table

OPEN = "there is no Role yet: whoever {} may read and write everything; see docs/access.md"
ADMINS = """kind: Role
metadata: {name: admins}
spec: {role: Admin, allNamespaces: true, subjects: [{token: root}, {certificate: root}]}
"""


def setUpModule():
    Messages.load()


def role(name, subject, level, namespace):
    return (f"---\nkind: Role\nmetadata: {{name: {name}, namespace: {namespace}}}\n"
            f"spec: {{role: {level}, subjects: [{subject}]}}\n")


class AccessCase(Case):
    def run_ctl(self, control_plane, *words, token=None, text="", code=0):
        """porticoctl in clear, with the token of a file."""
        address = f"--api_address={control_plane.addresses['api_address']}"
        flags = [f"--token_file={token}"] if token else []
        got, out, error = ctl(*words, address, *flags, folder=control_plane.folder, text=text)
        self.assertEqual(got, code, out + error)
        return out, error

    def make_token(self, control_plane, name, *more, token=None):
        """Its file."""
        text, error = self.run_ctl(control_plane, "token", "create", f"--name={name}", *more, token=token)
        secrecy.keep(f"token {name}", text.strip())
        self.assertNotIn(text.strip(), error)
        path = control_plane.folder / f"{name}.token"
        path.write_text(text)
        return path

    def make_admin(self, control_plane):
        """The file of an Admin's token."""
        root = self.make_token(control_plane, "root", token=control_plane.admin_token)
        self.run_ctl(control_plane, "apply", "-f", "-", text=ADMINS, token=control_plane.admin_token)
        return root

    def refused(self, code, call):
        with self.assertRaises(grpc.RpcError) as raised:
            call()
        self.assertEqual(raised.exception.code().name, code, raised.exception.details())
        secrecy.check("an error", raised.exception.details())
        return raised.exception.details()


class FirstAdmin(AccessCase):
    def setUp(self):
        self.control_plane = self.use_here(ControlPlane())

    def client(self, token=None):
        return self.control_plane.client(token=Path(token).read_text().strip() if token else None)

    def test_from_the_first_start_on(self):
        control_plane = self.control_plane
        self.assertEqual(os.stat(control_plane.admin_token).st_mode & 0o777, 0o600)
        self.assertIn("an admin token was written to portico.db.admin-token", control_plane.errors())
        self.assertIn(OPEN.format("is on this machine"), control_plane.errors())
        self.run_ctl(control_plane, "apply", "-f", "-", text=CLUSTER % ("before", 1))

        root = self.make_admin(control_plane)
        self.assertIn("the admin token is good no more", control_plane.errors())
        _, error = self.run_ctl(control_plane, "get", "all", code=1)
        self.assertIn("callers must say who they are here: show a token", error)
        _, error = self.run_ctl(control_plane, "get", "all", token=control_plane.admin_token, code=1)
        self.assertIn("the token is not known here", error)
        self.assertIn("before", self.run_ctl(control_plane, "get", "cluster", token=root)[0])

        # All of it lasts.
        self.assertEqual(control_plane.end(), 0)
        control_plane.start()
        self.assertEqual(control_plane.errors().count("an admin token was written"), 1)
        self.assertEqual(control_plane.errors().count("there is no Role yet"), 1)
        with self.client() as anonymous, self.client(control_plane.admin_token) as first, self.client(root) as admin:
            self.refused("UNAUTHENTICATED", anonymous.list)
            self.refused("UNAUTHENTICATED", first.list)
            self.assertEqual(admin.names(kind="Cluster"), ["before"])
            self.assertEqual([record.author for record in admin.history()],
                             ["admin token", "admin token", "anonymous"])
        for file in control_plane.folder.glob("portico.db*"):
            if file != control_plane.admin_token:
                secrecy.check(file.name, file.read_bytes())

    def test_nobody_is_locked_out(self):
        control_plane = self.control_plane
        root = self.make_admin(control_plane)
        for words in (("delete", "role", "admins"), ("delete", "token", "root")):
            _, error = self.run_ctl(control_plane, *words, token=root, code=1)
            self.assertIn("it would leave nobody who is surely Admin in all namespaces", error)
            self.run_ctl(control_plane, *words, "--force", token=root, code=1)
        # The token may be lost all the same.
        before = control_plane.admin_token.read_text()
        control_plane.end()
        control_plane.arguments = ["--new_admin_token"]
        control_plane.start()
        self.assertNotEqual(control_plane.admin_token.read_text(), before)
        self.run_ctl(control_plane, "get", "all", token=control_plane.admin_token)
        self.make_token(control_plane, "ci", token=control_plane.admin_token)      # that makes nobody Admin
        self.make_token(control_plane, "root", "--replace", token=control_plane.admin_token)
        self.run_ctl(control_plane, "get", "all", token=root)
        self.run_ctl(control_plane, "get", "all", token=control_plane.admin_token, code=1)

    def test_discovery_in_clear_is_told_of(self):
        control_plane = self.control_plane
        told = "discovery is in clear: whoever is on this machine may read all that proxies get"
        self.assertNotIn(told, control_plane.errors())      # there is no Role, and it says more
        self.make_admin(control_plane)
        control_plane.end()
        control_plane.start()
        self.assertIn(told, control_plane.errors())

    def test_a_team_waits_for_what_it_may_see(self):
        control_plane = self.control_plane
        root = self.make_admin(control_plane)
        team = self.make_token(control_plane, "team", token=root)
        listener = "{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}"
        self.run_ctl(control_plane, "apply", "-f", "-", token=root, text=(
            f"kind: Gateway\nmetadata: {{name: front}}\nspec: {{listeners: [{listener}]}}\n"
            + role("team", "{token: default/team}", "Editor", "team")))
        out, error = self.run_ctl(control_plane, "apply", "-f", "-", "--wait", token=team, text=(
            "kind: Route\nmetadata: {name: r, namespace: team}\nspec: {parentRefs: [{name: front, namespace: default}], "
            "rules: [{filters: [{directResponse: {status: 200}}]}]}\n"))
        self.assertIn("Route team/r created\n", out)
        self.assertIn("you may not see the proxies of default/front, so they are not waited for", error)
        # A slip of the pen tells nothing of there.
        _, error = self.run_ctl(control_plane, "apply", "-f", "-", token=team, code=1, text=(
            "kind: Route\nmetadata: {name: s, namespace: team}\nspec: {parentRefs: [{name: fromt, namespace: default}], "
            "rules: [{filters: [{directResponse: {status: 200}}]}]}\n"))
        self.assertIn("there is no Gateway fromt", error)
        self.assertNotIn("did you mean", error)

    def test_a_store_of_an_older_release(self):
        """It goes on as it was, warns, and has an admin token."""
        control_plane = self.control_plane
        with self.client() as client:
            client.apply(cluster("old"))
        control_plane.end()
        control_plane.admin_token.unlink()
        with sqlite3.connect(control_plane.folder / "portico.db") as store:
            self.assertEqual(store.execute("DELETE FROM fact WHERE name = 'user.admin token'").rowcount, 1)
        control_plane.start()
        self.assertEqual(control_plane.errors().count(OPEN.format("is on this machine")), 2)
        with self.client() as client:
            self.assertEqual(client.names(), ["old"])
            client.apply(cluster("old", 2))
        self.make_admin(control_plane)

    def test_a_token_expires(self):
        control_plane = self.control_plane
        root = self.make_admin(control_plane)
        until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=4)
        brief = self.make_token(control_plane, "brief", f"--expires={until:%Y-%m-%dT%H:%M:%SZ}", token=root)
        self.run_ctl(control_plane, "apply", "-f", "-", token=root, text=role("brief", "{token: brief}", "Viewer", "default"))
        with self.client(brief) as client, self.client(root) as admin:
            watch = client.watch(kind="Cluster")
            next(watch)

            def expired():
                try:
                    client.names()
                except grpc.RpcError as error:
                    return error.details() == "the token has expired"
                return False
            eventually(expired, "the token has expired")
            admin.apply(cluster("late"))
            self.assertEqual(self.refused("UNAUTHENTICATED", lambda: next(watch)), "the token has expired")

    def test_a_token_is_revoked_while_it_watches(self):
        control_plane = self.control_plane
        root = self.make_admin(control_plane)
        ci = self.make_token(control_plane, "ci", token=root)
        self.run_ctl(control_plane, "apply", "-f", "-", token=root, text=role("ci", "{token: ci}", "Viewer", "default"))
        with self.client(ci) as client, self.client(root) as admin:
            watch = client.watch(kind="Cluster")
            next(watch)
            admin.apply(cluster("seen"))
            self.assertEqual(next(watch).resources[0].cluster.metadata.name, "seen")
            admin.delete("Token", "ci")
            self.refused("UNAUTHENTICATED", lambda: next(watch))
            # It does not come back, whatever is gone back to.
            admin.rollback(admin.history(limit=2)[1].revision)
            self.refused("UNAUTHENTICATED", client.list)

    def test_a_flag_for_who_shows_nothing(self):
        control_plane = self.use_here(ControlPlane("--anonymous_role=Viewer", store="memory:"))
        with control_plane.client() as client:
            self.assertEqual(client.names(), [])
            self.assertEqual(self.refused("PERMISSION_DENIED", lambda: client.apply(cluster("c"))),
                             "needs the role Editor in some namespace; anonymous has Viewer there")

    def test_a_file_that_cannot_be_written(self):
        control_plane = self.use_here(ControlPlane())
        control_plane.end()
        control_plane.arguments = ["--admin_token_file=nowhere/token"]
        with self.assertRaises(AssertionError) as raised:
            control_plane.start()
        self.assertIn("--admin_token_file=nowhere/token", str(raised.exception))


class OverTls(AccessCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.authority = cls.use(Authority())
        cls.root, cls.alice = cls.authority.issue("root"), cls.authority.issue("alice")

    def setUp(self):
        self.control_plane = self.use_here(ControlPlane(tls=self.authority))

    def client(self, identity=None, token=None):
        return self.control_plane.client(self.authority.credentials(identity), token)

    def first_roles(self, file):
        """By the admin token, from a client whose certificate they name."""
        certificate, key = self.root
        self.ctl_tls("apply", "-f", file, f"--token_file={self.control_plane.admin_token}", f"--tls_cert={certificate}",
                     f"--tls_key={key}")

    def ctl_tls(self, *words, text="", code=0):
        address = f"--api_address={self.control_plane.addresses['api_address']}"
        got, out, error = ctl(*words, address, f"--ca={self.authority.certificate}", folder=self.control_plane.folder, text=text)
        self.assertEqual(got, code, out + error)
        return out, error

    def test_certificates_and_roles(self):
        self.assertIn(OPEN.format("has a client certificate"), self.control_plane.errors())
        with self.client(self.alice) as alice, self.client(self.root) as root, self.client() as nobody:
            alice.apply(cluster("hers"))            # there is no Role yet
            self.refused("UNAUTHENTICATED", nobody.list)
            first = self.control_plane.admin_token.read_text().strip()
            with self.client(token=first) as admin:
                self.assertEqual(admin.names(), ["hers"])
            self.write("roles.yaml", ADMINS + role("alice", "{certificate: alice}", "Viewer", "team"))
            token = f"--token_file={self.control_plane.admin_token}"
            _, error = self.ctl_tls("apply", "-f", "roles.yaml", token, code=1)     # it may be nobody's certificate
            self.assertIn("or the certificate with which this is written", error)
            self.first_roles("roles.yaml")
            self.refused("PERMISSION_DENIED", lambda: alice.apply(cluster("hers", 2)))
            self.refused("PERMISSION_DENIED", lambda: alice.get("Cluster", "hers"))
            self.refused("PERMISSION_DENIED", lambda: alice.list(namespace="default"))
            root.apply(cluster("theirs", namespace="team"))
            self.assertEqual(alice.names(), ["theirs", "alice"])
            self.assertEqual([record.author for record in root.history()], ["certificate root", "admin token", "certificate alice"])
            self.assertEqual([record.author for record in alice.history()], ["certificate root", "admin token", ""])

    def write(self, name, text):
        (self.control_plane.folder / name).write_text(text)

    def test_a_token_instead_of_a_certificate(self):
        with self.client(self.root) as root:
            token = self.ctl_tls("token", "create", "--name=ci", f"--token_file={self.control_plane.admin_token}")[0].strip()
            secrecy.keep("token ci", token)
            self.write("ci.token", token)
            self.write("roles.yaml", ADMINS + role("ci", "{token: ci}", "Editor", "default"))
            self.first_roles("roles.yaml")
            self.ctl_tls("apply", "-f", "-", "--token_file=ci.token", text=CLUSTER % ("mine", 1))
            self.assertEqual(root.history(limit=1)[0].author, "token default/ci")
            with self.client(token=token) as client, self.client(self.alice, token) as both, self.client(self.alice) as alice:
                client.apply(cluster("mine", 2))
                both.apply(cluster("mine", 3))
                self.refused("PERMISSION_DENIED", alice.list)
            with self.client(self.root, "portico_unknown") as spoilt:
                self.refused("UNAUTHENTICATED", spoilt.list)
            _, error = self.ctl_tls("get", "all", code=2)
            self.assertIn("belong together", error)

    @table({
        "no token": (None, "authorization must be `Bearer` and a token"),
        "another scheme": ("Basic cm9vdDpyb290", "authorization must be `Bearer` and a token"),
        "an unknown token": ("Bearer portico_unknown", "the token is not known here; it may have been revoked"),
    })
    def test_nothing_answers_strangers(self, authorization, says):
        """Not even health and reflection."""
        metadata = [("authorization", authorization)] if authorization else None
        with self.control_plane.channel(self.authority.credentials()) as channel:
            for method in ("/grpc.health.v1.Health/Check", "/portico.v1.FleetService/ListProxies"):
                call = channel.unary_unary(method)
                self.assertEqual(self.refused("UNAUTHENTICATED", lambda call=call: call(b"", timeout=10, metadata=metadata)), says)


class Managers(CtlCase):
    def test_anothers_resources_are_left_alone(self):
        mine, changed = self.write("mine.yaml", CLUSTER % ("managed", 1)), self.write("changed.yaml", CLUSTER % ("managed", 2))
        self.ctl("apply", "-f", mine, "--manager=ci")
        self.assertIn("manager: ci\n", self.ctl("get", "cluster", "managed", "-o", "yaml")[0])
        self.assertNotIn("manager", self.ctl("get", "cluster", "managed", "-o", "yaml", "--plain")[0])
        for words in (("apply", "-f", changed), ("apply", "-f", changed, "--manager=me"), ("delete", "cluster", "managed")):
            _, error = self.ctl(*words, code=1)
            self.assertIn("metadata.manager: is ci, which looks after it; force takes it over", error)
        self.assertEqual(self.ctl("diff", "-f", changed, "--manager=ci", code=1)[1], "")
        self.ctl("apply", "-f", mine)       # nothing changes
        # What get prints is a file like any other.
        self.write("printed.yaml", self.ctl("get", "cluster", "managed", "-o", "yaml")[0])
        self.ctl("apply", "-f", "printed.yaml", "--manager=ci")
        self.ctl("apply", "-f", changed, "--manager=me", "--force")
        self.ctl("delete", "cluster", "managed", "--manager=ci", code=1)
        self.ctl("delete", "cluster", "managed", "--manager=me")

    def test_prune_and_rollback_stay_with_the_manager(self):
        labelled = CLUSTER.replace("name: %s", "name: %s, labels: {set: managers}")
        self.ctl("apply", "-f", "-", "--manager=ci", text=labelled % ("of-ci", 1))
        revision = self.apply(labelled % ("of-nobody", 1))
        one = self.write("one.yaml", labelled % ("kept", 1))
        out, _ = self.ctl("apply", "-f", one, "--prune", "-l", "set=managers")
        self.assertIn("Cluster default/of-nobody deleted\n", out)
        self.assertNotIn("of-ci", out)
        self.assertIn("of-ci deleted\n", self.ctl("apply", "-f", one, "--prune", "-l", "set=managers", "--manager=ci")[0])
        _, error = self.ctl("rollback", str(revision), code=1)
        self.assertIn("Cluster default/of-ci: metadata.manager: is ci", error)
        self.assertIn("of-ci created\n", self.ctl("rollback", str(revision), "--manager=ci")[0])
        self.assertIn("manager: ci\n", self.ctl("get", "cluster", "of-ci", "-o", "yaml")[0])
