"""The admin port, the metrics and the access log."""
import re
import signal
import tempfile
from pathlib import Path

from harness import Case, Proxy, RawClient, curl, eventually, forward_all, free_port, get, table
from origins import CLOSE, Origin, answer, echo


class Admin(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.probe = free_port()
        cls.origin = cls.use(Origin())
        cls.proxy = cls.use(Proxy(forward_all(cls.origin), arguments=[f"--probe_address=127.0.0.1:{cls.probe}"]))

    @table({"index": "/", "ready": "/ready", "live": "/live", "metrics": "/metrics", "snapshot": "/snapshot",
            "clusters": "/clusters"})
    def test_answers(self, target):
        self.assertEqual(self.proxy.admin(target).status, 200)

    @table({"admin": "--admin_address", "probe": "--probe_address"})
    def test_an_address_in_use_is_found_before_anything_is_served(self, flag):
        proxy = Proxy(forward_all(self.origin), wait=False)
        if flag == "--admin_address":
            proxy.admin_port = self.probe
        else:
            proxy.arguments.append(f"{flag}=127.0.0.1:{self.probe}")
        self.use_here(proxy)
        eventually(lambda: proxy.process.poll() is not None, "the proxy ends")
        self.assertEqual(proxy.process.returncode, 1)
        self.assertIn(f"{flag}: 127.0.0.1:{self.probe}: ", proxy.errors())
        self.assertNotIn("in force", proxy.errors())

    def test_index_names_the_others(self):
        index = self.proxy.admin("/").content.decode()
        for name in ("/ready", "/live", "/metrics", "/snapshot", "/clusters"):
            self.assertIn(name, index)

    def test_unknown(self):
        self.assertEqual(self.proxy.admin("/nowhere").status, 404)

    def test_clusters_names_the_endpoint(self):
        self.assertIn(str(self.origin.port), self.proxy.admin("/clusters").content.decode())

    @table({"ready": ("/ready", 200), "live": ("/live", 200), "metrics": ("/metrics", 200),
            "snapshot": ("/snapshot", 404), "clusters": ("/clusters", 404)})
    def test_probe_port(self, target, status):
        self.assertEqual(curl(f"http://127.0.0.1:{self.probe}{target}").status, status)

    def test_probe_port_changes_nothing(self):
        self.assertIn(curl(f"http://127.0.0.1:{self.probe}/ready", "-X", "POST").status, (404, 405))

    def test_metrics_are_prometheus_text(self):
        curl(self.proxy.url("/"))
        text = self.proxy.admin("/metrics").content.decode()
        for line in text.splitlines():
            self.assertRegex(line, r'^(# (HELP|TYPE) \S+ .+|[a-zA-Z_:][\w:]*(\{([a-zA-Z_]\w*="([^"\\\n]|\\.)*",?)*\})? \S+)$')
        names = set(re.findall(r"^# TYPE (\S+)", text, re.M))
        self.assertTrue(all(name.startswith(("portico_", "process_")) for name in names), names)
        self.assertTrue(names)

    def test_metrics_count_requests(self):
        def total():
            text = self.proxy.admin("/metrics").content.decode()
            return sum(float(value) for value in re.findall(r"^portico_\w*requests_total(?:\{[^\n]*\})? (\S+)", text, re.M))
        before = total()
        for _ in range(5):
            curl(self.proxy.url("/"))
        eventually(lambda: total() >= before + 5, "five more requests are counted")


class AccessLog(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.origin = cls.use(Origin())
        cls.proxy = cls.use(Proxy(forward_all(cls.origin)))

    def setUp(self):
        self.origin.script = echo

    def logged(self, word):
        return eventually(lambda: [line for line in self.proxy.access_log() if word in str(line)], f"{word} is logged")

    def test_one_line(self):
        curl(self.proxy.url("/logged-once?x=1"))
        curl(self.proxy.url("/logged-after"))
        self.logged("/logged-after")
        self.assertEqual(len(self.logged("/logged-once")), 1)
        line = self.logged("/logged-once")[0]
        self.assertIn(200, line.values())
        self.assertIn("GET", line.values())

    def test_aborted(self):
        self.origin.script = lambda request: [1, answer("late")]
        with RawClient(self.proxy.port) as client:
            client.send(get("/aborted"))
            eventually(lambda: any(request.target == "/aborted" for request in self.origin.requests), "the origin was asked")
        self.assertEqual(len(self.logged("/aborted")), 1)

    def test_truncated_by_the_origin(self):
        self.origin.script = lambda request: [b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx", CLOSE]
        with RawClient(self.proxy.port) as client:
            client.send(get("/truncated"))
            try:
                client.read_response()
            except AssertionError:
                pass
        self.assertEqual(len(self.logged("/truncated")), 1)

    @table({"quote": ("/q%22uote", 'a"b'), "beyond ASCII": ("/beyond", "\xfc\xff"), "backslash": ("/back", "a\\b")})
    def test_no_unescaped_byte(self, target, agent):
        with RawClient(self.proxy.port) as client:
            client.exchange(get(target, more=f"user-agent: {agent}\r\n"))
        self.logged(target)        # access_log() reads each line as JSON

    def test_no_secret(self):
        with RawClient(self.proxy.port) as client:
            client.exchange(get("/secretive", more="authorization: Bearer topsecret\r\ncookie: id=topsecret\r\n"))
        self.logged("/secretive")
        self.assertNotIn("topsecret", (self.proxy.folder / "stdout").read_text())
        self.assertNotIn("topsecret", self.proxy.errors())

    def test_file_is_reopened(self):
        with tempfile.TemporaryDirectory(prefix="portico-test-") as folder:
            path = Path(folder, "access.log")
            proxy = self.use_here(Proxy(forward_all(self.origin, f"accessLog: {{file: {path}}}")))
            curl(proxy.url("/first"))
            eventually(lambda: path.exists() and "/first" in path.read_text(), "logged")
            path.rename(Path(folder, "access.log.1"))
            proxy.process.send_signal(signal.SIGHUP)
            eventually(path.exists, "reopened")
            curl(proxy.url("/second"))
            eventually(lambda: "/second" in path.read_text(), "logged to the new file")
