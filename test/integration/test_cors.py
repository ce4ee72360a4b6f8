"""CORS: what a browser is told, before anybody is asked who they are, and whom a preflight never reaches."""
from harness import Case, Proxy, RawClient, cluster, eventually, gateway, get, route, table
from origins import Origin, answer

CORS = ("filters: [{cors: {allowOrigins: ['https://app.example', 'https://*.shop.example'], allowCredentials: true, "
        "allowMethods: [GET, PUT], allowHeaders: ['*'], exposeHeaders: [x-total], maxAge: 60}}]")
RULES = [f"{{name: api, matches: [{{path: {{value: /api}}}}], {CORS}, backendRefs: [{{name: origin}}]}}",
         f"{{name: put, matches: [{{path: {{value: /put}}, method: PUT}}], {CORS}, backendRefs: [{{name: origin}}]}}",
         "{name: all, matches: [{path: {value: /all}}], filters: [{cors: {allowOrigins: ['*']}}], backendRefs: [{name: origin}]}",
         "{name: delete, matches: [{path: {value: /all}, method: DELETE}], backendRefs: [{name: origin}]}",
         "{name: away, matches: [{path: {value: /away}}], filters: [{cors: {allowOrigins: ['*']}}, "
         "{requestRedirect: {hostname: other.example}}]}",
         "{name: plain, matches: [{path: {value: /plain}}], backendRefs: [{name: origin}]}"]
POLICY = """\
---
kind: AuthPolicy
metadata: {name: nobody}
spec:
  targetRefs: [{kind: Route, name: all, sectionName: api}]
  authorization: {defaultAction: Deny, rules: [{name: reading, action: Allow, operation: {methods: [GET]}}]}
"""
APP = "https://app.example"


class Cors(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.origin = cls.use(Origin())
        cls.proxy = cls.use(Proxy(lambda port: gateway(port) + POLICY + cluster("origin", cls.origin.port) + route("all", RULES)))

    def setUp(self):
        self.origin.clear()

    def ask(self, target, method="GET", **fields):
        more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
        with RawClient(self.proxy.port) as client:
            return client.exchange(get(target, more=more, method=method), method=method)

    def preflight(self, target, asked, origin=APP, **fields):
        return self.ask(target, "OPTIONS", origin=origin, access_control_request_method=asked, **fields)

    def told(self, response):
        """Of the protocol, without its prefix."""
        prefix = "access-control-"
        return {name[len(prefix):]: value for name, value in response.fields if name.startswith(prefix)}

    @table({"itself": APP, "a name below": "https://a.b.shop.example"})
    def test_a_preflight_is_answered_before_authorization(self, origin):
        response = self.preflight("/api/x", "PUT", origin, access_control_request_headers="x-a, content-type")
        self.assertEqual((response.status, response.content, response.field("content-length")), (204, b"", None))
        self.assertEqual(self.told(response), {
            "allow-origin": origin, "allow-credentials": "true", "allow-methods": "GET, PUT",
            "allow-headers": "x-a, content-type", "max-age": "60"})
        self.assertEqual(response.field("vary"), "origin")
        self.assertEqual(self.origin.requests, [])

    @table({"another page": "https://evil.example", "in clear": "http://app.example", "a name like it": "https://evilshop.example",
            "no origin at all": "null"})
    def test_a_preflight_of_another_page(self, origin):
        response = self.preflight("/api/x", "PUT", origin)
        self.assertEqual((response.status, self.told(response)), (204, {}))
        self.assertEqual(self.origin.requests, [])

    def test_the_actual_request(self):
        response = self.ask("/api/x", origin=APP)
        self.assertEqual(response.status, 200)
        self.assertEqual(self.told(response), {"allow-origin": APP, "allow-credentials": "true", "expose-headers": "x-total"})
        self.assertIn("origin", response.field("vary"))
        self.assertEqual(self.origin.last().field("origin"), APP)

    def test_a_refusal_can_be_read(self):
        response = self.ask("/api/x", "PUT", origin=APP)
        self.assertProblem(response, 403)
        self.assertEqual(self.told(response)["allow-origin"], APP)

    def test_another_page_is_served_and_not_told(self):
        response = self.ask("/api/x", origin="https://evil.example")
        self.assertEqual((response.status, self.told(response), response.field("vary")), (200, {}, "origin"))

    def test_everybody(self):
        for origin in (APP, "null"):
            self.assertEqual(self.told(self.ask("/all", origin=origin)), {"allow-origin": "*"})
        self.assertEqual(self.told(self.ask("/all")), {"allow-origin": "*"})    # a cache may give it to a page
        self.assertEqual(self.told(self.preflight("/all", "PATCH")), {"allow-origin": "*", "max-age": "5"})

    def test_a_redirect_has_the_fields(self):
        response = self.ask("/away", origin=APP)
        self.assertEqual((response.status, self.told(response)), (302, {"allow-origin": "*"}))

    def test_the_rule_of_the_method_answers(self):
        self.assertEqual(self.told(self.preflight("/put", "PUT"))["allow-origin"], APP)
        self.assertProblem(self.preflight("/put", "GET"), 404)
        self.assertEqual(self.origin.requests, [])

    def test_a_filter_does_not_speak_for_a_rule_without(self):
        response = self.preflight("/all", "DELETE")
        self.assertEqual((response.status, self.told(response)), (204, {}))
        self.assertEqual(self.origin.requests, [])

    def test_options_that_ask_nothing_are_forwarded(self):
        self.assertEqual(self.ask("/all", "OPTIONS", origin=APP).status, 200)
        self.assertEqual(self.origin.last().method, "OPTIONS")
        self.assertEqual(self.preflight("/plain", "PUT").status, 200)
        self.assertEqual(self.origin.last().field("access-control-request-method"), "PUT")

    def test_options_are_judged_where_they_ask_nothing(self):
        self.assertProblem(self.ask("/api/x", "OPTIONS", origin=APP), 403)
        self.assertProblem(self.ask("/put", "OPTIONS", origin=APP), 404)

    def test_the_log_names_the_rule(self):
        self.preflight("/put", "PUT")
        eventually(lambda: any(line.get("rule") == "put" and line["method"] == "OPTIONS" for line in self.proxy.access_log()),
                   "a line of the preflight")


class OriginsOwn(Case):
    """What an origin server says of the protocol is replaced."""

    def test_replaced(self):
        origin = self.use_here(Origin(lambda request: answer("ok", "200 OK", [
            ("access-control-allow-origin", "*"), ("access-control-max-age", "9"), ("vary", "accept")])))
        proxy = self.use_here(Proxy(lambda port: gateway(port) + cluster("origin", origin.port) + route("all", RULES)))
        with RawClient(proxy.port) as client:
            response = client.exchange(get("/api", more="origin: https://evil.example\r\n"))
        self.assertEqual([value for name, value in response.fields if name.startswith("access-control-")], [])
        self.assertEqual([value for name, value in response.fields if name == "vary"], ["accept", "origin"])
