"""Bulk in constant memory, and one slow reader who slows nobody else."""
import hashlib
import subprocess
import time

from harness import Case, Proxy, RawClient, forward_all, h2load, run, sanitized, table, wrk
from http2_client import Http2Client
from origins import Http2Origin, Origin, RawOrigin, answer

GIB = 1 << 30
PIECE = bytes(range(256)) * 4096            # 1 MiB
GROWTH_KIB_MAX = 64 * 1024


def download(connection):
    """Answers any request with 1 GiB."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % GIB)
    for _ in range(GIB // len(PIECE)):
        connection.sendall(PIECE)


def upload(connection):
    """Reads a request with content up to its end and says how many bytes came."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, rest = data.partition(b"\r\n\r\n")
    count, tail, buffer = len(rest), rest[-64:], bytearray(1 << 20)
    chunked = b"transfer-encoding: chunked" in head.lower()
    length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")), 0)
    while not tail.endswith(b"0\r\n\r\n") if chunked else count < length:
        got = connection.recv_into(buffer)
        if not got:
            return
        count += got
        tail = (tail + bytes(buffer[max(0, got - 64):got]))[-64:]
    connection.sendall(answer(str(count)))


class Bulk(Case):
    def assertConstant(self, proxy, before):
        if not sanitized():
            self.assertLess(proxy.resident_kib() - before, GROWTH_KIB_MAX)

    @table({"HTTP/1.1": "--http1.1", "HTTP/2": "--http2-prior-knowledge"})
    def test_download(self, version):
        proxy = self.use_here(Proxy(forward_all(self.use_here(RawOrigin(download)))))
        before = proxy.resident_kib()
        done = run("curl", version, "-sS", "-o", "/dev/null", "-w", "%{size_download}", proxy.url("/"))
        self.assertEqual(done.stdout, str(GIB).encode(), done.stderr)
        self.assertConstant(proxy, before)

    @table({"HTTP/1.1": "--http1.1", "HTTP/2": "--http2-prior-knowledge"})
    def test_upload(self, version):
        proxy = self.use_here(Proxy(forward_all(self.use_here(RawOrigin(upload)))))
        before = proxy.resident_kib()
        with open("/dev/zero", "rb") as zeros:
            source = subprocess.Popen(["head", "-c", str(GIB)], stdin=zeros, stdout=subprocess.PIPE)
            done = run("curl", version, "-sS", "-X", "POST", "-T", "-", "-H", "expect:", proxy.url("/"), stdin=source.stdout)
            source.stdout.close()
            source.wait()
        self.assertGreaterEqual(int(done.stdout or 0), GIB, done.stderr)
        self.assertConstant(proxy, before)

    def test_content_is_unchanged(self):
        proxy = self.use_here(Proxy(forward_all(self.use_here(RawOrigin(download)))))
        with RawClient(proxy.port) as client:
            client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n")
            client.read_head()
            digest = hashlib.sha256(client.take(16 << 20)).digest()
        self.assertEqual(digest, hashlib.sha256(PIECE * 16).digest())


class SlowReader(Case):
    def test_paused_client_pauses_the_origin(self):
        sent = []

        def script(connection):
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % GIB)
            connection.settimeout(0.5)
            try:
                for number in range(GIB // len(PIECE)):
                    connection.sendall(PIECE)
                    sent.append(number)
            except OSError:
                pass
            sent.append("stopped")
        proxy = self.use_here(Proxy(forward_all(self.use_here(RawOrigin(script)))))
        before = proxy.resident_kib()
        with RawClient(proxy.port) as client:
            client.send("GET / HTTP/1.1\r\nhost: h\r\n\r\n")
            client.read_head()
            deadline = time.monotonic() + 5
            while "stopped" not in sent and time.monotonic() < deadline:
                time.sleep(0.02)
        self.assertIn("stopped", sent)
        self.assertLess(len(sent), 100)        # the rest lies in the kernel's buffers, not in the proxy
        if not sanitized():
            self.assertLess(proxy.resident_kib() - before, GROWTH_KIB_MAX)

    def test_one_slow_stream_does_not_slow_the_others(self):
        """All streams share one connection to the origin."""
        def script(request):
            return 200, [], (PIECE for _ in range(64)), []
        origin = self.use_here(Http2Origin(script))
        proxy = self.use_here(Proxy(forward_all(origin, cluster_more="protocol: HTTP2")))
        alone, beside = self.timed(proxy, slow=False), self.timed(proxy, slow=True)
        if not sanitized():
            self.assertLess(beside, alone * 3 + 0.5)

    def timed(self, proxy, slow):
        with Http2Client(proxy.port) as slow_client, Http2Client(proxy.port) as client:
            if slow:
                for _ in range(3):
                    stream = slow_client.request(path="/slow")
                    slow_client.paused.add(stream)
                slow_client.until(lambda: slow_client.received[stream] > 60_000, "the window is full")
            begin = time.monotonic()
            stream = client.request(path="/fast")
            client.until(lambda: client.received[stream] >= 1 << 20, "1 MiB came")
            return time.monotonic() - begin

    def test_a_slow_stream_of_the_same_client(self):
        def script(request):
            return 200, [], (PIECE for _ in range(2)), []
        proxy = self.use_here(Proxy(forward_all(self.use_here(Http2Origin(script)), cluster_more="protocol: HTTP2")))
        with Http2Client(proxy.port) as client:
            slow = client.request(path="/slow")
            client.paused.add(slow)
            client.until(lambda: client.received[slow] > 60_000, "the window is full")
            fast = client.request(path="/fast")
            client.until(lambda: client.received[fast] >= 2 * len(PIECE), "the other stream came whole")


class Load(Case):
    def test_wrk(self):
        origin = self.use_here(Origin(lambda request: answer("x" * 1000)))
        proxy = self.use_here(Proxy(forward_all(origin), workers=2))
        counts = wrk(proxy.url("/"), "-c", "32", "-t", "1", "-d", "1")
        self.assertGreater(counts["requests"], 100)
        self.assertEqual(counts["errors"], 0)

    def test_h2load(self):
        origin = self.use_here(Origin(lambda request: answer("x" * 1000)))
        proxy = self.use_here(Proxy(forward_all(origin), workers=2))
        self.assertEqual(h2load(proxy.url("/"), "-n", "2000", "-c", "8", "-m", "16")["2xx"], 2000)
