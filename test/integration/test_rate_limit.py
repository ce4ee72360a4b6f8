"""How often a caller may come: limits by address, header, consumer or nothing, on all workers together, over changes."""
import re

import grpc

from control_plane import Messages, resource
from ctl_case import ctl
from harness import Case, Proxy, RawClient, check, cluster, curl, eventually, gateway, get, h2load, route, table
from origins import Origin, json_answer
from shop import CALLERS, Certificates
from test_stream import Fleet, says

# Where a token comes back in so long a time, none does during a case.
HOUR = "per: 1h"
TRUSTING = "clientAddress: {trustedNetworks: [127.0.0.0/8]}"


def policy(name, limits, targets, more=""):
    lines = "".join(f"  - {limit}\n" for limit in limits)
    return (f"---\nkind: RateLimitPolicy\nmetadata: {{name: {name}}}\nspec:\n  targetRefs: [{targets}]\n" +
            (f"  {more}\n" if more else "") + f"  limits:\n{lines}")


def rule(name):
    return f"{{kind: Route, name: all, sectionName: {name}}}"


def direct(name):
    return (f"{{name: {name}, matches: [{{path: {{value: /{name}}}}}], filters: "
            f"[{{directResponse: {{status: 200, body: {name}}}}}]}}")


def limit(name, requests, more="", per=HOUR):
    return f"{{name: {name}, limit: {{requests: {requests}, {per}}}{', ' + more if more else ''}}}"


IDENTITY = CALLERS + """\
---
kind: AuthPolicy
metadata: {name: some}
spec:
  targetRefs: [{kind: Route, name: all, sectionName: consumer}, {kind: Route, name: all, sectionName: both}]
  authentication:
    anyOf: [{jwt: {issuer: "https://id.shop.example", audiences: [shop-api], jwks: {secretRef: {name: keys}}}}, {anonymous: {}}]
---
kind: AuthPolicy
metadata: {name: all}
spec:
  targetRefs: [{kind: Route, name: all, sectionName: guarded}]
  authentication:
    anyOf: [{jwt: {issuer: "https://id.shop.example", audiences: [shop-api], jwks: {secretRef: {name: keys}}}}]
"""
COMPOSED = """\
---
kind: Composition
metadata: {name: three}
spec:
  steps:
  - {name: a, call: {backendRef: {name: origin}, path: /a}}
  - {name: b, call: {backendRef: {name: origin}, path: /b}}
  - {name: c, call: {backendRef: {name: origin}, path: /c}}
  answer: {body: '[$a.status, $b.status, $c.status]'}
"""
RULES = ["nothing", "address", "header", "skipping", "consumer", "both", "guarded", "levels", "near", "trial", "second", "many",
         "measured"]


class Limits(Case):
    """Four workers; each connection may be another one's."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.certificates = cls.use(Certificates())
        cls.origin = cls.use(Origin(lambda request: json_answer({})))
        cls.proxy = cls.use(Proxy(cls.configuration, files=cls.certificates.files(), workers=4))

    @classmethod
    def configuration(cls, port):
        return (gateway(port, TRUSTING) + IDENTITY + COMPOSED + cluster("origin", cls.origin.port) +
                route("all", [direct(name) for name in RULES] + [
                    "{name: composed, matches: [{path: {value: /composed}}], backendRefs: [{kind: Composition, name: three}]}",
                    "{name: forwarded, backendRefs: [{name: origin}]}"]) +
                route("other", ["{matches: [{path: {value: /other}}], filters: [{directResponse: {status: 200}}]}"]) +
                policy("nothing", [limit("all", 5)], rule("nothing")) +
                policy("address", [limit("per-address", 2, "key: [ClientAddress]")], rule("address")) +
                policy("header", [limit("per-tenant", 2, "key: [Header], header: X-Tenant")], rule("header")) +
                policy("skipping", [limit("per-tenant", 2, "key: [Header], header: x-tenant, keyMissing: Skip")],
                       rule("skipping")) +
                policy("consumer", [limit("per-consumer", 2, "key: [Consumer]")], rule("consumer")) +
                policy("both", [limit("who-where", 1, "key: [Consumer, ClientAddress]")], rule("both")) +
                policy("guarded", [limit("guesses", 3)], rule("guarded")) +
                policy("levels", [limit("route", 4)], "{kind: Route, name: other}, " + rule("levels")) +
                policy("near", [limit("rule", 3)], rule("near")) +
                policy("trial", [limit("trial", 1)], rule("trial"), "reportOnly: true") +
                policy("second", [limit("second", 1, per="per: 1s")], rule("second")) +
                policy("many", [limit("many", 50)], rule("many")) +
                policy("measured", [limit("measured", 2)], rule("measured")) +
                policy("origin", [limit("origin", 2)], rule("composed") + ", " + rule("forwarded")) +
                policy("wide", [limit("wide", 1_000_000)], "{kind: Gateway, name: default}"))

    def setUp(self):
        self.origin.clear()

    def statuses(self, target, count, *arguments):
        return [curl(self.proxy.url(target), *arguments).status for _ in range(count)]

    @staticmethod
    def from_address(address):
        return ("-H", f"x-forwarded-for: {address}")

    def test_all_workers_count_together(self):
        self.assertEqual(self.statuses("/nothing", 8), [200] * 5 + [429] * 3)

    def test_exactly_as_many_pass_however_they_come(self):
        counts = h2load(self.proxy.url("/many"), "-n200", "-c10", "-m10", "-t2")
        self.assertEqual((counts["2xx"], counts["4xx"], counts["total"]), (50, 150, 200))

    def test_by_address(self):
        for address in ("192.0.2.1", "192.0.2.2", "2001:db8:0:1::1"):
            self.assertEqual(self.statuses("/address", 3, *self.from_address(address)), [200, 200, 429], address)
        self.assertEqual(self.statuses("/address", 1, *self.from_address("2001:db8:0:1:2::9")), [429], "the same /64")
        self.assertEqual(self.statuses("/address", 1, *self.from_address("2001:db8:0:2::1")), [200], "another /64")
        self.assertEqual(self.statuses("/address", 1, *self.from_address("::ffff:192.0.2.1")), [429], "the same, mapped")

    def test_by_header(self):
        for tenant in ("a", "b"):
            self.assertEqual(self.statuses("/header", 3, "-H", f"X-TENANT: {tenant}"), [200, 200, 429], tenant)
        self.assertEqual(self.statuses("/header", 3), [200, 200, 429], "those without it share")
        self.assertEqual(self.statuses("/skipping", 4), [200] * 4, "those without it are not counted")
        self.assertEqual(self.statuses("/skipping", 3, "-H", "x-tenant: a"), [200, 200, 429])

    def bearer(self, **claims):
        return ("-H", f"authorization: Bearer {self.certificates.token(**claims)}")

    def test_by_consumer(self):
        self.assertEqual(self.statuses("/consumer", 2, *self.bearer(client="acme")), [200, 200])
        self.assertEqual(self.statuses("/consumer", 1, *self.bearer(subject="bob", client="acme")), [429], "it is the consumer")
        self.assertEqual(self.statuses("/consumer", 3, *self.bearer(client="mobile-app")), [200, 200, 429])
        self.assertEqual(self.statuses("/consumer", 3), [200, 200, 429], "those who are none share")
        self.assertEqual(self.statuses("/both", 2, *self.bearer(client="acme"), *self.from_address("192.0.2.7")), [200, 429])
        self.assertEqual(self.statuses("/both", 1, *self.bearer(client="acme"), *self.from_address("192.0.2.8")), [200])

    def test_before_authentication(self):
        self.assertEqual(self.statuses("/guarded", 5, "-H", "authorization: Bearer wrong"), [401] * 3 + [429] * 2)

    def test_levels_and_targets_count_together(self):
        self.assertEqual(self.statuses("/levels", 2) + self.statuses("/other", 3), [200] * 4 + [429])
        answers = [curl(self.proxy.url("/near")) for _ in range(4)]
        self.assertEqual([one.status for one in answers], [200] * 3 + [429])
        # Of all limits the one that ends first.
        self.assertEqual([one.field("ratelimit").partition(";t=")[0] for one in answers],
                         ['"rule";r=2', '"rule";r=1', '"rule";r=0', '"rule";r=0'])
        self.assertEqual([one.field("ratelimit-policy") for one in answers], ['"rule";q=3;w=3600'] * 4)
        self.assertEqual(answers[0].field("ratelimit"), '"rule";r=2;t=1200')
        self.assertEqual(answers[3].field("ratelimit"), f'"rule";r=0;t={answers[3].field("retry-after")}')
        self.assertTrue(1190 < int(answers[3].field("retry-after")) <= 1200, answers[3])

    def test_the_refusal(self):
        target = "/second"
        answers = [curl(self.proxy.url(target)) for _ in range(2)]
        refused = next((one for one in answers if one.status == 429), None) or eventually(
            lambda: next((one for one in [curl(self.proxy.url(target))] if one.status == 429), None), "it is refused")
        self.assertProblem(refused, 429, "http_request_denied")
        self.assertEqual(refused.field("retry-after"), "1")
        self.assertEqual(refused.field("ratelimit-policy"), '"second";q=1;w=1')
        self.assertEqual(refused.field("ratelimit"), '"second";r=0;t=1')
        self.assertEqual(refused.field("cache-control"), "no-store")
        eventually(lambda: curl(self.proxy.url(target)).status == 200, "the bucket fills")

    def test_a_refused_request_reaches_no_origin(self):
        self.assertEqual(self.statuses("/composed", 1) + self.statuses("/forwarded", 2), [200, 200, 429])
        # A composition counts once, though it calls three times.
        self.assertEqual(sorted(request.target for request in self.origin.requests), ["/a", "/b", "/c", "/forwarded"])

    def test_on_one_connection_too(self):
        with RawClient(self.proxy.port) as client:
            statuses = [client.exchange(get("/measured")).status for _ in range(3)]
        self.assertEqual(statuses, [200, 200, 429])
        name = {"limit": "default/measured/measured"}
        self.assertEqual(self.proxy.metric("portico_rate_limit_requests_total", outcome="passed", **name), 2)
        self.assertEqual(self.proxy.metric("portico_rate_limit_requests_total", outcome="limited", **name), 1)
        self.assertEqual(self.proxy.metric("portico_rate_limit_overflows_total", **name), 0)
        self.assertEqual(self.proxy.metric("portico_rate_limit_keys", **name), 1)
        line = eventually(lambda: next((line for line in self.proxy.access_log()
                                        if line["target"] == "/measured" and line["status"] == 429), None), "it is logged")
        self.assertEqual((line["limit"], line["limitOutcome"]), ("default/measured/measured", "limited"))
        self.assertEqual(line["reason"], "limited by default/measured/measured")
        self.assertEqual(line["error"], "http_request_denied")

    def test_report_only(self):
        answers = [curl(self.proxy.url("/trial")) for _ in range(3)]
        self.assertEqual([one.status for one in answers], [200] * 3)
        self.assertNotIn("trial", answers[-1].field("ratelimit"))
        self.assertEqual(self.proxy.metric("portico_rate_limit_requests_total", limit="default/trial/trial",
                                           outcome="would_limit"), 2)
        lines = eventually(lambda: [line for line in self.proxy.access_log() if line.get("limitOutcome") == "would_limit"],
                           "it is logged")
        self.assertEqual((lines[0]["limit"], lines[0]["status"]), ("default/trial/trial", 200))


class Changes(Case):
    """A configuration that changes while limits count."""

    def configuration(self, requests=3, more=""):
        return lambda port: (gateway(port) + route("all", [direct("a")]) +
                             policy("fair", [limit("all", requests)], "{kind: Route, name: all}") + more)

    def setUp(self):
        self.proxy = self.use_here(Proxy(self.configuration(), workers=2))
        self.assertEqual(self.statuses(3), [200] * 3)

    def statuses(self, count):
        return [curl(self.proxy.url("/a")).status for _ in range(count)]

    def change(self, number, *arguments, **options):
        self.proxy.replace_config(self.configuration(*arguments, **options))
        eventually(lambda: f"configuration {number} " in self.proxy.errors(), "the change is in force")

    def test_an_unrelated_change_loses_no_count(self):
        self.change(2, more=route("other", [direct("b")]))
        self.change(3, more=policy("other", [limit("other", 9)], "{kind: Gateway, name: default}"))
        self.assertEqual(self.statuses(2), [429] * 2)

    def test_another_rate_keeps_what_was_taken(self):
        self.change(2, 5)
        self.assertEqual(self.statuses(3), [200, 200, 429])

    def test_a_limit_that_goes_is_forgotten(self):
        self.proxy.replace_config(lambda port: gateway(port) + route("all", [direct("a")]))
        eventually(lambda: "configuration 2 " in self.proxy.errors(), "the change is in force")
        self.assertEqual(self.statuses(2), [200] * 2)
        eventually(lambda: self.proxy.metric("portico_rate_limit_keys") is None, "its numbers are gone")
        self.change(3)
        self.assertEqual(self.statuses(4), [200] * 3 + [429])


class Refused(Case):
    @table({
        "longer than an hour": (limit("a", 1, per="per: 2h"), "what counts longer must outlive a proxy"),
        "of the whole fleet": (limit("a", 1, "scope: Fleet"), "the value Fleet is not supported yet"),
        "a header that is not named": (limit("a", 1, "key: [Header]"), "is for the key Header, and needed there"),
        "nothing": (limit("a", 0), "requests: must be 1 to 1000000"),
    })
    def test_by_the_proxy(self, one, words):
        code, said = check(gateway(8080) + route("all", [direct("a")]) + policy("p", [one], rule("a")))
        self.assertEqual(code, 1, said)
        self.assertRegex(said, r"portico\.yaml:\d+: spec\.limits\[0\]")
        self.assertIn(words, said)

    def test_two_on_one_target(self):
        code, said = check(gateway(8080) + route("all", [direct("a")]) + policy("p", [limit("a", 1)], rule("a")) +
                           policy("q", [limit("b", 1)], rule("a")))
        self.assertEqual(code, 1, said)
        self.assertIn("RateLimitPolicy p and RateLimitPolicy q have the same target", said)


class Explained(Case):
    def test_the_limits_of_a_rule(self):
        proxy = self.use_here(Proxy(lambda port: gateway(port) + route("all", [direct("a")]) +
                                    policy("wide", [limit("each", 9, "key: [ClientAddress], burst: 5")],
                                           "{kind: Gateway, name: default}") +
                                    policy("near", [limit("all", 7)], rule("a"), "reportOnly: true")))
        code, out, error = ctl("explain", "-f", str(proxy.config_path), "--url", proxy.url("/a"))
        self.assertEqual(code, 0, error)
        self.assertEqual(re.findall(r"limit: (.*)\n", out),
                         ["each, 9 in 1h, 5 at once by ClientAddress (RateLimitPolicy wide, from Gateway default)",
                          "all, 7 in 1h, report only (RateLimitPolicy near, from Route all, rule a)"])


def streamed(name, requests, target, **spec):
    return resource("rate_limit_policy", name, {"targetRefs": [target], "limits": [
        {"name": "all", "limit": {"requests": requests, "per": "3600s"}}], **spec})


class Streamed(Fleet):
    """Limits that come from a control plane."""

    def delete(self, name):
        names = [Messages.config.ResourceName(kind="RateLimitPolicy", name=name)]
        return self.client.call("Delete", Messages.config.DeleteRequest(names=names), "ApplyResponse")

    def test_from_apply_to_429_and_back(self):
        shop = {"kind": "Route", "name": "shop"}
        proxy = self.serving(streamed("fair", 4, shop))      # it has asked once to see that it serves
        statuses = lambda count: [curl(proxy.url()).status for _ in range(count)]
        self.assertEqual(statuses(4), [200] * 3 + [429])
        self.client.apply(says("two", "other"))
        eventually(lambda: "revision 2" in proxy.errors(), "the change is in force")
        self.assertEqual(statuses(1), [429], "an unrelated change loses no count")
        with self.assertRaises(grpc.RpcError) as refused:
            self.client.apply(streamed("second", 1, shop))
        self.assertIn("RateLimitPolicy fair and RateLimitPolicy second have the same target", refused.exception.details())
        warnings = self.delete("fair").warnings
        self.assertTrue(any("requests are no longer limited" in one.message for one in warnings), warnings)
        eventually(lambda: curl(proxy.url()).status == 200, "the limit is gone")
