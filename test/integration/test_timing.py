"""Where the time of a request went: spans that origins hear of, server-timing for who may ask, steps in log and metrics."""
import re

from harness import Case, Proxy, RawClient, cluster, eventually, gateway, get, route, table
from origins import Origin, answer, echo, json_answer

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
COMPOSITION = """---
kind: Composition
metadata: {name: page}
spec:
  steps:
  - name: orders
    call: {backendRef: {name: origin}, path: /orders}
  - name: stock
    forEach: {items: '$orders.body[]', parallel: 2}
    call: {backendRef: {name: origin}, path: '/stock/${each}'}
    onFailure: UseNull
  answer: {body: '$stock'}
"""


def shop(request):
    if request.target == "/orders":
        return [0.05, json_answer([1, 2, 3])]
    if request.target == "/stock/2":
        return answer("gone", "500 Internal Server Error")
    return json_answer({"left": 3})


def config(origin, timing="127.0.0.0/8", trace="trace: {generate: true}"):
    more = trace + (f"\nserverTiming: {{networks: [{timing}]}}" if timing else "")
    return lambda port: (gateway(port, more) + cluster("origin", origin.port) + COMPOSITION + route("all", [
        "{matches: [{path: {value: /page}}], backendRefs: [{kind: Composition, name: page}]}",
        "{backendRefs: [{name: origin}], retry: {codes: [503], backoff: 10ms}}"]))


class Timing(Case):
    def start(self, script, **more):
        self.origin = self.use_here(Origin(script))
        self.proxy = self.use_here(Proxy(config(self.origin, **more)))

    def exchange(self, target="/", more=""):
        with RawClient(self.proxy.port) as client:
            return client.exchange(get(target, more=more))

    def logged(self):
        eventually(lambda: self.proxy.access_log(), "a line of the access log")
        return self.proxy.access_log()[-1]

    def test_each_attempt_has_its_span_in_the_clients_trace(self):
        self.start(lambda request: answer("", "503 X") if len(self.origin.requests) == 1 else echo(request))
        self.exchange(more=f"traceparent: 00-{TRACE}-{PARENT}-01\r\ntracestate: a=1,b=2\r\n")
        line, spans = self.logged(), []
        for request in self.origin.requests:
            version, trace, span, flags = request.field("traceparent").split("-")
            self.assertEqual((version, trace, flags), ("00", TRACE, "01"))
            self.assertEqual(request.field("tracestate"), "a=1,b=2")
            spans.append(int(span, 16))
        self.assertEqual((line["traceId"], line["parentSpanId"]), (TRACE, PARENT))
        own = int(line["spanId"], 16)
        self.assertEqual(spans, [own + 1, own + 2])

    def test_a_trace_that_begins_here(self):
        self.start(echo)
        self.exchange()
        line = self.logged()
        self.assertRegex(line["traceId"], "^[0-9a-f]{32}$")
        self.assertNotIn("parentSpanId", line)
        self.assertEqual(self.origin.last().field("traceparent").split("-")[1::2], [line["traceId"], "01"])

    def test_no_trace_begins_unasked(self):
        self.start(echo, trace="")
        self.exchange()
        line = self.logged()
        self.assertNotIn("traceId", line)
        self.assertIsNone(self.origin.last().field("traceparent"))
        self.assertEqual(line["requestId"], self.origin.last().field("x-request-id"))

    @table({
        "of the network": ("127.0.0.0/8", "1", True),
        "of another network": ("10.0.0.0/8", "1", False),
        "who does not ask": ("127.0.0.0/8", None, False),
        "where nobody may": (None, "1", False),
    })
    def test_who_is_told(self, network, asks, told):
        self.start(lambda request: answer("x", fields=[("server-timing", "db;dur=5")]), timing=network)
        response = self.exchange(more=f"portico-timing: {asks}\r\n" if asks else "")
        values = [value for name, value in response.fields if name.lower() == "server-timing"]
        self.assertEqual(values[0], "db;dur=5")
        self.assertEqual(len(values), 2 if told else 1)
        if told:
            self.assertRegex(values[1], r"^connect;dur=\d+\.\d, origin;dur=\d+\.\d$")
        self.assertIsNone(self.origin.last().field("portico-timing"))
        self.assertEqual("no-store" in [value for name, value in response.fields if name == "cache-control"], told)

    def test_a_retry_is_told(self):
        self.start(lambda request: answer("", "503 X") if len(self.origin.requests) == 1 else echo(request))
        timing = self.exchange(more="portico-timing: 1\r\n").field("server-timing")
        self.assertGreaterEqual(float(re.match(r"retries;dur=(\d+\.\d), connect;", timing)[1]), 10)

    def test_steps_of_a_composition(self):
        self.start(shop)
        response = self.exchange("/page", more="portico-timing: 1\r\n")
        self.assertEqual(response.status, 200)
        entries = dict(re.findall(r'step-(\w+);dur=[\d.]+;desc="([^"]*)"', response.field("server-timing")))
        self.assertRegex(entries["orders"], r"^ok start=0\.\d$")
        outcome, start = entries["stock"].split(" start=")
        self.assertEqual(outcome, "null")
        self.assertGreaterEqual(float(start), 50)
        line = self.logged()
        self.assertEqual((line["composition"], line["steps"]), ("default/page", "orders=ok stock=null(1/3)"))
        named = {"composition": "default/page"}
        self.assertEqual(self.proxy.metric("portico_composition_steps_total", step="orders", outcome="ok", **named), 1)
        self.assertEqual(self.proxy.metric("portico_composition_steps_total", step="stock", outcome="null", **named), 1)
        self.assertEqual(
            self.proxy.metric("portico_composition_step_duration_seconds_count", step="stock", **named), 1)
        # Each call has a span of its own in the one trace.
        parents = [request.field("traceparent").split("-") for request in self.origin.requests]
        self.assertEqual({trace for _, trace, _, _ in parents}, {line["traceId"]})
        own = int(line["spanId"], 16)
        self.assertEqual(sorted(int(span, 16) - own for _, _, span, _ in parents), [1, 2, 3, 4])
