"""Stored responses, from outside: given again, asked about, purged, and kept whatever else changes."""
import threading

from control_plane import ControlPlane, Messages, cluster, resource
from harness import Case, Proxy, RawClient, curl, eventually, get, route, table
from harness import cluster as cluster_text
from harness import gateway as gateway_text
from origins import CLOSE, Origin, answer
from test_stream import StreamedProxy, gateway


def policy(more="", target="{kind: Route, name: all}"):
    return f"---\nkind: CachePolicy\nmetadata: {{name: catalogue}}\nspec: {{targetRefs: [{target}]{more}}}\n"


def purge(at, more=""):
    return (f"---\nkind: CachePurge\nmetadata: {{name: purge}}\nspec: {{targetRef: {{kind: Gateway, name: default}}, "
            f"at: \"{at}\"{more}}}\n")


class Counting(Origin):
    """Says how many requests it has had; the target says what else."""

    def __init__(self):
        super().__init__(self.count)

    def count(self, request):
        fields = [("cache-control", "max-age=60"), ("etag", '"one"')]
        if request.target.startswith("/private"):
            fields = [("cache-control", "private, max-age=60")]
        elif request.target.startswith("/silent"):
            fields = []
        elif request.target.startswith("/stale"):
            fields = [("cache-control", "no-cache"), ("etag", '"one"')]
        if request.field("if-none-match") == '"one"':
            return answer(status="304 Not Modified", fields=fields, length=False)
        content = f"{len(self.requests)}".encode()
        if request.method == "PATCH":
            return iter([CLOSE])
        if request.target.startswith("/broken"):
            return iter([answer(b"0123456789", fields=fields)[:-5], 0.2, CLOSE])
        if request.target.startswith("/large"):
            content = content.ljust(100_000, b".")
        if request.target.startswith("/slow"):
            return iter([answer(content, fields=fields)[:-len(content)], 0.5, content])
        return answer(content, fields=fields)


def configuration(origin, more="", rule=""):
    return lambda port: (gateway_text(port) + cluster_text("origin", origin.port) +
                         route("all", [f"{{backendRefs: [{{name: origin}}]{rule}}}"]) + more)


class Cached(Case):
    def setUp(self):
        self.origin = self.use_here(Counting())
        self.proxy = self.use_here(Proxy(configuration(self.origin, policy(", contentBytesMax: 50000")), workers=2))

    def ask(self, target="/", *arguments):
        return curl(self.proxy.url(target), *arguments)

    def outcomes(self, count):
        """What the log says of each request so far, in order."""
        eventually(lambda: len(self.proxy.access_log()) >= count, f"{count} lines")
        return [line.get("cache", "-") for line in self.proxy.access_log()]

    @table({"HTTP/1.1": "--http1.1", "HTTP/2": "--http2-prior-knowledge"})
    def test_given_again(self, version):
        first = self.ask("/a", version)
        self.assertEqual((first.content, first.field("cache-status")), (b"1", "portico; fwd=uri-miss; stored"))
        # Many connections, so both workers.
        for _ in range(8):
            again = self.ask("/a", version)
            self.assertEqual(again.content, b"1")
            self.assertTrue(again.field("cache-status").startswith("portico; hit; ttl="), again)
            self.assertIsNotNone(again.field("age"))
        self.assertEqual(len(self.origin.requests), 1)
        self.assertEqual(self.outcomes(9), ["miss"] + ["hit"] * 8)
        self.assertEqual(self.proxy.metric("portico_cache_requests_total", outcome="hit"), 8)
        self.assertEqual(self.proxy.metric("portico_cache_requests_total", outcome="miss"), 1)
        self.assertEqual(self.proxy.metric("portico_cache_entries"), 1)
        self.assertGreater(self.proxy.metric("portico_cache_bytes"), 100)

    @table({"private": "/private", "says nothing": "/silent", "too long": "/large"})
    def test_passed(self, target):
        self.assertEqual([self.ask(target).content.rstrip(b".") for _ in range(2)], [b"1", b"2"])
        self.assertEqual(self.proxy.metric("portico_cache_entries"), 0)

    def test_head_and_conditions(self):
        self.ask("/a")
        self.assertEqual(self.ask("/a", "--head").field("content-length"), "1")
        self.assertEqual(self.ask("/a", "-H", 'if-none-match: "one"').status, 304)
        self.assertEqual(self.ask("/a", "-H", "range: bytes=0-0").field("content-range"), "bytes 0-0/1")
        self.assertEqual(len(self.origin.requests), 1)

    def test_asked_about(self):
        self.assertEqual([self.ask("/stale").content for _ in range(3)], [b"1"] * 3)
        self.assertEqual(len(self.origin.requests), 3)
        self.assertEqual(self.origin.last().field("if-none-match"), '"one"')
        self.assertEqual(self.outcomes(3), ["miss", "revalidated", "revalidated"])

    def test_unsafe_requests(self):
        self.ask("/a")
        self.ask("/a", "-X", "POST")
        self.assertEqual(self.ask("/a").content, b"3")

    def test_a_lost_answer(self):
        """Nobody knows what the origin has done: as if it had done it."""
        self.ask("/a")
        self.assertEqual(self.ask("/a", "-X", "PATCH").status, 502)
        self.assertEqual(self.ask("/a").content, b"3")

    def test_an_answer_that_breaks_off(self):
        for count in (1, 2):
            with RawClient(self.proxy.port) as client:
                client.send(get("/broken", host=f"127.0.0.1:{self.proxy.port}"))
                self.assertRaises(AssertionError, client.read_response)
            self.assertEqual(len(self.origin.requests), count)
        self.assertEqual(self.proxy.metric("portico_cache_entries"), 0)

    def test_whose_word_is_not_taken(self):
        """A stranger's for its scheme and host."""
        self.ask("/a")
        host = f"127.0.0.1:{self.proxy.port}"
        for line, field in (f"https://{host}/a", "x: y"), ("/a", "x-forwarded-host: evil.example"), ("/a", "x-forwarded-proto: https"):
            with RawClient(self.proxy.port) as client:
                client.send(f"GET {line} HTTP/1.1\r\nhost: {host}\r\n{field}\r\n\r\n")
                self.assertEqual(client.read_response().content, b"1", field)
        # What the origin may take for another target is another request.
        self.assertEqual(self.ask("/a", "-H", "x-original-url: /b").content, b"2")
        self.assertEqual(self.ask("/a").content, b"1")

    def test_an_unrelated_change_loses_nothing(self):
        self.ask("/a")
        other = route("other", ["{matches: [{path: {value: /other}}], backendRefs: [{name: origin}]}"])
        self.proxy.replace_config(configuration(self.origin, policy(", contentBytesMax: 50000, defaultTtl: 5s") + other))
        eventually(lambda: self.proxy.metric("portico_configuration_revision") == 2, "the change is in force")
        self.assertEqual(self.ask("/a").content, b"1")
        # What concerns it does: a policy that says no.
        self.proxy.replace_config(configuration(self.origin, policy(", disabled: true")))
        eventually(lambda: self.ask("/a").content != b"1", "nothing is given any more")

    @table({
        "everything": ("", True), "its path": (", pathPrefix: /a", True), "its host": (", host: 127.0.0.1", True),
        "another path": (", pathPrefix: /ab", False), "another host": (", host: shop.example", False),
    })
    def test_purged(self, scope, purged):
        self.ask("/a")
        stored = configuration(self.origin, policy() + purge("2026-01-01T00:00:00Z", scope))
        self.proxy.replace_config(stored)
        eventually(lambda: self.proxy.metric("portico_configuration_revision") == 2, "the change is in force")
        self.assertEqual(self.ask("/a").content, b"2" if purged else b"1")
        # The same order is not given twice.
        self.proxy.replace_config(configuration(self.origin, policy(", defaultTtl: 1s") + purge("2026-01-01T00:00:00Z", scope)))
        eventually(lambda: self.proxy.metric("portico_configuration_revision") == 3, "the change is in force")
        self.assertEqual(self.ask("/a").content, b"2" if purged else b"1")
        self.assertEqual(self.proxy.metric("portico_cache_purged_total"), 1 if purged else 0)

    def test_the_origin_gone(self):
        """What is fresh is given, what is not is not."""
        self.ask("/a")
        self.ask("/stale")
        self.origin.stop()
        self.assertEqual(self.ask("/a").content, b"1")
        self.assertEqual(self.ask("/stale").status, 502)


class InFlight(Case):
    def setUp(self):
        self.origin = self.use_here(Counting())
        self.proxy = self.use_here(Proxy(configuration(self.origin, policy())))     # one worker

    def test_asked_once(self):
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(curl(self.proxy.url("/slow")))) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual({one.content for one in answers}, {b"1"})
        self.assertEqual(len(self.origin.requests), 1)

    def test_who_asked_first_leaves(self):
        with RawClient(self.proxy.port) as first:
            first.send(get("/slow", host=f"127.0.0.1:{self.proxy.port}"))
            eventually(lambda: self.origin.requests, "the origin is asked")
        self.assertEqual(curl(self.proxy.url("/slow")).status, 200)


class Fleet(Case):
    """A purge reaches every proxy of the gateway."""

    def test_purge(self):
        Messages.load()
        origin = self.use_here(Counting())
        control_plane = self.use_here(ControlPlane(store="memory:"))
        client = control_plane.client()
        self.addCleanup(client.channel.close)
        target = {"kind": "Gateway", "name": "default"}
        proxies = [StreamedProxy(control_plane, node=f"edge-{number}") for number in (1, 2)]
        client.apply(resource("gateway", "default", {
            "listeners": [{"name": "http", "port": proxies[0].port, "protocol": "LISTENER_PROTOCOL_HTTP"}]}),
            cluster("origin", origin.port),
            resource("route", "all", {"rules": [{"backendRefs": [{"name": "origin"}]}]}),
            resource("cachePolicy", "catalogue", {"targetRefs": [target]}))
        for number, proxy in enumerate(proxies, 1):     # the same port, at addresses of their own
            proxy.more.append(f"--bind_address=127.0.0.{number}")
            self.use_here(proxy)
        urls = [f"http://127.0.0.{number}:{proxies[0].port}/a" for number in (1, 2)]
        before = [curl(url).content for url in urls]
        self.assertEqual(sorted(before), [b"1", b"2"])
        self.assertEqual([curl(url).content for url in urls], before)
        order = {"targetRef": target, "pathPrefix": "/a", "at": "2026-01-01T00:00:00Z"}
        client.apply(resource("cachePurge", "now", order))
        for url, old in zip(urls, before):
            eventually(lambda url=url, old=old: curl(url).content != old, "it is purged")
        self.assertEqual(len(origin.requests), 4)
