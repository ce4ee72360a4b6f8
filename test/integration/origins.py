"""Origin servers that do as they are told and remember the bytes they got."""
import itertools
import json
import socket
import struct
import threading
import time

import h2.config
import h2.connection
import h2.events
import h2.settings
import h2.exceptions

CLOSE = "close"      # in a script: end the connection
RESET = "reset"      # in a script: end it with RST


class Request:
    """What an origin received: `raw` is the head as it came, fields in order."""

    def __init__(self, raw, method, target, fields, connection):
        self.raw, self.method, self.target, self.fields, self.connection = raw, method, target, fields, connection
        self.content, self.trailers, self.complete = b"", [], False
        self.began = time.monotonic()

    def field(self, name):
        values = [value for field, value in self.fields if field.lower() == name]
        return ", ".join(values) if values else None

    def names(self):
        return [name.lower() for name, _ in self.fields]


def answer(content=b"", status="200 OK", fields=(), length=True):
    """The bytes of an HTTP/1.1 response."""
    content = content.encode() if isinstance(content, str) else content
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in fields)]
    if length:
        lines.append(f"content-length: {len(content)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def json_answer(value, status="200 OK"):
    return answer(json.dumps(value), status, [("content-type", "application/json")])


def echo(request):
    """The default script: what the origin saw."""
    return json_answer({"method": request.method, "target": request.target, "fields": request.fields,
                        "content": request.content.decode("latin-1"), "connection": request.connection})


class Server:
    """Accepts connections, a thread for each. `requests` is everything received, in order."""

    def __init__(self, script=echo, port=0, address="127.0.0.1"):
        self.script, self.requests, self.lock = script, [], threading.Lock()
        self.numbers, self.connections = itertools.count(1), {}
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((address, port))
        self.listener.listen(512)
        self.port = self.listener.getsockname()[1]

    def start(self):
        threading.Thread(target=self.accept, daemon=True).start()

    def stop(self):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        self.drop_connections()

    def drop_connections(self):
        for connection in list(self.connections.values()):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            number = next(self.numbers)
            self.connections[number] = connection
            threading.Thread(target=self.guarded, args=(connection, number), daemon=True).start()

    def guarded(self, connection, number):
        try:
            self.serve(connection, number)
        except (OSError, EOFError, ValueError, OverflowError, h2.exceptions.ProtocolError):
            pass        # the proxy left, or sends what is no HTTP
        finally:
            self.connections.pop(number, None)
            connection.close()

    def record(self, request):
        with self.lock:
            self.requests.append(request)

    def last(self):
        return self.requests[-1]

    def clear(self):
        with self.lock:
            self.requests.clear()


class Origin(Server):
    """HTTP/1.1. `script(request)` gives bytes, or an iterable of bytes, seconds to wait, CLOSE and RESET; it may also
    be a callable with the attribute `early`, which is asked as soon as the head is there, before the content."""

    def serve(self, connection, number):
        reader = connection.makefile("rb")
        while True:
            raw = b""
            while not raw.endswith(b"\r\n\r\n"):
                line = reader.readline()
                if not line:
                    return
                raw += line
            lines = raw.decode("latin-1").split("\r\n")
            method, target, _ = lines[0].split(" ")
            fields = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:-2]]
            request = Request(raw, method, target, fields, number)
            self.record(request)
            early = getattr(self.script, "early", False)
            if not early:
                self.read_content(reader, request)
            script = self.script(request)
            for step in [script] if isinstance(script, bytes) else script:
                if not self.perform(connection, step):
                    return
            if early:
                self.read_content(reader, request)

    @staticmethod
    def perform(connection, step):
        if step == CLOSE:
            return False
        if step == RESET:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        if isinstance(step, (int, float)):
            time.sleep(step)
        else:
            connection.sendall(step)
        return True

    @staticmethod
    def read_content(reader, request):
        pieces = []
        if "chunked" in (request.field("transfer-encoding") or "").lower():
            while size := int(Origin.line(reader).split(";")[0], 16):
                pieces.append(Origin.exactly(reader, size))
                Origin.exactly(reader, 2)
            while line := Origin.line(reader):
                request.trailers.append(tuple(part.strip() for part in line.split(":", 1)))
        elif request.field("content-length"):
            pieces.append(Origin.exactly(reader, int(request.field("content-length"))))
        request.content, request.complete = b"".join(pieces), True

    @staticmethod
    def line(reader):
        line = reader.readline()
        if not line.endswith(b"\r\n"):
            raise EOFError
        return line[:-2].decode("latin-1")

    @staticmethod
    def exactly(reader, count):
        data = reader.read(count)
        if len(data) != count:
            raise EOFError
        return data


class RawOrigin(Server):
    """Hands each accepted socket to `script(socket)`: garbage, silence, half a head."""

    def serve(self, connection, number):
        self.script(connection)


class Http2Origin(Server):
    """HTTP/2 by prior knowledge. `script(request)` gives (status, fields, content, trailers); it runs in a thread of
    its own for each stream, so a slow one does not hold the others."""

    def __init__(self, script=None, port=0, streams_max=100):
        super().__init__(script or (lambda request: (200, [("content-type", "application/json")], json.dumps(
            {"method": request.method, "target": request.target, "fields": request.fields,
             "content": request.content.decode("latin-1"), "connection": request.connection}).encode(), [])), port)
        self.streams_max = streams_max
        self.cancelled = []

    def serve(self, connection, number):
        Http2Connection(self, connection, number).run()


class Http2Connection:
    def __init__(self, origin, connection, number):
        self.origin, self.socket, self.number = origin, connection, number
        self.codec = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        self.changed = threading.Condition()
        self.open, self.ended = {}, False

    def run(self):
        with self.changed:
            # Assigned later, they would be said only after the client has acknowledged the first ones.
            self.codec.local_settings = h2.settings.Settings(client=False, initial_values={
                h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: self.origin.streams_max})
            self.codec.initiate_connection()
            self.flush()
        try:
            while data := self.socket.recv(262144):
                with self.changed:
                    for event in self.codec.receive_data(data):
                        self.on_event(event)
                    self.flush()
                    self.changed.notify_all()
        finally:
            with self.changed:
                self.ended = True
                self.changed.notify_all()

    def flush(self):
        data = self.codec.data_to_send()
        if data:
            self.socket.sendall(data)

    def on_event(self, event):
        if isinstance(event, h2.events.RequestReceived):
            fields = list(event.headers)
            named = dict(fields)
            request = Request(b"", named[":method"], named.get(":path", ""), fields, self.number)
            self.open[event.stream_id] = request
            self.origin.record(request)
        elif isinstance(event, h2.events.DataReceived):
            self.open[event.stream_id].content += event.data
            self.codec.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.TrailersReceived):
            self.open[event.stream_id].trailers = list(event.headers)
        elif isinstance(event, h2.events.StreamReset):
            self.origin.cancelled.append(self.open.pop(event.stream_id, None))
        if isinstance(event, h2.events.StreamEnded):
            self.open[event.stream_id].complete = True
            threading.Thread(target=self.respond, args=(event.stream_id,), daemon=True).start()

    def respond(self, stream):
        try:
            status, fields, content, trailers = self.origin.script(self.open[stream])
            with self.changed:
                self.codec.send_headers(stream, [(":status", str(status)), *fields],
                                        end_stream=not content and not trailers)
                self.flush()
            self.send_content(stream, content, end=not trailers)
            if trailers:
                with self.changed:
                    self.codec.send_headers(stream, trailers, end_stream=True)
                    self.flush()
        except (OSError, KeyError, h2.exceptions.ProtocolError):
            pass        # the stream or the connection is gone

    def send_content(self, stream, content, end):
        """`content` is bytes or an iterable of bytes; waits for windows."""
        pieces = [content] if isinstance(content, bytes) and content else content
        for piece in pieces:
            view = memoryview(piece)
            while view:
                with self.changed:
                    while not (window := self.window(stream)):
                        self.changed.wait(30)
                    part, view = view[:window], view[window:]
                    self.codec.send_data(stream, part.tobytes())
                    self.flush()
        if end and content:
            with self.changed:
                self.codec.end_stream(stream)
                self.flush()

    def window(self, stream):
        if self.ended or stream not in self.open:
            raise KeyError(stream)
        return min(self.codec.local_flow_control_window(stream), self.codec.max_outbound_frame_size)
