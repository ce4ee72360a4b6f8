"""HTTP/1.1 downstream: framing (RFC 9112), hygiene (RFC 9110 section 7.6), limits, and every refusal byte by byte."""
import queue
import time

from harness import TIMEOUT_S, Case, Proxy, RawClient, curl, eventually, forward_all, get, table
from origins import CLOSE, RESET, Origin, RawOrigin, answer, echo, json_answer

POST = "POST /submit HTTP/1.1\r\nhost: shop.example\r\n"


class Exchange(Case):
    """One proxy and one origin for all cases of a class; the origin's script is the default again for each case."""

    gateway_more = ""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.origin = cls.use(Origin())
        cls.proxy = cls.use(Proxy(forward_all(cls.origin, cls.gateway_more)))

    def setUp(self):
        self.origin.script = echo
        self.origin.clear()

    def client(self):
        client = RawClient(self.proxy.port)
        self.addCleanup(client.socket.close)
        return client


class Refusals(Exchange):
    """What is not strictly HTTP/1.1 is answered with 400, the connection closed, and the origin never sees it."""

    @table({
        "content length and transfer encoding": POST + "content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "two lengths that differ": POST + "content-length: 5\r\ncontent-length: 6\r\n\r\nhello!",
        "two lengths in a list": POST + "content-length: 5, 6\r\n\r\nhello!",
        "a signed length": POST + "content-length: +5\r\n\r\nhello",
        "a negative length": POST + "content-length: -1\r\n\r\n",
        "a hexadecimal length": POST + "content-length: 0x5\r\n\r\nhello",
        "an empty length": POST + "content-length:\r\n\r\n",
        "a length beyond 64 bits": POST + "content-length: 18446744073709551621\r\n\r\nhello",
        "a space within the length": POST + "content-length: 5 5\r\n\r\nhello",
        "chunked is not last": POST + "transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "chunked twice": POST + "transfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        "chunked in two fields": POST + "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "chunked with a vertical tab": POST + "transfer-encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
        "transfer encoding in version 1.0": "POST / HTTP/1.0\r\nhost: shop.example\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "space before the colon": get(more="transfer-encoding : chunked\r\n"),
        "tab before the colon": get(more="x-field\t: 1\r\n"),
        "folded field": get(more="x-field: 1\r\n 2\r\n"),
        "folded first field": "GET / HTTP/1.1\r\n host: shop.example\r\n\r\n",
        "no colon": get(more="x-field\r\n"),
        "empty name": get(more=": value\r\n"),
        "name with a space": get(more="x field: 1\r\n"),
        "name with a control": get(more="x\x01field: 1\r\n"),
        "name beyond ASCII": get(more="x\xfcfield: 1\r\n"),
        "NUL in a value": get(more="x-field: a\0b\r\n"),
        "CR in a value": get(more="x-field: a\rb\r\n"),
        "LF alone ends a line": "GET / HTTP/1.1\nhost: shop.example\n\n",
        "LF alone within the head": "GET / HTTP/1.1\r\nhost: shop.example\nx-field: 1\r\n\r\n",
        "CR alone ends the request line": "GET / HTTP/1.1\rhost: shop.example\r\n\r\n",
        "no host": "GET / HTTP/1.1\r\n\r\n",
        "two hosts": get(more="host: other.example\r\n"),
        "two equal hosts": get(more="host: shop.example\r\n"),
        "host with a space": get(host="shop example"),
        "host with user": get(host="me@shop.example"),
        "host with a path": get(host="shop.example/x"),
        "host with a bad port": get(host="shop.example:80x"),
        "host with a port beyond 65535": get(host="shop.example:65536"),
        "host in half a bracket": get(host="[::1"),
        "two spaces in the request line": "GET  / HTTP/1.1\r\nhost: shop.example\r\n\r\n",
        "tab in the request line": "GET\t/ HTTP/1.1\r\nhost: shop.example\r\n\r\n",
        "no version": "GET /\r\nhost: shop.example\r\n\r\n",
        "version in lower case": "GET / http/1.1\r\nhost: shop.example\r\n\r\n",
        "version with more digits": "GET / HTTP/1.10\r\nhost: shop.example\r\n\r\n",
        "method with a control": "GE\x01T / HTTP/1.1\r\nhost: shop.example\r\n\r\n",
        "target without a slash": get("index"),
        "target with a space": get("/a b"),
        "target with a fragment": get("/a#b"),
        "target beyond ASCII": get("/\xfc"),
        "target with a control": get("/a\x01"),
        "target asterisk without OPTIONS": get("*"),
        "absolute target with another scheme's grammar": get("http:///path"),
        "garbage": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n",
    })
    def test_refused(self, data):
        client = self.client()
        client.send(data)
        response = client.read_response()
        self.assertProblem(response, 400, "http_request_error")
        self.assertTrue(client.is_closed())
        self.assertEqual(self.origin.requests, [])

    @table({"half an escape": "/a%4", "a bad escape": "/a%zz", "an encoded NUL": "/a%00", "a dot segment": "/a/../b",
            "an encoded dot segment": "/a/%2e%2E/b", "a dot segment before an encoded slash": "/a/..%2Fb"})
    def test_refused_path(self, target):
        """The message is well-formed, so the connection goes on."""
        client = self.client()
        self.assertProblem(client.exchange(get(target)), 400, "http_request_error")
        self.assertEqual(client.exchange(get("/good")).status, 200)
        self.assertEqual([request.target for request in self.origin.requests], ["/good"])

    def test_version_2_by_name(self):
        client = self.client()
        client.send("GET / HTTP/2.0\r\nhost: shop.example\r\n\r\n")
        self.assertIn(client.read_response().status, (400, 505))
        self.assertTrue(client.is_closed())

    def test_unknown_transfer_coding(self):
        client = self.client()
        client.send(POST + "transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n")
        self.assertIn(client.read_response().status, (400, 501))       # RFC 9112 section 6.1: SHOULD be 501
        self.assertTrue(client.is_closed())
        self.assertEqual(self.origin.requests, [])

    @table({
        "no size": "\r\nhello\r\n0\r\n\r\n",
        "size is not hexadecimal": "g\r\nhello\r\n0\r\n\r\n",
        "size with 0x": "0x5\r\nhello\r\n0\r\n\r\n",
        "size with a sign": "+5\r\nhello\r\n0\r\n\r\n",
        "size with a space before": " 5\r\nhello\r\n0\r\n\r\n",
        "size with a space behind": "5 \r\nhello\r\n0\r\n\r\n",
        "size beyond 64 bits": "10000000000000005\r\nhello\r\n0\r\n\r\n",
        "data longer than its size": "4\r\nhello\r\n0\r\n\r\n",
        "LF alone after the size": "5\nhello\r\n0\r\n\r\n",
        "LF alone after the data": "5\r\nhello\n0\r\n\r\n",
        "CR alone after the size": "5\rhello\r\n0\r\n\r\n",
        "extension with LF alone": "5;a\nb\r\nhello\r\n0\r\n\r\n",
        "extension with a control": "5;a=\x01\r\nhello\r\n0\r\n\r\n",
        "trailer without a colon": "5\r\nhello\r\n0\r\nx-trailer\r\n\r\n",
        "trailer with a space before the colon": "5\r\nhello\r\n0\r\nx-trailer : 1\r\n\r\n",
        "trailer with NUL": "5\r\nhello\r\n0\r\nx-trailer: \0\r\n\r\n",
    })
    def test_bad_chunks(self, data):
        client = self.client()
        client.send(POST + "transfer-encoding: chunked\r\n\r\n" + data)
        self.assertEqual(client.read_response().status, 400)
        self.assertTrue(client.is_closed())
        self.assertFalse(any(request.complete for request in self.origin.requests))

    def test_what_follows_a_refusal_is_never_a_request(self):
        client = self.client()
        client.send(POST + "content-length: 0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n" + get("/smuggled"))
        self.assertEqual(client.read_response().status, 400)
        self.assertTrue(client.is_closed())
        self.assertEqual(self.origin.requests, [])

    def test_connect_is_no_tunnel(self):
        client = self.client()
        client.send("CONNECT shop.example:443 HTTP/1.1\r\nhost: shop.example:443\r\n\r\n")
        self.assertIn(client.read_response().status, (400, 404, 405, 501))
        self.assertEqual(self.origin.requests, [])


class Accepted(Exchange):
    """What looks odd and is right."""

    @table({
        "absolute target": ("GET http://shop.example/a?b HTTP/1.1\r\nhost: shop.example\r\n\r\n", "/a?b"),
        "empty line before the request": ("\r\n" + get("/a"), "/a"),
        "no space after the colon": ("GET /a HTTP/1.1\r\nhost:shop.example\r\n\r\n", "/a"),
        "spaces around a value": (get("/a", more="x-field: \t 1 \t\r\n"), "/a"),
        "empty value": (get("/a", more="x-field:\r\n"), "/a"),
        "bytes beyond ASCII in a value": (get("/a", more="x-field: \xfc\r\n"), "/a"),
        "host with a port": (get("/a", host="shop.example:8080"), "/a"),
        "IPv6 host": (get("/a", host="[::1]:8080"), "/a"),
        "every character of a path": (get("/a-._~!$&'()*+,;=:@/%41?q=/?:@"), None),
        "equal lengths once": ("POST /a HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\nhi", "/a"),
        "an extension method": (get("/a", method="PROPFIND"), "/a"),
        "version 1.0": ("GET /a HTTP/1.0\r\nhost: shop.example\r\n\r\n", "/a"),
    })
    def test_accepted(self, data, target):
        response = self.client().exchange(data)
        self.assertEqual(response.status, 200, response)
        if target:
            self.assertEqual(response.json()["target"], target)

    def test_absolute_target_decides_over_host(self):
        # RFC 9112 section 3.2.2: the host field is ignored.
        response = self.client().exchange("GET http://one.example/a HTTP/1.1\r\nhost: two.example\r\n\r\n")
        if response.status == 200:
            self.assertEqual(self.origin.last().field("host"), "one.example")
        else:
            self.assertEqual(response.status, 400)

    def test_method_is_case_sensitive_and_passed_on(self):
        self.client().exchange(get("/", method="get"))
        self.assertEqual(self.origin.last().method, "get")

    def test_request_byte_by_byte(self):
        client = self.client()
        for byte in (POST + "transfer-encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nx-trailer: 1\r\n\r\n"):
            client.send(byte)
        self.assertEqual(client.read_response().json()["content"], "hello")
        self.assertEqual(self.origin.last().trailers, [("x-trailer", "1")])


class Limits(Exchange):
    gateway_more = ("limits: {requestHeadBytesMax: 4096, requestFieldsMax: 20, requestTargetBytesMax: 256, "
                    "requestContentBytesMax: 1000}")

    @table({
        "head too large": (get(more="x-big: " + "a" * 5000 + "\r\n"), 431),
        "too many fields": (get(more="x: 1\r\n" * 30), 431),
        "too many empty fields": (get(more="x:\r\n" * 30), 431),
        "target too long": (get("/" + "a" * 300), 414),
        "target too long without an end": ("GET /" + "a" * 6000, 414),
        "content too long by its length": (POST + "content-length: 1001\r\n\r\n", 413),
    })
    def test_over_the_limit(self, data, status):
        client = self.client()
        client.send(data)
        self.assertProblem(client.read_response(), status)
        self.assertEqual(self.origin.requests, [])

    def test_content_too_long_in_chunks(self):
        client = self.client()
        client.send(POST + "transfer-encoding: chunked\r\n\r\n" + ("64\r\n" + "a" * 100 + "\r\n") * 11 + "0\r\n\r\n")
        self.assertEqual(client.read_response().status, 413)
        self.assertFalse(any(request.complete for request in self.origin.requests))

    @table({"target": get("/" + "a" * 255), "content": POST + "content-length: 1000\r\n\r\n" + "a" * 1000})
    def test_at_the_limit(self, data):
        self.assertEqual(self.client().exchange(data).status, 200)

    def test_trailers_count(self):
        client = self.client()
        client.send(POST + "transfer-encoding: chunked\r\n\r\n0\r\n" + "x: 1\r\n" * 30 + "\r\n")
        self.assertIn(client.read_response().status, (400, 431))
        self.assertTrue(client.is_closed())

    def test_chunk_extensions_are_bounded(self):
        client = self.client()
        client.send(POST + "transfer-encoding: chunked\r\n\r\n1;" + "a" * 100_000 + "\r\nx\r\n0\r\n\r\n")
        self.assertEqual(client.read_response().status, 400)


class Connections(Exchange):
    def test_keep_alive(self):
        client = self.client()
        for number in range(5):
            self.assertEqual(client.exchange(get(f"/{number}")).json()["target"], f"/{number}")

    def test_pipelined(self):
        client = self.client()
        client.send("".join(get(f"/{number}") for number in range(20)))
        self.assertEqual([client.read_response().json()["target"] for _ in range(20)], [f"/{n}" for n in range(20)])

    def test_pipelined_behind_content(self):
        client = self.client()
        client.send(POST + "content-length: 5\r\n\r\nhello" + get("/next"))
        self.assertEqual(client.read_response().json()["content"], "hello")
        self.assertEqual(client.read_response().json()["target"], "/next")

    def test_close_is_honoured(self):
        client = self.client()
        response = client.exchange(get(more="connection: close\r\n"))
        self.assertEqual(response.field("connection"), "close")
        self.assertTrue(client.is_closed())

    def test_version_10_closes(self):
        client = self.client()
        client.exchange("GET / HTTP/1.0\r\nhost: shop.example\r\n\r\n")
        self.assertTrue(client.is_closed())

    def test_half_closed_client_gets_its_answer(self):
        self.origin.script = lambda request: [0.05, answer("late")]
        client = self.client()
        client.send(get(more="connection: close\r\n"))
        client.finish()
        response = client.read_response()
        self.assertEqual(response.content, b"late")

    def test_half_closed_client_that_did_not_say_so_has_left(self):
        """Nobody works for nobody: the origin sees its connection closed while it still thinks."""
        seen = queue.Queue()

        def script(request):
            connection = self.origin.connections[request.connection]
            connection.settimeout(TIMEOUT_S)
            try:
                seen.put(connection.recv(1))
            except ConnectionResetError:
                seen.put(b"")
            return [CLOSE]
        self.origin.script = script
        client = self.client()
        client.send(get())
        eventually(lambda: self.origin.requests, "the origin has the request")
        client.finish()
        self.assertEqual(seen.get(timeout=TIMEOUT_S), b"")
        self.assertTrue(client.is_closed())

    def test_origin_connection_is_reused(self):
        client = self.client()
        numbers = {client.exchange(get()).json()["connection"] for _ in range(5)}
        self.assertEqual(len(numbers), 1)

    def test_early_answer_to_an_unread_upload(self):
        def script(request):
            return [answer("no", "403 Forbidden", [("connection", "close")]), CLOSE]
        script.early = True
        self.origin.script = script
        client = self.client()
        client.send(POST + "content-length: 1000000\r\n\r\n" + "a" * 1000)
        self.assertEqual(client.read_response().status, 403)


class Hygiene(Exchange):
    """Hop-by-hop fields stop here (RFC 9110 section 7.6.1); ours are added."""
    gateway_more = "trace: {generate: true}"

    @table({name: name for name in ("connection", "keep-alive", "proxy-connection", "te", "upgrade")})
    def test_stops_here(self, name):
        value = {"connection": "keep-alive", "te": "gzip", "upgrade": "h2c"}.get(name, "x")
        more = f"{name}: {value}\r\n" + ("connection: upgrade\r\n" if name == "upgrade" else "")
        self.assertEqual(self.client().exchange(get(more=more)).status, 200)
        self.assertNotIn(name, self.origin.last().names())

    def test_what_connection_names_stops_here(self):
        self.client().exchange(get(more="connection: x-private, close\r\nx-private: 1\r\nx-public: 2\r\n"))
        self.assertNotIn("x-private", self.origin.last().names())
        self.assertEqual(self.origin.last().field("x-public"), "2")

    def test_connection_cannot_remove_what_we_need(self):
        for name in ("host", "x-forwarded-for", "x-request-id"):
            response = self.client().exchange(get(more=f"connection: {name}\r\n"))
            if response.status == 200:
                self.assertIn(name, self.origin.last().names())
            else:
                self.assertProblem(response, 400, "http_request_error")

    def test_te_trailers_is_kept_or_dropped_but_nothing_else(self):
        self.client().exchange(get(more="te: trailers, deflate\r\nconnection: te\r\n"))
        self.assertIn(self.origin.last().field("te"), (None, "trailers"))

    def test_what_is_added(self):
        self.client().exchange(get("/", host="shop.example"))
        request = self.origin.last()
        self.assertEqual(request.field("host"), "shop.example")
        self.assertEqual(request.field("x-forwarded-for"), "127.0.0.1")
        self.assertEqual(request.field("x-forwarded-proto"), "http")
        self.assertEqual(request.field("x-forwarded-host"), "shop.example")
        self.assertRegex(request.field("via"), r"^1\.1 \S+$")
        self.assertRegex(request.field("traceparent"), r"^00-[0-9a-f]{32}-[0-9a-f]{16}-01$")
        self.assertTrue(request.field("x-request-id"))

    def test_a_strangers_word_is_not_believed(self):
        self.client().exchange(get(more="x-forwarded-for: 8.8.8.8\r\nx-forwarded-proto: https\r\nx-forwarded-host: a\r\n"))
        request = self.origin.last()
        self.assertEqual(request.field("x-forwarded-for"), "127.0.0.1")
        self.assertEqual(request.field("x-forwarded-proto"), "http")
        self.assertEqual(request.field("x-forwarded-host"), "shop.example")

    def test_traceparent_is_passed_on(self):
        trace = "0af7651916cd43dd8448eb211c80319c"
        self.client().exchange(get(more=f"traceparent: 00-{trace}-b7ad6b7169203331-01\r\n"))
        self.assertIn(trace, self.origin.last().field("traceparent"))

    def test_request_ids_differ(self):
        client = self.client()
        for _ in range(20):
            client.exchange(get())
        self.assertEqual(len({request.field("x-request-id") for request in self.origin.requests}), 20)

    def test_order_of_fields_is_kept(self):
        self.client().exchange(get(more="x-a: 1\r\nx-b: 2\r\nx-a: 3\r\n"))
        ours = [(name, value) for name, value in self.origin.last().fields if name in ("x-a", "x-b")]
        self.assertEqual(ours, [("x-a", "1"), ("x-b", "2"), ("x-a", "3")])

    def test_response_fields_stop_here(self):
        self.origin.script = lambda request: answer("x", fields=[
            ("connection", "x-private"), ("x-private", "1"), ("keep-alive", "timeout=5"), ("x-public", "2"),
            ("set-cookie", "a=1"), ("set-cookie", "b=2")])
        response = self.client().exchange(get())
        self.assertIsNone(response.field("x-private"))
        self.assertIsNone(response.field("keep-alive"))
        self.assertEqual(response.field("x-public"), "2")
        self.assertEqual([value for name, value in response.fields if name.lower() == "set-cookie"], ["a=1", "b=2"])


class Trusted(Exchange):
    gateway_more = "clientAddress: {trustedNetworks: [127.0.0.0/8], forwardedHops: 1}"

    def test_forwarded_address_is_believed(self):
        self.client().exchange(get(more="x-forwarded-for: 203.0.113.7\r\n"))
        self.assertEqual(self.origin.last().field("x-forwarded-for").replace(" ", ""), "203.0.113.7,127.0.0.1")


class Switched(Exchange):
    gateway_more = ("requestId: {generate: false}\nvia: {append: false}\ntrace: {generate: false}\n"
                    "forwardedHeaders: {append: false}")

    @table({name: name for name in ("x-request-id", "via", "traceparent", "x-forwarded-for", "x-forwarded-proto")})
    def test_is_off(self, name):
        self.client().exchange(get())
        self.assertNotIn(name, self.origin.last().names())


def continues(request):
    if request.field("expect"):
        yield b"HTTP/1.1 100 Continue\r\n\r\n"
    yield json_answer("done")


continues.early = True


class Responses(Exchange):
    @table({"a dot segment": "/a/../b", "a fragment": "/#a", "half an escape": "/%a"})
    def test_head_with_a_bad_target(self, target):
        client = self.client()
        self.assertEqual(client.exchange(get(target, method="HEAD"), "HEAD").status, 400)
        client.send(get())
        if not client.is_closed():
            self.assertEqual(client.read_response().status, 200, "nothing stands between the two answers")

    def test_options_of_the_proxy(self):
        response = self.client().exchange(get("*", method="OPTIONS"))
        self.assertEqual(response.status, 204)
        self.assertIn("OPTIONS", response.field("allow"))
        self.assertEqual(self.origin.requests, [])

    def test_max_forwards(self):
        self.client().exchange(get("/", method="OPTIONS", more="max-forwards: 3\r\n"))
        self.assertEqual(self.origin.last().field("max-forwards"), "2")
        self.origin.clear()
        self.client().exchange(get("/", method="OPTIONS", more="max-forwards: 0\r\n"))
        self.assertEqual(self.origin.requests, [])

    def test_head(self):
        self.origin.script = lambda request: answer("", fields=[("content-length", "1234")], length=False)
        client = self.client()
        response = client.exchange(get(method="HEAD"), method="HEAD")
        self.assertEqual(response.field("content-length"), "1234")
        self.origin.script = echo
        self.assertEqual(client.exchange(get("/next")).json()["target"], "/next")

    @table({"204": ("204 No Content", ""), "304": ("304 Not Modified", "etag: \"x\"\r\n")})
    def test_without_content(self, status, more):
        self.origin.script = lambda request: f"HTTP/1.1 {status}\r\n{more}\r\n".encode()
        client = self.client()
        response = client.exchange(get())
        self.assertEqual(response.status, int(status[:3]))
        self.assertIsNone(response.field("transfer-encoding"))
        self.origin.script = echo
        self.assertEqual(client.exchange(get("/next")).json()["target"], "/next")

    def test_chunked_with_trailers(self):
        self.origin.script = lambda request: [
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n5\r\nhello\r\n", 0.02,
            b"6\r\n world\r\n0\r\nx-sum: 11\r\n\r\n"]
        response = self.client().exchange(get(more="te: trailers\r\nconnection: te\r\n"))
        self.assertEqual(response.content, b"hello world")
        self.assertEqual(response.trailer("x-sum"), "11")

    def test_until_close(self):
        self.origin.script = lambda request: [b"HTTP/1.1 200 OK\r\n\r\nhello", 0.01, b" world", CLOSE]
        client = self.client()
        self.assertEqual(client.exchange(get()).content, b"hello world")

    def test_chunks_arrive_as_they_are_sent(self):
        self.origin.script = lambda request: [
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n", 0.3, b"0\r\n\r\n"]
        client = self.client()
        client.send(get())
        client.read_head()
        self.assertEqual(client.take_line(), "5")        # long before the end
        self.assertEqual(client.take(7), b"hello\r\n")

    def test_version_10_client_gets_no_chunks(self):
        self.origin.script = lambda request: b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
        client = self.client()
        response = client.exchange("GET / HTTP/1.0\r\nhost: shop.example\r\n\r\n")
        self.assertIsNone(response.field("transfer-encoding"))
        self.assertEqual(response.content, b"hi")

    def test_interim(self):
        self.origin.script = lambda request: [
            b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\n", 0.02, answer("done")]
        response = self.client().exchange(get())
        self.assertEqual([(one.status, one.field("link")) for one in response.interim],
                         [(103, "</a.css>; rel=preload")])
        self.assertEqual(response.content, b"done")

    def test_expect_continue(self):
        # Either the origin's own 100 or one of ours: the client must not wait for ever.
        self.origin.script = continues
        client = self.client()
        client.send(POST + "content-length: 5\r\nexpect: 100-continue\r\n\r\n")
        self.assertEqual(client.read_head().status, 100)
        client.send("hello")
        self.assertEqual(client.read_response().status, 200)

    def test_upgrade_is_not_done(self):
        response = self.client().exchange(get(more="connection: upgrade\r\nupgrade: websocket\r\n"))
        self.assertNotEqual(response.status, 101)

    def test_upgrade_that_nobody_asked_for(self):
        self.origin.script = lambda request: [b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"]
        self.assertProblem(self.client().exchange(get()), 502)


class BadOrigins(Exchange):
    """The origin's fault is 502 before the response head, and a visible end after it: never a clean short answer."""

    @table({
        "closes at once": [CLOSE],
        "resets at once": [RESET],
        "half a head": [b"HTTP/1.1 200 OK\r\nconte", CLOSE],
        "garbage": [b"\x15\x03\x01 garbage\r\n\r\n", CLOSE],
        "two lengths": [b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab", CLOSE],
        "length and chunked": [b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", CLOSE],
        "space before the colon": [b"HTTP/1.1 200 OK\r\nx-field : 1\r\ncontent-length: 0\r\n\r\n", CLOSE],
        "folded field": [b"HTTP/1.1 200 OK\r\nx-field: 1\r\n 2\r\ncontent-length: 0\r\n\r\n", CLOSE],
        "NUL in a value": [b"HTTP/1.1 200 OK\r\nx-field: \0\r\ncontent-length: 0\r\n\r\n", CLOSE],
        "status of two digits": [b"HTTP/1.1 20 OK\r\ncontent-length: 0\r\n\r\n", CLOSE],
        "status beyond 599": [b"HTTP/1.1 999 OK\r\ncontent-length: 0\r\n\r\n", CLOSE],
        "version 2": [b"HTTP/2.0 200 OK\r\ncontent-length: 0\r\n\r\n", CLOSE],
        "head without end": [b"HTTP/1.1 200 OK\r\n" + b"x-field: 1\r\n" * 20000, CLOSE],
        "interim without end": [b"HTTP/1.1 103 Early Hints\r\n\r\n" * 2000, CLOSE],
    })
    def test_502(self, script):
        self.origin.script = lambda request: script
        response = self.client().exchange(get())
        if response.status == 502:
            self.assertProblem(response, 502)
        else:
            self.fail(response)

    @table({
        "short of its length": [b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello", CLOSE],
        "reset within content": [b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello", 0.05, RESET],
        "no last chunk": [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n", CLOSE],
        "bad chunk": [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n", CLOSE],
    })
    def test_truncated(self, script):
        self.origin.script = lambda request: script
        client = self.client()
        client.send(get())
        with self.assertRaises(AssertionError):
            response = client.read_response()
            self.assertEqual(response.status, 0)     # a whole answer would be wrong, also a 502 written into content
        self.assertNotIn(b"0\r\n\r\n", client.buffer)

    def test_bytes_behind_a_response_poison_nothing(self):
        self.origin.script = lambda request: answer("one") + b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison"
        client = self.client()
        self.assertEqual(client.exchange(get()).content, b"one")
        self.origin.script = echo
        self.assertEqual(client.exchange(get("/next")).json()["target"], "/next")

    def test_reused_connection_that_died_is_retried(self):
        client = self.client()
        client.exchange(get())
        self.origin.script = lambda request: [CLOSE] if len(self.origin.requests) == 2 else echo(request)
        self.assertEqual(client.exchange(get("/again")).status, 200)
        self.assertEqual(len(self.origin.requests), 3)

    def test_what_is_not_idempotent_is_never_retried(self):
        client = self.client()
        client.exchange(get())
        self.origin.script = lambda request: [CLOSE]
        self.assertProblem(client.exchange(POST + "content-length: 2\r\n\r\nhi"), 502)
        self.assertEqual(len(self.origin.requests), 2)

    def test_nobody_listens(self):
        self.origin.script = echo
        quiet = Origin()
        proxy = self.use_here(Proxy(forward_all(quiet)))
        quiet.listener.close()
        with RawClient(proxy.port) as client:
            response = client.exchange(get())
            self.assertIn(response.status, (502, 503))
            self.assertProblem(response, response.status, "connection_refused")


class Timeouts(Case):
    @table({"a beginning": b"PRI * HT", "the preface without settings": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"})
    def test_http2_preface(self, data):
        origin = self.use_here(Origin())
        proxy = self.use_here(Proxy(forward_all(origin, "timeouts: {requestHead: 100ms}")))
        begun = time.monotonic()
        with RawClient(proxy.port) as client:
            client.send(data)
            while client.fill():
                pass
        self.assertTrue(0.1 <= time.monotonic() - begun < 3, "closed in its time, and not before")

    def test_request_head(self):
        origin = self.use_here(Origin())
        proxy = self.use_here(Proxy(forward_all(origin, "timeouts: {requestHead: 100ms}")))
        with RawClient(proxy.port) as client:
            client.send("GET / HTTP/1.1\r\nhost:")
            self.assertEqual(client.read_response().status, 408)
            self.assertTrue(client.is_closed())

    @table({
        "the whole exchange": ("", ", timeouts: {request: 100ms}"),
        "one attempt": ("", ", timeouts: {request: 2s, backendRequest: 100ms}"),
        "response head": ("timeouts: {responseHead: 100ms}", ""),
        "stream idle": ("timeouts: {streamIdle: 100ms}", ""),
    })
    def test_504(self, gateway_more, rule_more):
        origin = self.use_here(Origin(lambda request: [1.0, answer("late")]))
        proxy = self.use_here(Proxy(forward_all(origin, gateway_more, rule_more=rule_more)))
        with RawClient(proxy.port) as client:
            self.assertProblem(client.exchange(get()), 504)

    def test_connect(self):
        # An address of TEST-NET-1 (RFC 5737): either nothing answers or there is no way to it.
        text = forward_all(Origin(), cluster_more="connectTimeout: 100ms")
        proxy = self.use_here(Proxy(lambda port: text(port).replace("address: 127.0.0.1", "address: 192.0.2.1")))
        with RawClient(proxy.port) as client:
            self.assertIn(client.exchange(get()).status, (502, 503, 504))

    def test_connection_idle(self):
        origin = self.use_here(Origin())
        proxy = self.use_here(Proxy(forward_all(origin, "timeouts: {connectionIdle: 100ms}")))
        with RawClient(proxy.port) as client:
            client.exchange(get())
            self.assertTrue(client.is_closed())

    def test_client_that_leaves_cancels_the_origin(self):
        ended = []

        def silent(connection):
            connection.recv(65536)
            connection.settimeout(TIMEOUT_S)
            ended.append(connection.recv(1))
        origin = self.use_here(RawOrigin(silent))
        proxy = self.use_here(Proxy(forward_all(origin)))
        with RawClient(proxy.port) as client:
            client.send(get())
            eventually(lambda: origin.connections, "the origin was asked")
        eventually(lambda: ended == [b""], "the origin's connection was closed")


class Curl(Exchange):
    @table({"GET": ("-X", "GET"), "PUT": ("-X", "PUT", "-d", "x=1"), "DELETE": ("-X", "DELETE"),
            "OPTIONS": ("-X", "OPTIONS"), "PATCH": ("-X", "PATCH", "-d", "y")})
    def test_methods(self, *arguments):
        response = curl(self.proxy.url("/a?b=c"), *arguments)
        self.assertEqual(response.json()["method"], arguments[1])
        self.assertEqual(response.json()["target"], "/a?b=c")

    def test_upload(self):
        response = curl(self.proxy.url("/"), "-H", "transfer-encoding: chunked", "--data-binary", "hello")
        self.assertEqual(response.json()["content"], "hello")
