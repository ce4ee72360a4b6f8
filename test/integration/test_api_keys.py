"""API keys: whose a request is by the key it shows, that nobody behind the proxy and no log gets it, and how keys are made."""
import hashlib
import secrets
import time

import secrecy
from ctl_case import CtlCase
from harness import Case, Proxy, RawClient, check, cluster, curl, eventually, gateway, get, route, table
from http2_client import Http2Client
from origins import Origin
from test_stream import StreamedProxy

POLICY = """\
---
kind: AuthPolicy
metadata: {name: keys}
spec:
  targetRefs: [{kind: Gateway, name: default}]
  authentication:
    anyOf:
    - apiKey: {extractFrom: {headers: [{name: x-api-key}], cookies: [{name: shop-key}], queryParams: [{name: shop key}]}}
  authorization:
    defaultAction: Allow
    rules: [{name: readers, action: Deny, principal: {method: APIKey, groups: [reader]}, operation: {methods: [POST]}}]
  identityToHeaders: [{identity: Consumer, header: x-consumer}]
---
kind: AuthPolicy
metadata: {name: kept}
spec:
  targetRefs: [{kind: Route, name: all, sectionName: kept}]
  authentication:
    anyOf: [{apiKey: {extractFrom: {headers: [{name: x-api-key}]}, forwardCredentials: true}}]
---
kind: AuthPolicy
metadata: {name: open}
spec:
  targetRefs: [{kind: Route, name: all, sectionName: open}]
  authentication:
    anyOf: [{apiKey: {extractFrom: {headers: [{name: x-api-key}]}}}, {anonymous: {}}]
"""
RULES = ["{name: kept, matches: [{path: {value: /kept}}], backendRefs: [{name: origin}]}",
         "{name: open, matches: [{path: {value: /open}}], backendRefs: [{name: origin}]}",
         "{name: away, matches: [{path: {value: /away}}], filters: [{requestRedirect: {hostname: other.example}}]}",
         "{name: exact, matches: [{path: {type: Exact, value: /}}], backendRefs: [{name: origin}]}"]


def new_key(name):
    key = f"pk_{secrets.token_urlsafe(32)}"
    secrecy.keep(f"the key of {name}", key)
    return key


def credential(key, expires=None):
    digest = hashlib.sha256(key.encode()).hexdigest()
    return f'{{apiKey: {{sha256: "{digest}"{f", expires: {stamp(expires)}" if expires else ""}}}}}'


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def consumer(name, credentials, groups="[]"):
    return f"---\nkind: Consumer\nmetadata: {{name: {name}}}\nspec: {{groups: {groups}, credentials: [{', '.join(credentials)}]}}\n"


class ApiKeys(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.origin = cls.use(Origin())
        cls.acme, cls.beta, cls.past = new_key("acme"), new_key("beta"), new_key("past")
        cls.proxy = cls.use(Proxy(lambda port: cls.configuration(
            port, consumer("acme", [credential(cls.acme), credential(cls.past, time.time() - 60)]) +
            consumer("beta", [credential(cls.beta, time.time() + 3600)], "[reader]"))))

    @classmethod
    def configuration(cls, port, consumers):
        return gateway(port) + POLICY + consumers + cluster("origin", cls.origin.port) + route("all", RULES)

    def setUp(self):
        self.origin.clear()

    def exchange(self, target="/", fields="", method="GET"):
        with RawClient(self.proxy.port) as client:
            return client.exchange(get(target, more=fields, method=method), method=method)

    def logged(self):
        return self.proxy.access_log()[-1]

    @table({
        "a field": lambda key: ("/?a=1", f"x-api-key: {key}\r\ncookie: a=1; b=2\r\n"),
        "a cookie": lambda key: ("/?a=1", f"cookie: a=1; shop-key={key}; b=2\r\n"),
        "a parameter": lambda key: (f"/?shop+key={key}&a=1", "cookie: a=1; b=2\r\n"),
        "an encoded parameter": lambda key: (f"/?a=1&%73hop%20key={key}", "cookie: a=1; b=2\r\n"),
        "several places": lambda key: (f"/?a=1&shop%20key={key}", f"x-api-key: {key}\r\ncookie: a=1; shop-key=x; b=2\r\n"),
    })
    def test_accepted(self, ask):
        target, fields = ask(self.acme)
        response = self.exchange(target, fields)
        self.assertEqual(response.status, 200, response)
        got = self.origin.last()
        self.assertEqual((got.target, got.field("x-consumer"), got.field("cookie"), got.field("x-api-key")),
                         ("/?a=1", "acme", "a=1; b=2", None))
        self.assertNotIn(self.acme.encode(), got.raw)
        eventually(lambda: self.proxy.access_log() and self.logged().get("consumer") == "acme", "a line in the access log")

    @table({
        "nothing": ("/", ""), "an unknown one": ("/", "x-api-key: pk_nobody\r\n"), "an empty one": ("/", "x-api-key:\r\n"),
        "two fields": ("/", "x-api-key: {0}\r\nx-api-key: {0}\r\n"), "two cookies": ("/", "cookie: shop-key={0}; shop-key={0}\r\n"),
        "two parameters": ("/?shop+key={0}&shop%20key={0}", ""), "a part of it": ("/", "x-api-key: {0:.20}\r\n"),
        "as a token": ("/", "authorization: Bearer {0}\r\n"), "another spelling of the field": ("/", "x_api_key: {0}\r\n"),
        "unknown where nobody is let in": ("/open", "x-api-key: pk_nobody\r\n"),
        "empty where nobody is let in": ("/open", "x-api-key:\r\n"),
    })
    def test_refused(self, target, fields):
        response = self.exchange(target.format(self.acme), fields.format(self.acme))
        self.assertProblem(response, 401)
        self.assertEqual(response.field("www-authenticate"), 'APIKey realm="portico"')
        self.assertEqual(self.origin.requests, [])
        self.assertNotIn(self.acme.encode(), response.content)

    def test_expired(self):
        response = self.exchange(fields=f"x-api-key: {self.past}\r\n")
        self.assertProblem(response, 401)
        self.assertIn("expired", response.json()["detail"])
        eventually(lambda: self.logged().get("reason") == "auth: the key has expired", "the reason in the access log")

    def test_nobody_where_that_is_allowed(self):
        self.assertEqual(self.exchange("/open").status, 200)
        self.assertIsNone(self.origin.last().field("x-consumer"))

    @table({"may read": ("GET", 200), "may not write": ("POST", 403)})
    def test_authorised_by_group(self, method, status):
        self.assertEqual(self.exchange(fields=f"x-api-key: {self.beta}\r\n", method=method).status, status)

    def test_kept_on_purpose(self):
        self.assertEqual(self.exchange("/kept", f"x-api-key: {self.acme}\r\n").status, 200)
        self.assertEqual(self.origin.last().field("x-api-key"), self.acme)

    def test_a_redirect_does_not_carry_it_away(self):
        response = self.exchange(f"/away?a=1&shop%20key={self.acme}")
        self.assertEqual((response.status, response.field("location")), (302, f"http://other.example:{self.proxy.port}/away?a=1"))

    @table({"served": ("/", 200), "no rule": ("/nowhere", 404), "refused before": ("/../x", 400), "refused": ("/?shop+key=x", 401)})
    def test_the_log_shows_no_parameter(self, target, status):
        before = len(self.proxy.access_log())
        target += ("&" if "?" in target else "?") + f"shop%20key={self.acme}&b=2"
        self.assertEqual(self.exchange(target).status, status)
        eventually(lambda: len(self.proxy.access_log()) > before, "a line in the access log")
        self.assertIn("shop%20key=***&b=2", self.logged()["target"])
        self.assertNotIn(self.acme, str(self.logged()))

    def test_cookies_in_pieces_over_http2(self):
        with Http2Client(self.proxy.port) as client:
            response = client.exchange(fields=[("cookie", "a=1"), ("cookie", f"shop-key={self.acme}"), ("cookie", "b=2")])
        self.assertEqual(response.status, 200)
        self.assertNotIn(self.acme.encode(), self.origin.last().raw)
        self.assertEqual(self.origin.last().field("cookie").replace("; ", " "), "a=1 b=2")

    def test_two_overlap_while_one_takes_over(self):
        old, new = new_key("rotation, old"), new_key("rotation, new")
        proxy = self.use_here(Proxy(lambda port: self.configuration(port, consumer("one", [credential(old)]))))

        def status(key):
            return curl(proxy.url("/"), "-H", f"x-api-key: {key}").status

        self.assertEqual((status(old), status(new)), (200, 401))
        ends = int(time.time()) + 5
        proxy.replace_config(self.configuration(proxy.port, consumer("one", [credential(old, ends), credential(new)])))
        eventually(lambda: status(new) == 200, "the new key")
        if time.time() < ends - 1:
            self.assertEqual(status(old), 200)
        eventually(lambda: status(old) == 401, "the end of the old key, without another change")
        self.assertGreaterEqual(time.time(), ends)
        self.assertEqual(status(new), 200)

    def test_one_key_of_two_consumers_is_refused(self):
        code, said = check(self.configuration(8080, consumer("one", [credential(self.acme)]) + consumer("two", [credential(self.acme)])))
        self.assertEqual(code, 1)
        self.assertIn("Consumer two and Consumer one have the same key", said)

    def test_a_key_in_the_query_is_warned_of(self):
        code, said = check(self.configuration(8080, consumer("one", [credential(self.acme)])))
        self.assertEqual(code, 0, said)
        self.assertIn("keys in a query end up in logs", said)


class KeyCreate(CtlCase):
    """The key that porticoctl shows once, on a proxy of the control plane."""

    def test_a_key_from_making_to_use(self):
        origin = self.use_here(Origin())
        proxy = StreamedProxy(self.control_plane, arguments=["--bind_address=127.0.0.1"])
        port = proxy.port
        self.apply(gateway(port) + POLICY + cluster("origin", origin.port) + route("all", RULES))
        self.use_here(proxy)
        key, said = self.ctl("key", "create", "--consumer", "acme", "--create", "--expires", "90d", "--wait")
        key = key.rstrip("\n")
        secrecy.keep("a key of porticoctl", key)
        secrecy.check("standard error", said)
        self.assertRegex(key, r"\Apk_[A-Za-z0-9_-]{43}\Z")
        self.assertIn("Consumer default/acme created", said)
        self.assertEqual(curl(f"http://127.0.0.1:{port}/", "-H", f"x-api-key: {key}").status, 200)
        second = self.ctl("key", "create", "--consumer", "default/acme", "--wait")[0].rstrip("\n")
        secrecy.keep("a second key of porticoctl", second)
        for one in (key, second):
            self.assertEqual(curl(f"http://127.0.0.1:{port}/", "-H", f"x-api-key: {one}").status, 200)
        stored = self.ctl("get", "consumer", "acme", "-o", "yaml")[0]
        self.assertIn(hashlib.sha256(second.encode()).hexdigest(), stored)
        for what, words in {"the Consumer": ("get", "consumer", "acme", "-o", "json"), "everything": ("get", "all", "-o", "yaml"),
                            "the history": ("history",), "its description": ("describe", "consumer", "acme")}.items():
            secrecy.check(what, self.ctl(*words)[0])
        secrecy.check("the proxy's snapshot", proxy.admin("/snapshot").content)

    def test_nobody_is_made_unasked(self):
        out, said = self.ctl("key", "create", "--consumer", "stranger", code=1)
        self.assertEqual(out, "")
        self.assertIn("stranger", said)

    def test_offline_it_shows_what_to_write(self):
        out, said = self.ctl("key", "create", "--expires", "2030-01-01T00:00:00Z")
        digest = hashlib.sha256(out.rstrip("\n").encode()).hexdigest()
        self.assertEqual(said, f'credentials:\n- apiKey:\n    sha256: "{digest}"\n    expires: 2030-01-01T00:00:00Z\n')
