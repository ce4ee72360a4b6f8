"""SIGTERM: not ready, still accepting, GOAWAY and `connection: close`, then an end with code 0 and no lost request."""
import signal
import threading

import h2.events

from harness import Case, Proxy, RawClient, eventually, forward_all, get
from http2_client import Http2Client
from origins import Origin, answer


class Drain(Case):
    def setUp(self):
        self.origin = self.use_here(Origin(lambda request: [0.3, answer("done")]))
        self.proxy = self.use_here(Proxy(forward_all(self.origin)))

    def terminate(self):
        self.proxy.process.send_signal(signal.SIGTERM)

    def test_http1_under_way(self):
        with RawClient(self.proxy.port) as client:
            client.send(get())
            eventually(lambda: self.origin.requests, "the origin was asked")
            self.terminate()
            response = client.read_response()
            self.assertEqual(response.content, b"done")
        self.assertEqual(self.proxy.exits(30), 0)

    def test_http2_under_way(self):
        with Http2Client(self.proxy.port) as client:
            streams = [client.request() for _ in range(5)]
            eventually(lambda: len(self.origin.requests) == 5, "the origin was asked")
            self.terminate()
            for stream in streams:
                self.assertEqual(client.response(stream).content, b"done")
            client.ends()
            self.assertIsNotNone(client.terminated)
        self.assertEqual(self.proxy.exits(30), 0)

    def test_not_ready_but_alive(self):
        with RawClient(self.proxy.port) as client:
            client.send(get())
            eventually(lambda: self.origin.requests, "the origin was asked")
            self.terminate()
            eventually(lambda: self.proxy.admin("/ready").status == 503, "not ready")
            self.assertEqual(self.proxy.admin("/live").status, 200)
            client.read_response()
        self.assertEqual(self.proxy.exits(30), 0)

    def test_nothing_to_do(self):
        self.terminate()
        self.assertEqual(self.proxy.exits(30), 0)

    def test_idle_connections_do_not_hold_it_for_ever(self):
        with RawClient(self.proxy.port) as client:
            self.origin.script = lambda request: answer("x")
            client.exchange(get())
            self.terminate()
            self.assertEqual(self.proxy.exits(60), 0)

    def test_kept_connection_is_told(self):
        self.origin.script = lambda request: answer("x")
        with RawClient(self.proxy.port) as client:
            client.exchange(get())
            self.terminate()
            eventually(lambda: self.not_ready(), "the drain has begun")

            def told():
                try:
                    response = client.exchange(get())
                except AssertionError:
                    return True     # closed while idle: the client has lost nothing
                self.assertEqual(response.status, 200)
                return response.field("connection") == "close"
            # Not ready it is at once, its workers hear of the drain a moment later.
            eventually(told, "the answer says that it is the last")

    def not_ready(self):
        try:
            return self.proxy.admin("/ready").status == 503
        except OSError:
            return True

    def test_under_load(self):
        self.origin.script = lambda request: [0.01, answer("x")]
        failures, answered = [], []

        def load():
            while True:
                try:
                    client = RawClient(self.proxy.port)
                except OSError:
                    return                  # no longer accepting
                with client:
                    while True:
                        client.send(get())
                        try:
                            response = client.read_response()
                        except AssertionError as error:
                            if client.buffer or not getattr(client, "used", False):
                                failures.append(str(error))
                            break           # an idle connection that was closed: sent again on another
                        client.used = True
                        answered.append(response.status)
                        if response.field("connection") == "close":
                            break
        threads = [threading.Thread(target=load) for _ in range(8)]
        for thread in threads:
            thread.start()
        eventually(lambda: len(answered) > 50, "the load runs")
        self.terminate()
        self.assertEqual(self.proxy.exits(60), 0)
        for thread in threads:
            thread.join()
        self.assertEqual((failures, set(answered)), ([], {200}))

    def test_second_signal_ends_it_now(self):
        with RawClient(self.proxy.port) as client:
            self.origin.script = lambda request: [20, answer("x")]
            client.send(get())
            eventually(lambda: self.origin.requests, "the origin was asked")
            self.terminate()
            eventually(lambda: self.not_ready(), "the drain has begun")
            self.terminate()
            self.proxy.exits(5)

    def test_new_http2_streams_after_goaway_are_not_lost(self):
        self.origin.script = lambda request: answer("x")
        with Http2Client(self.proxy.port) as client:
            client.exchange()
            self.terminate()
            client.until(lambda: client.terminated, "GOAWAY")
            self.assertFalse(any(isinstance(event, h2.events.StreamReset)
                                 for events in client.events.values() for event in events))
