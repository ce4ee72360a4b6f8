"""gRPC through the proxy by an independent implementation: python3-grpcio, with handlers of plain bytes."""
import time
from concurrent import futures

import grpc

from harness import Case, Proxy, free_port, gateway, cluster, route


class Echo(grpc.GenericRpcHandler):
    """/test.Echo/{Unary,Download,Upload,Chat,Fail,Slow}; messages are bytes."""

    def service(self, details):
        method = details.method.rsplit("/", 1)[1]
        return {
            "Unary": grpc.unary_unary_rpc_method_handler(self.unary),
            "Download": grpc.unary_stream_rpc_method_handler(lambda request, _: (b"%d" % n for n in range(int(request)))),
            "Upload": grpc.stream_unary_rpc_method_handler(lambda requests, _: b"".join(requests)),
            "Chat": grpc.stream_stream_rpc_method_handler(lambda requests, _: (b"re: " + one for one in requests)),
            "Fail": grpc.unary_unary_rpc_method_handler(self.fail),
            "Silent": grpc.unary_stream_rpc_method_handler(self.silent),
        }.get(method)

    @staticmethod
    def unary(request, context):
        context.send_initial_metadata([("x-initial", "1")])
        context.set_trailing_metadata([("x-trailing", "2"), ("x-bytes-bin", b"\0\xff")])
        return b"re: " + request

    @staticmethod
    def fail(request, context):
        context.abort(grpc.StatusCode.NOT_FOUND, "no \u00fc here")

    @staticmethod
    def silent(request, context):
        yield b"first"
        while context.is_active():
            time.sleep(0.02)


class Grpc(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = grpc.server(futures.ThreadPoolExecutor(16), handlers=[Echo()])
        cls.server_port = cls.server.add_insecure_port("127.0.0.1:0")
        cls.server.start()
        cls.addClassCleanup(lambda: cls.server.stop(0).wait())
        cls.proxy = cls.use(Proxy(lambda port: gateway(port) + cluster("grpc", cls.server_port, "protocol: HTTP2") + route(
            "grpc", ["{matches: [{path: {value: /test.Echo}}], backendRefs: [{name: grpc}]}"])))
        cls.channel = grpc.insecure_channel(f"127.0.0.1:{cls.proxy.port}")
        cls.addClassCleanup(cls.channel.close)

    def test_unary(self):
        response, call = self.channel.unary_unary("/test.Echo/Unary").with_call(b"hello", timeout=5,
                                                                                metadata=[("x-from-client", "1")])
        self.assertEqual(response, b"re: hello")
        self.assertEqual(dict(call.initial_metadata())["x-initial"], "1")
        self.assertEqual(dict(call.trailing_metadata())["x-trailing"], "2")
        self.assertEqual(dict(call.trailing_metadata())["x-bytes-bin"], b"\0\xff")

    def test_large_message(self):
        self.assertEqual(self.channel.unary_unary("/test.Echo/Unary")(b"x" * 3_000_000, timeout=10)[-3:], b"xxx")

    def test_server_streaming(self):
        self.assertEqual(len(list(self.channel.unary_stream("/test.Echo/Download")(b"1000", timeout=10))), 1000)

    def test_client_streaming(self):
        self.assertEqual(self.channel.stream_unary("/test.Echo/Upload")(iter([b"a", b"b", b"c"]), timeout=5), b"abc")

    def test_bidirectional(self):
        """Each message is answered before the next is sent: nothing may wait for the end of the upload."""
        answers = []

        def requests():
            for number in range(10):
                yield b"%d" % number
                while len(answers) <= number:
                    time.sleep(0.001)
        for answer in self.channel.stream_stream("/test.Echo/Chat")(requests(), timeout=10):
            answers.append(answer)
        self.assertEqual(answers, [b"re: %d" % number for number in range(10)])

    def test_status_in_trailers(self):
        with self.assertRaises(grpc.RpcError) as raised:
            self.channel.unary_unary("/test.Echo/Fail")(b"", timeout=5)
        self.assertEqual(raised.exception.code(), grpc.StatusCode.NOT_FOUND)
        self.assertEqual(raised.exception.details(), "no \u00fc here")

    def test_unknown_method_of_the_origin(self):
        with self.assertRaises(grpc.RpcError) as raised:
            self.channel.unary_unary("/test.Echo/Nothing")(b"", timeout=5)
        self.assertEqual(raised.exception.code(), grpc.StatusCode.UNIMPLEMENTED)

    def test_no_route(self):
        with self.assertRaises(grpc.RpcError) as raised:
            self.channel.unary_unary("/other.Service/Method")(b"", timeout=5)
        self.assertEqual(raised.exception.code(), grpc.StatusCode.UNIMPLEMENTED)     # gRPC's mapping of 404

    def test_deadline(self):
        with self.assertRaises(grpc.RpcError) as raised:
            list(self.channel.unary_stream("/test.Echo/Silent")(b"", timeout=0.2))
        self.assertEqual(raised.exception.code(), grpc.StatusCode.DEADLINE_EXCEEDED)

    def test_cancel(self):
        call = self.channel.unary_stream("/test.Echo/Silent")(b"", timeout=5)
        self.assertEqual(next(call), b"first")
        call.cancel()
        self.assertEqual(self.channel.unary_unary("/test.Echo/Unary")(b"x", timeout=5), b"re: x")

    def test_origin_is_away(self):
        proxy = self.use_here(Proxy(lambda port: gateway(port) + cluster("grpc", free_port(), "protocol: HTTP2") + route(
            "grpc", ["{backendRefs: [{name: grpc}]}"])))
        with grpc.insecure_channel(f"127.0.0.1:{proxy.port}") as channel:
            with self.assertRaises(grpc.RpcError) as raised:
                channel.unary_unary("/test.Echo/Unary")(b"", timeout=5)
            self.assertEqual(raised.exception.code(), grpc.StatusCode.UNAVAILABLE)
