"""Who of a cluster is asked: by weight and by load; who is left alone because it fails; and how much is allowed."""
import collections
import json
import select
import threading

from harness import Case, Proxy, RawClient, cluster, eventually, free_port, gateway, get, route, table
from origins import Origin, answer


def named(word):
    return lambda request: answer(word)


def service(name, endpoints, more=""):
    """A cluster whose endpoints have weights: [(port, weight or None)]."""
    listed = ", ".join(f"{{address: 127.0.0.1, port: {port}" + (f", weight: {weight}}}" if weight is not None else "}")
                       for port, weight in endpoints)
    return (f"---\nkind: Cluster\nmetadata: {{name: {name}}}\nspec:\n  endpoints: [{listed}]\n" +
            "".join(f"  {line}\n" for line in more.splitlines() if line))


TO_ALL = route("all", ["{backendRefs: [{name: all}]}"])


class Balancing(Case):
    def setUp(self):
        self.origins = {word: self.use_here(Origin(named(word))) for word in "abc"}

    def proxy(self, weights, more="", workers=1):
        endpoints = [(self.origins[word].port, weight) for word, weight in zip("abc", weights)]
        return self.use_here(Proxy(lambda port: gateway(port) + service("all", endpoints, more) + TO_ALL,
                                   workers=workers))

    @staticmethod
    def counts(proxy, requests=60):
        with RawClient(proxy.port) as client:
            return collections.Counter(client.exchange(get()).content.decode() for _ in range(requests))

    @table({"equal": ([None, 1, 1], {"a": 20, "b": 20, "c": 20}),
            "unequal": ([4, 1, 1], {"a": 40, "b": 10, "c": 10}),
            "one gets nothing": ([1, 0, 2], {"a": 20, "c": 40})})
    def test_in_turn_by_weight(self, weights, expected):
        self.assertEqual(self.counts(self.proxy(weights)), expected)

    def test_another_weight_without_a_new_connection(self):
        proxy = self.proxy([1, 1, 1])
        self.counts(proxy)
        connections = proxy.metric("portico_upstream_connections")
        endpoints = [(self.origins[word].port, weight) for word, weight in zip("abc", [0, 1, 2])]
        proxy.replace_config(lambda port: gateway(port) + service("all", endpoints) + TO_ALL)
        eventually(lambda: self.counts(proxy, 6) == {"b": 2, "c": 4}, "the weights are in force")
        self.assertEqual(proxy.metric("portico_upstream_connections"), connections)

    def test_least_request(self):
        """a does not answer: whoever is asked next to it has less to do."""
        held = threading.Event()
        self.addCleanup(held.set)

        def hold(_request):
            held.wait(20)
            return answer("a")

        self.origins["a"].script = hold
        proxy = self.proxy([1, 1], "loadBalancer: {type: LeastRequest}")
        waiting, answered = None, 0
        for _ in range(64):
            client = RawClient(proxy.port)
            self.addCleanup(client.socket.close)
            client.send(get())
            eventually(lambda: (waiting is None and self.origins["a"].requests) or select.select(
                [client.socket], [], [], 0)[0], "it is at a, or b has answered")
            if waiting is None and self.origins["a"].requests:
                waiting = client        # from now on a has more under way than b
            else:
                self.assertEqual(client.read_response().content, b"b")
                answered += 1
        self.assertEqual((len(self.origins["a"].requests), answered), (1, 63))
        held.set()
        self.assertEqual(waiting.read_response().content, b"a")


class Limits(Case):
    def setUp(self):
        self.held = threading.Event()
        self.addCleanup(self.held.set)

        def hold(request):
            if request.target == "/hold":
                self.held.wait(20)
            return answer("done")

        self.origin = self.use_here(Origin(hold))

    def proxy(self, limits, workers=2):
        return self.use_here(Proxy(lambda port: self.text(port, limits), workers=workers))

    def text(self, port, limits):
        return gateway(port) + service("all", [(self.origin.port, None)], f"limits: {limits}") + TO_ALL

    def hold(self, proxy, count):
        clients = []
        for i in range(count):
            client = RawClient(proxy.port)
            self.addCleanup(client.socket.close)
            client.send(get("/hold"))
            clients.append(client)
            eventually(lambda n=i: len(self.origin.requests) == n + 1, "it is under way")
        return clients

    @table({"requests": ("{requests: 2}", "too many requests"),
            "connections, and nobody may wait": ("{connections: 2, pending: 0}", "limit")})
    def test_over_a_limit(self, limits, why):
        proxy = self.proxy(limits)
        clients = self.hold(proxy, 2)
        for _ in range(8):      # by any worker
            with RawClient(proxy.port) as client:
                refused = client.exchange(get())
            self.assertProblem(refused, 503, "connection_limit_reached")
            self.assertIn(why, refused.field("proxy-status"))
            self.assertEqual(refused.field("retry-after"), "1")
        self.assertEqual(proxy.metric("portico_upstream_requests_total", cluster="default/all", outcome="limit"), 8)
        self.assertEqual(len(self.origin.requests), 2)
        self.held.set()
        for client in clients:
            self.assertEqual(client.read_response().status, 200)
        eventually(lambda: self.status(proxy) == 200, "there is room again")

    def test_another_limit_drops_nobody(self):
        proxy = self.proxy("{requests: 3}")
        clients = self.hold(proxy, 3)
        self.assertEqual(self.status(proxy), 503)
        proxy.replace_config(lambda port: self.text(port, "{requests: 4}"))
        eventually(lambda: self.status(proxy) == 200, "there may be four")
        proxy.replace_config(lambda port: self.text(port, "{requests: 1}"))
        eventually(lambda: self.status(proxy) == 503, "there may be one")
        self.held.set()
        for client in clients:
            self.assertEqual(client.read_response().status, 200)
        eventually(lambda: self.status(proxy) == 200, "they are over")

    @staticmethod
    def status(proxy):
        with RawClient(proxy.port) as client:
            return client.exchange(get()).status


EJECT = "ejection: {consecutiveFailures: 3, baseTime: %s, maxTime: %s}"


class Ejection(Case):
    def setUp(self):
        self.bad, self.good = self.use_here(Origin(self.answer)), self.use_here(Origin(named("good")))
        self.fails = True

    def answer(self, _request):
        return answer("bad", "500 Sorry") if self.fails else answer("mended")

    def proxy(self, base="1h", longest="24h"):
        def text(port, extra=""):
            return (gateway(port) + cluster("all", [self.bad.port, self.good.port], EJECT % (base, longest)) + TO_ALL +
                    extra)
        return text, self.use_here(Proxy(text, workers=2))

    def ask(self, proxy):
        with RawClient(proxy.port) as client:
            return client.exchange(get()).content

    def fail_until_ejected(self, proxy):
        for _ in range(40):
            self.ask(proxy)
            if proxy.metric("portico_endpoints_ejected", cluster="default/all"):
                return
        self.fail("it is not ejected")

    def shown(self, proxy):
        listed = json.loads(proxy.admin("/clusters").content)["clusters"]
        return {one["address"]: one["ejected"] for one in listed[0]["endpoints"]}

    def test_who_fails_is_left_alone_by_every_worker_and_a_change_does_not_matter(self):
        text, proxy = self.proxy()
        self.fail_until_ejected(proxy)
        asked = len(self.bad.requests)
        self.assertGreaterEqual(asked, 3)
        for number in range(3):
            self.assertEqual({self.ask(proxy) for _ in range(20)}, {b"good"})
            reloads = proxy.metric("portico_configuration_revision")
            proxy.replace_config(lambda port, n=number: text(port, cluster(f"other-{n}", free_port()) + route(
                f"other-{n}", [f"{{matches: [{{path: {{value: /other}}}}], backendRefs: [{{name: other-{n}}}]}}"])))
            eventually(lambda before=reloads: proxy.metric("portico_configuration_revision") != before, "it is in force")
        self.assertEqual(len(self.bad.requests), asked)
        self.assertEqual(proxy.metric("portico_endpoint_ejections_total", cluster="default/all"), 1)
        self.assertEqual(self.shown(proxy), {f"127.0.0.1:{self.bad.port}": True, f"127.0.0.1:{self.good.port}": False})
        self.assertEqual(proxy.errors().count("fails and is ejected for 3600000 ms"), 1)

    def test_it_comes_back(self):
        _, proxy = self.proxy("200ms", "1s")
        self.fail_until_ejected(proxy)
        self.fails = False
        eventually(lambda: self.ask(proxy) == b"mended", "it is asked again")
        eventually(lambda: "is asked again" in proxy.errors(), "it is told")
        self.assertEqual(proxy.metric("portico_endpoints_ejected", cluster="default/all"), 0)
        self.assertIn(b"mended", {self.ask(proxy) for _ in range(20)})

    def test_who_is_gone_is_forgotten(self):
        text, proxy = self.proxy()
        self.fail_until_ejected(proxy)
        proxy.replace_config(lambda port: gateway(port) + cluster("all", [self.good.port], EJECT % ("1h", "24h")) + TO_ALL)
        eventually(lambda: proxy.metric("portico_endpoints_ejected", cluster="default/all") == 0, "it is gone")
        self.fails = False
        proxy.replace_config(text)
        eventually(lambda: self.ask(proxy) == b"mended", "it begins anew")
