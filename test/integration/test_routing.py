"""Which rule wins and what its filters do, as seen from outside. The matcher's own tables are in dataplane/route."""
from harness import Case, Proxy, RawClient, cluster, curl, eventually, gateway, get, route, table
from origins import Origin, echo


def to(name, match="", more=""):
    matches = f"matches: [{match}], " if match else ""
    return f"{{{matches}backendRefs: [{{name: {name}}}]{more}}}"


def says(word, match):
    """A rule that answers with a word: what won is what the client reads."""
    return f"{{matches: [{match}], filters: [{{type: DirectResponse, directResponse: {{status: 200, body: \"{word}\"}}}}]}}"


class Precedence(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.proxy = cls.use(Proxy(lambda port: gateway(port) + route("any", [
            says("root", "{path: {type: PathPrefix, value: /}}"),
            says("exact", "{path: {type: Exact, value: /a/b}}"),
            says("prefix", "{path: {type: PathPrefix, value: /a}}"),
            says("longer", "{path: {type: PathPrefix, value: /a/b}}"),
            says("shadowed regex", "{path: {type: RegularExpression, value: \"/r/[0-9]+\"}}"),
            says("post", "{path: {type: PathPrefix, value: /m}, method: POST}"),
            says("plain", "{path: {type: PathPrefix, value: /m}}"),
            says("one header", "{path: {type: PathPrefix, value: /h}, headers: [{name: x-a, value: \"1\"}]}"),
            says("two headers", "{path: {type: PathPrefix, value: /h}, headers: [{name: x-a, value: \"1\"}, "
                                "{name: x-b, type: RegularExpression, value: \"[a-c]+\"}]}"),
            says("query", "{path: {type: PathPrefix, value: /q}, queryParams: [{name: color, value: \"dark blue\"}]}"),
            says("first", "{path: {type: PathPrefix, value: /same}}"),
            says("second", "{path: {type: PathPrefix, value: /same}}"),
        ]) + route("exact-host", [says("exact host", "{path: {value: /}}")], ["one.example"]) +
            route("wildcard", [says("wildcard", "{path: {value: /}}")], ["*.example"]) +
            route("longer-wildcard", [says("longer wildcard", "{path: {value: /}}")], ["*.b.example"]) +
            route("regex", [says("regex", "{path: {type: RegularExpression, value: \"/r/[0-9]+\"}}")], ["regex.test"]) +
            route("only-path", [says("only path", "{path: {type: Exact, value: /only}}")], ["only.example"])))

    @table({
        "exact path": ("/a/b", "", "exact"),
        "longest prefix": ("/a/b/c", "", "longer"),
        "shorter prefix": ("/a/c", "", "prefix"),
        "prefix ends at a segment": ("/ab", "", "root"),
        "prefix with a slash": ("/a/", "", "prefix"),
        "query is no part of the path": ("/a/b?x=/c", "", "exact"),
        "a prefix wins over a regex": ("/r/12", "", "root"),
        "path is case sensitive": ("/A/B", "", "root"),
        "method": ("/m", "", "plain"),
        "one header": ("/h", "x-a: 1\r\n", "one header"),
        "more headers win": ("/h", "x-a: 1\r\nX-B: abc\r\n", "two headers"),
        "header value is exact": ("/h", "x-a: 11\r\n", "root"),
        "query parameter": ("/q?color=dark%20blue", "", "query"),
        "query parameter with plus": ("/q?color=dark+blue", "", "query"),
        "query parameter is exact": ("/q?color=dark", "", "root"),
        "first of two equal": ("/same", "", "first"),
        "an encoded slash is no separator": ("/a%2Fb", "", "root"),
        "a parameter is part of its segment": ("/a/b;x", "", "prefix"),
    })
    def test_wins(self, target, more, word):
        with RawClient(self.proxy.port) as client:
            self.assertEqual(client.exchange(get(target, host="nobody.test", more=more)).content.decode(), word)

    @table({
        "regex matches the whole": ("/r/12", "regex"),
        "regex does not match a part": ("/r/12x", "root"),
    })
    def test_regex(self, target, word):
        with RawClient(self.proxy.port) as client:
            self.assertEqual(client.exchange(get(target, host="regex.test")).content.decode(), word)

    def test_method_wins(self):
        with RawClient(self.proxy.port) as client:
            self.assertEqual(client.exchange(
                "POST /m HTTP/1.1\r\nhost: nobody.test\r\ncontent-length: 0\r\n\r\n").content, b"post")

    @table({
        "exact": ("one.example", "exact host"), "case": ("ONE.example", "exact host"),
        "port": ("one.example:8080", "exact host"), "wildcard": ("two.example", "wildcard"),
        "two labels": ("x.y.example", "wildcard"), "longer wildcard": ("a.b.example", "longer wildcard"),
        "wildcard needs a label": ("example", "root"), "none": ("other.test", "root"),
        "less specific is asked where no rule matches": ("only.example", "wildcard"),
        "address": ("127.0.0.1", "root"),
    })
    def test_host(self, host, word):
        with RawClient(self.proxy.port) as client:
            self.assertEqual(client.exchange(get("/zzz", host=host)).content.decode(), word)


class Paths(Case):
    """No spelling of a path may get around a rule (RFC 3986 section 6.2.2)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.proxy = cls.use(Proxy(lambda port: gateway(port) + route("guard", [
            says("secret", "{path: {type: PathPrefix, value: /secret}}"), says("open", "{path: {value: /}}")])))

    @table({name: name for name in ("/./secret", "/x/../secret", "/%73ecret", "/secre%74/", "/x/%2e%2e/secret",
                                    "/x/.%2E/secret", "//secret", "/x/..//secret")})
    def test_never_open(self, target):
        with RawClient(self.proxy.port) as client:
            response = client.exchange(get(target))
            self.assertTrue(response.status == 400 or response.content == b"secret", response)

    @table({name: name for name in ("/%2fsecret", "/x%2f..%2fsecret", "/..;/secret", "/x/..%5csecret")})
    def test_stays_what_it_is(self, target):
        with RawClient(self.proxy.port) as client:
            response = client.exchange(get(target))
            self.assertIn(response.status, (200, 400))

    def test_above_the_root(self):
        with RawClient(self.proxy.port) as client:
            response = client.exchange(get("/../../etc/passwd"))
            self.assertTrue(response.status == 400 or response.content == b"open", response)


class Filters(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.origin = cls.use(Origin())
        cls.proxy = cls.use(Proxy(lambda port: gateway(port) + cluster("origin", cls.origin.port) + route("filters", [
            to("origin", "{path: {value: /prefix}}", ", filters: [{urlRewrite: {hostname: inner.example, path: "
               "{type: ReplacePrefixMatch, replacePrefixMatch: /v1}}}]"),
            to("origin", "{path: {value: /to-root}}", ", filters: [{urlRewrite: {path: "
               "{type: ReplacePrefixMatch, replacePrefixMatch: /}}}]"),
            to("origin", "{path: {value: /full}}", ", filters: [{urlRewrite: {path: "
               "{type: ReplaceFullPath, replaceFullPath: /whole}}}]"),
            to("origin", "{path: {value: /edit}}", ", filters: [{requestHeaderModifier: {set: [{name: x-set, value: new}],"
               " add: [{name: x-add, value: more}], remove: [x-remove]}}, {responseHeaderModifier: "
               "{set: [{name: x-answer, value: \"yes\"}], remove: [content-language]}}]"),
            "{matches: [{path: {value: /away}}], filters: [{requestRedirect: {scheme: https, hostname: new.example, "
            "path: {type: ReplacePrefixMatch, replacePrefixMatch: /there}, statusCode: 301}}]}",
            "{matches: [{path: {value: /port}}], filters: [{requestRedirect: {port: 8443, scheme: https}}]}",
            "{matches: [{path: {value: /teapot}}], filters: [{directResponse: {status: 418, headers: "
            "[{name: content-type, value: text/plain}], body: short and stout}}]}",
        ])))

    @table({
        "below": ("/prefix/a?b=c", "/v1/a?b=c"), "itself": ("/prefix", "/v1"), "slash": ("/prefix/", "/v1/"),
        "to root": ("/to-root/a", "/a"), "to root itself": ("/to-root", "/"), "full": ("/full/a?b=c", "/whole?b=c"),
        "escapes stay": ("/prefix/a%20b", "/v1/a%20b"),
    })
    def test_rewrite(self, target, expected):
        response = curl(self.proxy.url(target))
        self.assertEqual(response.json()["target"], expected)

    def test_rewritten_host(self):
        curl(self.proxy.url("/prefix/a"), "-H", "host: shop.example")
        self.assertEqual(self.origin.last().field("host"), "inner.example")
        self.assertEqual(self.origin.last().field("x-forwarded-host"), "shop.example")

    def test_edits(self):
        self.origin.script = echo
        response = curl(self.proxy.url("/edit"), "-H", "x-set: old", "-H", "X-Remove: 1", "-H", "x-add: some")
        request = self.origin.last()
        self.assertEqual(request.field("x-set"), "new")
        self.assertEqual(request.field("x-add").replace(" ", ""), "some,more")
        self.assertIsNone(request.field("x-remove"))
        self.assertEqual(response.field("x-answer"), "yes")

    @table({
        "everything": ("/away/a?b=c", 301, "https://new.example/there/a?b=c"),
        "port": ("/port/x?y", 302, "https://shop.example:8443/port/x?y"),
    })
    def test_redirect(self, target, status, location):
        response = curl(self.proxy.url(target), "-H", "host: shop.example")
        self.assertEqual(response.status, status)
        self.assertEqual(response.field("location"), location)

    def test_direct_response(self):
        response = curl(self.proxy.url("/teapot"))
        self.assertEqual((response.status, response.content), (418, b"short and stout"))
        self.assertEqual(response.field("content-type"), "text/plain")

    def test_no_route(self):
        self.assertProblem(curl(self.proxy.url("/nowhere")), 404)


class Balance(Case):
    def test_round_robin(self):
        origins = [self.use_here(Origin()) for _ in range(3)]
        proxy = self.use_here(Proxy(lambda port: gateway(port) + cluster("all", [o.port for o in origins]) +
                                    route("r", [to("all")])))
        with RawClient(proxy.port) as client:
            for _ in range(30):
                client.exchange(get())
        self.assertEqual([len(origin.requests) for origin in origins], [10, 10, 10])

    def test_weights(self):
        heavy, light, never = (self.use_here(Origin()) for _ in range(3))
        proxy = self.use_here(Proxy(lambda port: gateway(port) + cluster("heavy", heavy.port) + cluster(
            "light", light.port) + cluster("never", never.port) + route("r", [
                "{backendRefs: [{name: heavy, weight: 90}, {name: light, weight: 10}, {name: never, weight: 0}]}"])))
        with RawClient(proxy.port) as client:
            for _ in range(1000):
                client.exchange(get())
        self.assertEqual(len(never.requests), 0)
        self.assertTrue(40 <= len(light.requests) <= 180, len(light.requests))     # six standard deviations

    def test_dead_endpoint_is_passed_over(self):
        alive, dead = self.use_here(Origin()), Origin()
        dead.listener.close()
        proxy = self.use_here(Proxy(lambda port: gateway(port) + cluster("all", [dead.port, alive.port]) +
                                    route("r", [to("all")])))
        with RawClient(proxy.port) as client:
            self.assertEqual({client.exchange(get()).status for _ in range(20)}, {200})

    def test_endpoint_comes_back(self):
        first = Origin()
        proxy = self.use_here(Proxy(lambda port: gateway(port) + cluster("all", [first.port]) + route("r", [to("all")])))
        first.listener.close()
        with RawClient(proxy.port) as client:
            self.assertIn(client.exchange(get()).status, (502, 503))
            self.use_here(Origin(port=first.port))
            eventually(lambda: client.exchange(get()).status == 200, "the endpoint is used again")

    def test_weight_of_a_missing_backend_is_an_error_not_a_shift(self):
        proxy = self.use_here(Proxy(lambda port: gateway(port) + cluster("a", 9) + route(
            "r", ["{backendRefs: [{name: a, weight: 0}]}"])))
        with RawClient(proxy.port) as client:
            self.assertProblem(client.exchange(get()), 500)
