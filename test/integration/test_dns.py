"""Clusters whose endpoints are the addresses of a name."""
import json

from harness import Case, Proxy, RawClient, check, cluster, eventually, gateway, get, route, table
from name_server import A, AAAA, SERVFAIL, NameServer
from origins import Origin, answer
from test_balancing import TO_ALL, Balancing, Load, named

NAME = "orders.portico.test"


def by_name(port, hostname=NAME):
    return f"---\nkind: Cluster\nmetadata: {{name: all}}\nspec: {{dns: {{hostname: {hostname}, port: {port}}}}}\n"


class Names(Case):
    """Origins on addresses of their own and one port."""

    def setUp(self):
        first = self.use_here(Origin(named("2"), address="127.0.0.2"))
        self.port = first.port
        self.origins = [first, *(self.use_here(Origin(named(str(i)), self.port, f"127.0.0.{i}")) for i in (3, 4))]
        self.server = self.use_here(NameServer({NAME: ["127.0.0.2"]}))

    def proxy(self, workers=1, more="", **options):
        return self.use_here(Proxy(lambda port: gateway(port) + by_name(self.port) + TO_ALL + more, workers=workers,
                                   arguments=[self.server.argument], **options))

    @staticmethod
    def words(proxy, requests=6):
        return set(Balancing.counts(proxy, requests))

    @staticmethod
    def ask(proxy):
        with RawClient(proxy.port) as client:
            return client.exchange(get())

    @staticmethod
    def state(proxy):
        return json.loads(proxy.admin("/clusters").content)["clusters"][0]

    def test_addresses_come_and_go(self):
        proxy = self.proxy(workers=2)
        self.assertEqual(self.words(proxy), {"2"})
        self.server.names[NAME] = ["127.0.0.3", "127.0.0.2"]
        eventually(lambda: self.words(proxy) == {"2", "3"}, "one has come")
        self.server.names[NAME] = ["127.0.0.4", "127.0.0.3"]
        eventually(lambda: self.words(proxy) == {"3", "4"}, "one has gone, and one has come")
        self.assertIn(f"{NAME} is 127.0.0.3, 127.0.0.4", proxy.errors())
        self.assertGreater(proxy.metric("portico_dns_lookups_total", cluster="default/all", outcome="answered"), 2)
        self.assertEqual(proxy.metric("portico_dns_lookups_total", cluster="default/all", outcome="no_address"), 1)
        self.assertEqual({(name, kind) for name, kind, _ in self.server.asked}, {(NAME, A), (NAME, AAAA)})

    def test_an_address_that_stays_keeps_its_connection(self):
        proxy = self.proxy()
        self.assertEqual(self.words(proxy), {"2"})
        self.server.names[NAME] = ["127.0.0.2", "127.0.0.3"]
        eventually(lambda: self.words(proxy) == {"2", "3"}, "one has come")
        asked = len(self.server.asked)
        eventually(lambda: len(self.server.asked) > asked + 1, "it is asked for again, twice")
        self.assertEqual(self.words(proxy), {"2", "3"})
        for origin in self.origins[:2]:
            self.assertEqual(len({request.connection for request in origin.requests}), 1)

    @table({"no such name": (lambda server: server.names.clear(), "no_such_name"),
            "servers that fail": (lambda server: setattr(server, "rcode", SERVFAIL), "server_failure"),
            "no address": (lambda server: server.names.update({NAME: []}), "no_address")})
    def test_what_is_known_stays(self, spoil, outcome):
        proxy = self.proxy()
        self.assertEqual(self.words(proxy), {"2"})
        before = proxy.metric("portico_dns_lookups_total", outcome=outcome) or 0
        spoil(self.server)
        eventually(lambda: (proxy.metric("portico_dns_lookups_total", outcome=outcome) or 0) > before, "it was asked for")
        self.assertEqual(self.words(proxy), {"2"})
        if outcome != "no_address":         # that is asked for again after half a minute only
            self.server.rcode = 0
            self.server.names[NAME] = ["127.0.0.3"]
            eventually(lambda: self.words(proxy) == {"3"}, "it is asked for again")
            self.assertIn(f"of {NAME} are answered again", proxy.errors())

    def test_the_first_answer_is_waited_for(self):
        self.server.silent = True
        proxy = self.proxy()
        with RawClient(proxy.port) as client:
            client.send(get())
            eventually(lambda: self.state(proxy)["pending"] == 1, "it waits")
            self.assertEqual(self.state(proxy)["endpoints"], [])
            self.server.silent = False
            response = client.read_response()
            self.assertEqual((response.status, response.content), (200, b"2"))

    def test_a_name_that_leads_nowhere(self):
        self.server.names.clear()
        proxy = self.proxy()
        self.assertProblem(self.ask(proxy), 503, "destination_unavailable")
        self.assertIn(f"{NAME} has no address", proxy.errors())
        self.server.names[NAME] = ["127.0.0.2"]
        eventually(lambda: self.ask(proxy).status == 200, "it is there now")

    def test_many_addresses_come_by_tcp(self):
        self.server.truncates = True
        self.server.names[NAME] = [f"127.0.1.{i}" for i in range(1, 101)]
        proxy = self.proxy()
        eventually(lambda: len(self.state(proxy)["endpoints"]) == 100, "all are there")
        self.assertIn((NAME, A, "tcp"), self.server.asked)

    def test_another_configuration_asks_for_nothing(self):
        self.server.ttl = 200
        proxy = self.proxy(workers=2)
        self.assertEqual(self.words(proxy), {"2"})
        eventually(lambda: proxy.metric("portico_dns_lookups_total") == 2, "both families were asked for")
        self.server.silent = True
        load = Load(proxy, keep=False)
        load.start()
        self.addCleanup(load.stop)
        for i in range(3):
            more = cluster("other", 1) + route(f"other{i}", ["{backendRefs: [{name: other}]}"], ["other.example"])
            proxy.replace_config(lambda port, more=more: gateway(port) + by_name(self.port) + TO_ALL + more)
            eventually(lambda i=i: f"configuration {i + 2} of gateway" in proxy.errors(), "it is in force")
        load.stop()
        self.assertEqual(set(load.statuses), {200})
        self.assertEqual(len(self.server.asked), 2)
        self.assertEqual(len(self.state(proxy)["endpoints"]), 1)

    def test_another_name_instead(self):
        self.server.names["other.portico.test"] = ["127.0.0.3"]
        proxy = self.proxy()
        self.assertEqual(self.words(proxy), {"2"})
        load = Load(proxy, keep=True)
        load.start()
        self.addCleanup(load.stop)
        proxy.replace_config(lambda port: gateway(port) + by_name(self.port, "other.portico.test") + TO_ALL)
        eventually(lambda: self.words(proxy) == {"3"}, "it leads elsewhere")
        proxy.replace_config(lambda port: gateway(port) + cluster("all", self.origins[0].port) + TO_ALL)
        eventually(lambda: "configuration 3" in proxy.errors(), "it has endpoints of its own")
        load.stop()
        self.assertEqual(set(load.statuses) - {502}, {200}, "the last one has none on 127.0.0.1")
        self.assertIsNone(proxy.metric("portico_dns_lookups_total"), "no name, no series")

    def test_addresses_change_under_load(self):
        proxy = self.proxy(workers=2)
        self.assertEqual(self.words(proxy), {"2"})
        loads = [Load(proxy, keep) for keep in (True, False)]
        for load in loads:
            load.start()
            self.addCleanup(load.stop)
        for i in (3, 4):
            self.server.names[NAME] = [f"127.0.0.{i}"]
            eventually(lambda i=i: self.words(proxy) == {str(i)}, "it has moved")
        for load in loads:
            load.stop()
            self.assertEqual(set(load.statuses), {200})

    def test_localhost(self):
        origin = self.use_here(Origin(lambda _: answer("here")))
        proxy = self.use_here(Proxy(lambda port: gateway(port) + by_name(origin.port, "localhost") + TO_ALL,
                                    arguments=[self.server.argument]))
        self.assertEqual(self.words(proxy), {"here"})
        self.assertEqual(self.server.asked, [], "it is here, whatever a server says")

    @table({"an address is no name": ("{dns: {hostname: 10.0.0.1, port: 1}}", "must be a name"),
            "nor is a wildcard one": ("{dns: {hostname: '*.a', port: 1}}", "without wildcard"),
            "no port": ("{dns: {hostname: a}}", "port"),
            "beside endpoints": ("{dns: {hostname: a, port: 1}, endpoints: [{address: 127.0.0.1, port: 1}]}", "exactly one")})
    def test_refused(self, spec, why):
        code, said = check(gateway(8080) + f"---\nkind: Cluster\nmetadata: {{name: all}}\nspec: {spec}\n" + TO_ALL)
        self.assertEqual(code, 1, said)
        self.assertIn(why, said)
