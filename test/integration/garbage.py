"""What nobody should send: bytes for ports of HTTP, TLS and gRPC, each a pure function of a seed.

    kind, pieces = make(random.Random("7/0/12"), "grpc")      # "h2 frames", [b"PRI * HT", b"TP/2.0..."]
"""
import ssl

import hpack

from control_plane import Messages, cluster

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
LENGTHS = ["-1", "+5", "0x10", "1e3", "18446744073709551615", "18446744073709551616", "9" * 400, "5, 6", "", "\t7\v", "5\0"]
APPLY = "/portico.v1.ConfigService/Apply"
DELTA = "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources"
METHODS = [
    *[APPLY, DELTA] * 6, "/portico.v1.ConfigService/Get", "/portico.v1.ConfigService/List",
    "/portico.v1.ConfigService/History", "/portico.v1.ConfigService/Watch", "/portico.v1.ConfigService/Nothing",
    "/portico.v1.FleetService/ListProxies", "/portico.v1.FleetService/WatchProxies",
    "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources",
    "/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    "/", "*", "/../..", "/" + "x" * 9000,
]


def random_bytes(random):
    return random.randbytes(random.choice([1, 3, 9, 24, 100, 1000, 20_000]))


def spoilt(random, data, most=8):
    """The same with some bytes changed, cut out or put in twice."""
    data = bytearray(data)
    for _ in range(random.randint(1, most)):
        at = random.randrange(len(data) + 1)
        match random.randrange(4):
            case 0 if at < len(data):
                data[at] ^= 1 << random.randrange(8)
            case 1:
                data[at:at] = random.randbytes(random.randint(1, 4))
            case 2:
                del data[at:at + random.randint(1, 16)]
            case _:
                data[at:at] = data[at:at + random.randint(1, 64)]
    return bytes(data)


# ---- HTTP/1.1 ----

def http1_head(random):
    method = random.choice(["GET", "POST", "CONNECT", "OPTIONS", "TRACE", "get", "PRI", "M" * 3000, "G\0T", ""])
    target = random.choice(["/", "*", "http://[::1", "//x", "/%", "/%00", "/..%2f", "shop:0", "/" + "a" * 90_000, "\xff", ""])
    version = random.choice(["HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/9.9", "HTTP/2.0", "http/1.1", ""])
    ending = random.choice(["\r\n", "\r\n", "\r\n", "\n", "\r"])
    fields = [random.choice([
        "host: shop.example", f"content-length: {random.choice(LENGTHS)}", "transfer-encoding: chunked",
        "transfer-encoding: gzip, chunked", "transfer-encoding: identity", "connection: close, te, x",
        "upgrade: h2c", "upgrade: websocket", "expect: 100-continue", "expect: 1", " folded: x", "no colon", ": no name",
        "na me: x", "x: \0", "x: " + "y" * 70_000, "authorization: Bearer " + "a." * 3000, "te: trailers, x",
        "cookie: " + "a=b; " * 2000, "max-forwards: 99999999999999999999", "range: bytes=" + "0-," * 5000])
        for _ in range(random.randint(0, 8))]
    if random.random() < 0.1:
        fields += [f"x-{number}: 1" for number in range(random.choice([90, 1000, 5000]))]
    head = ending.join([f"{method} {target} {version}".strip(), *fields, "", ""])
    return head.encode("latin-1")[:-random.randint(1, 4)] if random.random() < 0.3 else head.encode("latin-1")


def http1_content(random):
    size = random.choice(["ffffffffffffffff", "10000000000000000", "-1", "5;" + "x" * 20_000, "", "g", "0\r\nx: y", "5\r\nab"])
    chunks = b"".join(b"%x\r\n%s\r\n" % (count, b"c" * count) for count in (1, 15, 4096)[:random.randrange(4)])
    field = b"transfer-encoding: chunked" if random.random() < 0.7 else b"content-length: " + random.choice(LENGTHS).encode()
    return b"POST /garbage HTTP/1.1\r\nhost: shop.example\r\n" + field + b"\r\n\r\n" + chunks + size.encode() + b"\r\n"


def http1_good_then_bad(random):
    good = b"GET /garbage HTTP/1.1\r\nhost: shop.example\r\n\r\n"
    return good * random.choice([1, 2, 50]) + random.choice([random_bytes, http1_head, http1_content])(random)


def http1_spoilt(random):
    return spoilt(random, b"GET /garbage?a=b HTTP/1.1\r\nhost: shop.example\r\nconnection: keep-alive\r\n"
                          b"content-length: 3\r\n\r\nabc")


def http1_response(random):
    """What an origin should not answer, and now and then what it should: the connection it comes on was used for the rest."""
    good = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
    return random.choice([lambda: good, lambda: spoilt(random, good), lambda: response_content(random),
                          lambda: response_head(random)])()


def response_content(random):
    """A head as it should be, and content that does not keep its word."""
    framing = random.choice([b"transfer-encoding: chunked", b"content-length: 5", b"connection: close"])
    content = random.choice([b"", b"abc", b"5\r\nabcde\r\n0\r\n\r\n", b"ffffffffffffffff\r\n", b"5\r\nabcdeX", b"-1\r\n",
                             b"x" * 100_000, b"5\r\nabcde\r\n0\r\nx y\r\n\r\n", b"0;" + b"x" * 20_000])
    whole = b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n" + content
    return whole[:random.randrange(len(whole) + 1)] if random.random() < 0.2 else whole


def response_head(random):
    status = random.choice(["200 OK", "200 OK", "99 x", "1000 x", "101 Switching", "204 x", "304 x", "2 0", "",
                            "200 " + "x" * 70_000, "200 \0"])
    version = random.choice(["HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/3", "http/1.1", "ICY", ""])
    fields = [random.choice([
        f"content-length: {random.choice(LENGTHS)}", "content-length: 5", "transfer-encoding: chunked", "transfer-encoding: gzip",
        "connection: close", "no colon", " folded: x", "x: \0", "x: " + "y" * 70_000, "set-cookie: a", "trailer: x"])
        for _ in range(random.choice([0, 1, 2, 5, 300]))]
    interim = b"HTTP/1.1 100 Continue\r\n\r\n" * random.choice([0, 0, 0, 1, 500])
    return interim + "\r\n".join([f"{version} {status}", *fields, "", "abcde"]).encode("latin-1")


# ---- HTTP/2 ----

def frame(kind, flags, stream, payload=b"", length=None):
    return (len(payload) if length is None else length).to_bytes(3, "big") + bytes([kind, flags]) + \
        stream.to_bytes(4, "big") + payload


def head_block(random, path="/garbage", more=()):
    fields = [(":method", "POST"), (":scheme", "http"), (":authority", "shop.example"), (":path", path), *more]
    if random.random() < 0.1:
        random.shuffle(fields)
    if random.random() < 0.1:
        fields += random.choice([
            [("Upper", "x")], [("connection", "close")], [(":path", "/2")], [("", "x")], [("x", "\0\r\n")],
            [("content-length", random.choice(LENGTHS))], [("x", "y" * 60_000)], [("x", "y")] * 3000])
    return hpack.Encoder().encode(fields)


def h2_frame(random):
    stream = random.choice([0, 1, 1, 2, 3, 5, 0x7FFFFFFF, 0x80000001])
    kind = random.choice([*range(10), 10, 0x7F, 0xFF])
    payload = {
        HEADERS: lambda: random.choice([head_block(random), random.randbytes(random.randrange(300)),
                                        b"\x82\x86\x84\x41\xff\xff\xff\xff\xff\x7f", b"\x3f\xe1\xff\xff\xff\x0f"]),
        PRIORITY: lambda: (stream & 0x7FFFFFFF).to_bytes(4, "big") + b"\x10",
        SETTINGS: lambda: b"".join(random.choice([1, 2, 3, 4, 5, 6, 99]).to_bytes(2, "big") + random.choice(
            [0, 1, 0xFFFFFFFF, 0x80000000, 16384, 100]).to_bytes(4, "big") for _ in range(random.choice([1, 3, 200]))),
        WINDOW_UPDATE: lambda: random.choice([0, 1, 0x7FFFFFFF, 0xFFFFFFFF]).to_bytes(4, "big"),
        PING: lambda: bytes(random.choice([8, 8, 7])),
        CONTINUATION: lambda: random.randbytes(random.choice([0, 1, 10_000])),
    }.get(kind, lambda: random.randbytes(random.choice([0, 4, 5, 8, 100, 16_384, 20_000])))()
    length = random.choice([0xFFFFFF, 0, len(payload) + 1]) if random.random() < 0.1 else None
    return frame(kind, random.choice([0, 1, 4, 5, 8, 0x20, 0x2D, 0xFF, random.randrange(256)]), stream, payload, length)


def h2_answer(random):
    """What an origin should not send, with a response in it now and then."""
    block = hpack.Encoder().encode(random.choice([
        [(":status", "200")], [(":status", "x")], [("x", "y")], [(":status", "100")] * 2]))
    good = frame(SETTINGS, 0, 0) + frame(SETTINGS, 1, 0) + frame(HEADERS, random.choice([4, 5]), 1, block)
    return good[:random.choice([0, 9, 18, len(good)])] + b"".join(h2_frame(random) for _ in range(random.choice([0, 1, 5, 30])))


def h2_frames(random):
    start = PREFACE[:random.randrange(24)] if random.random() < 0.1 else PREFACE + frame(SETTINGS, 0, 0)
    return start + b"".join(h2_frame(random) for _ in range(random.choice([1, 2, 5, 30])))


def h2_flood(random):
    """Many of one cheap thing."""
    one = random.choice([
        frame(PING, 0, 0, bytes(8)), frame(SETTINGS, 0, 0), frame(SETTINGS, 0, 0, b"\0\4\0\0\0\0"), frame(DATA, 0, 1),
        frame(CONTINUATION, 0, 1), frame(WINDOW_UPDATE, 0, 0, b"\0\0\0\1"), frame(PRIORITY, 0, 3, b"\0\0\0\0\1")])
    return PREFACE + frame(SETTINGS, 0, 0) + frame(HEADERS, 0, 1, head_block(random)) + one * random.choice([100, 3000])


def literal(text):
    return bytes([len(text)]) + text.encode()


def h2_resets(random):
    """Requests that are taken back at once."""
    fields = [(":method", "GET"), (":scheme", "http"), (":authority", "shop.example"), (":path", "/garbage")]
    # None is put into the table, so that one block goes for all.
    head = b"".join(b"\x00" + literal(name) + literal(value) for name, value in fields)
    return PREFACE + frame(SETTINGS, 0, 0) + b"".join(
        frame(HEADERS, 5, 2 * number + 1, head) + frame(RST_STREAM, 0, 2 * number + 1, b"\0\0\0\x08")
        for number in range(random.choice([10, 200, 2000])))


# ---- gRPC ----

def envelope(random, message):
    """Five bytes and the message, or what should be that."""
    length = len(message)
    if random.random() < 0.15:
        length = random.choice([0xFFFFFFFF, 0x7FFFFFFF, 5 << 20, length + 1, max(length - 1, 0)])
    return bytes([random.choice([0] * 12 + [1, 7, 255])]) + length.to_bytes(4, "big") + message


def apply_bytes(random):
    name, port = f"garbage-{random.randrange(20)}", random.randrange(70_000)
    return Messages.config.ApplyRequest(resources=[cluster(name, port)]).SerializeToString()


def discovery_bytes(random):
    request = Messages.DiscoveryRequest(type_url="type.googleapis.com/portico.v1.Route", resource_names_subscribe=["*"],
                                        response_nonce="7")
    request.node.id = f"garbage-{random.randrange(4)}"
    request.node.cluster = random.choice(["default/default", "default/none", "x", ""])
    return request.SerializeToString()


def nested_bytes(random):
    nested = b""
    for _ in range(random.choice([5, 150])):
        nested = b"\x0a" + varint(len(nested)) + nested
    return nested


def message_bytes(random, path):
    own = {APPLY: apply_bytes, DELTA: discovery_bytes}.get(path)
    whole = own(random) if own and random.random() < 0.6 else random.choice([
        lambda: b"", lambda: random.randbytes(random.randrange(1, 400)), lambda: nested_bytes(random),
        lambda: apply_bytes(random) * 2000, lambda: discovery_bytes(random)])()
    return spoilt(random, whole) if whole and random.random() < 0.5 else whole


def varint(number):
    taken = b""
    while number > 127:
        taken, number = taken + bytes([number & 127 | 128]), number >> 7
    return taken + bytes([number])


def grpc_call(random):
    content_type = random.choice(["application/grpc"] * 12 + ["application/grpc+json", "text/plain", "application/grpc-web"])
    more = [("content-type", content_type), ("te", "trailers")]
    if random.random() < 0.2:
        more.append(random.choice([
            ("grpc-timeout", "99999999999H"), ("grpc-timeout", "1n"), ("grpc-encoding", "gzip"), ("grpc-encoding", "x"),
            ("grpc-tags-bin", "!!!"), ("authorization", "Bearer " + "x" * 5000)]))
    path = random.choice(METHODS)
    data = b"".join(envelope(random, message_bytes(random, path)) for _ in range(random.choice([1, 1, 2, 5])))
    if random.random() < 0.2:
        data = data[:random.randrange(len(data) + 1)]
    frames = [frame(DATA, 0, 1, data[at:at + 16_384]) for at in range(0, len(data), 16_384)][:4]
    end = frame(DATA, 1, 1) if random.random() < 0.8 else b""
    start = PREFACE + frame(SETTINGS, 0, 0) + frame(HEADERS, 4, 1, head_block(random, path, more))
    return start + b"".join(frames) + end


# ---- TLS ----

def client_hello():
    context = ssl.create_default_context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        context.wrap_bio(incoming, outgoing, server_hostname="shop.example").do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def tls_hello(random):
    """Half of one, a spoilt one, a whole one and then nonsense, or a record that promises more than it has."""
    hello = client_hello()
    return random.choice([
        lambda: hello[:random.randrange(1, len(hello))],
        lambda: spoilt(random, hello),
        lambda: hello + random_bytes(random),
        lambda: hello + hello,
        lambda: hello[:3] + b"\xff\xff" + hello[5:],
        lambda: b"\x16\x03\x01\x40\x00\x01\xff\xff\xff" + bytes(1000),
        lambda: b"\x15\x03\x03\x00\x02\x02\x28" * 50,
        lambda: b"\x17\x03\x03\x00\x00" * 200,
    ])()


KINDS = {
    "random bytes": random_bytes,
    "an HTTP/1.1 head": http1_head,
    "HTTP/1.1 content": http1_content,
    "a good request and then a bad one": http1_good_then_bad,
    "a spoilt request": http1_spoilt,
    "h2 frames": h2_frames,
    "an h2 flood": h2_flood,
    "h2 resets": h2_resets,
    "a gRPC call": grpc_call,
    "a TLS hello": tls_hello,
}


def make(random, speaks="http"):
    """The kind, and its bytes in the pieces that are sent one by one; half of it is in the language of the port."""
    kind = {"grpc": "a gRPC call", "tls": "a TLS hello"}.get(speaks) if random.random() < 0.5 else None
    kind = kind or random.choice([*KINDS])
    data = KINDS[kind](random)
    cuts = sorted(random.randrange(len(data) + 1) for _ in range(random.choice([0, 0, 1, 3, 20])))
    return kind, [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)]) if start < end]
