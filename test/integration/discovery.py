"""A control plane that judges nothing: sends a proxy whatever a case wants, as the discovery protocol has it."""
import hashlib
import queue
import threading
from concurrent import futures

import grpc

from control_plane import Messages
from harness import eventually

METHOD = "DeltaAggregatedResources"
PREFIX = "type.googleapis.com/portico.v1."


class Discovery:
    """`put` and `remove` change the set, `mark` sends what has changed with the mark of the set. `requests` is all that came."""

    def __init__(self):
        self.server = None
        self.set, self.changed, self.removed = {}, set(), set()
        self.requests, self.nonces = [], 0
        self.outbox = queue.Queue()
        self.lock = threading.Lock()

    def start(self):
        Messages.load()
        self.server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
        handler = grpc.stream_stream_rpc_method_handler(
            self.serve, Messages.DiscoveryRequest.FromString, lambda message: message.SerializeToString())
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

    def send(self, type_url, resources, removed=()):
        self.nonces += 1
        response = Messages.DiscoveryResponse(type_url=type_url, nonce=str(self.nonces), removed_resources=list(removed))
        for name, version, value in resources:
            one = response.resources.add(name=name, version=version)
            one.resource.type_url, one.resource.value = type_url, value
        self.outbox.put(response)
        return response.nonce

    def mark(self, number, spoil=False):
        """Sends what has changed, and the mark; returns the proxy's answer to that: (code, message, refusals by name)."""
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
        nonce = self.send(PREFIX + "Revision", [("default/default", text(whole), revision.SerializeToString())])
        answer = eventually(lambda: self.answer(nonce), "the mark is answered")
        report = Messages.RevisionReport()
        for detail in answer.error_detail.details:
            detail.Unpack(report)
        return answer.error_detail.code, answer.error_detail.message, {one.resource: one.reason for one in report.refusals}

    def answer(self, nonce):
        with self.lock:
            return next((one for one in self.requests if one.response_nonce == nonce), None)


def digest(type_url, name, version):
    return int.from_bytes(hashlib.sha256(f"{type_url}\0{name}\0{version}".encode()).digest()[:16], "big")


def text(number):
    return f"{number % (1 << 128):032x}"
