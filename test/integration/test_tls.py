"""TLS downstream: versions, ALPN, the choice of certificate by SNI, and what is refused."""
import socket
import ssl
import tempfile
import time

from harness import TIMEOUT_S, Case, Proxy, RawClient, cluster, curl, eventually, get, route, run, table
from http2_client import Http2Client, tls_context
from origins import Origin, answer
from shop import free_port, https_gateway, self_signed, tls_secret


class Tls(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = tempfile.TemporaryDirectory(prefix="portico-test-")
        cls.addClassCleanup(folder.cleanup)
        cls.authorities, files = {}, {}
        for name in ("one.example", "two.example"):
            certificate, key = self_signed(name, folder.name)
            cls.authorities[name] = certificate
            files[certificate.name], files[key.name] = certificate.read_bytes(), key.read_bytes()
        cls.origin = cls.use(Origin(lambda request: answer(request.field("x-forwarded-proto") or "none")))
        cls.https = free_port()
        cls.proxy = cls.use(Proxy(lambda port: (
            https_gateway(port, cls.https, ("one", "two")) + tls_secret("one", "one.example.crt", "one.example.key") +
            tls_secret("two", "two.example.crt", "two.example.key") + cluster("origin", cls.origin.port) +
            route("all", ["{backendRefs: [{name: origin}]}"])), files=files))

    def curl(self, name, *arguments):
        return curl(f"https://{name}:{self.https}/", "--cacert", str(self.authorities[name]), "--resolve",
                    f"{name}:{self.https}:127.0.0.1", *arguments)

    @table({"first": "one.example", "second": "two.example"})
    def test_certificate_by_name(self, name):
        self.assertEqual(self.curl(name).content, b"https")

    @table({"1.2": "1.2", "1.3": "1.3"})
    def test_versions(self, version):
        self.assertEqual(self.curl("one.example", f"--tlsv{version}", "--tls-max", version).status, 200)

    @table({"1.0": "-tls1", "1.1": "-tls1_1"})
    def test_old_versions_are_refused(self, version):
        done = run("openssl", "s_client", "-connect", f"127.0.0.1:{self.https}", version, "-cipher", "ALL:@SECLEVEL=0",
                   input=b"")
        self.assertNotIn(b"BEGIN CERTIFICATE", done.stdout)

    @table({"h2": (("h2",), "h2"), "http/1.1": (("http/1.1",), "http/1.1"), "h2 is preferred": (("http/1.1", "h2"), "h2"),
            "unknown and known": (("spdy/3", "http/1.1"), "http/1.1")})
    def test_alpn(self, offered, chosen):
        context = tls_context(self.authorities["one.example"], offered)
        with socket.create_connection(("127.0.0.1", self.https), timeout=TIMEOUT_S) as plain:
            with context.wrap_socket(plain, server_hostname="one.example") as secure:
                self.assertEqual(secure.selected_alpn_protocol(), chosen)

    def test_http2(self):
        with Http2Client(self.https, "one.example", tls_context(self.authorities["one.example"])) as client:
            self.assertEqual(client.exchange(scheme="https").content, b"https")

    def test_curl_http2(self):
        self.assertEqual(self.curl("one.example", "--http2").status, 200)

    def test_without_sni(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection(("127.0.0.1", self.https), timeout=TIMEOUT_S) as plain:
            with context.wrap_socket(plain) as secure:
                self.assertTrue(secure.getpeercert(binary_form=True))

    def test_clear_text_to_the_tls_port(self):
        with RawClient(self.https) as client:
            client.send(get())
            try:
                while client.fill():
                    pass
            finally:
                self.assertNotIn(b"200 OK", client.buffer)

    def test_silent_client_ends(self):
        with RawClient(self.https) as client:
            client.send(b"\x16\x03\x01")
            client.finish()
            eventually(lambda: not client.fill(), "the connection was closed")

    def test_resumption(self):
        context = tls_context(self.authorities["one.example"], ("http/1.1",), ssl.TLSVersion.TLSv1_2)
        session = None
        for reused in (False, True):
            with socket.create_connection(("127.0.0.1", self.https), timeout=TIMEOUT_S) as plain:
                with context.wrap_socket(plain, server_hostname="one.example", session=session) as secure:
                    self.assertEqual(secure.session_reused, reused)
                    session = secure.session

    def test_large_answer_in_records(self):
        self.origin.script = lambda request: answer(b"x" * 1_000_000)
        self.addCleanup(setattr, self.origin, "script", lambda request: answer("https"))
        self.assertEqual(len(self.curl("one.example", "--http1.1").content), 1_000_000)
        self.assertEqual(len(self.curl("one.example", "--http2").content), 1_000_000)


class Times(Case):
    """What is agreed on when a connection opens has its time, and holds no longer than the port does."""

    def start(self, more=""):
        folder = tempfile.TemporaryDirectory(prefix="portico-test-")
        self.addCleanup(folder.cleanup)
        certificate, key = self_signed("one.example", folder.name)
        self.port = free_port()
        self.config = lambda protocol: lambda port: (
            https_gateway(port, self.port, ("one",), more).replace("protocol: HTTPS, tls: {certificateRefs: [{name: one}]}",
                                                             protocol) +
            tls_secret("one", certificate.name, key.name) +
            route("all", ["{filters: [{directResponse: {status: 200, body: word}}]}"]))
        files = {certificate.name: certificate.read_bytes(), key.name: key.read_bytes()}
        self.authority = certificate
        return files

    HTTPS = "protocol: HTTPS, tls: {certificateRefs: [{name: one}]}"

    def test_handshake_that_does_not_end(self):
        files = self.start("timeouts: {requestHead: 100ms}")
        self.use_here(Proxy(self.config(self.HTTPS), files=files))
        begun = time.monotonic()
        with RawClient(self.port) as client:
            client.send(b"\x16\x03\x01")
            while client.fill():
                pass
        self.assertTrue(0.1 <= time.monotonic() - begun < 3, "closed in its time, and not before")

    def speaks_tls(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT_S) as plain:
                with tls_context(self.authority, ("http/1.1",)).wrap_socket(plain, server_hostname="one.example"):
                    return True
        except (ssl.SSLError, ConnectionError):
            return False

    def test_port_turns_to_tls_under_an_open_connection(self):
        files = self.start()
        proxy = self.use_here(Proxy(self.config("protocol: HTTP"), files=files))
        with RawClient(self.port) as client:
            self.assertEqual(client.exchange(get()).content, b"word")
            proxy.replace_config(self.config(self.HTTPS))
            eventually(self.speaks_tls, "the port speaks TLS")
            client.send(get())
            while client.fill():
                pass
            self.assertNotIn(b"word", client.buffer, "in clear nobody is answered any more")


class Refusals(Case):
    def test_key_of_another_certificate(self):
        with tempfile.TemporaryDirectory(prefix="portico-test-") as folder:
            one, _ = self_signed("one.example", folder)
            _, key = self_signed("two.example", folder)
            files = {"one.crt": one.read_bytes(), "two.key": key.read_bytes()}
        proxy = Proxy(lambda port: https_gateway(port, free_port()) + tls_secret("cert", "one.crt", "two.key"),
                      files=files, wait=False)
        proxy.start()
        self.addCleanup(proxy.stop)
        self.assertNotEqual(proxy.exits(), 0)
        self.assertIn("portico.yaml:", proxy.errors())
        self.assertNotIn("PRIVATE KEY", proxy.errors())
