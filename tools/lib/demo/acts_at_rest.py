"""The first half of the show: everything starts, and requests are asked one at a time, each through both proxies."""
import json
import statistics
import subprocess
import time

from demo.stage import LATENCY_MS, bearer, replaced
from demo.told import aside, heading, say, until

HISTORY = "/my/order-history"


def before_the_shift(text):
    """The shop with all of the catalogue at version 1."""
    return replaced(replaced(text, "weight: 90}", "weight: 100}"), "weight: 10}", "weight: 0}")


def start_everything(stage, expectations):
    heading("Starting the shop")
    stage.prepare()
    for instance in stage.instances():
        stage.start_service(instance)
    names = [instance.name for instance in stage.instances()]
    say(f"  {len(names)} instances of four services, each answering after about {LATENCY_MS} ms: {', '.join(names)}")
    stage.control_plane.start()
    say(f"  a control plane (pid {stage.control_plane.process.pid}) with a store on disk, and two proxies that know its "
        "address and nothing else:")
    for proxy in stage.proxies:
        proxy.start()
        proxy.wait_alive()
        say(f"  {proxy.name} (pid {proxy.process.pid}) at {proxy.address}, ports {stage.http} and {stage.https}, once it is "
            "told so")
    connected = until(lambda: all(name in stage.porticoctl("status", quietly=True).out for name in names_of(stage)), 20)
    expectations.expect(connected and not any(proxy.is_ready() for proxy in stage.proxies),
                        "both are connected, and say that they are not ready")
    say("  examples/shop/shop.yaml, with all of the catalogue at version 1 and deadlines that a busy machine can keep:")
    said = stage.apply(before_the_shift(stage.text))
    expectations.expect(stage.took(said), "one file is applied, and revision 1 runs on both", said)
    for proxy in stage.proxies:
        proxy.wait_ready()


def names_of(stage):
    return [proxy.name for proxy in stage.proxies]


def show_signing_in(stage, expectations):
    heading("Who may come in (curl through both proxies, HTTP/1.1 and HTTP/2 over TLS)")
    for option, version in (("--http1.1", "1.1"), ("--http2", "2")):
        expectations.expect_all(
            stage.curl(HISTORY, option),
            lambda answer: answer.status == 401 and answer.version == version and "www-authenticate" in answer.fields,
            f"HTTP/{version}: without a token the order history is refused: 401, with www-authenticate")
        expectations.expect_all(stage.curl(HISTORY, option, *bearer(stage.token())),
                                lambda answer: answer.status == 200 and answer.version == version,
                                f"HTTP/{version}: alice with her token gets it: 200")
    refused = [("an expired token", stage.token(issued=int(time.time()) - 7200)),
               ("a token for somebody else's API", stage.token(audience="other")),
               ("an unsigned token", stage.token(header={"alg": "none"}))]
    for what, value in refused:
        expectations.expect_all(stage.curl(HISTORY, *bearer(value)), lambda answer: answer.status == 401,
                                f"{what} is refused: 401")
    expectations.expect_all(stage.curl("/users/alice", "-X", "DELETE", *bearer(stage.token(client="acme"))),
                            lambda answer: answer.status == 403, "a partner may read but not delete: 403")
    expectations.expect_all(stage.curl("/products/cup"), lambda answer: answer.status == 200,
                            "the catalogue is open to everybody: 200")
    for option, version in (("--http1.1", "1.1"), ("--http2-prior-knowledge", "2")):
        expectations.expect_all(
            stage.curl_in_clear("/products", option),
            lambda answer: answer.status == 302 and answer.version == version and
            answer.fields.get("location", "").startswith("https://"), f"in clear, HTTP/{version}: sent on to https")


def same_calls_one_after_another(stage):
    """Seconds that curl takes for the calls of the order history in a row, straight at the services."""
    by_cluster = {}
    for instance in stage.instances():
        by_cluster.setdefault(instance.name.rsplit("-", 1)[0], instance.port)
    orders = f"http://127.0.0.1:{by_cluster['order']}/customers/alice/orders?limit=20"
    items = list(dict.fromkeys(line["productId"] for order in json.loads(subprocess.run(
        ["curl", "-s", orders], capture_output=True, check=True).stdout)["orders"] for line in order["lines"]))
    urls = [orders, *(f"http://127.0.0.1:{by_cluster['product']}/products/{item}" for item in items),
            *(f"http://127.0.0.1:{by_cluster['inventory']}/stock/{item}" for item in items)]
    begin = time.monotonic()
    subprocess.run(["curl", "-s", *urls], stdout=subprocess.DEVNULL, check=True)
    return len(urls), time.monotonic() - begin


def show_composition(stage, expectations):
    heading("One request, four services: the order history")
    answers = stage.curl(HISTORY, *bearer(stage.token()))
    expectations.expect_all(answers, lambda answer: whole(answer.content),
                            "orders, products and stock are one JSON document")
    expectations.expect_all(answers, lambda answer: lacks_withdrawn(answer.content),
                            "a withdrawn product is null, and that is no failure")
    aside(f"{answers['edge-1'].content[:230]} ...")
    composed = statistics.median(
        answer.seconds for _ in range(3) for answer in stage.curl(HISTORY, *bearer(stage.token())).values())
    calls, in_a_row = same_calls_one_after_another(stage)
    say(f"  composed: {composed * 1000:.0f} ms; the same {calls} calls one after another: {in_a_row * 1000:.0f} ms")
    expectations.expect(composed < in_a_row / 2, "composed takes less than half of that",
                        f"{composed / in_a_row:.2f} of it")
    products, stock = stage.origin_log("product"), stage.origin_log("inventory")
    expectations.expect(overlapping(products, stock),
                        "the services' logs agree: stock was asked before products had answered")


def whole(content):
    try:
        first = json.loads(content)["orders"][0]["lines"][0]
        return first["product"]["name"] == "Teapot" and first["stock"]["available"] == 3
    except (ValueError, KeyError, IndexError, TypeError):
        return False


def lacks_withdrawn(content):
    try:
        history = json.loads(content)
        withdrawn = [line for order in history["orders"] for line in order["lines"] if line["productId"] == "samovar"]
        return withdrawn and withdrawn[0]["product"] is None and history["incomplete"] == []
    except (ValueError, KeyError, TypeError):
        return False


def overlapping(products, stock):
    """Whether calls of the same exchange to both services ran at the same time, in most exchanges."""
    def spans(lines):
        by_trace = {}
        for line in lines:
            if "trace" in line:
                by_trace.setdefault(line["trace"].split("-")[1], []).append((line["begin"], line["end"]))
        return by_trace
    first, second = spans(products), spans(stock)
    both = [trace for trace in first if trace in second]
    together = [trace for trace in both
                if min(begin for begin, _ in second[trace]) < max(end for _, end in first[trace])]
    return bool(both) and len(together) > len(both) / 2
