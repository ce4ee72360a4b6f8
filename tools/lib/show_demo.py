#!/usr/bin/python3
"""The show of tools/demo: services, a proxy, requests, a load, and what the reader is told about it."""
import argparse
import contextlib
import http.client
import importlib.machinery
import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
SHOP = ROOT / "examples/shop"
PROXY = ROOT / "bazel-bin/dataplane/portico-proxy"
HOST = "api.shop.example"
ADMIN_PORT = 9903
LOAD_CLIENTS = 4
COLOURS = {"green": 32, "red": 31, "bold": 1, "dim": 2}


def load_module(path, name):
    loader = importlib.machinery.SourceFileLoader(name, str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    sys.modules[name] = module
    loader.exec_module(module)
    return module


sys.dont_write_bytecode = True
services = load_module(SHOP / "services.py", "shop_services")
token = load_module(SHOP / "token", "shop_token")


# ---- what the reader sees ----

def coloured(text, colour):
    return f"\033[{COLOURS[colour]}m{text}\033[0m" if sys.stdout.isatty() else text


def say(text=""):
    print(text, flush=True)


def heading(text):
    say("\n" + coloured(text, "bold"))


class Expectations:
    """Everything that was promised, and whether it held."""

    def __init__(self):
        self.held, self.broken = [], []

    def expect(self, condition, what, otherwise=""):
        if condition:
            self.held.append(what)
            say(f"  {coloured('ok', 'green')}  {what}")
        else:
            self.broken.append(what)
            say(f"  {coloured('NO', 'red')}  {what}" + (f"  ({otherwise})" if otherwise else ""))
        return condition


def until(condition, seconds):
    """Polls until the condition holds; its last value."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > deadline:
            return value
        time.sleep(0.01)


# ---- ports and configuration ----

def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port(taken):
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port not in taken:
            return port


def choose_ports(text):
    """port in shop.yaml -> port to use: the same where it is free."""
    wanted = sorted({int(port) for port in re.findall(r"port: (\d+)", text)} | {ADMIN_PORT})
    chosen = {}
    for port in wanted:
        chosen[port] = port if is_free(port) else free_port(set(wanted) | set(chosen.values()))
    return chosen


def with_ports(text, ports):
    return re.sub(r"port: (\d+)", lambda match: f"port: {ports[int(match[1])]}", text)


def all_to_first_version(text):
    """The shop before the shift: everything goes to version 1."""
    changed = text.replace("weight: 90}", "weight: 100}").replace("weight: 10}", "weight: 0}")
    assert changed != text, "shop.yaml no longer has the weights 90 and 10"
    return changed


def broken(text):
    """shop.yaml with a misspelt field, and the line it is on."""
    changed = text.replace("    backendRefs: [{name: user}]", "    backendRef: [{name: user}]")
    assert changed != text, "shop.yaml no longer has the line that the demo breaks"
    return changed, changed[:changed.index("    backendRef: ")].count("\n") + 1


# ---- what runs ----

class Stage:
    """The folder, the services and the proxy of one show. Ends what it started, by process id."""

    def __init__(self):
        text = (SHOP / "shop.yaml").read_text()
        self.ports = choose_ports(text)
        self.text = with_ports(text, self.ports)
        self.folder = Path(tempfile.mkdtemp(prefix="portico-demo-"))
        self.config = self.folder / "shop.yaml"
        self.authority = self.folder / "tls/ca.crt"
        self.service_processes, self.proxy = {}, None
        listeners = next(one for one in yaml.safe_load_all(text) if one["kind"] == "Gateway")["spec"]["listeners"]
        self.http, self.https = (self.ports[listener["port"]] for listener in listeners)
        self.admin = self.ports[ADMIN_PORT]

    def prepare(self):
        subprocess.run([str(SHOP / "make-certificates"), str(self.folder / "tls")], check=True, stderr=subprocess.DEVNULL)
        self.write(all_to_first_version(self.text))

    def write(self, text):
        """As a deployment would: beside it, then renamed."""
        beside = self.folder / "shop.yaml.new"
        beside.write_text(text)
        beside.rename(self.config)

    def instances(self):
        return services.instances(self.text)

    def start_service(self, instance):
        process = services.start(instance, self.folder / "logs", latency_ms=30)
        self.service_processes[instance.name] = process
        services.wait_ready(instance, process)

    def start_proxy(self):
        with open(self.folder / "access.log", "ab") as out, open(self.folder / "proxy.log", "ab") as errors:
            self.proxy = subprocess.Popen(
                [str(PROXY), f"--config={self.config}", "--gateway=shop", f"--admin_address=127.0.0.1:{self.admin}",
                 "--workers=2"], stdout=out, stderr=errors, stdin=subprocess.DEVNULL)
        ready = until(lambda: self.proxy.poll() is not None or self.ask_admin("/ready") == 200, 10)
        if not ready or self.proxy.poll() is not None:
            raise RuntimeError(f"the proxy did not start:\n{self.proxy_log()[-2000:]}")

    def ask_admin(self, target):
        """The status of an answer of the admin port, None without one."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}{target}", timeout=2) as answer:
                return answer.status
        except urllib.error.HTTPError as answer:
            return answer.code
        except OSError:
            return None

    def proxy_log(self):
        path = self.folder / "proxy.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def origin_log(self, service):
        lines = []
        for path in (self.folder / "logs").glob(f"{service}-*.jsonl"):
            lines += [json.loads(line) for line in path.read_text().split("\n")[:-1]]
        return lines

    def stop(self):
        if self.proxy and self.proxy.poll() is None:
            self.proxy.kill()
            self.proxy.wait()
        services.stop(self.service_processes.values())
        shutil.rmtree(self.folder, ignore_errors=True)

    def token(self, **claims):
        return token.mint("alice", self.folder / "tls", **claims)

    def url(self, target):
        return f"https://{HOST}:{self.https}{target}"


class Answer:
    def __init__(self, status, version, seconds, content, fields, error=""):
        self.status, self.version, self.seconds = status, version, seconds
        self.content, self.fields, self.error = content, fields, error

    def __str__(self):
        return self.error or f"answered {self.status}: {self.content[:120]!r}"


def curl(stage, url, *arguments):
    """A real curl; what it took is curl's own figure."""
    head = stage.folder / "head.txt"
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--max-time", "10", "--cacert", str(stage.authority), "--resolve",
         f"{HOST}:{stage.https}:127.0.0.1", "--dump-header", str(head), "--write-out",
         "\n%{http_code} %{http_version} %{time_total}", *arguments, url], capture_output=True, check=False)
    content, _, figures = done.stdout.decode(errors="replace").rpartition("\n")
    status, version, seconds = figures.split(" ")
    fields = dict(re.findall(r"(?m)^([^:\s]+): (.*?)\r?$", head.read_text(errors="replace").lower())) if head.exists() else {}
    return Answer(int(status), version, float(seconds), content, fields, done.stderr.decode().strip())


def bearer(value):
    return ("-H", f"authorization: Bearer {value}")


class Load:
    """Clients with kept connections that ask over and over and count exactly what fails. A connection that is closed
    before an answer has begun is opened anew and asked again, as RFC 9112 section 9.3.1 tells a client to."""

    def __init__(self, stage, targets, clients=LOAD_CLIENTS):
        self.stage, self.targets, self.clients = stage, targets, clients
        self.context = ssl.create_default_context(cafile=str(stage.authority))
        self.done, self.failures, self.again = 0, [], 0
        self.served_by, self.lock = {}, threading.Lock()
        self.stopping = threading.Event()
        self.refused_is_the_end = False
        self.threads = []

    def __enter__(self):
        for number in range(self.clients):
            thread = threading.Thread(target=self.client, args=(number,), daemon=True)
            self.threads.append(thread)
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join(15)
        self.failures += [f"client {thread.name} never came back" for thread in self.threads if thread.is_alive()]

    def connect(self):
        plain = socket.create_connection(("127.0.0.1", self.stage.https), timeout=10)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.context.wrap_socket(plain, server_hostname=HOST)

    def client(self, number):
        connection, used, turn = None, False, number
        while not self.stopping.is_set():
            target, fields = self.targets[turn % len(self.targets)]
            try:
                if connection is None:
                    connection, used = self.connect(), False
                status, answer_fields, close = self.ask(connection, target, fields)
            except (ConnectionRefusedError, ConnectionResetError, http.client.RemoteDisconnected, BrokenPipeError,
                    ssl.SSLError) as error:
                connection = self.closed(connection)
                if self.refused_is_the_end and isinstance(error, ConnectionRefusedError):
                    return
                if not used and not (self.refused_is_the_end and self.ended()):
                    self.failed(f"{target}: {error!r}")
                    return
                with self.lock:
                    self.again += 1
                continue
            except (OSError, http.client.HTTPException) as error:
                connection = self.closed(connection)
                self.failed(f"{target}: {error!r}")
                continue
            turn, used = turn + 1, True
            self.count(target, status, answer_fields)
            if close:
                connection = self.closed(connection)
        self.closed(connection)

    def ended(self):
        """Whether the proxy accepts no more: what it still did not accept was not under way."""
        try:
            socket.create_connection(("127.0.0.1", self.stage.https), timeout=1).close()
            return False
        except OSError:
            return True

    @staticmethod
    def closed(connection):
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.close()

    @staticmethod
    def ask(connection, target, fields):
        lines = [f"GET {target} HTTP/1.1", f"host: {HOST}", *fields]
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        response = http.client.HTTPResponse(connection)
        response.begin()
        response.read()
        return response.status, response.headers, response.will_close

    def count(self, target, status, fields):
        with self.lock:
            self.done += 1
            if status != 200:
                self.failures.append(f"{target}: {status}")
            else:
                instance = fields.get("x-served-by")
                self.served_by[instance] = self.served_by.get(instance, 0) + 1

    def failed(self, what):
        with self.lock:
            self.failures.append(what)

    def wait_for(self, more, seconds=15):
        """Until so many more requests have been answered."""
        wanted = self.done + more
        return until(lambda: self.done >= wanted, seconds)


# ---- the acts ----

def start_everything(stage):
    heading("Starting the shop")
    stage.prepare()
    for instance in stage.instances():
        stage.start_service(instance)
    names = [instance.name for instance in stage.instances()]
    say(f"  {len(names)} instances of four services, each answering after about 30 ms: {', '.join(names)}")
    stage.start_proxy()
    say(f"  one proxy (pid {stage.proxy.pid}) on ports {stage.http} and {stage.https}, configured by one file")


def show_signing_in(stage, expectations):
    heading("Who may come in (curl, HTTP/1.1 and HTTP/2 over TLS)")
    history = stage.url("/my/order-history")
    for option, version in (("--http1.1", "1.1"), ("--http2", "2")):
        answer = curl(stage, history, option)
        expectations.expect(answer.status == 401 and answer.version == version and "www-authenticate" in answer.fields,
                            f"HTTP/{version}: without a token the order history is refused: 401, with www-authenticate", answer)
        answer = curl(stage, history, option, *bearer(stage.token()))
        expectations.expect(answer.status == 200 and answer.version == version,
                            f"HTTP/{version}: alice with her token gets it: 200", answer)
    refused = [("an expired token", stage.token(issued=int(time.time()) - 7200)),
               ("a token for somebody else's API", stage.token(audience="other")),
               ("an unsigned token", stage.token(header={"alg": "none"}))]
    for what, value in refused:
        answer = curl(stage, history, *bearer(value))
        expectations.expect(answer.status == 401, f"{what} is refused: 401", answer)
    answer = curl(stage, stage.url("/users/alice"), "-X", "DELETE", *bearer(stage.token(client="acme")))
    expectations.expect(answer.status == 403, "a partner may read but not delete: 403", answer)
    answer = curl(stage, stage.url("/products/cup"))
    expectations.expect(answer.status == 200, "the catalogue is open to everybody: 200", answer)
    for option, version in (("--http1.1", "1.1"), ("--http2-prior-knowledge", "2")):
        answer = curl(stage, f"http://127.0.0.1:{stage.http}/products", option)
        expectations.expect(answer.status == 302 and answer.version == version and
                            answer.fields.get("location", "").startswith("https://"),
                            f"in clear, HTTP/{version}: sent on to https", answer)


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
    answer = curl(stage, stage.url("/my/order-history"), *bearer(stage.token()))
    try:
        history = json.loads(answer.content)
        first = history["orders"][0]["lines"][0]
        say(coloured(f"  {json.dumps(history['orders'][0], ensure_ascii=False)[:230]} ...", "dim"))
        whole = first["product"]["name"] == "Teapot" and first["stock"]["available"] == 3
        withdrawn = [line for order in history["orders"] for line in order["lines"] if line["productId"] == "samovar"]
        expectations.expect(whole, "orders, products and stock are one JSON document")
        expectations.expect(withdrawn and withdrawn[0]["product"] is None and history["incomplete"] == [],
                            "a withdrawn product is null, and that is no failure", str(withdrawn))
    except (ValueError, KeyError, IndexError, TypeError) as error:
        expectations.expect(False, "orders, products and stock are one JSON document", f"{answer} {error!r}")
    composed = statistics.median(
        curl(stage, stage.url("/my/order-history"), *bearer(stage.token())).seconds for _ in range(5))
    calls, in_a_row = same_calls_one_after_another(stage)
    say(f"  composed: {composed * 1000:.0f} ms; the same {calls} calls one after another: {in_a_row * 1000:.0f} ms")
    expectations.expect(composed < in_a_row / 2, "composed takes less than half of that",
                        f"{composed / in_a_row:.2f} of it")
    products, stock = stage.origin_log("product"), stage.origin_log("inventory")
    expectations.expect(overlapping(products, stock), "the services' logs agree: stock was asked before products had answered")


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


def show_shift(stage, expectations, load):
    heading("While a load runs: a tenth of the catalogue goes to version 2")
    load.wait_for(100)
    expectations.expect(not load.served_by.get("product-v2-1"), "before: version 1 answers everything")
    stage.write(stage.text)
    shifted = until(lambda: load.served_by.get("product-v2-1"), 10)
    expectations.expect(shifted, "the file was replaced; version 2 answers without a restart")
    before = dict(load.served_by)
    load.wait_for(600, seconds=30)
    since = {name: load.served_by[name] - before.get(name, 0) for name in load.served_by if name}
    first, second = sum(since.get(f"product-{n}", 0) for n in (1, 2)), since.get("product-v2-1", 0)
    share = 100 * second / max(1, first + second)
    expectations.expect(4 <= share <= 18, f"of {first + second} answers {share:.0f} % came from version 2 (asked for: 10 %)")


def show_refusal(stage, expectations, load):
    heading("A broken file")
    text, line = broken(stage.text)
    begin = len(stage.proxy_log())
    stage.write(text)
    refused = until(lambda: re.search(rf"shop\.yaml:{line}\b.*", stage.proxy_log()[begin:]), 10)
    expectations.expect(refused, f"it is refused with its line, {line}", stage.proxy_log()[begin:][-300:])
    if refused:
        say(coloured(f"  the proxy says: {refused[0][:200]}", "dim"))
    expectations.expect(load.wait_for(50), "the last good configuration goes on answering")
    stage.write(stage.text)


def show_kill(stage, expectations, load):
    heading("A service dies in the middle of a composition")
    answers = []
    thread = threading.Thread(target=lambda: answers.append(
        curl(stage, stage.url("/my/order-history"), *bearer(stage.token()))))
    thread.start()
    time.sleep(0.06)        # curl starts, orders take 30 ms: now products are being asked
    victim = stage.service_processes["product-2"]
    victim.kill()
    victim.wait()
    thread.join()
    answer = answers[0]
    incomplete = answer.fields.get("portico-incomplete")
    expectations.expect(answer.status == 200, "product-2 was killed; the order history under way is answered all the same" +
                        (f", saying what it lacks: {incomplete}" if incomplete else ", complete"), answer)
    expectations.expect(load.wait_for(200, seconds=20), "the load goes on, with the instance that is left")
    answer = curl(stage, stage.url("/my/order-history"), *bearer(stage.token()))
    expectations.expect(answer.status == 200 and "portico-incomplete" not in answer.fields,
                        "the next order history is complete again", answer)
    stage.start_service(next(one for one in stage.instances() if one.name == "product-2"))
    say("  product-2 is started again")


def show_drain(stage, expectations, load):
    heading("The proxy is told to stop (SIGTERM) under load")
    before = load.done
    load.refused_is_the_end = True
    stage.proxy.send_signal(signal.SIGTERM)
    expectations.expect(until(lambda: stage.proxy.poll() is not None or stage.ask_admin("/ready") == 503, 5),
                        "it says that it is not ready any more, and finishes what is under way")
    try:
        code = stage.proxy.wait(60)
    except subprocess.TimeoutExpired:
        code = "none within 60 s"
    expectations.expect(code == 0, "it has ended by itself, with exit code 0", f"exit code {code}")
    for thread in load.threads:
        thread.join(15)
    say(f"  {load.done - before} requests were answered while it drained")


def show_under_load(stage, expectations):
    value = f"authorization: Bearer {stage.token()}"
    catalogue, history = ("/products/cup", []), ("/my/order-history", [value])
    with Load(stage, [catalogue, catalogue, catalogue, history], clients=8) as load:
        load.wait_for(50)
        load.served_by.clear()
        for act in (show_shift, show_refusal, show_kill, show_drain):
            act(stage, expectations, load)
    expectations.expect(not load.failures, f"{load.done} requests of the load, {len(load.failures)} failed",
                        "; ".join(load.failures[:5]))
    stage.start_proxy()
    say("  the proxy is started again")
    return load


def summary(expectations, load):
    heading("Summary")
    say(f"  {len(expectations.held)} of {len(expectations.held) + len(expectations.broken)} expectations held")
    for what in expectations.broken:
        say(f"  {coloured('NO', 'red')}  {what}")
    if load:
        say(f"  failed requests: {len(load.failures)} of {load.done}")


def show_urls(stage):
    heading("Everything goes on running until Ctrl-C")
    ask = f"curl --cacert {stage.authority} --resolve {HOST}:{stage.https}:127.0.0.1"
    say(f"  the catalogue      {ask} {stage.url('/products')}")
    say(f"  the order history  {ask} -H \"authorization: Bearer $(examples/shop/token --folder {stage.folder}/tls alice)\" "
        f"{stage.url('/my/order-history')}")
    say(f"  the admin port     http://127.0.0.1:{stage.admin}/")
    say(f"  the configuration  {stage.config} (change it and see)")
    say(f"  the logs           {stage.folder}/access.log, proxy.log, logs/*.jsonl")


def main():
    parser = argparse.ArgumentParser(prog="tools/demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end after the show")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if not os.access(PROXY, os.X_OK):
        sys.exit(f"demo: there is no {PROXY.relative_to(ROOT)}; run tools/build first")
    stage, expectations, load = Stage(), Expectations(), None
    try:
        start_everything(stage)
        show_signing_in(stage, expectations)
        show_composition(stage, expectations)
        load = show_under_load(stage, expectations)
        summary(expectations, load)
        if not options.once:
            show_urls(stage)
            signal.pause()
    except KeyboardInterrupt:
        say("\nstopped")
    except RuntimeError as error:
        expectations.expect(False, str(error))
        summary(expectations, load)
    finally:
        stage.stop()
    return 1 if expectations.broken else 0


if __name__ == "__main__":
    sys.exit(main())
