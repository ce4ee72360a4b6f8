"""Who of a cluster is asked: by weight and by load; who is left alone because it fails; and how much is allowed."""
import collections
import json
import select
import threading

import grpc

from control_plane import ControlPlane, Messages, resource
from harness import Case, Proxy, RawClient, check, cluster, eventually, free_port, gateway, get, route, table
from origins import Origin, answer
from test_stream import StreamedProxy, gateway as gateway_message


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


def listed(name, ports):
    endpoints = ", ".join(f"{{address: 127.0.0.1, port: {port}}}" for port in ports)
    return f"---\nkind: Endpoints\nmetadata: {{name: {name}}}\nspec: {{endpoints: [{endpoints}]}}\n"


MOVING = "---\nkind: Cluster\nmetadata: {name: all}\nspec: {endpointsFrom: {name: list}}\n"


class Load:
    """Asks one after another, each by a connection of its own or by one that is kept, until it is told to stop."""

    def __init__(self, proxy, keep):
        self.proxy, self.keep = proxy, keep
        self.statuses, self.over = collections.Counter(), threading.Event()
        self.thread = threading.Thread(target=self.run)

    def start(self):
        self.thread.start()

    def stop(self):
        self.over.set()
        self.thread.join()

    def run(self):
        client = RawClient(self.proxy.port)
        while not self.over.is_set():
            try:
                self.statuses[client.exchange(get()).status] += 1
            except (AssertionError, OSError) as error:
                self.statuses[str(error)] += 1
                return
            if not self.keep:
                client.socket.close()
                client = RawClient(self.proxy.port)
        client.socket.close()


class ListedElsewhere(Case):
    """endpointsFrom, by a file and by a control plane."""

    def setUp(self):
        self.origins = [self.use_here(Origin(named(word))) for word in "abc"]
        self.ports = [origin.port for origin in self.origins]

    def text(self, ports, rule=TO_ALL):
        return lambda port: gateway(port) + MOVING + listed("list", ports) + rule

    @staticmethod
    def words(proxy, requests=6):
        return set(Balancing.counts(proxy, requests))

    def test_by_a_file(self):
        proxy = self.use_here(Proxy(self.text(self.ports[:1])))
        self.assertEqual(self.words(proxy), {"a"})
        proxy.replace_config(self.text(self.ports[:2]))
        eventually(lambda: self.words(proxy) == {"a", "b"}, "one has come")
        self.assertEqual(len({request.connection for request in self.origins[0].requests}), 1, "its connection is kept")
        proxy.replace_config(self.text(self.ports[1:2]))
        eventually(lambda: self.words(proxy) == {"b"}, "one has gone")
        proxy.replace_config(self.text([]))
        eventually(lambda: Limits.status(proxy) == 503, "there is nobody to ask")
        with RawClient(proxy.port) as client:
            self.assertProblem(client.exchange(get()), 503, "destination_unavailable")

    def test_a_port_selects(self):
        rule = route("all", [f"{{backendRefs: [{{name: all, port: {self.ports[1]}}}]}}"])
        proxy = self.use_here(Proxy(self.text(self.ports, rule)))
        self.assertEqual(self.words(proxy), {"b"})
        proxy.replace_config(self.text(self.ports[:1], rule))
        eventually(lambda: Limits.status(proxy) == 503, "nobody has the port")

    @table({"no list": (MOVING + TO_ALL, "there is no Endpoints list"),
            "both": (MOVING.replace("{endpointsFrom", "{endpoints: [{address: 127.0.0.1, port: 1}], endpointsFrom") +
                     listed("list", [1]) + TO_ALL, "exactly one of endpoints, dns and endpointsFrom"),
            "neither": ("---\nkind: Cluster\nmetadata: {name: all}\nspec: {}\n" + TO_ALL, "exactly one")})
    def test_refused(self, text, why):
        code, said = check(gateway(8080) + text)
        self.assertEqual(code, 1, said)
        self.assertIn(why, said)

    def test_endpoints_come_and_go_under_load(self):
        """Through a control plane: nobody fails, nothing else is built, and an ejected one stays ejected."""
        Messages.load()
        plane = self.use_here(ControlPlane())
        client = plane.client()
        self.addCleanup(client.channel.close)
        self.origins[2].script = lambda request: answer("bad", "500 Sorry")

        def endpoints(ports):
            return resource("endpoints", "list", {"endpoints": [{"address": "127.0.0.1", "port": port} for port in ports]})
        moving = resource("cluster", "all", {"endpointsFrom": {"name": "list"}, "ejection": {
            "consecutiveFailures": 1, "baseTime": "3600s", "maxTime": "3600s"}})
        rule = resource("route", "all", {"rules": [{"backendRefs": [{"name": "all"}]}]})
        proxy = StreamedProxy(plane, workers=2)
        client.apply(gateway_message(proxy.port), moving, endpoints([self.ports[0], self.ports[2]]), rule)
        self.use_here(proxy)
        eventually(lambda: self.words(proxy) and proxy.metric("portico_endpoints_ejected"), "the bad one is ejected")
        loads = [Load(proxy, keep) for keep in (True, False, True)]
        for load in loads:
            load.start()
            self.addCleanup(load.stop)
        sets = [self.ports, [self.ports[1], self.ports[2]], [self.ports[0], self.ports[2]]]
        for number in range(24):
            client.apply(endpoints(sets[number % 3]))
        revision = 25
        eventually(lambda: f"revision {revision}" in proxy.errors(), lambda: f"the last is in force: {proxy.errors()}")
        for load in loads:
            load.stop()
        counts = sum((load.statuses for load in loads), collections.Counter())
        self.assertEqual(set(counts), {200})
        self.assertGreater(counts[200], 50)
        self.assertGreater(len(self.origins[1].requests), 0, "it came, and was asked")
        self.assertEqual(proxy.metric("portico_endpoint_ejections_total"), 1, "it was never asked again")

    def test_what_is_referred_to_stays(self):
        Messages.load()
        plane = self.use_here(ControlPlane())

        def refusal(act):
            with self.assertRaises(grpc.RpcError) as raised:
                act()
            details = dict(raised.exception.trailing_metadata())["grpc-status-details-bin"]
            violations = Messages.BadRequest()
            Messages.Status.FromString(details).details[0].Unpack(violations)
            return [(one.field, one.description) for one in violations.field_violations]
        with plane.client() as client:
            moving = resource("cluster", "all", {"endpointsFrom": {"name": "list"}})
            dangling = [("Cluster default/all: spec.endpointsFrom.name", "there is no Endpoints list")]
            self.assertEqual(refusal(lambda: client.apply(moving)), dangling)
            client.apply(moving, resource("endpoints", "list", {"endpoints": []}))
            name = Messages.config.ResourceName(kind="Endpoints", name="list")
            self.assertEqual(refusal(lambda: client.call("Delete", Messages.config.DeleteRequest(names=[name]),
                                                         "ApplyResponse")), dangling)
