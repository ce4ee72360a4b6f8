"""An HTTP/2 client for what curl and nghttp can't be made to do: broken frames, windows that stay shut, early resets."""
import socket
import ssl

import h2.config
import h2.connection
import h2.events
import h2.settings

from harness import TIMEOUT_S, Response


class Http2Client:
    def __init__(self, port, host="shop.example", tls=None, strict=True, window_bytes=None,
                 address="127.0.0.1"):
        self.host = host
        self.socket = socket.create_connection((address, port), timeout=TIMEOUT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname=host)
        self.codec = h2.connection.H2Connection(h2.config.H2Configuration(
            client_side=True, header_encoding="utf-8", validate_outbound_headers=strict,
            normalize_outbound_headers=strict))
        if window_bytes is not None:
            self.codec.local_settings[h2.settings.SettingCodes.INITIAL_WINDOW_SIZE] = window_bytes
        self.codec.initiate_connection()
        self.flush()
        self.events, self.terminated = {}, None
        self.paused = set()         # streams whose window is not given back
        self.received = {}          # stream -> bytes of content so far

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def flush(self):
        self.socket.sendall(self.codec.data_to_send())

    def send_raw(self, data):
        self.socket.sendall(data)

    def request(self, method="GET", path="/", fields=(), content=None, trailers=(), scheme="http", end=True,
                pseudo=None):
        """Sends a request and returns its stream."""
        stream = self.codec.get_next_available_stream_id()
        head = pseudo or [(":method", method), (":scheme", scheme), (":authority", self.host), (":path", path)]
        self.events[stream], self.received[stream] = [], 0
        self.codec.send_headers(stream, head + list(fields), end_stream=end and content is None and not trailers)
        if content is not None:
            self.codec.send_data(stream, content, end_stream=end and not trailers)
        if trailers:
            self.codec.send_headers(stream, list(trailers), end_stream=True)
        self.flush()
        return stream

    def step(self):
        """Receives once; False when the connection has ended."""
        try:
            data = self.socket.recv(262144)
        except ConnectionResetError:
            data = b""
        if not data:
            return False
        for event in self.codec.receive_data(data):
            stream = getattr(event, "stream_id", None)
            if isinstance(event, h2.events.ConnectionTerminated):
                self.terminated = event
                # h2 takes a GOAWAY for the end; the streams it does not refuse go on (RFC 9113 section 6.8).
                self.codec.state_machine.state = h2.connection.ConnectionState.CLIENT_OPEN
            elif isinstance(event, h2.events.DataReceived):
                self.received[stream] += len(event.data)
                if stream not in self.paused:
                    self.codec.acknowledge_received_data(event.flow_controlled_length, stream)
                elif event.flow_controlled_length:
                    # The stream's window stays shut, the connection's is given back: a slow reader of one stream.
                    self.codec.increment_flow_control_window(event.flow_controlled_length)
            if stream in self.events:
                self.events[stream].append(event)
        try:
            self.flush()
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def until(self, condition, what):
        while not condition():
            if not self.step():
                raise AssertionError(f"the connection ended before {what}: {self.terminated}")

    def response(self, stream):
        """The final response of a stream, or its reset as a Response of status 0."""
        self.until(lambda: any(isinstance(event, (h2.events.StreamEnded, h2.events.StreamReset))
                               for event in self.events[stream]), f"stream {stream} ended")
        response, interim = None, []
        for event in self.events[stream]:
            if isinstance(event, h2.events.InformationalResponseReceived):
                interim.append(Response(int(dict(event.headers)[":status"]), list(event.headers)))
            elif isinstance(event, h2.events.ResponseReceived):
                response = Response(int(dict(event.headers)[":status"]), list(event.headers), interim=interim)
            elif isinstance(event, h2.events.DataReceived):
                response.content += event.data
            elif isinstance(event, h2.events.TrailersReceived):
                response.trailers = list(event.headers)
            elif isinstance(event, h2.events.StreamReset):
                reset = Response(0, response.fields if response else [])
                reset.error_code = event.error_code
                return reset
        return response

    def exchange(self, *arguments, **named):
        return self.response(self.request(*arguments, **named))

    def ends(self):
        """Receives until the connection ends; the GOAWAY's error code, None without one."""
        while self.step():
            pass
        return self.terminated.error_code if self.terminated else None


def tls_context(authority, alpn=("h2",), version=None):
    context = ssl.create_default_context(cafile=str(authority))
    context.set_alpn_protocols(list(alpn))
    if version:
        context.minimum_version = context.maximum_version = version
    return context
