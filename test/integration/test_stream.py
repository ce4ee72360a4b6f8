"""A configuration that is streamed: what a change reaches, what is refused, and what goes on without a control plane."""
import fcntl
import os
import signal

from control_plane import Authority, ControlPlane, Messages, cluster, resource
from discovery import Discovery
from harness import Case, Proxy, RawClient, curl, eventually, free_port, get, table
from origins import Origin, answer


def gateway(port, name="default"):
    return resource("gateway", name, {"listeners": [{"name": "http", "port": port, "protocol": "LISTENER_PROTOCOL_HTTP"}],
                                      "addresses": [{"type": "ADDRESS_TYPE_IP_ADDRESS", "value": "127.0.0.1"}]})


def says(word, name="shop", gateway_name="default"):
    return resource("route", name, {"parentRefs": [{"name": gateway_name}], "rules": [
        {"name": "all", "filters": [{"type": "ROUTE_FILTER_TYPE_DIRECT_RESPONSE", "directResponse": {"status": 200, "body": word}}]}]})


def path_says(path, word):
    return resource("route", path[1:], {"rules": [
        {"matches": [{"path": {"type": "PATH_MATCH_TYPE_PATH_PREFIX", "value": path}}],
         "filters": [{"type": "ROUTE_FILTER_TYPE_DIRECT_RESPONSE", "directResponse": {"status": 200, "body": word}}]}]})


class StreamedProxy(Proxy):
    """A proxy that asks control planes. It is ready once it serves something."""

    def __init__(self, *control_planes, arguments=(), node="edge-1", **options):
        super().__init__("", **options)
        self.control_planes, self.more, self.node = control_planes, list(arguments), node

    def source_arguments(self):
        addresses = ",".join(one.addresses["discovery_address"] for one in self.control_planes)
        return [f"--discovery_address={addresses}", f"--node_id={self.node}",
                *(argument.format(folder=self.folder) for argument in self.more)]

    def word(self):
        return curl(self.url()).content.decode()


KEPT = ("--state_dir={folder}", "--state_key_file={folder}/state.key")


def can_lock(file):
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class Fleet(Case):
    """A control plane for each case."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        Messages.load()

    def setUp(self):
        self.control_plane = self.use_here(ControlPlane())
        self.client = self.control_plane.client()
        self.addCleanup(self.client.channel.close)

    def serving(self, *resources, arguments=(), workers=2):
        """A proxy that serves these and says "one"."""
        proxy = StreamedProxy(self.control_plane, arguments=arguments, workers=workers)
        self.client.apply(gateway(proxy.port), says("one"), *resources)
        self.use_here(proxy)
        self.assertEqual(proxy.word(), "one")
        return proxy

    def kill_control_plane(self):
        """With our connection to it gone before, since a channel like that one would find it broken."""
        self.client.channel.close()
        self.control_plane.end(signal.SIGKILL)

    def restart_control_plane(self):
        """On the same store and ports."""
        self.control_plane.start()
        self.client = self.control_plane.client()
        self.addCleanup(self.client.channel.close)


class Streamed(Fleet):
    def test_a_change_is_in_force_on_kept_connections(self):
        proxy = self.serving()
        with RawClient(proxy.port) as client:
            self.assertEqual(client.exchange(get()).content, b"one")
            self.client.apply(says("two"))
            eventually(lambda: client.exchange(get()).content == b"two", "the connection sees it")
        self.client.rollback(1)
        eventually(lambda: proxy.word() == "one", "a rollback is a change")

    def test_a_proxy_that_waits_for_its_gateway(self):
        proxy = self.use_here(StreamedProxy(self.control_plane, wait=False))
        eventually(lambda: "it answers" in proxy.errors(), "the stream stands")
        self.assertEqual(proxy.admin("/ready").status, 503)
        self.client.apply(gateway(proxy.port), says("one"))
        eventually(proxy.is_ready, "the gateway has come")
        self.assertEqual(proxy.word(), "one")

    def test_only_what_the_gateway_reaches(self):
        other = gateway(free_port(), "other")
        proxy = self.serving(other, cluster("unused"), says("three", "elsewhere", "other"))
        snapshot = proxy.admin("/snapshot").content.decode()
        self.assertIn("shop", snapshot)
        for name in ("unused", "elsewhere"):
            self.assertNotIn(name, snapshot)

    def test_a_route_goes(self):
        proxy = self.serving()
        name = Messages.config.ResourceName(kind="Route", name="shop")
        self.client.call("Delete", Messages.config.DeleteRequest(names=[name]), "ApplyResponse")
        eventually(lambda: curl(proxy.url()).status == 404, "it is gone")

    def test_an_unrelated_change_keeps_pooled_connections(self):
        origin = self.use_here(Origin(lambda request: answer(b"origin")))
        proxy = StreamedProxy(self.control_plane)
        forward = resource("route", "shop", {"rules": [{"backendRefs": [{"name": "origin"}]}]})
        self.client.apply(gateway(proxy.port), cluster("origin", origin.port), forward)
        self.use_here(proxy)
        for number in range(3):
            self.assertEqual(proxy.word(), "origin")
            self.client.apply(says(f"{number}", "other"))
            eventually(lambda: f"revision {number + 2}" in proxy.errors(), "the change is in force")
        self.assertEqual(proxy.word(), "origin")
        self.assertEqual(len({request.connection for request in origin.requests}), 1)

    def test_traffic_goes_on_without_a_control_plane(self):
        proxy = self.serving()
        self.kill_control_plane()
        eventually(lambda: "trying again" in proxy.errors(), "the stream has ended")
        self.assertEqual(proxy.word(), "one")
        self.restart_control_plane()
        self.client.apply(says("two"))
        eventually(lambda: proxy.word() == "two", "the proxy came back")
        self.assertEqual(proxy.errors().count("is in force"), 2, "what it had was not sent again")

    def test_another_control_plane_takes_over(self):
        second = self.use_here(ControlPlane())
        proxy = StreamedProxy(self.control_plane, second)
        self.client.apply(gateway(proxy.port), says("one"))
        with second.client() as client:
            client.apply(gateway(proxy.port), says("other"))
        self.use_here(proxy)
        self.assertEqual(proxy.word(), "one")
        self.kill_control_plane()
        eventually(lambda: proxy.word() == "other", "the second control plane is asked")

    def test_a_port_that_another_has_refuses_the_change(self):
        proxy = self.serving()
        origin = self.use_here(Origin(lambda request: answer(b"origin")))
        self.client.apply(gateway(origin.port), says("two"))
        eventually(lambda: "revision 2 is refused" in proxy.errors(), "the change is refused")
        self.assertEqual(proxy.word(), "one")
        self.client.apply(gateway(proxy.port))
        eventually(lambda: proxy.word() == "two", "the next is not")


class Kept(Fleet):
    """What is kept on the disk."""

    def kept(self):
        proxy = self.serving(arguments=KEPT)
        state = proxy.folder / "default.default.state"
        eventually(state.exists, "the configuration is kept")
        self.kill_control_plane()
        return proxy, state

    def restart(self, proxy, *arguments, wait=True):
        proxy.process.kill()
        proxy.process.wait()
        proxy.more = list(arguments or KEPT)
        proxy.wait_for_ready = wait
        proxy.run()

    def test_a_proxy_starts_without_a_control_plane(self):
        proxy, state = self.kept()
        self.assertEqual(os.stat(state).st_mode & 0o777, 0o600)
        self.assertNotIn(b"shop", state.read_bytes())
        self.restart(proxy)
        self.assertEqual(proxy.word(), "one")
        self.restart_control_plane()
        self.client.apply(says("two"))
        eventually(lambda: proxy.word() == "two", "it goes on with the control plane")

    def test_a_burst_is_kept_in_the_end(self):
        proxy = self.serving(arguments=(*KEPT, "--log_level=debug"))
        for number in range(20):
            self.client.apply(says(f"word {number}"))
        eventually(lambda: "revision 21 is kept" in proxy.errors(), "the last change is kept")
        self.assertLess(proxy.errors().count("is kept"), 20)
        self.kill_control_plane()
        self.restart(proxy)
        self.assertEqual(proxy.word(), "word 19")

    @table({
        "cut off": (lambda content: content[:-1], "has been changed or cut off"),
        "a bit": (lambda content: content[:-20] + bytes([content[-20] ^ 4]) + content[-19:], "has been changed or cut off"),
        "empty": (lambda content: b"", "is no state of this release"),
    })
    def test_what_is_spoilt_is_told_and_not_served(self, spoil, says_what):
        proxy, state = self.kept()
        state.write_bytes(spoil(state.read_bytes()))
        self.restart(proxy, wait=False)
        eventually(lambda: says_what in proxy.errors(), "it is told")
        self.assertIn("it is not served", proxy.errors())
        self.assertEqual(proxy.admin("/ready").status, 503)
        self.control_plane.start()
        eventually(proxy.is_ready, "the control plane has it")
        self.assertEqual(proxy.word(), "one")

    def test_another_key(self):
        proxy, _ = self.kept()
        (proxy.folder / "other.key").write_text("0" * 64)
        (proxy.folder / "other.key").chmod(0o600)
        self.restart(proxy, KEPT[0], "--state_key_file={folder}/other.key", wait=False)
        eventually(lambda: "another key" in proxy.errors(), "it is told")
        self.assertEqual(proxy.admin("/ready").status, 503)

    def test_a_mistyped_key_file_makes_no_key(self):
        proxy, _ = self.kept()
        self.restart(proxy, KEPT[0], "--state_key_file={folder}/kye", wait=False)
        self.assertEqual(proxy.exits(), 1)
        self.assertIn("--state_key_file", proxy.errors())
        self.assertFalse((proxy.folder / "kye").exists())

    def test_what_is_in_force_at_the_end_is_kept(self):
        proxy = self.serving(arguments=KEPT)
        self.client.apply(says("two"))
        eventually(lambda: proxy.word() == "two", "it is in force")
        proxy.process.send_signal(signal.SIGTERM)
        self.assertEqual(proxy.exits(), 0)
        self.kill_control_plane()
        self.restart(proxy)
        self.assertEqual(proxy.word(), "two")

    def test_a_drain_keeps_and_leaves_the_folder_to_the_next(self):
        proxy = self.serving(arguments=(*KEPT, "--drain_delay=20s"))
        with open(proxy.folder / "default.default.lock") as lock:
            self.assertFalse(can_lock(lock))
            proxy.process.send_signal(signal.SIGTERM)
            eventually(lambda: can_lock(lock), "the folder is the next one's")
        self.assertTrue((proxy.folder / "default.default.state").exists())
        self.assertIsNone(proxy.process.poll(), "it goes on as before")
        self.assertNotIn("refused", proxy.errors())

    def test_two_processes_with_one_folder(self):
        proxy = StreamedProxy(self.control_plane, arguments=(*KEPT, "--bind_address=127.0.0.1"))
        anywhere = resource("gateway", "default", {
            "listeners": [{"name": "http", "port": proxy.port, "protocol": "LISTENER_PROTOCOL_HTTP"}]})
        self.client.apply(anywhere, says("one"))
        self.use_here(proxy)
        flags = [flag.format(folder=proxy.folder) for flag in KEPT]
        second = self.use_here(StreamedProxy(self.control_plane, arguments=(*flags, "--bind_address=127.0.0.2")))
        self.assertIn(f"default.default.lock: process {proxy.process.pid} has it", second.errors())
        state = proxy.folder / "default.default.state"
        eventually(state.exists, "the first keeps it")
        os.remove(state)
        self.client.apply(says("two"))
        eventually(lambda: "revision 2" in second.errors(), "the second serves")
        proxy.process.kill()
        eventually(lambda: "the state is kept from now on" in second.errors(), "and keeps it then")

    @table({
        "no such folder": ({"arguments": ("--state_dir=/none", "--state_key_file=/none/key")},
                           "--state_dir: /none: no such file or directory"),
        "no such name": ({"gateway_name": "Shop"}, '--gateway: the name "Shop" must have letters in lower case'),
    })
    def test_wrong_usage(self, options, says_what):
        proxy = self.use_here(StreamedProxy(self.control_plane, wait=False, **options))
        self.assertEqual(proxy.exits(), 2)
        self.assertIn(says_what, proxy.errors())


class OverTls(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        Messages.load()
        cls.authority = cls.use(Authority())
        cls.control_plane = cls.use(ControlPlane(tls=cls.authority))
        cls.person = cls.authority.issue("alice")

    def proxy(self, identity, wait=True, ca=None):
        flags = [f"--tls_cert={identity[0]}", f"--tls_key={identity[1]}", f"--ca={ca or self.authority.certificate}"]
        return StreamedProxy(self.control_plane, arguments=flags, wait=wait)

    def test_its_certificate_names_its_gateway(self):
        identity = self.authority.issue("edge", alternative="URI:portico://gateway/default/default")
        proxy = self.proxy(identity)
        with self.control_plane.client(self.authority.credentials(self.person)) as client:
            client.apply(gateway(proxy.port), says("one"))
            self.use_here(proxy)
            self.assertEqual(proxy.word(), "one")

    @table({
        "of another gateway": ("URI:portico://gateway/default/other", "PERMISSION_DENIED"),
        "of a person": ("DNS:alice.example", "PERMISSION_DENIED"),
    })
    def test_refused(self, alternative, says_what):
        identity = self.authority.issue("stranger", alternative=alternative)
        proxy = self.use_here(self.proxy(identity, wait=False))
        eventually(lambda: says_what in proxy.errors(), "the control plane refuses")
        self.assertEqual(proxy.admin("/ready").status, 503)

    def test_a_control_plane_that_somebody_else_signed(self):
        other = self.use_here(Authority("other"))
        identity = self.authority.issue("edge2", alternative="URI:portico://gateway/default/default")
        proxy = self.use_here(self.proxy(identity, wait=False, ca=other.certificate))
        eventually(lambda: "certificate is refused" in proxy.errors(), "the proxy refuses")


UNKNOWN = b"\xf8\x7f\x01"     # field 2047: what an older proxy finds in a newer resource


class Smuggled(Case):
    """What the control plane should have refused is refused by the proxy, by its name, and opens nothing."""

    def setUp(self):
        self.discovery = self.use_here(Discovery())
        self.proxy = StreamedProxy(self.discovery, wait=False)
        self.discovery.put("Gateway", "default/default", "e.1", gateway(self.proxy.port))
        self.discovery.put("Route", "default/shop", "e.1", says("one"))
        self.use_here(self.proxy)
        self.assertEqual(self.discovery.mark(1), (0, "", {}))
        self.assertEqual(self.proxy.word(), "one")

    def test_what_it_does_not_know(self):
        self.discovery.put("Route", "default/shop", "e.2", says("two"), UNKNOWN)
        self.discovery.put("Route", "default/other", "e.2", path_says("/other", "new"))
        code, _, refused = self.discovery.mark(2)
        self.assertEqual(code, 0)
        self.assertEqual(list(refused), ["Route default/shop"])
        self.assertIn("unknown field 2047", refused["Route default/shop"])
        self.assertEqual(self.proxy.word(), "one")
        self.assertEqual(curl(self.proxy.url("/other")).content, b"new")
        self.discovery.put("Route", "default/shop", "e.3", says("three"))
        self.assertEqual(self.discovery.mark(3), (0, "", {}))
        self.assertEqual(self.proxy.word(), "three")

    def test_what_is_wrong_by_itself(self):
        self.discovery.put("Cluster", "default/orders", "e.2", cluster("orders", 70000))
        code, _, refused = self.discovery.mark(2)
        self.assertEqual(code, 0)
        self.assertIn("spec.endpoints[0].port", refused["Cluster default/orders"])

    def test_a_policy_that_is_refused_opens_nothing(self):
        policy = resource("authPolicy", "guard", {"targetRefs": [{"kind": "Route", "name": "admin"}], "authorization": {
            "defaultAction": "AUTHORIZATION_ACTION_DENY"}})
        self.discovery.put("AuthPolicy", "default/guard", "e.2", policy, UNKNOWN)
        self.discovery.put("Route", "default/admin", "e.2", path_says("/admin", "secret"))
        _, _, refused = self.discovery.mark(2)
        self.assertEqual(list(refused), ["AuthPolicy default/guard"])
        self.assertEqual(curl(self.proxy.url("/admin")).content, b"one", "the route waits for its policy")

    def test_a_gateway_that_is_refused_keeps_its_last_version(self):
        self.discovery.put("Gateway", "default/default", "e.2", gateway(free_port()), UNKNOWN)
        _, _, refused = self.discovery.mark(2)
        self.assertEqual(list(refused), ["Gateway default/default"])
        self.assertEqual(self.proxy.word(), "one")

    def test_without_its_gateway_all_is_refused(self):
        self.discovery.remove("Gateway", "default/default")
        code, message, _ = self.discovery.mark(2)
        self.assertEqual(code, 3)
        self.assertIn("Gateway", message)
        self.assertEqual(self.proxy.word(), "one")

    def test_a_set_that_is_not_the_marks(self):
        self.discovery.put("Route", "default/shop", "e.2", says("two"))
        code, message, _ = self.discovery.mark(2, spoil=True)
        self.assertEqual(code, 3)
        self.assertIn("not the mark's set of Route", message)
        self.assertEqual(self.proxy.word(), "one")
