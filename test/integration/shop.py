"""The shop's own configuration as a fixture: with ports of this run, certificates and tokens of its scripts."""
import importlib.machinery
import importlib.util
import subprocess
import sys
import tempfile
import shutil
from pathlib import Path

import secrecy
from harness import ROOT, free_port

SHOP = ROOT / "examples/shop"


def load(path, name):
    loader = importlib.machinery.SourceFileLoader(name, str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    sys.modules[name] = module
    loader.exec_module(module)
    return module


token = load(SHOP / "token", "shop_token")

# The keys that Certificates writes, and two callers that are known by the token that they were given.
CALLERS = """\
---
kind: Secret
metadata: {name: keys}
spec:
  jwks: {file: tls/jwks.json}
---
kind: Consumer
metadata: {name: mobile-app}
spec:
  credentials: [{jwt: {issuer: "https://id.shop.example", claims: {azp: mobile-app}}}]
---
kind: Consumer
metadata: {name: acme}
spec:
  groups: [partner]
  credentials: [{jwt: {issuer: "https://id.shop.example", claims: {azp: acme}}}]
"""


class Certificates:
    """A folder with what examples/shop/make-certificates writes."""

    folder = None

    def start(self):
        self.folder = Path(tempfile.mkdtemp(prefix="portico-test-"))
        subprocess.run([str(SHOP / "make-certificates"), str(self.folder)], check=True, capture_output=True)
        for name in ("ca.key", "api.key", "signing.key"):
            secrecy.keep(f"the shop's {name}", secrecy.private_scalar(self.folder / name))

    def stop(self):
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def authority(self):
        return self.folder / "ca.crt"

    def files(self):
        return {f"tls/{name}": (self.folder / name).read_bytes() for name in ("api.crt", "api.key", "jwks.json")}

    def token(self, subject="alice", **claims):
        minted = token.mint(subject, self.folder, **claims)
        secrecy.keep_token(minted)
        return minted


def self_signed(name, folder):
    """A certificate for a name, its own authority: (certificate path, key path)."""
    certificate, key = Path(folder, f"{name}.crt"), Path(folder, f"{name}.key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
                    "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    secrecy.keep(f"the key of {name}", secrecy.private_scalar(key))
    return certificate, key


def https_gateway(port, https_port, secrets=("cert",), more=""):
    references = ", ".join(f"{{name: {name}}}" for name in secrets)
    return ("kind: Gateway\nmetadata: {name: default}\nspec:\n  listeners:\n"
            f"  - {{name: http, port: {port}, protocol: HTTP}}\n"
            f"  - {{name: https, port: {https_port}, protocol: HTTPS, tls: {{certificateRefs: [{references}]}}}}\n"
            "  addresses: [{type: IPAddress, value: 127.0.0.1}]\n" +
            "".join(f"  {line}\n" for line in more.splitlines() if line))


def tls_secret(name, certificate, key):
    return (f"---\nkind: Secret\nmetadata: {{name: {name}}}\nspec:\n"
            f"  tls: {{certificate: {{file: {certificate}}}, privateKey: {{file: {key}}}}}\n")


__all__ = ["Certificates", "SHOP", "free_port", "https_gateway", "self_signed", "tls_secret", "token"]
