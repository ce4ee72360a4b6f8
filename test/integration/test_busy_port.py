"""A port that somebody else has when a streamed configuration arrives: the others serve, and it is waited for."""
import socket

from control_plane import resource
from harness import curl, eventually, free_port
from test_stream import Fleet, StreamedProxy, says


def gateway(*ports):
    listeners = [{"name": f"port-{number}", "port": number, "protocol": "LISTENER_PROTOCOL_HTTP"} for number in ports]
    return resource("gateway", "default", {"listeners": listeners,
                                           "addresses": [{"type": "ADDRESS_TYPE_IP_ADDRESS", "value": "127.0.0.1"}]})


class BusyPort(Fleet):
    def taken(self):
        """A port, and who has it."""
        owner = socket.create_server(("127.0.0.1", free_port()))
        self.addCleanup(owner.close)
        return owner.getsockname()[1], owner

    def starting(self, ports, **options):
        proxy = StreamedProxy(self.control_plane, workers=2, **options)
        self.client.apply(gateway(*[port or proxy.port for port in ports]), says("one"))
        return self.use_here(proxy)

    def ready(self, proxy):
        answer = proxy.admin("/ready")
        return answer.status, answer.content.decode()

    def word(self, proxy, port):
        return curl(proxy.url(port=port)).content.decode()

    def test_the_others_serve(self):
        port, owner = self.taken()
        proxy = self.starting([None, port])
        self.assertEqual(proxy.word(), "one")
        missing = f"listener port-{port}, port {port}: 127.0.0.1:{port}: address in use"
        self.assertEqual(self.ready(proxy), (200, f"ready\nmissing: {missing}\n"))
        self.assertIn(f"{missing}; the other ports serve, and it is tried again", proxy.errors())
        self.client.apply(says("two"))
        eventually(lambda: proxy.word() == "two", "a change is in force all the same")
        owner.close()
        eventually(lambda: self.ready(proxy) == (200, "ready\n"), "the port is served")
        self.assertEqual(self.word(proxy, port), "two")
        self.assertIn(f"port {port} is free now, and served", proxy.errors())

    def test_there_is_no_other(self):
        port, owner = self.taken()
        proxy = self.starting([port], wait=False)
        eventually(lambda: "address in use" in proxy.errors(), "it says so")
        status, said = self.ready(proxy)
        self.assertEqual(status, 503)
        self.assertIn(f"missing: listener port-{port}", said)
        owner.close()
        eventually(lambda: self.ready(proxy) == (200, "ready\n"), "the port is served")
        self.assertEqual(self.word(proxy, port), "one")

    def test_what_is_added_later_is_refused(self):
        port, _ = self.taken()
        proxy = self.starting([None])
        self.client.apply(gateway(proxy.port, port), says("two"))
        eventually(lambda: f"127.0.0.1:{port}: address in use" in proxy.errors(), "it is refused")
        self.assertEqual(proxy.word(), "one")
        self.assertEqual(self.ready(proxy), (200, "ready\n"))
