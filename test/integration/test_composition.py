"""One answer out of several calls: the shop's order history against origins that misbehave on purpose."""
import json
import re
import time

import yaml

from harness import ROOT, Case, Proxy, curl, eventually, sanitized, table
from origins import CLOSE, Http2Origin, Origin, answer, json_answer
from shop import SHOP, Certificates, free_port

ORDERS = {"orders": [
    {"id": "o1", "placedAt": "2026-01-01T00:00:00Z", "lines": [{"productId": "a", "quantity": 1}, {"productId": "b", "quantity": 2}]},
    {"id": "o2", "placedAt": "2026-01-02T00:00:00Z", "lines": [{"productId": "a", "quantity": 3}]}]}


def json_http2(value, status=200):
    return status, [("content-type", "application/json")], json.dumps(value).encode(), []


class OrderHistory(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.certificates = cls.use(Certificates())
        cls.origins = {"user": cls.use(Origin()), "product": cls.use(Origin()), "product-v2": cls.use(Origin()),
                       "order": cls.use(Origin()), "inventory": cls.use(Http2Origin())}
        cls.https = free_port()
        cls.proxy = cls.use(Proxy(cls.configuration, files=cls.certificates.files(), gateway_name="shop"))

    @classmethod
    def configuration(cls, port):
        resources = list(yaml.safe_load_all((SHOP / "shop.yaml").read_text()))
        for resource in resources:
            if resource["kind"] == "Cluster":
                origin = cls.origins[resource["metadata"]["name"]]
                resource["spec"]["endpoints"] = [{"address": "127.0.0.1", "port": origin.port}]
            if resource["kind"] == "Gateway":
                resource["spec"]["listeners"][0]["port"] = port
                resource["spec"]["listeners"][1]["port"] = cls.https
                resource["spec"]["trace"] = {"generate": True}
        return yaml.safe_dump_all(resources, sort_keys=False)

    def setUp(self):
        for origin in self.origins.values():
            origin.clear()
        self.set("order", lambda request: json_answer(ORDERS))
        self.set("product", lambda request: json_answer({"name": request.target.split("/")[-1].upper()}))
        self.set("inventory", lambda request: json_http2({"available": 7}))

    def set(self, name, script):
        self.origins[name].script = script

    def ask(self, *arguments):
        return curl(f"https://api.shop.example:{self.https}/my/order-history", "--cacert",
                    str(self.certificates.authority), "--resolve", f"api.shop.example:{self.https}:127.0.0.1",
                    "-H", f"authorization: Bearer {self.certificates.token('alice')}", *arguments)

    def test_whole(self):
        response = self.ask()
        self.assertEqual(response.status, 200, response)
        self.assertEqual(response.field("cache-control"), "private, no-store")
        self.assertTrue(response.field("content-type").startswith("application/json"))
        self.assertIsNone(response.field("portico-incomplete"))
        answer_ = response.json()
        self.assertEqual(answer_["incomplete"], [])
        self.assertEqual([order["id"] for order in answer_["orders"]], ["o1", "o2"])
        self.assertEqual(answer_["orders"][0]["lines"][1], {
            "productId": "b", "quantity": 2, "product": {"name": "B"}, "stock": {"available": 7}})

    def test_one_call_for_each_distinct_item(self):
        self.ask()
        self.assertEqual(sorted(request.target for request in self.origins["product"].requests), ["/products/a", "/products/b"])
        self.assertEqual(sorted(request.target for request in self.origins["inventory"].requests), ["/stock/a", "/stock/b"])

    def test_path_and_query(self):
        self.ask()
        self.assertEqual(self.origins["order"].last().target, "/customers/alice/orders?limit=20")

    def test_calls_get_nothing_of_the_client(self):
        self.ask("-H", "cookie: secret=1", "-H", "x-private: 1")
        request = self.origins["order"].last()
        for name in ("authorization", "cookie", "x-private"):
            self.assertIsNone(request.field(name), name)
        self.assertIsNotNone(request.field("traceparent"))

    def test_steps_run_together(self):
        spans = {"product": [], "inventory": []}

        def slow(name, result):
            def script(request):
                begin = time.monotonic()
                time.sleep(0.06)
                spans[name].append((begin, time.monotonic()))
                return result
            return script
        self.set("product", slow("product", json_answer({"name": "x"})))
        self.set("inventory", slow("inventory", json_http2({"available": 1})))
        self.assertEqual(self.ask().status, 200)
        first_product_end = min(end for _, end in spans["product"])
        self.assertTrue(all(begin < first_product_end for begin, _ in spans["inventory"]), spans)

    @table({
        "status 500": lambda request: json_answer({}, "500 Internal Server Error"),
        "closes": lambda request: [CLOSE],
        "not JSON": lambda request: answer("<html>", fields=[("content-type", "application/json")]),
        "slow": lambda request: [0.5, json_answer(ORDERS)],
        "truncated": lambda request: [b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{", CLOSE],
    })
    def test_fail(self, script):
        self.set("order", script)
        response = self.ask()
        self.assertIn(response.status, (502, 504), response)
        self.assertProblem(response, response.status)
        self.assertIn("orders", response.content.decode())      # the step is named
        self.assertEqual(self.origins["product"].requests, [])

    @table({"401": "401 Unauthorized", "403": "403 Forbidden", "429": "429 Too Many Requests"})
    def test_an_origins_refusal_is_not_the_clients(self, status):
        self.set("order", lambda request: answer("{}", status, [("www-authenticate", "Basic")]))
        response = self.ask()
        self.assertEqual(response.status, 502)
        self.assertIsNone(response.field("www-authenticate"))

    def test_absent(self):
        self.set("product", lambda request: answer("gone", "404 Not Found") if request.target.endswith("/a")
                 else json_answer({"name": "B"}))
        response = self.ask().json()
        self.assertIsNone(response["orders"][0]["lines"][0]["product"])
        self.assertEqual(response["incomplete"], [])

    @table({
        "status 500": lambda request: answer("", "500 Internal Server Error"),
        "closes": lambda request: [CLOSE],
        "slow": lambda request: [0.4, json_answer({})],
        "not JSON": lambda request: answer("{", fields=[("content-type", "application/json")]),
    })
    def test_use_null(self, script):
        self.set("product", script)
        response = self.ask()
        self.assertEqual(response.status, 200, response)
        self.assertIsNone(response.json()["orders"][0]["lines"][0]["product"])
        self.assertEqual({failure["step"] for failure in response.json()["incomplete"]}, {"products"})
        self.assertEqual({failure["item"] for failure in response.json()["incomplete"]}, {"a", "b"})
        self.assertEqual(response.field("portico-incomplete"), "products")

    @table({"status 500": (lambda request: json_http2({}, 500)),
            "slow": (lambda request: (time.sleep(0.3), json_http2({}))[1])})
    def test_use_fallback(self, script):
        self.set("inventory", script)
        response = self.ask()
        self.assertEqual(response.status, 200, response)
        self.assertEqual(response.json()["orders"][0]["lines"][0]["stock"], {"available": None, "note": "unknown"})
        self.assertEqual(response.field("portico-incomplete"), "stock")

    def test_too_many_items_is_a_failure(self):
        lines = [{"productId": f"p{number}", "quantity": 1} for number in range(101)]
        self.set("order", lambda request: json_answer({"orders": [{"id": "o", "placedAt": "", "lines": lines}]}))
        response = self.ask()
        self.assertEqual(response.status, 200, response)
        self.assertEqual(self.origins["product"].requests, [])
        self.assertEqual({failure["step"] for failure in response.json()["incomplete"]}, {"products", "stock"})

    def test_parallelism_is_bounded(self):
        running, most = set(), []

        def script(request):
            running.add(request.target)
            most.append(len(running))
            time.sleep(0.02)
            running.discard(request.target)
            return json_answer({})
        lines = [{"productId": f"p{number}", "quantity": 1} for number in range(40)]
        self.set("order", lambda request: json_answer({"orders": [{"id": "o", "placedAt": "", "lines": lines}]}))
        self.set("product", script)
        self.assertEqual(self.ask().status, 200)
        self.assertLessEqual(max(most), 8)
        self.assertGreater(max(most), 1)

    @table({"slash": ("a/../../admin", "/products/a%2F..%2F..%2Fadmin"), "query": ("a?b=c&d", "/products/a%3Fb%3Dc%26d"),
            "space": ("a b", "/products/a%20b"), "escape": ("%2e", "/products/%252e"),
            "CRLF": ("a\r\nx: y", "/products/a%0D%0Ax%3A%20y"), "unicode": ("ü", "/products/%C3%BC")})
    def test_items_are_encoded(self, item, target):
        self.set("order", lambda request: json_answer({"orders": [
            {"id": "o", "placedAt": "", "lines": [{"productId": item, "quantity": 1}]}]}))
        self.ask()
        self.assertEqual([request.target for request in self.origins["product"].requests], [target])

    @table({"dot": ".", "dots": "..", "empty": ""})
    def test_items_that_change_the_path_fail(self, item):
        self.set("order", lambda request: json_answer({"orders": [
            {"id": "o", "placedAt": "", "lines": [{"productId": item, "quantity": 1}]}]}))
        response = self.ask()
        self.assertEqual(self.origins["product"].requests, [])
        self.assertIn("products", {failure["step"] for failure in response.json()["incomplete"]})

    def test_client_that_leaves(self):
        self.set("order", lambda request: [0.2, json_answer(ORDERS)])
        done = False
        try:
            self.ask("--max-time", "0.1")
            done = True
        except AssertionError:
            pass
        self.assertFalse(done)
        time_limit = time.monotonic() + 0.5
        while time.monotonic() < time_limit:
            self.assertEqual(self.origins["product"].requests, [])
            time.sleep(0.05)

    def test_only_get(self):
        self.assertEqual(self.ask("-X", "POST").status, 404)

    def test_leaves_nothing_open(self):
        self.ask()
        before = self.proxy.open_files()
        for _ in range(20):
            self.ask()
        eventually(lambda: self.proxy.open_files() <= before + 20, "connections are reused")

    def test_time_beside_one_after_another(self):
        if sanitized():
            self.skipTest("times of a sanitized proxy mean nothing")
        self.set("order", lambda request: [0.03, json_answer(ORDERS)])
        self.set("product", lambda request: [0.03, json_answer({})])
        self.set("inventory", lambda request: (time.sleep(0.03), json_http2({}))[1])
        begin = time.monotonic()
        self.assertEqual(self.ask().status, 200)
        self.assertLess(time.monotonic() - begin, 0.03 * 5)      # five calls one after another


class Reshape(Case):
    """The page docs/reshape.md, as it is written."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        page = (ROOT / "docs" / "reshape.md").read_text()
        blocks = re.findall(r"```(json|yaml)\n(.*?)```", page, re.DOTALL)
        legacy, wanted = (json.loads(text) for kind, text in blocks if kind == "json")
        text = next(text for kind, text in blocks if kind == "yaml")
        cls.wanted = wanted
        cls.origin = cls.use(Origin(lambda request: json_answer(legacy)))
        cls.proxy = cls.use(Proxy(lambda port: text.replace("port: 8080", f"port: {port}").replace(
            "port: 9001", f"port: {cls.origin.port}")))

    def test_the_answer_has_the_shape_of_the_page(self):
        self.assertEqual(curl(self.proxy.url("/customer?id=7")).json(), self.wanted)
        self.assertEqual(self.origin.last().target, "/legacy/customers/7")

    def test_what_the_page_says_of_paths_and_failures(self):
        self.assertEqual(curl(self.proxy.url("/customer?id=7/../8")).status, 200)
        self.assertEqual(self.origin.last().target, "/legacy/customers/7%2F..%2F8")
        self.assertProblem(curl(self.proxy.url("/customer")), 502)

    def test_nothing_of_the_client_goes_on(self):
        curl(self.proxy.url("/customer?id=7"), "-H", "cookie: a=1", "-H", "authorization: Bearer x")
        self.assertIsNone(self.origin.last().field("cookie"))
        self.assertIsNone(self.origin.last().field("authorization"))
