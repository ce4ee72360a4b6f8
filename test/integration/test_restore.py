"""After a restore of an older backup every proxy runs what the backup holds, whatever it ran and knew before: a restore begins
another epoch, in which the numbers of revisions mean something else.
"""
import signal
import subprocess

from control_plane import Messages, resource
from harness import TIMEOUT_S, control_plane_binary, curl, eventually, table
from test_stream import KEPT, Fleet, StreamedProxy, gateway, path_says, says


class Restore(Fleet):
    """The backup holds "one". Afterwards come "two", what is there only then, and the loss of the store."""

    def setUp(self):
        super().setUp()
        self.proxies = []

    def proxy(self, node):
        """One more proxy of the gateway, at an address of its own."""
        number = len(self.proxies) + 1
        proxy = StreamedProxy(self.control_plane, node=node, arguments=[*KEPT, f"--bind_address=127.0.0.{number}"])
        proxy.url = lambda target="/": f"http://127.0.0.{number}:{proxy.port}{target}"
        if self.proxies:
            proxy.port = self.proxies[0].port
        self.proxies.append(proxy)
        return proxy

    def copy(self, flag):
        done = subprocess.run([control_plane_binary(), "--store=sqlite:portico.db", flag], cwd=self.control_plane.folder,
                              capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def until_backup(self, *nodes):
        """Proxies that run "one", of which there is a copy."""
        for node in nodes:
            self.proxy(node)
        whole = gateway(self.proxies[0].port)
        whole.gateway.spec.ClearField("addresses")      # each binds where its flag says
        self.client.apply(whole, says("one"), path_says("/kept", "kept"))
        for proxy in self.proxies:
            self.use_here(proxy)
        self.copy("--backup=copy.db")

    def change(self):
        """What the restore takes back: a new text, a new route and a route that goes."""
        self.client.apply(says("two"), path_says("/later", "later"))
        self.client.call("Delete", Messages.config.DeleteRequest(names=[Messages.config.ResourceName(kind="Route", name="kept")]),
                         "ApplyResponse")
        for proxy in self.proxies:
            self.until(proxy, "two", later=200)
        # The next that each keeps holds this; one more change, so that there is a next.
        before = {proxy: self.kept_at(proxy) for proxy in self.proxies}
        self.client.apply(path_says("/beside", "beside"))
        eventually(lambda: all(self.kept_at(proxy) > before[proxy] for proxy in self.proxies), "all have kept it")

    @staticmethod
    def kept_at(proxy):
        state = proxy.folder / "default.default.state"
        return state.stat().st_mtime_ns if state.exists() else 0

    def restore(self):
        if self.control_plane.process.poll() is None:
            self.kill_control_plane()
        self.copy("--restore=copy.db")
        self.restart_control_plane()

    def until(self, proxy, word, later=404):
        """Where a route of its own is not there the one of all paths answers."""
        expected = {"/": word, "/later": "later" if later == 200 else word, "/kept": word if later == 200 else "kept"}
        eventually(lambda: all(curl(proxy.url(path)).content.decode() == text for path, text in expected.items()),
                   f"{proxy.node} runs {word!r}; it said:\n{proxy.errors()}")

    def fleet(self):
        """{node: (epoch, revision that runs, refused)} of what is connected."""
        call = self.client.channel.unary_unary("/portico.v1.FleetService/ListProxies", lambda one: one.SerializeToString(),
                                               Messages.fleet.ListProxiesResponse.FromString)
        answer = call(Messages.fleet.ListProxiesRequest(), timeout=TIMEOUT_S, wait_for_ready=True)
        return {one.node_id: (one.epoch, one.running_revision, one.refused_revision or len(one.refusals))
                for one in answer.proxies if one.connected}

    def epoch(self):
        return self.client.call("History", Messages.config.HistoryRequest(), "HistoryResponse").epoch

    def stays_connected(self, proxy):
        """Connected whenever there is a control plane."""

    def starts_without_it(self, proxy):
        """Ends, and starts from its disk while there is no control plane."""
        proxy.process.kill()
        proxy.process.wait()
        proxy.run()
        self.until(proxy, "two", later=200)

    def sleeps(self, proxy):
        """Hangs meanwhile: for it the old stream still stands when there is another control plane."""
        proxy.process.send_signal(signal.SIGSTOP)

    @table({"connected": stays_connected, "started without a control plane": starts_without_it, "asleep": sleeps})
    def test_a_proxy_that_was(self, meanwhile):
        self.until_backup("edge-1")
        self.change()
        before = self.epoch()
        self.kill_control_plane()
        meanwhile(self, self.proxies[0])
        self.restore()
        self.proxies[0].process.send_signal(signal.SIGCONT)
        self.until(self.proxies[0], "one")
        self.assertNotEqual(self.epoch(), before)
        eventually(lambda: self.fleet() == {"edge-1": (self.epoch(), 1, 0)}, "the fleet says so")

    def test_all_together_and_what_comes_then(self):
        """Numbers come again with other contents: revision 2 is not the one that they ran."""
        self.until_backup("connected", "restarted", "asleep", "away")
        self.change()
        self.kill_control_plane()
        self.starts_without_it(self.proxies[1])
        self.sleeps(self.proxies[2])
        self.proxies[3].process.kill()
        self.proxies[3].process.wait()
        self.restore()
        self.client.apply(says("three"), path_says("/later", "later"))     # revision 2, again
        self.proxies[2].process.send_signal(signal.SIGCONT)
        self.proxies[3].run()
        for proxy in self.proxies:
            eventually(lambda: proxy.word() == "three", lambda: f"{proxy.node} runs the new revision 2; it said:\n{proxy.errors()}")
            self.assertEqual(curl(proxy.url("/kept")).content, b"kept")
        eventually(lambda: self.fleet() == {proxy.node: (self.epoch(), 2, 0) for proxy in self.proxies}, "the fleet says so")

    def test_the_same_contents_again(self):
        """A change made again after the restore, word for word, and with the number that it had."""
        self.until_backup("edge-1")
        self.client.apply(says("two"))
        eventually(lambda: self.proxies[0].word() == "two", "it runs")
        self.restore()
        self.client.apply(says("two"))
        eventually(lambda: self.fleet() == {"edge-1": (self.epoch(), 2, 0)}, "the new revision runs")
        self.assertEqual(self.proxies[0].word(), "two")

    def test_a_revision_of_before_is_no_precondition(self):
        """Who changes by what they read before the restore is told, though the number is there again."""
        self.until_backup("edge-1")
        read = self.client.apply(says("two"))
        self.restore()
        self.client.apply(says("other"))
        with self.assertRaisesRegex(Exception, "ABORTED"):
            self.client.apply(says("three"), expected_revision=read.revision, expected_epoch=read.epoch)
        self.assertEqual(self.client.get("Route", "shop").resource, self.stored("other"))

    def stored(self, word):
        expected = says(word)
        expected.route.metadata.CopyFrom(self.client.get("Route", "shop").resource.route.metadata)
        return expected

    def test_a_secret_of_the_backup(self):
        """Its values are sealed with the key that stays beside the store."""
        self.until_backup("edge-1")
        keys = '{"keys":[{"kty":"oct","alg":"HS256","kid":"a","k":"%s"}]}'
        spec = {"jwks": {"inline": keys % "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTEyMzQ"}}
        self.client.apply(resource("secret", "keys", spec))
        (self.control_plane.folder / "copy.db").unlink()
        self.copy("--backup=copy.db")
        stored = self.client.get("Secret", "keys").resource.secret.spec
        self.client.apply(resource("secret", "keys", {"jwks": {"inline": keys % "b3RoZXItc2VjcmV0LXNlY3JldC1zZWNyZXQtMTIzNDU"}}))
        self.restore()
        self.assertEqual(self.client.get("Secret", "keys").resource.secret.spec, stored)
