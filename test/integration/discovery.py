"""Both ends of the discovery protocol, as a case wants them: a control plane that judges nothing (Discovery), and a proxy that
serves nobody (Asker).
"""
import hashlib
import queue
import threading
from concurrent import futures

import grpc

from control_plane import Messages
from harness import TIMEOUT_S, eventually

METHOD = "DeltaAggregatedResources"
PREFIX = "type.googleapis.com/portico.v1."


class Discovery:
    """`put` and `remove` change the set, `mark` sends what has changed with the mark of the set. `requests` is all that came."""

    def __init__(self):
        self.server = None
        self.set, self.changed, self.removed = {}, set(), set()
        self.requests, self.nonces = [], 0
        self.more = b""     # sent behind each response
        self.outbox = queue.Queue()
        self.lock = threading.Lock()

    def start(self):
        Messages.load()
        self.server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
        handler = grpc.stream_stream_rpc_method_handler(
            self.serve, Messages.DiscoveryRequest.FromString, lambda message: message.SerializeToString() + self.more)
        service = "envoy.service.discovery.v3.AggregatedDiscoveryService"
        self.server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(service, {METHOD: handler})])
        self.addresses = {"discovery_address": f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"}
        self.server.start()

    def stop(self):
        if self.server:
            self.outbox.put(None)
            self.server.stop(0).wait()

    def serve(self, requests, context):
        def read():
            try:
                for request in requests:
                    with self.lock:
                        self.requests.append(request)
            except grpc.RpcError:
                pass    # the proxy left
            except Exception:
                self.outbox.put(None)
        threading.Thread(target=read, daemon=True).start()
        while True:
            response = self.outbox.get()
            if response is None:
                return
            yield response

    def put(self, kind, name, version, resource, more=b""):
        """A Resource, and bytes that are sent behind its own."""
        message = getattr(resource, resource.WhichOneof("kind")).SerializeToString()
        self.set[(PREFIX + kind, name)] = (version, message + more)
        self.changed.add((PREFIX + kind, name))

    def remove(self, kind, name):
        del self.set[(PREFIX + kind, name)]
        self.removed.add((PREFIX + kind, name))

    def hold(self, kind, name, version):
        """In the set, and never sent: of a type that the proxy did not ask for. Without a version: not any more."""
        if version:
            self.set[(PREFIX + kind, name)] = (version, b"")
        else:
            del self.set[(PREFIX + kind, name)]

    def send(self, type_url, resources, removed=()):
        self.nonces += 1
        response = Messages.DiscoveryResponse(type_url=type_url, nonce=str(self.nonces), removed_resources=list(removed))
        for name, version, value in resources:
            one = response.resources.add(name=name, version=version)
            one.resource.type_url, one.resource.value = type_url, value
        self.outbox.put(response)
        return response.nonce

    def mark(self, number, spoil=False, more=b""):
        """Sends what has changed, and the mark with `more` behind it; returns the proxy's answer to that: (code, message,
        refusals by name)."""
        for type_url in sorted({key[0] for key in self.changed | self.removed}):
            self.send(type_url, [(name, *self.set[(kind, name)]) for kind, name in sorted(self.changed) if kind == type_url],
                      [name for kind, name in self.removed if kind == type_url])
        self.changed, self.removed = set(), set()
        revision = Messages.Revision(epoch="e", number=number)
        whole = 0
        for type_url in sorted({key[0] for key in self.set}):
            names = [(name, version) for (kind, name), (version, _) in self.set.items() if kind == type_url]
            total = sum(digest(type_url, name, version) for name, version in names)
            whole += total
            revision.types.add(type_url=type_url, count=len(names), digest=text(total + (1 if spoil else 0)))
        nonce = self.send(PREFIX + "Revision", [("default/default", text(whole), revision.SerializeToString() + more)])
        answer = eventually(lambda: self.answer(nonce), "the mark is answered")
        report = Messages.RevisionReport()
        for detail in answer.error_detail.details:
            detail.Unpack(report)
        return answer.error_detail.code, answer.error_detail.message, {one.resource: one.reason for one in report.refusals}

    def answer(self, nonce):
        with self.lock:
            return next((one for one in self.requests if one.response_nonce == nonce), None)


class Asker:
    """Asks a real control plane as a proxy of any release may. `responses` is all that came.

        asker = self.use_here(Asker(control_plane, "edge-1", schema_level=2))
        asker.subscribe("Route", "Revision")
        mark = asker.mark(1)
        asker.answer(mark, Messages.RevisionReport(...))
    """

    def __init__(self, control_plane, node, gateway="default/default", more=b"", **metadata):
        self.control_plane, self.more = control_plane, more
        self.node, self.gateway, self.metadata = node, gateway, metadata
        self.outbox, self.responses, self.ended = queue.Queue(), [], None
        self.channel = None

    def start(self):
        self.channel = self.control_plane.channel(address="discovery_address")
        call = self.channel.stream_stream(f"/envoy.service.discovery.v3.AggregatedDiscoveryService/{METHOD}",
                                          lambda message: message.SerializeToString() + self.more,
                                          Messages.DiscoveryResponse.FromString)
        self.call = call(iter(self.outbox.get, None), wait_for_ready=True)
        threading.Thread(target=self.read, daemon=True).start()

    def stop(self):
        self.outbox.put(None)
        if self.channel:
            self.channel.close()

    def read(self):
        try:
            for response in self.call:
                self.responses.append(response)
        except grpc.RpcError as error:
            self.ended = error

    def send(self, **fields):
        request = Messages.DiscoveryRequest(**fields)
        if self.node:       # in the first request alone
            request.node.id, request.node.cluster, self.node = self.node, self.gateway, None
            request.node.metadata.update(self.metadata)
        self.outbox.put(request)

    def subscribe(self, *kinds):
        for kind in kinds:
            self.send(type_url=PREFIX + kind, resource_names_subscribe=["*"])

    def response(self, kind, number=0):
        """The first of a type, or the first mark of a revision from this one on."""
        def found():
            of_kind = [one for one in self.responses if one.type_url == PREFIX + kind]
            return next((one for one in of_kind if not number or one.resources and number_of(one) >= number), None)
        return eventually(found, f"a response of {kind} comes; the stream: {self.ended}, {len(self.responses)} responses")

    def mark(self, number):
        return self.response("Revision", number)

    def answer(self, response, report=None, code=0):
        """An ACK, or what is refused of it."""
        fields = {}
        if report is not None or code:
            fields["error_detail"] = Messages.Status(code=code)
            if report is not None:
                fields["error_detail"].details.add().Pack(report)
        self.send(type_url=response.type_url, response_nonce=response.nonce, **fields)


def number_of(response):
    return Messages.Revision.FromString(response.resources[0].resource.value).number


def fleet(control_plane):
    """FleetService's word: {node: Proxy}."""
    with control_plane.channel() as channel:
        call = channel.unary_unary("/portico.v1.FleetService/ListProxies", lambda message: message.SerializeToString(),
                                   Messages.fleet.ListProxiesResponse.FromString)
        proxies = call(Messages.fleet.ListProxiesRequest(), timeout=TIMEOUT_S, wait_for_ready=True).proxies
    return {proxy.node_id: proxy for proxy in proxies}


def digest(type_url, name, version):
    return int.from_bytes(hashlib.sha256(f"{type_url}\0{name}\0{version}".encode()).digest()[:16], "big")


def text(number):
    return f"{number % (1 << 128):032x}"
