"""A real portico-controlplane in a folder of its own, ConfigService's messages and stubs, and certificates for both ends.

    control_plane = cls.use(ControlPlane())
    with control_plane.client() as client:
        client.apply(cluster("orders", 9001))
"""
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

import grpc
from google.protobuf import json_format

import secrecy
from harness import ROOT, TIMEOUT_S, control_plane_binary, eventually, sanitized


class Messages:
    """Python's classes of the API's messages, made by protoc when they are first needed."""

    config = bad_request = status = None

    @classmethod
    def load(cls):
        if cls.config:
            return
        with tempfile.TemporaryDirectory(prefix="portico-test-") as folder:
            sources = [*ROOT.glob("api/portico/v1/*.proto"), *ROOT.glob("api/google/rpc/*.proto"),
                       *ROOT.glob("api/envoy/**/*.proto")]
            subprocess.run(["protoc", f"--proto_path={ROOT}", f"--python_out={folder}", *map(str, sources)], check=True)
            sys.path.insert(0, folder)
            from api.portico.v1 import config_service_pb2, fleet_service_pb2, resource_pb2, revision_pb2
            from api.envoy.service.discovery.v3 import discovery_pb2
            from api.google.rpc import error_details_pb2, status_pb2
            sys.path.remove(folder)
        cls.fleet = fleet_service_pb2
        cls.config, cls.Resource = config_service_pb2, resource_pb2.Resource
        cls.Revision, cls.RevisionReport = revision_pb2.Revision, revision_pb2.RevisionReport
        cls.DiscoveryRequest, cls.DiscoveryResponse = discovery_pb2.DeltaDiscoveryRequest, discovery_pb2.DeltaDiscoveryResponse
        cls.Status, cls.BadRequest = status_pb2.Status, error_details_pb2.BadRequest


def resource(kind, name, spec, **metadata):
    return json_format.ParseDict({kind: {"metadata": {"name": name, **metadata}, "spec": spec}}, Messages.Resource())


def cluster(name, port=9001, **metadata):
    return resource("cluster", name, {"endpoints": [{"address": "127.0.0.1", "port": port}]}, **metadata)


class Client:
    """ConfigService, each method with plain arguments; errors are grpc.RpcError. `token`: shown with each call."""

    def __init__(self, channel, token=None):
        self.channel = channel
        self.metadata = [("authorization", f"Bearer {token}")] if token else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()

    def call(self, method, request, answer, shape="unary_unary", **options):
        stub = getattr(self.channel, shape)(f"/portico.v1.ConfigService/{method}",
                                            lambda message: message.SerializeToString(),
                                            getattr(Messages.config, answer).FromString)
        return stub(request, timeout=TIMEOUT_S, wait_for_ready=True, metadata=self.metadata, **options)

    def apply(self, *resources, **options):
        requests = [Messages.config.ApplyRequest(resources=resources, **options)]
        return self.call("Apply", iter(requests), "ApplyResponse", "stream_unary")

    def get(self, kind, name, **options):
        name = Messages.config.ResourceName(kind=kind, name=name)
        return self.call("Get", Messages.config.GetRequest(name=name, **options), "GetResponse")

    def list(self, **options):
        """What is stored, message by message."""
        answers = self.call("List", Messages.config.ListRequest(**options), "ListResponse", "unary_stream")
        return [one for answer in answers for one in answer.resources]

    def names(self, **options):
        return [getattr(one, one.WhichOneof("kind")).metadata.name for one in self.list(**options)]

    def history(self, **options):
        return self.call("History", Messages.config.HistoryRequest(**options), "HistoryResponse").revisions

    def rollback(self, revision, **options):
        return self.call("Rollback", Messages.config.RollbackRequest(revision=revision, **options), "ApplyResponse")

    def delete(self, kind, name, namespace="", **options):
        names = [Messages.config.ResourceName(kind=kind, name=name, namespace=namespace)]
        return self.call("Delete", Messages.config.DeleteRequest(names=names, **options), "ApplyResponse")

    def watch(self, **options):
        return self.call("Watch", Messages.config.WatchRequest(**options), "WatchResponse", "unary_stream")


class ControlPlane:
    """One portico-controlplane with the default store in a temporary folder. `tls`: an Authority. Started again it has the
    ports that it had."""

    def __init__(self, *arguments, store="sqlite:portico.db", tls=None):
        self.arguments, self.store, self.tls = list(arguments), store, tls
        self.folder = self.process = None
        self.addresses = {}

    def command(self):
        store = [f"--store={self.store}"]
        if self.store.startswith("sqlite:"):
            store.append("--secrets_key_file=secrets.key")
        tls = ["--tls_cert=server.crt", "--tls_key=server.key", "--client_ca=ca.crt"] if self.tls else []
        addresses = [f"--{name}_address={self.addresses.get(f'{name}_address', '127.0.0.1:0')}" for name in
                     ("api", "discovery", "admin")]
        return [control_plane_binary(), *addresses, *store, *tls, *self.arguments]

    def start(self):
        if self.folder is None:
            self.folder = Path(tempfile.mkdtemp(prefix="portico-test-"))
            if self.tls:
                self.tls.issue("server", self.folder)
                shutil.copy(self.tls.certificate, self.folder / "ca.crt")
        with open(self.folder / "stdout", "wb") as out, open(self.folder / "stderr", "ab") as errors:
            self.process = subprocess.Popen(self.command(), cwd=self.folder, stdout=out, stderr=errors,
                                            stdin=subprocess.DEVNULL)
        eventually(self.is_ready, "the control plane is ready")
        self.keep_admin_token()

    def keep_admin_token(self):
        """Its text stands in its file alone."""
        for file in self.folder.glob("*.admin-token"):
            secrecy.keep("an admin token", file.read_text().strip())
            self.admin_token = file

    def is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the control plane ended with {self.process.returncode}:\n{self.errors()}")
        lines = (self.folder / "stdout").read_text().split("\n")[:-1]
        self.addresses = dict(line.split("=", 1) for line in lines)
        return "discovery_address" in self.addresses

    def errors(self):
        return (self.folder / "stderr").read_text(errors="replace")

    def end(self, number=signal.SIGTERM):
        """Ends it by a signal and returns the exit code; `start` starts it again on the same store."""
        self.process.send_signal(number)
        return self.process.wait(TIMEOUT_S)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.end(signal.SIGTERM if sanitized() else signal.SIGKILL)
        if self.folder is None:
            return
        said = self.errors()
        shutil.rmtree(self.folder, ignore_errors=True)
        for sign in ("Sanitizer:", "runtime error:", "check failed"):
            if sign.lower() in said.lower():
                raise AssertionError(f"the control plane broke:\n{said[-8000:]}")
        secrecy.check("the control plane's log", said)

    def channel(self, credentials=None, address="api_address"):
        options = [("grpc.max_reconnect_backoff_ms", 200)]
        if credentials is None:
            return grpc.insecure_channel(self.addresses[address], options)
        return grpc.secure_channel(self.addresses[address], credentials, options)

    def admin(self, path, method="GET"):
        request = urllib.request.Request(f"http://{self.addresses['admin_address']}{path}", method=method)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as answer:
            return answer.code, answer.read().decode()

    def client(self, credentials=None, token=None):
        return Client(self.channel(credentials), token)


class Authority:
    """Signs certificates for both ends."""

    def __init__(self, name="authority"):
        self.name, self.folder = name, None

    def start(self):
        self.folder = Path(tempfile.mkdtemp(prefix="portico-test-"))
        self.certificate, self.key = self.make(self.name, self.folder, "basicConstraints=critical,CA:TRUE")

    def stop(self):
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def issue(self, name, folder=None, alternative="IP:127.0.0.1"):
        """NAME.crt and NAME.key in the folder, in the place of old ones."""
        return self.make(name, folder or self.folder, f"subjectAltName={alternative}", "-CA", str(self.certificate),
                         "-CAkey", str(self.key))

    @staticmethod
    def make(name, folder, extension, *more):
        certificate, key = Path(folder, f"{name}.crt"), Path(folder, f"{name}.key")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "2", "-subj", f"/CN={name}", "-addext", extension, "-keyout", str(key),
                        "-out", str(certificate), *more], check=True, capture_output=True)
        secrecy.keep(f"the key of {name}", secrecy.private_scalar(key))
        return certificate, key

    def credentials(self, identity=None):
        """What a client needs: who signs the server, and (certificate, key) of its own."""
        certificate, key = [path.read_bytes() for path in identity] if identity else (None, None)
        return grpc.ssl_channel_credentials(self.certificate.read_bytes(), key, certificate)
