"""portico-controlplane as a whole, through its gRPC API by an independent implementation: python3-grpcio."""
import os
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
from pathlib import Path

import grpc

from control_plane import Authority, ControlPlane, Messages, cluster, resource
from harness import TIMEOUT_S, Case, control_plane_binary, eventually, table



def setUpModule():
    Messages.load()


def secret(name):
    keys = '{"keys":[{"kty":"oct","alg":"HS256","kid":"a","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTEyMzQ"}]}'
    return resource("secret", name, {"jwks": {"inline": keys}})


def run(*arguments, folder=None):
    """A control plane that is expected to end by itself: (exit code, what it said)."""
    with tempfile.TemporaryDirectory(prefix="portico-test-") as own:
        if not any(argument.startswith("--admin_address") for argument in arguments):
            arguments = ["--admin_address=off", *arguments]
        done = subprocess.run([control_plane_binary(), *arguments], cwd=folder or own, capture_output=True, text=True,
                              timeout=TIMEOUT_S, check=False)
    return done.returncode, done.stdout + done.stderr


class Api(Case):
    """One control plane for all; each case has names of its own."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.control_plane = cls.use(ControlPlane(store="memory:"))
        cls.client = cls.control_plane.client()
        cls.addClassCleanup(cls.client.channel.close)

    @table({"api": "api_address", "discovery": "discovery_address"})
    def test_health(self, address):
        with self.control_plane.channel(address=address) as channel:
            answer = channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=TIMEOUT_S)
            self.assertEqual(answer, b"\x08\x01")      # status: SERVING

    @table({
        "configuration": ("api_address", b"portico.v1.ConfigService"),
        "fleet": ("api_address", b"portico.v1.FleetService"),
        "discovery": ("discovery_address", b"envoy.service.discovery.v3.AggregatedDiscoveryService"),
    })
    def test_reflection(self, address, service):
        method = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
        with self.control_plane.channel(address=address) as channel:
            answers = channel.stream_stream(method)(iter([b"\x3a\x00"]), timeout=TIMEOUT_S)     # list_services
            self.assertIn(service, next(answers))

    def test_a_change_is_stored_and_read(self):
        answer = self.client.apply(cluster("read-a", 1), cluster("read-b", 2))
        self.assertEqual([change.kind for change in answer.changes], [2, 2])       # CREATED
        got = self.client.get("Cluster", "read-b")
        self.assertEqual(got.resource.cluster.spec.endpoints[0].port, 2)
        self.assertEqual(got.resource.cluster.metadata.revision, answer.revision)
        self.assertEqual([name for name in self.client.names(kind="Cluster") if name.startswith("read-")],
                         ["read-a", "read-b"])

    def test_history_says_who_when_and_from_where(self):
        revision = self.client.apply(cluster("history")).revision
        record = self.client.history(limit=1)[0]
        self.assertEqual((record.revision, record.author), (revision, "anonymous"))
        self.assertRegex(record.peer, r"^127\.0\.0\.1:\d+$")
        self.assertGreater(record.time.seconds, 1_700_000_000)

    def test_rollback(self):
        before = self.client.apply(cluster("rolled", 1)).revision
        self.client.apply(cluster("rolled", 2))
        self.client.rollback(before)
        self.assertEqual(self.client.get("Cluster", "rolled").resource.cluster.spec.endpoints[0].port, 1)
        self.assertEqual(self.client.history(limit=1)[0].rollback_of, before)

    def test_watch(self):
        before = self.client.apply(cluster("watched", 1)).revision
        watch = self.client.watch(after_revision=before)
        self.assertFalse(next(watch).resources)
        after = self.client.apply(cluster("watched", 2)).revision
        told = next(watch)
        self.assertEqual((told.revision, told.resources[0].cluster.spec.endpoints[0].port), (after, 2))
        watch.cancel()

    def test_what_is_wrong_is_named(self):
        with self.assertRaises(grpc.RpcError) as raised:
            self.client.apply(cluster("good"), cluster("wrong", 65536))
        self.assertEqual(raised.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)
        status = Messages.Status.FromString(dict(raised.exception.trailing_metadata())["grpc-status-details-bin"])
        bad_request = Messages.BadRequest()
        self.assertTrue(status.details[0].Unpack(bad_request))
        self.assertEqual([violation.field for violation in bad_request.field_violations],
                         ["Cluster default/wrong: spec.endpoints[0].port"])
        self.assertNotIn("good", self.client.names())

    def test_a_message_over_the_limit(self):
        with self.assertRaises(grpc.RpcError) as raised:
            self.client.apply(cluster("large", labels={"text": "x" * (4 << 20)}))
        self.assertEqual(raised.exception.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)

    @table({
        "ready": ("GET", "/ready", 200, "ready\n"),
        "live": ("HEAD", "/live", 200, ""),
        "a query": ("GET", "/ready?verbose", 200, "ready\n"),
        "a write": ("POST", "/live", 405, "read only\n"),
        "no page": ("GET", "/", 404, "there are /ready, /live and /metrics\n"),
    })
    def test_admin(self, method, path, status, content):
        self.assertEqual(self.control_plane.admin(path, method), (status, content))

    def test_metrics(self):
        revision = self.client.apply(cluster("counted")).revision
        status, text = self.control_plane.admin("/metrics")
        self.assertEqual(status, 200)
        self.assertIn(f"\nportico_controlplane_revision {revision}\n", text)
        self.assertIn(f'\nportico_controlplane_resources{{kind="Cluster"}} {len(self.client.names(kind="Cluster"))}\n', text)

    def test_a_line_for_each_change(self):
        revision = self.client.apply(cluster("line-a"), cluster("line-b")).revision
        self.assertRegex(self.control_plane.errors(),
                         rf"\nportico-controlplane: revision {revision} by anonymous from 127\.0\.0\.1:\d+: 2 created\n")


class Life(Case):
    def test_a_restart_keeps_revisions(self):
        control_plane = self.use_here(ControlPlane())
        with control_plane.client() as client:
            client.apply(cluster("kept", 1), secret("kept"))
            client.apply(cluster("kept", 2))
            before = client.get("Cluster", "kept")
        self.assertEqual(control_plane.end(), 0)
        control_plane.start()
        with control_plane.client() as client:
            self.assertEqual(client.get("Cluster", "kept"), before)
            self.assertEqual(client.names(), ["kept", "kept"])
            self.assertEqual([record.revision for record in client.history()], [2, 1])
            self.assertEqual(client.apply(cluster("kept", 3)).revision, 3)

    def test_killed_within_changes(self):
        """What was acknowledged is there afterwards; what was not, wholly or not at all."""
        control_plane = self.use_here(ControlPlane())
        acknowledged = []

        def change():
            with control_plane.client() as client:
                for number in range(1, 1000):
                    try:
                        acknowledged.append(client.apply(cluster(f"a-{number}"), cluster(f"b-{number}")).revision)
                    except grpc.RpcError:
                        return
        changing = threading.Thread(target=change)
        changing.start()
        eventually(lambda: len(acknowledged) >= 20, "twenty changes are made")
        control_plane.end(signal.SIGKILL)
        # A call without answer waits for a server until its deadline, so the new one is there before the thread ends.
        count = len(acknowledged)
        control_plane.start()
        changing.join(2 * TIMEOUT_S)
        self.assertEqual(acknowledged[:count], list(range(1, count + 1)))
        with control_plane.client() as client:
            head = client.history(limit=1)[0].revision
            self.assertIn(head, (count, count + 1))
            expected = sorted(f"{letter}-{number}" for letter in "ab" for number in range(1, head + 1))
            self.assertEqual(sorted(client.names()), expected)
            self.assertEqual([record.revision for record in client.history(limit=1000)], list(range(head, 0, -1)))

    @table({"SIGTERM": signal.SIGTERM, "SIGINT": signal.SIGINT})
    def test_ends_with_a_watch_open(self, number):
        control_plane = self.use_here(ControlPlane(store="memory:"))
        with control_plane.client() as client:
            client.apply(cluster("watched"))
            watch = client.watch()
            next(watch)
            control_plane.process.send_signal(number)
            with self.assertRaises(grpc.RpcError) as raised:
                next(watch)
            self.assertEqual(raised.exception.code(), grpc.StatusCode.UNAVAILABLE)
            self.assertEqual(raised.exception.details(), "the control plane ends; watch again")
        self.assertEqual(control_plane.process.wait(TIMEOUT_S), 0)

    def test_a_second_signal_ends_at_once(self):
        control_plane = self.use_here(ControlPlane(store="memory:"))
        with control_plane.client() as client:
            client.apply(cluster("first"))          # the connection stands
            ends = threading.Event()

            def never_ending():
                yield Messages.config.ApplyRequest(resources=[cluster("second")])
                ends.wait(TIMEOUT_S)
            call = client.channel.stream_unary("/portico.v1.ConfigService/Apply", lambda one: one.SerializeToString())
            running = call.future(never_ending(), timeout=TIMEOUT_S)
            client.get("Cluster", "first")
            control_plane.process.send_signal(signal.SIGTERM)
            self.assertIn(control_plane.end(signal.SIGINT), (-signal.SIGTERM, -signal.SIGINT))
            ends.set()
            self.assertIsNotNone(running.exception(TIMEOUT_S))

    def test_backup_and_restore(self):
        control_plane = self.use_here(ControlPlane())
        store = f"--store=sqlite:{control_plane.folder}/portico.db"
        with control_plane.client() as client:
            client.apply(cluster("saved"), secret("saved"))
            self.assertEqual(run(store, "--backup=copy.db", folder=control_plane.folder)[0], 0)
            client.apply(cluster("later"))
        code, said = run(store, "--restore=copy.db", folder=control_plane.folder)
        self.assertEqual(code, 1)
        self.assertIn("is open in another process", said)
        control_plane.end()
        self.assertEqual(run(store, "--restore=copy.db", folder=control_plane.folder)[0], 0)
        control_plane.start()
        with control_plane.client() as client:
            self.assertEqual(client.names(), ["saved", "saved"])


class Refusals(Case):
    @table({
        "the API without TLS": (["--api_address=0.0.0.0:0"], "--api_address=0.0.0.0:0"),
        "discovery without TLS": (["--api_address=127.0.0.1:0", "--discovery_address=[::]:0"], "--discovery_address=[::]:0"),
    })
    def test_beyond_loopback(self, arguments, says):
        code, said = run("--store=memory:", *arguments)
        self.assertEqual(code, 2, said)
        for word in (says, "--tls_cert", "--tls_key", "--client_ca"):
            self.assertIn(word, said)

    def test_a_store_on_a_disk_without_a_key(self):
        code, said = run("--api_address=127.0.0.1:0", "--discovery_address=127.0.0.1:0")
        self.assertEqual(code, 2)
        self.assertIn("--secrets_key_file is required", said)

    @table({"alone": 0, "that would share it": 1})
    def test_an_address_that_another_has(self, shares):
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, shares)
            other.bind(("127.0.0.1", 0))
            other.listen()
            address = f"127.0.0.1:{other.getsockname()[1]}"
            for flag in ("--api_address", "--discovery_address", "--admin_address"):
                others = {"--api_address", "--discovery_address"} - {flag}
                code, said = run("--store=memory:", f"{flag}={address}", *(f"{other}=127.0.0.1:0" for other in others))
                self.assertEqual(code, 1, said)
                self.assertIn(f"{flag}={address}: cannot be listened at: Address already in use", said)

    def test_a_store_that_another_has(self):
        control_plane = self.use_here(ControlPlane())
        control_plane.addresses = {}        # the other one has its own
        code, said = run(*control_plane.command()[1:], folder=control_plane.folder)
        self.assertEqual(code, 1)
        self.assertIn("portico.db is open in another process", said)

    def stored(self):
        """A store with a Secret, closed."""
        control_plane = self.use_here(ControlPlane())
        with control_plane.client() as client:
            client.apply(secret("sealed"))
        control_plane.end()
        return control_plane

    def test_another_key(self):
        control_plane = self.stored()
        (control_plane.folder / "secrets.key").write_text("0" * 64)
        code, said = run(*control_plane.command()[1:], folder=control_plane.folder)
        self.assertEqual(code, 1)
        self.assertIn("it was sealed with another key", said)

    def test_a_mistyped_key_file(self):
        control_plane = self.stored()
        (control_plane.folder / "secrets.key").rename(control_plane.folder / "kept.key")
        code, said = run(*control_plane.command()[1:], folder=control_plane.folder)
        self.assertEqual(code, 1)
        self.assertIn("--secrets_key_file=secrets.key: there is no such file", said)
        self.assertFalse((control_plane.folder / "secrets.key").exists())

    def test_the_key_is_its_owners(self):
        control_plane = self.use_here(ControlPlane())
        self.assertEqual(os.stat(control_plane.folder / "secrets.key").st_mode & 0o777, 0o600)


class Tls(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.authority, cls.stranger = cls.use(Authority()), cls.use(Authority("stranger"))
        cls.alice = cls.authority.issue("alice", alternative="URI:portico://user/alice")
        cls.eve = cls.stranger.issue("eve")

    def setUp(self):
        self.control_plane = self.use_here(ControlPlane(tls=self.authority))

    def test_the_author_is_the_certificates(self):
        with self.control_plane.client(self.authority.credentials(self.alice)) as client:
            client.apply(cluster("hers"))
            self.assertEqual(client.history()[0].author, "certificate portico://user/alice")

    @table({"no certificate": None, "signed by another": "eve"})
    def test_refused(self, identity):
        credentials = self.authority.credentials(getattr(self, identity) if identity else None)
        for address in ("api_address", "discovery_address"):
            with self.control_plane.channel(credentials, address) as channel, self.assertRaises(grpc.RpcError) as raised:
                channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=TIMEOUT_S)
            # The API waits for a token.
            code = "UNAUTHENTICATED" if address == "api_address" and identity is None else "UNAVAILABLE"
            self.assertEqual(raised.exception.code().name, code)

    def test_a_proxys_certificate_is_for_discovery_alone(self):
        proxy = self.authority.issue("edge", alternative="URI:portico://gateway/default/default")
        with self.control_plane.client(self.authority.credentials(proxy)) as client:
            for call in (lambda: client.apply(cluster("hers")), client.list, client.history):
                with self.assertRaises(grpc.RpcError) as raised:
                    call()
                self.assertEqual(raised.exception.code(), grpc.StatusCode.PERMISSION_DENIED)
                self.assertIn("--discovery_address", raised.exception.details())
        with self.control_plane.channel(self.authority.credentials(proxy), "discovery_address") as channel:
            channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=TIMEOUT_S)

    def test_in_clear_is_refused(self):
        with self.control_plane.channel() as channel, self.assertRaises(grpc.RpcError):
            channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=TIMEOUT_S)

    def served(self):
        """The certificate that a new connection is shown, and that it works."""
        context = ssl.create_default_context(cafile=self.authority.certificate)
        context.load_cert_chain(*self.alice)
        context.set_alpn_protocols(["h2"])
        host, port = self.control_plane.addresses["api_address"].split(":")
        with socket.create_connection((host, int(port)), TIMEOUT_S) as plain:
            with context.wrap_socket(plain, server_hostname=host) as connection:
                return ssl.DER_cert_to_PEM_cert(connection.getpeercert(True))

    def test_a_new_certificate_is_served(self):
        first = self.served()
        self.authority.issue("server", self.control_plane.folder)
        new = eventually(lambda: (now := self.served()) != first and now, "the new certificate is served")
        self.assertIn(new.strip(), (self.control_plane.folder / "server.crt").read_text())
        with self.control_plane.client(self.authority.credentials(self.alice)) as client:
            client.apply(cluster("afterwards"))

    @table({"the certificate": "server.crt", "the key": "server.key", "the authority": "ca.crt"})
    def test_what_is_broken_later_is_not_taken(self, name):
        first = self.served()
        (self.control_plane.folder / name).write_text("-----BEGIN NOTHING-----\n")
        self.assertEqual(self.served(), first)
        (self.control_plane.folder / name).unlink()
        self.assertEqual(self.served(), first)
        self.assertEqual(self.control_plane.errors().count("what was read before goes on"), 2)
        with self.control_plane.client(self.authority.credentials(self.alice)) as client:
            client.apply(cluster("afterwards"))

    @table({
        "no certificate": ("server.crt", "", "--tls_cert"),
        "another's key": ("server.key", "other.key", "the private key does not belong to the certificate"),
        "no authority": ("ca.crt", "server.key", "--client_ca=ca.crt"),
    })
    def test_broken_at_start(self, name, content, says):
        folder = self.control_plane.folder
        self.authority.issue("other", folder)
        self.control_plane.end()
        (folder / name).write_text((folder / content).read_text() if content else "")
        code, said = run(*self.control_plane.command()[1:], folder=folder)
        self.assertEqual(code, 1)
        self.assertIn(says, said)
