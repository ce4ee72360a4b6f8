"""What the cases of porticoctl share: running it, and one control plane for all cases of a class."""
import subprocess
import tempfile
from pathlib import Path

from control_plane import ControlPlane
from harness import TIMEOUT_S, Case, porticoctl_binary

GATEWAY = "kind: Gateway\nmetadata: {name: %s}\nspec: {listeners: [{name: http, port: 8080, protocol: HTTP}]}\n"
CLUSTER = "kind: Cluster\nmetadata: {name: %s}\nspec:\n  endpoints:\n  - {address: 127.0.0.1, port: %s}\n"
ROUTE = "kind: Route\nmetadata: {name: %s}\nspec:\n  rules:\n  - backendRefs: [{name: %s}]\n"
KEYS = '{"keys":[{"kty":"oct","alg":"HS256","kid":"a","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTEyMzQ"}]}'


def ctl(*words, folder=None, text=""):
    """(exit code, standard output, standard error)."""
    done = subprocess.run([porticoctl_binary(), *words], cwd=folder, input=text, capture_output=True, text=True,
                          timeout=TIMEOUT_S, check=False)
    return done.returncode, done.stdout, done.stderr


class CtlCase(Case):
    """One control plane for all; each case has names of its own."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.control_plane = cls.use(ControlPlane(store="memory:"))
        cls.address = f"--api_address={cls.control_plane.addresses['api_address']}"

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="portico-test-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def write(self, name, text):
        (self.folder / name).write_text(text)
        return name

    def ctl(self, *words, text="", code=0):
        got, out, error = ctl(*words, self.address, folder=self.folder, text=text)
        self.assertEqual(got, code, out + error)
        return out, error

    def apply(self, text):
        """Returns the revision."""
        out, _ = self.ctl("apply", "-f", "-", text=text)
        return int(out.split()[-1])
