"""No secret stands in clear in what anything writes: logs, access log, pages, metrics, the store, the state, a backup, answers,
errors. A whole fleet over TLS, secrets used well and wrongly, and everything that was written looked through in the end.
"""
import base64
import hashlib
import hmac
import json
import secrets
import subprocess
import tempfile
from pathlib import Path

import grpc
import yaml

import secrecy
from control_plane import Authority, ControlPlane, Messages, resource
from discovery import Discovery
from harness import (TIMEOUT_S, Case, RawClient, check, control_plane_binary, curl, eventually, free_port, get, porticoctl_binary,
                     table)
from http2_client import Http2Client
from origins import Origin, answer
from shop import Certificates
from test_auth import encoded
from test_control_plane import run
from test_stream import KEPT, StreamedProxy, gateway, says

HMAC_ISSUER = "https://machines.shop.example"


def marker(name):
    """A text that nothing else has, kept: a password or key that somebody puts where it does not belong."""
    text = secrets.token_urlsafe(33)        # 44 digits of base64 without padding
    secrecy.keep(name, text)
    return text


class Made:
    """Keys and what can be wrong with them, made once."""

    folder = None

    def start(self):
        self.certificates = Certificates()
        self.certificates.start()
        self.folder = self.certificates.folder
        self.hmac_key = secrets.token_bytes(32)
        secrecy.keep("the HMAC key", self.hmac_key)
        self.certificate, self.key = [(self.folder / name).read_text() for name in ("api.crt", "api.key")]
        self.other_key = (self.folder / "ca.key").read_text()

    def stop(self):
        if self.folder:
            self.certificates.stop()

    def key_set(self, **more):
        return json.dumps({"keys": [{"kty": "oct", "alg": "HS256", "kid": "machines", "k": base64.urlsafe_b64encode(
            self.hmac_key).rstrip(b"=").decode(), **more}]})

    def encrypted_key(self):
        done = subprocess.run(["openssl", "pkey", "-in", str(self.folder / "api.key"), "-aes256", "-passout",
                               f"pass:{marker('a passphrase')}"], check=True, capture_output=True, text=True)
        secrecy.keep("an encrypted key", done.stdout.split("\n")[2])
        return done.stdout


def tls(certificate, key):
    return {"tls": {"certificate": {"inline": certificate}, "privateKey": {"inline": key}}}


def jwks(text):
    return {"jwks": {"inline": text}}


# What can be wrong with a Secret, as a spec.
WRONG = {
    "a key cut off": lambda made: tls(made.certificate, made.key[:-60] + "\n-----END PRIVATE KEY-----\n"),
    "a key without its end": lambda made: tls(made.certificate, made.key[:150]),
    "another certificate's key": lambda made: tls(made.certificate, made.other_key),
    "key and certificate swapped": lambda made: tls(made.key, made.certificate),
    "a key in both places": lambda made: tls(made.key, made.key),
    "a password for a key": lambda made: tls(made.certificate, marker("a password")),
    "an encrypted key": lambda made: tls(made.certificate, made.encrypted_key()),
    "a key set cut off": lambda made: jwks(made.key_set()[:-4]),
    "a key set of no JSON": lambda made: jwks(marker("a password for a key set")),
    "a key set of an unknown kind": lambda made: jwks(made.key_set(kty="private")),
    "a key set of an unknown algorithm": lambda made: jwks(made.key_set(alg="HS9")),
    "a key that is a list": lambda made: jwks(made.key_set(k=[marker("a listed key")])),
    "a key that is no base64": lambda made: jwks(made.key_set(k="!" + marker("a spoilt key") + "!")),
    "a short key": lambda made: jwks(made.key_set(k=marker("a short key")[:24])),
    "a key named twice": lambda made: jwks(made.key_set().replace('"kid"', f'"k": "{marker("a first key")}", "kid"')),
    "a key for an authority": lambda made: {"caCertificates": {"inline": made.key}},
    "two at once": lambda made: {**tls(made.certificate, made.key), **jwks(made.key_set())},
    "a key that is not supported yet": lambda made: {"hmacKey": {"inline": marker("a future key")}},
}


def written(spec):
    """As a person writes a Secret: YAML."""
    return yaml.safe_dump({"kind": "Secret", "metadata": {"name": "wrong"}, "spec": spec})


HEAD = "kind: Secret\nmetadata: {name: wrong}\nspec:\n"
# What can be wrong with how a Secret is written, as YAML.
MISWRITTEN = {
    "text for a message": lambda made: written(
        {"tls": {"certificate": {"inline": made.certificate}, "privateKey": marker("a bare key")}}),
    "a list for a text": lambda made: written({"jwks": {"inline": [marker("a listed text")]}}),
    "a mapping for a text": lambda made: written({"jwks": {"inline": json.loads(made.key_set())}}),
    "a misspelt field": lambda made: written({"tls": {"privateKey": {"inlin": made.key}}}),
    "a field of another kind": lambda made: written({"password": marker("a field's password")}),
    "twice": lambda made: written(jwks(made.key_set())) + f"  jwks: {{inline: {marker('a second text')}}}\n",
    "a quote without end": lambda made: f'{HEAD}  jwks: {{inline: "{marker("an open quote")}\n',
    "a key that is not indented": lambda made: f"{HEAD}  tls:\n    privateKey:\n      inline: |\n{made.key}",
    "a tab": lambda made: f"{HEAD}\tjwks: {{inline: {marker('behind a tab')}}}\n",
    "an anchor": lambda made: f"{HEAD}  jwks: {{inline: *{marker('an anchor')}}}\n",
    "a tag": lambda made: f"{HEAD}  jwks: {{inline: !!int {marker('a tagged text')}}}\n",
}


class Judged(Case):
    """What is said of secrets that are wrong, by each that judges them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        Messages.load()
        cls.made = cls.use(Made())
        cls.control_plane = cls.use(ControlPlane(store="memory:"))
        cls.client = cls.control_plane.client()
        cls.addClassCleanup(cls.client.channel.close)

    def judge_text(self, text):
        """By porticoctl, offline and through the API, and by the proxy."""
        with tempfile.TemporaryDirectory(prefix="portico-test-") as folder:
            Path(folder, "wrong.yaml").write_text(text)
            address = f"--api_address={self.control_plane.addresses['api_address']}"
            for words in (["validate", "-f", "wrong.yaml"], ["apply", "-f", "wrong.yaml", address], ["apply", "-f", "-", address],
                          ["validate", "-f", "wrong.yaml", "-o", "json"]):
                done = subprocess.run([porticoctl_binary(), *words], cwd=folder, input=text, capture_output=True, text=True,
                                      timeout=TIMEOUT_S, check=False)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertTrue(done.stdout + done.stderr, "it says why")
                secrecy.check(f"porticoctl {words[0]}", done.stdout + done.stderr)
        beside = "---\nkind: Gateway\nmetadata: {name: default}\nspec: {listeners: [{name: http, port: 1, protocol: HTTP}]}\n"
        code, said = check(text + beside)
        self.assertEqual(code, 1, said)
        secrecy.check("portico-proxy --check", said)

    @table(WRONG)
    def test_wrong(self, spec):
        spec = spec(self.made)
        with self.assertRaises(grpc.RpcError) as raised:
            self.client.apply(resource("secret", "wrong", spec))
        self.assertEqual(raised.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)
        secrecy.check("the API's error", raised.exception.details())
        for key, value in raised.exception.trailing_metadata():
            secrecy.check(f"the API's error, {key}", value)
        self.judge_text(written(spec))

    @table(MISWRITTEN)
    def test_miswritten(self, text):
        self.judge_text(text(self.made))


class Streamed(Case):
    """A control plane that judges nothing sends a proxy what is wrong."""

    def test_wrong(self):
        made = self.use_here(Made())
        discovery = self.use_here(Discovery())
        proxy = StreamedProxy(discovery, arguments=["--log_level=debug"], wait=False)
        whole = gateway(proxy.port)
        discovery.put("Gateway", "default/default", "e.1", whole)
        self.use_here(proxy)
        discovery.mark(1)
        listener = whole.gateway.spec.listeners.add(name="https", port=free_port(), protocol="LISTENER_PROTOCOL_HTTPS")
        for number, (name, spec) in enumerate(WRONG.items(), 2):
            wrong = f"wrong-{number}"
            listener.tls.certificate_refs.add(name=wrong)
            discovery.put("Secret", f"default/{wrong}", f"e.{number}", resource("secret", wrong, spec(made)))
            discovery.put("Gateway", "default/default", f"e.{number}", whole)
            code, message, refused = discovery.mark(number)
            with self.subTest(name):
                self.assertTrue(code or f"Secret default/{wrong}" in refused, (code, message, refused))
                secrecy.check("the NACK", f"{message} {refused}")
        secrecy.check("the snapshot", proxy.admin("/snapshot").content)


# What can stand in a file where a key should be.
BROKEN_KEYS = {
    "a password": lambda made: marker("a password in a key's file"),
    "too few digits": lambda made: made.hmac_key.hex()[:62],
    "too many digits": lambda made: made.hmac_key.hex() + "0",
    "a key cut off": lambda made: made.key[:-60] + "\n-----END PRIVATE KEY-----\n",
    "an encrypted key": lambda made: made.encrypted_key(),
}


class KeyFiles(Case):
    """What is said of the files that flags name, when they hold something else."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        Messages.load()
        cls.made = cls.use(Made())
        cls.authority = cls.use(Authority())
        cls.control_plane = cls.use(ControlPlane(tls=cls.authority))
        cls.certificate, _ = cls.authority.issue("edge", alternative="URI:portico://gateway/default/default")

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="portico-test-")
        self.addCleanup(folder.cleanup)
        self.broken = Path(folder.name, "broken.key")

    def write(self, content):
        self.broken.write_text(content(self.made))
        self.broken.chmod(0o600)

    def tls_flags(self):
        return [f"--tls_cert={self.certificate}", f"--tls_key={self.broken}", f"--ca={self.authority.certificate}"]

    @table(BROKEN_KEYS)
    def test_the_control_planes(self, content):
        self.write(content)
        loopback = ["--api_address=127.0.0.1:0", "--discovery_address=127.0.0.1:0"]
        tls_flags = [f"--tls_cert={self.certificate}", f"--tls_key={self.broken}", f"--client_ca={self.authority.certificate}"]
        for name, flags in {"the store's key": [f"--secrets_key_file={self.broken}"],
                            "the server's key": ["--store=memory:", *tls_flags]}.items():
            code, said = run(*loopback, *flags)
            self.assertEqual(code, 1, said)
            self.assertIn("broken.key", said)
            secrecy.check(name, said)

    @table(BROKEN_KEYS)
    def test_the_proxys(self, content):
        self.write(content)
        good = self.authority.issue("good", alternative="URI:portico://gateway/default/default")
        good_tls = [f"--tls_cert={good[0]}", f"--tls_key={good[1]}", f"--ca={self.authority.certificate}"]
        state = [f"--state_dir={self.broken.parent}", f"--state_key_file={self.broken}"]
        for says, flags in {"broken.key": [*state, *good_tls], "private key": self.tls_flags()}.items():
            proxy = self.use_here(StreamedProxy(self.control_plane, arguments=[*flags, "--log_level=debug"], wait=False))
            self.assertEqual(proxy.exits(), 1)
            self.assertIn(says, proxy.errors())
            secrecy.check("the proxy's log", proxy.errors())

    @table(BROKEN_KEYS)
    def test_the_clients(self, content):
        self.write(content)
        done = subprocess.run([porticoctl_binary(), "get", "all", f"--api_address={self.control_plane.addresses['api_address']}",
                               "--timeout=2s", *self.tls_flags()], capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertTrue(done.stderr, "it says why")
        secrecy.check("porticoctl get", done.stdout + done.stderr)


class Whole(Case):
    """Everything that a fleet writes. Its processes are watched over by the harness too, when they stop."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        Messages.load()
        cls.authority = cls.use(Authority())
        cls.made = cls.use(Made())
        cls.origin = cls.use(Origin(lambda request: answer(b"origin")))
        cls.control_plane = cls.use(ControlPlane(tls=cls.authority))
        cls.flags = cls.flags_of(cls.authority.issue("alice"))
        cls.client = cls.control_plane.client(cls.authority.credentials(cls.authority.issue("bob")))
        cls.addClassCleanup(cls.client.channel.close)
        identity = cls.authority.issue("edge", alternative="URI:portico://gateway/default/default")
        cls.proxy = StreamedProxy(cls.control_plane, arguments=[*cls.flags_of(identity), *KEPT, "--log_level=debug"])
        cls.https_port = free_port()
        cls.apply()
        cls.use(cls.proxy)
        eventually((cls.proxy.folder / "default.default.state").exists, "the state is kept")
        for thing, name in ((cls.control_plane, "secrets.key"), (cls.proxy, "state.key")):
            secrecy.keep(f"what is in {name}", bytes.fromhex((thing.folder / name).read_text()))
        cls.addClassCleanup(cls.look_through_folders)

    @classmethod
    def flags_of(cls, identity):
        return [f"--tls_cert={identity[0]}", f"--tls_key={identity[1]}", f"--ca={cls.authority.certificate}"]

    @classmethod
    def apply(cls):
        """By porticoctl, from files beside each other."""
        folder = cls.control_plane.folder / "written"
        folder.mkdir()
        (folder / "machines.json").write_text(cls.made.key_set())
        for name in ("api.crt", "api.key", "jwks.json"):
            (folder / name).write_bytes((cls.made.folder / name).read_bytes())
        (folder / "fleet.yaml").write_text(CONFIGURATION.format(
            port=cls.proxy.port, https_port=cls.https_port, origin=cls.origin.port, hmac_issuer=HMAC_ISSUER))
        done = cls.ctl("apply", "-f", str(folder))
        assert done.returncode == 0, done.stderr
        for path in folder.iterdir():
            path.unlink()       # what a person wrote is theirs

    @classmethod
    def ctl(cls, *words):
        address = f"--api_address={cls.control_plane.addresses['api_address']}"
        return subprocess.run([porticoctl_binary(), *words, address, *cls.flags], capture_output=True, text=True,
                              timeout=TIMEOUT_S, check=False)

    @classmethod
    def look_through_folders(cls):
        """Every file that a process wrote, but the keys that are files of their own."""
        own = {"server.key", "secrets.key", "state.key", cls.control_plane.admin_token.name}
        files = [path for thing in (cls.control_plane, cls.proxy) for path in thing.folder.rglob("*") if path.is_file()]
        names = {path.name for path in files}
        assert {"portico.db", "portico.db-wal", "default.default.state", "stdout", "stderr", "copy.db"} <= names, names
        for path in files:
            if path.name not in own:
                secrecy.check(f"the file {path.name}", path.read_bytes())

    def token(self, **claims):
        return self.made.certificates.token(**claims)

    def machine_token(self, key=None):
        claims = {"iss": HMAC_ISSUER, "aud": "shop-api", "sub": "robot", "exp": 4_000_000_000}
        text = encoded({"alg": "HS256", "kid": "machines"}) + "." + encoded(claims)
        text += "." + encoded(hmac.digest(key or self.made.hmac_key, text.encode(), hashlib.sha256))
        secrecy.keep_token(text)
        return text

    @table({
        "of a person": (200, lambda case: f"Bearer {case.token()}"),
        "of a machine": (200, lambda case: f"Bearer {case.machine_token()}"),
        "expired": (401, lambda case: f"Bearer {case.token(issued=1_000_000_000)}"),
        "for somebody else": (401, lambda case: f"Bearer {case.token(audience='other')}"),
        "signed with another key": (401, lambda case: f"Bearer {case.machine_token(marker('another HMAC key').encode())}"),
        "with a part too many": (401, lambda case: f"Bearer {case.token()}.{marker('a fourth part')}"),
        "spoilt": (401, lambda case: f"Bearer {case.token()[::-1]}{marker('behind a token')}"),
        "no token": (401, lambda case: f"Bearer {marker('no token')}"),
        "a password": (401, lambda case: f"Basic {marker('a password of Basic')}"),
        "two at once": (401, lambda case: f"Bearer {case.token()}\r\nauthorization: Bearer {marker('a second token')}"),
        "with a NUL": (400, lambda case: f"Bearer {marker('behind a NUL')}\0{case.token()}"),
        "too long": (431, lambda case: f"Bearer {marker('a long token') * 4000}"),
        "on a folded line": (400, lambda case: f"Bearer\r\n {marker('a folded token')}"),
    })
    def test_token(self, status, value):
        fields = f"authorization: {value(self)}\r\ncookie: session={marker('a cookie')}\r\n"
        with RawClient(self.proxy.port) as client:
            response = client.exchange(get(more=fields))
        self.assertEqual(response.status, status, response)
        secrecy.check("the answer", f"{response.fields} {response.content}")

    def test_tokens_over_http2_and_tls(self):
        for bearer, status in ((self.token(), 200), (marker("no token over HTTP/2"), 401)):
            with Http2Client(self.proxy.port) as client:
                self.assertEqual(client.exchange(fields=[("authorization", f"Bearer {bearer}")]).status, status)
            response = curl(f"https://127.0.0.1:{self.https_port}/", "-k", "-H", f"authorization: Bearer {bearer}")
            self.assertEqual(response.status, status)

    def test_pages(self):
        index = self.proxy.admin("/").content.decode()
        pages = [word for word in index.split() if word.startswith("/")]
        self.assertIn("/snapshot", pages)
        for page in pages:
            secrecy.check(f"the proxy's {page}", self.proxy.admin(page).content)
        for page in ("/ready", "/live", "/metrics"):
            secrecy.check(f"the control plane's {page}", self.control_plane.admin(page)[1])

    def test_answers_of_the_api(self):
        watch = self.client.watch(after_revision=0)
        self.client.apply(resource("secret", "watched", jwks(self.made.key_set())))
        told = [next(watch)]
        while not any(one.WhichOneof("kind") == "secret" for one in told[-1].resources):
            told.append(next(watch))
        watch.cancel()
        fleet = self.client.channel.unary_unary("/portico.v1.FleetService/ListProxies")(b"", timeout=TIMEOUT_S)
        listed = self.client.list()
        self.assertIn("machines", str(listed))
        for what, said in {"a list": listed, "a watch": told, "the history": self.client.history(), "the fleet": fleet,
                           "one": self.client.get("Secret", "certificate"),
                           "an old one": self.client.get("Secret", "certificate", revision=1)}.items():
            secrecy.check(what, said if isinstance(said, bytes) else str(said))
            if hasattr(said, "SerializeToString"):
                secrecy.check(what, said.SerializeToString())

    @table({"a table": ["get", "all"], "YAML": ["get", "secret", "certificate", "-o", "yaml"],
            "JSON": ["get", "secret", "-o", "json"], "everything": ["get", "all", "-o", "yaml"], "the history": ["history"], "the status": ["status"],
            "a rollback": ["rollback", "1", "--dry-run"]})
    def test_command(self, words):
        done = self.ctl(*words)
        self.assertEqual(done.returncode, 0, done.stderr)
        secrecy.check(f"porticoctl {' '.join(words)}", done.stdout + done.stderr)

    def test_a_token_of_the_control_plane(self):
        """Made, shown and misplaced: nothing but its maker's standard output has it."""
        done = self.ctl("token", "create", "--name=secrecy")
        self.assertEqual(done.returncode, 0, done.stderr)
        token = done.stdout.strip()
        secrecy.keep("a token of the control plane", token)
        secrecy.check("porticoctl token", done.stderr)
        with tempfile.TemporaryDirectory(prefix="portico-test-") as folder:
            def say(what, text, *words, code=1):
                path = Path(folder, what)
                path.write_text(text)
                done = self.ctl(*words, *(["-f", str(path)] if words[0] == "apply" else [f"--token_file={path}"]))
                self.assertEqual(done.returncode, code, done.stdout + done.stderr)
                secrecy.check(what, done.stdout + done.stderr)
            say("good", token, "get", "all", code=0)
            say("spoilt", token[::-1], "get", "all")
            say("two", f"{token} {marker('a second token')}", "get", "all")
            say("stored", f"kind: Token\nmetadata: {{name: t}}\nspec: {{sha256: {token}}}\n", "apply")
            say("a subject", f"kind: Role\nmetadata: {{name: r}}\nspec: {{role: Viewer, subjects: [{{token: {token}}}]}}\n", "apply")
        for metadata in (f"Bearer {token} {token}", f"Basic {token}", token, f"Bearer {token[:-1]}"):
            call = self.client.channel.unary_unary("/portico.v1.ConfigService/History")
            with self.assertRaises(grpc.RpcError) as raised:
                call(b"", timeout=TIMEOUT_S, metadata=[("authorization", metadata)])
            self.assertEqual(raised.exception.code(), grpc.StatusCode.UNAUTHENTICATED)
            secrecy.check("the error", str(raised.exception.details()) + str(raised.exception.trailing_metadata()))

    def test_what_is_stored_and_copied(self):
        for number in range(5):     # versions of it, some of them gone
            self.client.apply(resource("secret", "versions", jwks(self.made.key_set(k=marker(f"version {number} of a key")))))
        gone = Messages.config.ResourceName(kind="Secret", name="versions")
        self.client.call("Delete", Messages.config.DeleteRequest(names=[gone]), "ApplyResponse")
        done = subprocess.run([control_plane_binary(), "--store=sqlite:portico.db", "--backup=copy.db"],
                              cwd=self.control_plane.folder, capture_output=True, timeout=TIMEOUT_S, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        secrecy.check("the backup's words", done.stdout + done.stderr)


CONFIGURATION = """\
kind: Gateway
metadata: {{name: default}}
spec:
  listeners:
  - {{name: http, port: {port}, protocol: HTTP}}
  - {{name: https, port: {https_port}, protocol: HTTPS, tls: {{certificateRefs: [{{name: certificate}}]}}}}
  addresses: [{{type: IPAddress, value: 127.0.0.1}}]
---
kind: Secret
metadata: {{name: certificate}}
spec: {{tls: {{certificate: {{file: api.crt}}, privateKey: {{file: api.key}}}}}}
---
kind: Secret
metadata: {{name: people}}
spec: {{jwks: {{file: jwks.json}}}}
---
kind: Secret
metadata: {{name: machines}}
spec: {{jwks: {{file: machines.json}}}}
---
kind: Cluster
metadata: {{name: origin}}
spec: {{endpoints: [{{address: 127.0.0.1, port: {origin}}}]}}
---
kind: Route
metadata: {{name: all}}
spec: {{rules: [{{backendRefs: [{{name: origin}}]}}]}}
---
kind: AuthPolicy
metadata: {{name: signed-in}}
spec:
  targetRefs: [{{kind: Gateway, name: default}}]
  authentication:
    anyOf:
    - jwt: {{issuer: "https://id.shop.example", audiences: [shop-api], jwks: {{secretRef: {{name: people}}}}}}
    - jwt: {{issuer: "{hmac_issuer}", audiences: [shop-api], jwks: {{secretRef: {{name: machines}}}}}}
  authorization: {{defaultAction: Allow}}
"""


class Search(Case):
    """That the search finds what it should: without it everything above would be worth nothing."""

    SECRET = b"a secret that is long enough to be looked for \xff\x00"

    @table({
        "as it is": lambda secret: secret,
        "a part": lambda secret: secret[8:-8],
        "hexadecimal": lambda secret: secret.hex().encode(),
        "capitals": lambda secret: secret.hex().upper().encode(),
        "base64": base64.b64encode,
        "base64 behind one byte": lambda secret: base64.b64encode(b"x" + secret),
        "base64 behind two bytes": lambda secret: base64.b64encode(b"xy" + secret),
        "base64url within": lambda secret: base64.urlsafe_b64encode(b"xyz" + secret + b"xyz"),
    })
    def test_finds(self, shows):
        secrecy.keep("the planted one", self.SECRET)
        with self.assertRaises(AssertionError) as raised:
            secrecy.check("a log", b"before " + shows(self.SECRET) + b" behind")
        self.assertIn("a log shows the planted one", str(raised.exception))
        self.assertNotIn("looked for", str(raised.exception))

    def test_finds_nothing_else(self):
        secrecy.keep("the planted one", self.SECRET)
        secrecy.check("a log", b"a log of something that is not so secret")

    def test_the_key_of_a_file(self):
        with tempfile.TemporaryDirectory(prefix="portico-test-") as folder:
            _, key = Authority.make("planted", folder, "subjectAltName=DNS:x")
            for text in (key.read_text(), str(secrecy.private_scalar(key).hex())):
                self.assertIn("the key of planted", " ".join(secrecy.shown(text)))
            self.assertEqual(secrecy.shown(Path(folder, "planted.crt").read_text()), [])
