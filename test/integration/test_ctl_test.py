"""`porticoctl test`: the shop's own tests hold, and what porticoctl decides is what a proxy does."""
import json
import shutil
import tempfile
from pathlib import Path

from ctl_case import ctl
from harness import Case, Proxy, cluster, curl, gateway, route
from origins import Origin
from shop import SHOP, Certificates
from test_auth import POLICY

# Method, path, whether alice's token is sent, and of which application.
ASKED = [
    ("GET", "/open/x", None), ("GET", "/bob", None), ("GET", "/bob", "mobile-app"), ("GET", "/x", "mobile-app"),
    ("GET", "/x", None), ("DELETE", "/x", "acme"), ("GET", "/x", "acme"), ("DELETE", "/open", "acme"),
    ("GET", "/bob;x", "mobile-app"), ("GET", "/open/%2e%2e/bob", None), ("GET", "/open;x", "mobile-app"),
    ("GET", "/away", "mobile-app"), ("POST", "/teapot", "mobile-app"), ("GET", "/nothing%2Fx/", "mobile-app")]


class ConfigTests(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.certificates = cls.use(Certificates())
        cls.origin = cls.use(Origin())

    def test_the_shops_own(self):
        with tempfile.TemporaryDirectory(prefix="portico-test-") as folder:
            shutil.copy(SHOP / "shop.yaml", folder)
            for name, content in self.certificates.files().items():
                Path(folder, name).parent.mkdir(exist_ok=True)
                Path(folder, name).write_bytes(content)
            code, out, error = ctl("test", "-f", "shop.yaml", "-t", SHOP / "tests.yaml", folder=folder)
            self.assertEqual((code, error), (0, ""), out)
            self.assertRegex(out, r"\n\d+ passed, 0 failed\n$")
            Path(folder, "broken.yaml").write_text((SHOP / "tests.yaml").read_text().replace("status: 418", "status: 417"))
            code, out, _ = ctl("test", "-f", "shop.yaml", "-t", "broken.yaml", folder=folder)
            self.assertEqual(code, 1)
            self.assertIn("expected 417, got 418", out)

    def test_as_a_proxy_decides(self):
        """The same requests to both; 0 is what an origin has answered."""
        proxy = self.use_here(Proxy(lambda port: gateway(port) + POLICY + cluster("origin", self.origin.port) + route("all", [
            "{name: open, matches: [{path: {value: /open}}], backendRefs: [{name: origin}]}",
            "{name: bob, matches: [{path: {value: /bob}}], backendRefs: [{name: origin}]}",
            "{name: away, matches: [{path: {value: /away}}], filters: [{requestRedirect: {port: 1}}]}",
            "{name: teapot, matches: [{path: {value: /teapot}}], filters: [{directResponse: {status: 418}}]}",
            "{name: rest, backendRefs: [{name: origin}]}"]), files=self.certificates.files()))
        done = []
        for method, path, application in ASKED:
            bearer = [] if application is None else [
                "-H", "authorization: Bearer " + self.certificates.token("alice", client=application)]
            self.origin.clear()
            answer = curl(proxy.url(path), "--path-as-is", "-X", method, *bearer)
            done.append(0 if self.origin.requests else answer.status)
        tests = [{"name": str(i), "request": {"method": method, "url": proxy.url(path)}, "expect": {"status": status},
                  **({} if application is None else {"identity": {"subject": "alice", "claims": {"azp": application}}})}
                 for i, ((method, path, application), status) in enumerate(zip(ASKED, done))]
        (proxy.folder / "tests.yaml").write_text(json.dumps({"tests": tests}))
        code, out, error = ctl("test", "-f", proxy.config_path, "-t", "tests.yaml", folder=proxy.folder)
        self.assertEqual((code, error), (0, ""), out)
        self.assertEqual({0, 302, 400, 401, 403, 418}, set(done))
