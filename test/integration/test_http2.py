"""HTTP/2 on both sides, by prior knowledge: each protocol to each, resets, windows, and what is refused."""
import h2.errors
import h2.events

from harness import Case, Proxy, RawClient, curl, eventually, forward_all, get, h2load, run, table
from http2_client import Http2Client
from origins import CLOSE, Http2Origin, Origin, answer, echo

HEAD = [(":method", "GET"), (":scheme", "http"), (":authority", "shop.example"), (":path", "/")]


class Downstream(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.origin = cls.use(Origin())
        cls.proxy = cls.use(Proxy(forward_all(cls.origin)))

    def setUp(self):
        self.origin.script = echo
        self.origin.clear()

    def client(self, **named):
        client = Http2Client(self.proxy.port, **named)
        self.addCleanup(client.socket.close)
        return client

    def test_get(self):
        response = self.client().exchange(path="/a?b")
        self.assertEqual(response.json()["target"], "/a?b")
        self.assertEqual(self.origin.last().field("host"), "shop.example")
        self.assertRegex(self.origin.last().field("via"), r"^2(\.0)? ")

    def test_upload_without_a_length(self):
        self.client().exchange("POST", content=b"hello")
        self.assertEqual(self.origin.last().content, b"hello")
        self.assertEqual(self.origin.last().field("transfer-encoding"), "chunked")

    def test_upload_with_a_length(self):
        self.client().exchange("POST", fields=[("content-length", "5")], content=b"hello")
        self.assertEqual(self.origin.last().field("content-length"), "5")
        self.assertIsNone(self.origin.last().field("transfer-encoding"))

    def test_request_trailers(self):
        self.client().exchange("POST", content=b"hello", trailers=[("x-sum", "5")])
        self.assertEqual(self.origin.last().trailers, [("x-sum", "5")])

    def test_response_trailers(self):
        self.origin.script = lambda request: (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx-sum: 5\r\n\r\n")
        response = self.client().exchange(fields=[("te", "trailers")])
        self.assertEqual((response.content, response.trailer("x-sum")), (b"hello", "5"))

    def test_interim(self):
        self.origin.script = lambda request: [b"HTTP/1.1 103 Early Hints\r\nlink: <a>\r\n\r\n", answer("x")]
        self.assertEqual([one.status for one in self.client().exchange().interim], [103])

    def test_cookies_are_joined(self):
        self.client().exchange(fields=[("cookie", "a=1"), ("cookie", "b=2")])
        self.assertEqual([value for name, value in self.origin.last().fields if name == "cookie"], ["a=1; b=2"])

    def test_head(self):
        self.origin.script = lambda request: answer("", fields=[("content-length", "12")], length=False)
        response = self.client().exchange("HEAD")
        self.assertEqual((response.field("content-length"), response.content), ("12", b""))

    def test_no_content_says_no_length(self):
        self.origin.script = lambda request: b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n"
        response = self.client().exchange()
        self.assertEqual((response.status, response.field("content-length")), (204, None))

    @table({"a little": 17, "three times": 50})
    def test_head_over_the_limit_is_answered(self, lines):
        client = self.client()
        self.assertEqual(client.exchange(fields=[(f"x-{line}", "a" * 4000) for line in range(lines)]).status, 431)
        self.assertEqual(client.exchange().status, 200)

    def test_head_that_is_refused_is_answered_without_content(self):
        client = self.client()
        response = client.exchange("HEAD", "/" + "a" * 9000)
        self.assertEqual((response.status, response.content), (414, b""))
        self.assertEqual(client.exchange().status, 200)

    def test_head_far_over_the_limit_ends_the_connection(self):
        client = self.client()
        client.request(fields=[(f"x-{line}", "a" * 4000) for line in range(90)])
        self.assertEqual(client.ends(), h2.errors.ErrorCodes.ENHANCE_YOUR_CALM)
        self.assertEqual(self.client().exchange().status, 200)

    def test_options_of_the_proxy(self):
        response = self.client().exchange("OPTIONS", "*")
        self.assertEqual((response.status, response.content), (204, b""))
        self.assertIn("OPTIONS", response.field("allow"))
        self.assertEqual(self.origin.requests, [])

    def test_many_streams(self):
        client = self.client()
        streams = {client.request(path=f"/{number}"): f"/{number}" for number in range(50)}
        for stream, target in streams.items():
            self.assertEqual(client.response(stream).json()["target"], target)

    def test_a_slow_stream_does_not_hold_the_next(self):
        self.origin.script = lambda request: [0.4, answer("slow")] if request.target == "/slow" else answer("fast")
        client = self.client()
        slow = client.request(path="/slow")
        self.assertEqual(client.exchange(path="/fast").content, b"fast")
        self.assertEqual(client.events[slow], [])

    def test_truncated_answer_is_a_reset(self):
        self.origin.script = lambda request: [b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello", CLOSE]
        self.assertEqual(self.client().exchange().status, 0)

    def test_local_answer(self):
        self.origin.script = lambda request: [CLOSE]
        self.assertProblem(self.client().exchange("POST", content=b"x"), 502)

    def test_reset_cancels_the_origin(self):
        self.origin.script = lambda request: [5, answer("late")]
        client = self.client()
        stream = client.request()
        eventually(lambda: self.origin.requests, "the origin was asked")
        client.codec.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)
        client.flush()
        self.origin.script = echo
        self.assertEqual(client.exchange().status, 200)

    @table({
        "connection": [("connection", "close")], "transfer-encoding": [("transfer-encoding", "chunked")],
        "keep-alive": [("keep-alive", "1")], "upgrade": [("upgrade", "x")], "te": [("te", "gzip")],
        "upper case": [("X-Upper", "1")], "CR LF in a value": [("x-field", "a\r\nx: y")], "NUL": [("x-field", "a\0b")],
        "colon in a name": [("x:y", "1")], "space in a name": [("x y", "1")], "unknown pseudo field": [(":x", "1")],
        "second path": [(":path", "/b")], "host that differs": [("host", "other.example")],
        "bad length": [("content-length", "x")], "two lengths": [("content-length", "1"), ("content-length", "2")],
    })
    def test_malformed_fields(self, fields):
        client = self.client(strict=False)
        response = client.exchange(fields=fields)
        self.assertIn(response.status, (0, 400), response)
        self.assertEqual(self.origin.requests, [])

    @table({
        "no method": HEAD[1:], "no scheme": HEAD[:1] + HEAD[2:], "no path": HEAD[:3], "empty path": HEAD[:3] + [(":path", "")],
        "path without a slash": HEAD[:3] + [(":path", "a")], "path with a space": HEAD[:3] + [(":path", "/a b")],
        "authority with user": HEAD[:2] + [(":authority", "me@shop.example"), (":path", "/")],
        "pseudo field after a field": [("x", "1")] + HEAD, "method with a space": [(":method", "G T")] + HEAD[1:],
    })
    def test_malformed_pseudo_fields(self, pseudo):
        response = self.client(strict=False).exchange(pseudo=pseudo)
        self.assertIn(response.status, (0, 400, 404), response)
        self.assertEqual(self.origin.requests, [])

    def test_length_that_lies(self):
        response = self.client(strict=False).exchange("POST", fields=[("content-length", "9")], content=b"hello")
        self.assertIn(response.status, (0, 400))
        self.assertFalse(any(request.complete for request in self.origin.requests))

    @table({
        "garbage": b"\xff" * 64,
        "a frame too large": b"\xff\xff\xff\x00\x00\x00\x00\x00\x01",
        "data on stream 0": b"\x00\x00\x01\x00\x00\x00\x00\x00\x00x",
        "even stream": b"\x00\x00\x01\x01\x05\x00\x00\x00\x02\x82",
        "settings of 5 bytes": b"\x00\x00\x05\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00",
        "ping of 7 bytes": b"\x00\x00\x07\x06\x00\x00\x00\x00\x001234567",
        "window of 0": b"\x00\x00\x04\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00",
        "bad compression": b"\x00\x00\x02\x01\x05\x00\x00\x00\x01\xff\xff",
        "push": b"\x00\x00\x05\x05\x04\x00\x00\x00\x01\x00\x00\x00\x02\x82",
    })
    def test_broken_frames_end_the_connection(self, data):
        client = self.client()
        client.send_raw(data)
        self.assertTrue(client.ends())
        with RawClient(self.proxy.port) as other:
            self.assertEqual(other.exchange(get()).status, 200)

    @table({"pings": b"\x00\x00\x08\x06\x00\x00\x00\x00\x0012345678", "settings": b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"})
    def test_floods_end(self, frame):
        client = self.client()
        try:
            for _ in range(300):
                client.send_raw(frame * 1000)
        except OSError:
            return          # refused, as it should be
        client.codec = None
        self.assertLess(self.proxy.resident_kib(), 400_000)

    def test_rapid_reset_is_bounded(self):
        client = self.client()
        try:
            for _ in range(5000):
                stream = client.request()
                client.codec.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)
            client.flush()
            client.ends()
        except OSError:
            pass
        self.assertLess(len(self.origin.requests), 5000)
        with RawClient(self.proxy.port) as other:
            self.assertEqual(other.exchange(get()).status, 200)

    def test_nghttp(self):
        done = run("nghttp", "-nv", f"http://127.0.0.1:{self.proxy.port}/x")
        self.assertIn(b":status: 200", done.stdout)

    def test_h2load(self):
        self.assertEqual(h2load(self.proxy.url("/"), "-n", "1000", "-c", "4", "-m", "16")["2xx"], 1000)

    def test_curl(self):
        response = curl(self.proxy.url("/a"), "--http2-prior-knowledge", "-d", "hello")
        self.assertEqual(response.json()["content"], "hello")


class Upstream(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.origin = cls.use(Http2Origin())
        cls.default = cls.origin.script
        cls.proxy = cls.use(Proxy(forward_all(cls.origin, cluster_more="protocol: HTTP2")))

    def setUp(self):
        self.origin.script = type(self).default
        self.origin.clear()
        self.origin.cancelled.clear()

    def test_from_http1(self):
        with RawClient(self.proxy.port) as client:
            response = client.exchange(get("/a?b", more="x-field: 1\r\nconnection: x-private\r\nx-private: 1\r\n"))
        self.assertEqual(response.status, 200)
        request = self.origin.last()
        self.assertEqual(request.field(":authority"), "shop.example")
        self.assertEqual((request.target, request.field(":method")), ("/a?b", "GET"))
        for name in ("connection", "host", "x-private", "transfer-encoding"):
            self.assertIsNone(request.field(name), name)

    def test_from_http2(self):
        with Http2Client(self.proxy.port) as client:
            response = client.exchange("POST", content=b"hello", trailers=[("x-sum", "5")])
            self.assertEqual(response.json()["content"], "hello")
        self.assertEqual(self.origin.last().trailers, [("x-sum", "5")])

    def test_chunked_upload_from_http1(self):
        with RawClient(self.proxy.port) as client:
            client.exchange("POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx-sum: 5\r\n\r\n")
        self.assertEqual((self.origin.last().content, self.origin.last().trailers), (b"hello", [("x-sum", "5")]))

    def test_trailers_to_http1(self):
        self.origin.script = lambda request: (200, [], b"hello", [("x-sum", "5")])
        with RawClient(self.proxy.port) as client:
            response = client.exchange(get(more="te: trailers\r\nconnection: te\r\n"))
        self.assertEqual((response.content, response.trailer("x-sum")), (b"hello", "5"))

    def test_one_connection_for_many(self):
        with Http2Client(self.proxy.port) as client:
            streams = [client.request(path=f"/{number}") for number in range(40)]
            numbers = {client.response(stream).json()["connection"] for stream in streams}
        self.assertLessEqual(len(numbers), 2)

    def test_client_reset_reaches_the_origin(self):
        self.origin.script = lambda request: (200, [], (b"x" * 1000 for _ in range(10 ** 9)), [])
        with Http2Client(self.proxy.port) as client:
            stream = client.request()
            client.until(lambda: client.received[stream], "content")
            client.codec.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)
            client.flush()
            eventually(lambda: self.origin.cancelled, "the origin's stream was reset")

    def test_goaway_of_the_origin_loses_nothing(self):
        with RawClient(self.proxy.port) as client:
            self.assertEqual(client.exchange(get()).status, 200)
            self.origin.drop_connections()
            self.assertEqual(client.exchange(get()).status, 200)

    def test_fewer_streams_than_requests(self):
        narrow = self.use_here(Http2Origin(streams_max=2))
        proxy = self.use_here(Proxy(forward_all(narrow, cluster_more="protocol: HTTP2")))
        with Http2Client(proxy.port) as client:
            streams = [client.request() for _ in range(20)]
            self.assertEqual({client.response(stream).status for stream in streams}, {200})

    def test_http1_answer_to_http2(self):
        wrong = self.use_here(Origin())
        proxy = self.use_here(Proxy(forward_all(wrong, cluster_more="protocol: HTTP2")))
        with RawClient(proxy.port) as client:
            self.assertProblem(client.exchange(get()), 502)
