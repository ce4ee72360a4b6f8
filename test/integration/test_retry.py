"""Retries as a Route's `retry` says: what is tried again, where, how often, and what reaches the client of it."""
import hashlib
import os
import threading
import time

from harness import Case, Proxy, RawClient, cluster, eventually, gateway, get, route, table
from http2_client import Http2Client
from origins import CLOSE, RESET, Http2Origin, Origin, answer, json_answer

RETRY = "retry: {codes: [503], backoff: 10ms}"


def busy(content=b"busy", fields=()):
    return answer(content, "503 Service Unavailable", fields)


def digest(request):
    return json_answer({"method": request.method, "sha256": hashlib.sha256(request.content).hexdigest()})


def retrying(origins, retry=RETRY, cluster_more="", rule_more=""):
    return lambda port: (gateway(port) + cluster("origin", [origin.port for origin in origins], cluster_more) +
                         route("all", [f"{{backendRefs: [{{name: origin}}], {retry}{rule_more}}}"]))


def failing(times, how, then=digest):
    """A script: `how` for the first `times` requests of all origins that share it, then an answer."""
    lock, count = threading.Lock(), [0]

    def script(request):
        with lock:
            count[0] += 1
            return how if count[0] <= times else then(request)
    return script


class Retries(Case):
    def start(self, script, count=2, kind=Origin, **more):
        self.origins = [self.use_here(kind(script)) for _ in range(count)]
        if kind is Http2Origin:
            more["cluster_more"] = more.get("cluster_more", "") + "\nprotocol: HTTP2"
        self.proxy = self.use_here(Proxy(retrying(self.origins, **more)))
        return self.proxy

    def requests(self):
        return [request for origin in self.origins for request in origin.requests]

    def exchange(self, head=None, content=b"", method="GET"):
        with RawClient(self.proxy.port) as client:
            client.send(head or get(method=method))
            client.send(content)
            return client.read_response(method)

    def logged(self):
        eventually(lambda: self.proxy.access_log(), "a line of the access log")
        return self.proxy.access_log()[-1]

    @table({
        "one of a code": (1, busy(), 200, 2),
        "two of a code": (2, busy(), 503, 2),
        "another code": (1, answer("", "500 Internal Server Error"), 500, 1),
        "a reset": (1, [RESET], 200, 2),
        "two resets": (2, [RESET], 502, 2),
        "an end": (1, [CLOSE], 200, 2),
        "half a head": (1, [b"HTTP/1.1 200 OK\r\nconte", CLOSE], 200, 2),
        "resets without end": (9, [RESET], 502, 2),
        "an early hint, then a reset": (1, [b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n", RESET], 200, 2),
        "what asks to wait": (1, busy(fields=[("retry-after", "3")]), 503, 1),
        "what is malformed": (1, b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab", 502, 1),
    })
    def test_failures(self, times, how, status, requests):
        self.start(failing(times, how))
        self.assertEqual(self.exchange().status, status)
        self.assertEqual(len(self.requests()), requests)

    def test_the_last_answer_is_passed_on_as_it_is(self):
        self.start(lambda request: busy(b"really", [("x-why", "full"), ("retry-after", "0")]))
        response = self.exchange()
        self.assertEqual((response.status, response.content), (503, b"really"))
        self.assertEqual((response.field("x-why"), response.field("proxy-status")), ("full", None))
        self.assertEqual(self.logged()["retries"], "503")
        self.assertEqual(self.proxy.metric("portico_retries_total", outcome="failure"), 1)

    @table({"POST": ("POST", 503, 1), "PUT": ("PUT", 200, 2), "DELETE": ("DELETE", 200, 2), "PATCH": ("PATCH", 503, 1)})
    def test_methods(self, method, status, requests):
        self.start(failing(1, busy()))
        self.assertEqual(self.exchange(method=method).status, status)
        self.assertEqual(len(self.requests()), requests)

    def test_a_post_that_the_rule_names(self):
        self.start(failing(1, busy()), retry="retry: {codes: [503], backoff: 1ms, methods: [POST]}")
        self.assertEqual(self.exchange(method="POST").status, 200)

    def test_nothing_is_tried_again_once_the_answer_has_begun(self):
        self.start(lambda request: [b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello", CLOSE])
        with self.assertRaises(AssertionError):
            self.exchange()
        self.assertEqual(len(self.requests()), 1)

    def test_another_endpoint_first(self):
        good, bad = self.use_here(Origin(digest)), self.use_here(Origin(lambda request: busy()))
        self.origins = [good, bad]
        self.proxy = self.use_here(Proxy(retrying(self.origins, cluster_more="retryConstraint: {percent: 100}")))
        with RawClient(self.proxy.port) as client:
            for _ in range(20):
                self.assertEqual(client.exchange(get()).status, 200)
        refused = len(bad.requests)
        self.assertGreaterEqual(refused, 10)
        self.assertEqual(len(good.requests), 20)
        self.assertEqual(self.proxy.metric("portico_retries_total", cluster="default/origin", outcome="success"), refused)
        self.assertEqual(self.proxy.metric("portico_upstream_requests_total", outcome="server_error"), refused)
        # What was not wanted of an answer is read: each origin needs one connection, and none is lost.
        self.assertEqual({request.connection for request in bad.requests}, {1})
        eventually(lambda: len(self.proxy.access_log()) == 20, "all lines")
        again = [line for line in self.proxy.access_log() if line["attempts"] == 2]
        self.assertEqual({(line["retries"], line["endpoint"]) for line in again}, {("503", f"127.0.0.1:{good.port}")})
        self.assertEqual(len(again), refused)

    @table({"once over the limit": (1001, 503, 1), "at the limit": (1000, 200, 2)})
    def test_content_is_sent_again_within_a_limit(self, size, status, requests):
        self.start(failing(1, busy()), retry="retry: {codes: [503], backoff: 1ms, contentBytesMax: 1000}")
        content = os.urandom(size)
        response = self.exchange(f"PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: {size}\r\n\r\n", content)
        self.assertEqual(response.status, status)
        self.assertEqual([request.content for request in self.requests()], [content] * requests)
        if status == 200:
            self.assertEqual(response.json()["sha256"], hashlib.sha256(content).hexdigest())
        else:
            self.assertEqual(self.logged()["retries"], "over_content")

    @table({"HTTP/1.1": Origin, "HTTP/2": Http2Origin})
    def test_chunks_and_trailers(self, kind):
        refusal = busy() if kind is Origin else (503, [], b"busy", [])
        done = digest if kind is Origin else lambda request: (200, [], b"done", [])
        self.start(failing(1, refusal, done), kind=kind)
        head = "PUT / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n"
        self.assertEqual(self.exchange(head, b"3\r\nabc\r\n2\r\nde\r\n0\r\nx-sum: 1\r\n\r\n").status, 200)
        self.assertEqual([request.content for request in self.requests()], [b"abcde"] * 2)
        self.assertEqual([request.trailers for request in self.requests()], [[("x-sum", "1")]] * 2)

    def test_an_upload_that_is_refused_in_its_middle_goes_on_elsewhere(self):
        def refuse(_):
            return [busy(), 0.2]
        refuse.early = True
        good, bad = self.use_here(Origin(digest)), self.use_here(Origin(refuse))
        self.origins = [bad, good]
        self.proxy = self.use_here(Proxy(retrying(self.origins, "retry: {codes: [503], backoff: 1ms, contentBytesMax: "
                                                                "1000000}")))
        content = os.urandom(400_000)
        with RawClient(self.proxy.port) as client:
            client.send(f"PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: {len(content)}\r\n\r\n")
            client.send(content[:100_000])
            eventually(lambda: good.requests, "the second origin is asked while the client still sends")
            client.send(content[100_000:])
            response = client.read_response()
        self.assertEqual(response.status, 200)
        self.assertEqual(response.json()["sha256"], hashlib.sha256(content).hexdigest())
        self.assertEqual(len(bad.requests), 1)

    def test_both_ends_speak_http2(self):
        self.start(failing(1, (503, [], b"busy", []), lambda request: (200, [], request.content, [])), 1, Http2Origin)
        with Http2Client(self.proxy.port) as client:
            response = client.exchange("PUT", content=b"abc")
        self.assertEqual((response.status, response.content), (200, b"abc"))
        self.assertEqual([request.connection for request in self.requests()], [1, 1])

    def test_an_attempt_has_its_own_time_and_all_have_one(self):
        self.start(failing(1, [1.0, answer("late")]), rule_more=", timeouts: {request: 5s, backendRequest: 100ms}")
        self.assertEqual(self.exchange().status, 200)
        self.assertEqual(self.logged()["retries"], "http_response_timeout")

    def test_the_time_of_the_request_ends_all_attempts(self):
        self.start(lambda request: [1.0, answer("late")], retry="retry: {attempts: 10, backoff: 1ms}",
                   rule_more=", timeouts: {request: 250ms, backendRequest: 100ms}")
        begun = time.monotonic()
        self.assertProblem(self.exchange(), 504)
        self.assertLess(time.monotonic() - begun, 0.9)
        self.assertEqual(len(self.requests()), 3)

    def test_an_empty_budget_passes_the_answer_on(self):
        self.start(failing(9, busy()), cluster_more="retryConstraint: {percent: 0, minPerSecond: 1}")
        with RawClient(self.proxy.port) as client:
            for _ in range(4):
                self.assertEqual(client.exchange(get()).status, 503)
        self.assertIn(len(self.requests()), (5, 6))       # one retry a second, and the second may change meanwhile
        self.assertGreaterEqual(self.proxy.metric("portico_retries_total", outcome="over_budget"), 2)

    def test_workers_share_the_budget(self):
        self.origins = [self.use_here(Origin(lambda request: busy()))]
        config = retrying(self.origins, cluster_more="retryConstraint: {percent: 10, minPerSecond: 0}")
        self.proxy = self.use_here(Proxy(config, workers=4))
        for _ in range(50):
            self.assertEqual(self.exchange().status, 503)
        self.assertEqual(len(self.requests()), 50 + 5)

    def test_an_unrelated_change_leaves_the_budget_alone(self):
        self.start(lambda request: busy(), cluster_more="retryConstraint: {percent: 10, minPerSecond: 0}")
        for _ in range(20):
            self.exchange()
        config = retrying(self.origins, cluster_more="retryConstraint: {percent: 10, minPerSecond: 0}")
        revision = self.proxy.metric("portico_configuration_revision")
        self.proxy.replace_config(lambda port: config(port) + cluster("other", 9) +
                                  route("other", ["{matches: [{path: {value: /other}}], backendRefs: [{name: other}]}"]))
        # Not by asking: until then that counts for the budget too.
        eventually(lambda: self.proxy.metric("portico_configuration_revision") != revision, "the new configuration")
        self.assertEqual(self.exchange(get("/other")).status, 502)
        before = len(self.requests())
        self.exchange()
        self.assertEqual(len(self.requests()), before + 1, "20 requests may have 2 retries, and have had them")

    def test_a_client_that_leaves_during_the_pause(self):
        self.start(lambda request: busy(), retry="retry: {codes: [503], backoff: 500ms}")
        with RawClient(self.proxy.port) as client:
            client.send(get())
            eventually(lambda: self.requests(), "the first attempt")
            eventually(lambda: self.proxy.metric("portico_upstream_requests_total", outcome="server_error"), "its end")
        eventually(lambda: self.proxy.metric("portico_retries_total", outcome="cancelled") == 1, "the end of the call")
        self.assertEqual(len(self.requests()), 1)
        self.assertTrue(self.logged()["aborted"])

    def test_an_endpoint_that_comes_back(self):
        """Nobody listens at first: nothing has left, so even a POST is tried again."""
        origin = Origin(digest)
        port = origin.port
        origin.stop()
        self.proxy = self.use_here(Proxy(lambda own: gateway(own) + cluster("origin", port) + route(
            "all", ["{backendRefs: [{name: origin}], retry: {attempts: 10, backoff: 50ms}}"])))
        later = threading.Timer(0.2, lambda: self.use_here(Origin(digest, port)))
        later.start()
        response = self.exchange("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nhi")
        later.join()
        self.assertEqual(response.status, 200)
