"""Releases that differ: what an older one does not know it refuses by name, and the rest goes on. docs/upgrade.md tells the order
of an upgrade; this is what it rests on.
"""
import sqlite3
import subprocess

import grpc

from control_plane import ControlPlane, Messages, cluster
from discovery import Asker, Discovery, fleet
from harness import TIMEOUT_S, Case, RawClient, curl, eventually, porticoctl_binary, table
from test_control_plane import run
from test_stream import UNKNOWN, StreamedProxy, gateway, path_says, resource, says

OLDER = "this proxy is older than what is written"


Messages.load()     # the tables below are made of them


def policy(route="shop"):
    return resource("authPolicy", "guard", {"targetRefs": [{"kind": "Route", "name": route}], "authorization": {
        "defaultAction": "AUTHORIZATION_ACTION_DENY"}})


# What a newer control plane may send, as changes of good resources: (kind, name, resource, where, what is said of it).
FUTURE = {
    "a field": ("Route", "shop", says("two"), lambda whole: whole, "unknown field 2047"),
    "a field of the specification": ("Route", "shop", says("two"), lambda whole: whole.spec, "spec: unknown field 2047"),
    "a field deep inside": ("Route", "shop", says("two"), lambda whole: whole.spec.rules[0].filters[0].direct_response,
                            "spec.rules[0].filters[0].directResponse: unknown field 2047"),
    "a field of the metadata": ("Route", "shop", says("two"), lambda whole: whole.metadata, "metadata: unknown field 2047"),
    "a field of a cluster's endpoint": ("Cluster", "new", cluster("new"), lambda whole: whole.spec.endpoints[0],
                                        "spec.endpoints[0]: unknown field 2047"),
    "a field of a policy": ("AuthPolicy", "guard", policy(), lambda whole: whole.spec.authorization,
                            "spec.authorization: unknown field 2047"),
}


class OlderProxy(Case):
    """A control plane of a later release, whose resources a real proxy does not wholly know."""

    def setUp(self):
        self.discovery = self.use_here(Discovery())
        self.proxy = StreamedProxy(self.discovery, wait=False)
        self.discovery.put("Gateway", "default/default", "e.1", gateway(self.proxy.port))
        self.discovery.put("Route", "default/shop", "e.1", says("one"))
        self.use_here(self.proxy)

    def first(self):
        self.assertEqual(self.discovery.mark(1), (0, "", {}))
        self.assertEqual(self.proxy.word(), "one")

    def refuses(self, kind, name, whole, reason):
        """The one resource, by its name, and takes what came with it."""
        self.discovery.put(kind, f"default/{name}", "e.2", whole)
        self.discovery.put("Route", "default/beside", "e.2", path_says("/beside", "new"))
        code, message, refused = self.discovery.mark(2)
        self.assertEqual((code, message), (0, ""))
        self.assertEqual(list(refused), [f"{kind} default/{name}"])
        self.assertEqual(refused[f"{kind} default/{name}"], f"{reason}; {OLDER}")
        # Of a policy that it can't read nobody knows what it guards: what changes of Routes waits with it.
        self.assertEqual(curl(self.proxy.url("/beside")).content, b"one" if kind == "AuthPolicy" else b"new")
        self.assertEqual(self.proxy.word(), "one", "the last good version goes on")

    @table(FUTURE)
    def test_what_it_does_not_know(self, kind, name, whole, place, reason):
        self.first()
        newer = type(whole)()
        newer.CopyFrom(whole)
        place(getattr(newer, newer.WhichOneof("kind"))).MergeFromString(UNKNOWN)
        self.refuses(kind, name, newer, reason)
        self.discovery.put(kind, f"default/{name}", "e.3", whole)       # written so that all know it
        self.assertEqual(self.discovery.mark(3), (0, "", {}))
        self.assertEqual(curl(self.proxy.url("/beside")).content, b"new")

    def test_a_value_of_an_enumeration(self):
        self.first()
        newer = policy()
        newer.auth_policy.spec.authorization.default_action = 99
        self.refuses("AuthPolicy", "guard", newer, "spec.authorization.defaultAction: unknown value 99")

    def test_a_policy_that_it_never_knew_opens_nothing(self):
        """In its very first configuration: nothing that goes on, and all waits that it may guard."""
        self.discovery.put("AuthPolicy", "default/guard", "e.1", policy(), UNKNOWN)
        code, _, _ = self.discovery.mark(1)
        self.assertEqual(code, 3)
        self.assertIn(f"AuthPolicy guard is refused: unknown field 2047; {OLDER}", self.proxy.errors())
        self.assertEqual(self.proxy.admin("/ready").status, 503)
        with self.assertRaises(OSError):
            RawClient(self.proxy.port)
        self.discovery.put("AuthPolicy", "default/guard", "e.2", policy())
        self.assertEqual(self.discovery.mark(2), (0, "", {}))
        self.assertEqual(curl(self.proxy.url()).status, 403)

    def test_a_kind(self):
        """Of a whole kind it can't say what it guards: the revision is refused, and names it."""
        self.first()
        self.discovery.hold("FuturePolicy", "default/new", "e.2")
        self.discovery.put("Route", "default/shop", "e.2", says("two"))
        code, message, _ = self.discovery.mark(2)
        self.assertEqual(code, 3)
        self.assertIn("resources of the type type.googleapis.com/portico.v1.FuturePolicy, which this proxy does not know",
                      message)
        self.assertEqual(self.proxy.word(), "one")
        self.discovery.hold("FuturePolicy", "default/new", None)
        self.assertEqual(self.discovery.mark(3), (0, "", {}))
        self.assertEqual(self.proxy.word(), "two")

    def test_a_field_of_the_mark(self):
        self.first()
        self.discovery.put("Route", "default/shop", "e.2", says("two"))
        code, message, _ = self.discovery.mark(2, more=UNKNOWN)
        self.assertEqual(code, 3)
        self.assertIn("this proxy is older than the control plane", message)
        self.assertEqual(self.proxy.word(), "one")

    def test_a_field_of_the_envelope_is_none_of_its_business(self):
        self.first()
        self.discovery.more = UNKNOWN
        self.discovery.put("Route", "default/shop", "e.2", says("two"))
        self.assertEqual(self.discovery.mark(2), (0, "", {}))
        self.assertEqual(self.proxy.word(), "two")

    def test_it_says_what_it_knows(self):
        self.first()
        node = self.discovery.requests[0].node
        self.assertEqual(node.user_agent_name, "portico-proxy")
        self.assertGreaterEqual(node.metadata["schemaLevel"], 1)
        self.assertTrue(node.user_agent_version)


class RealControlPlane(Case):
    """A real control plane, asked by proxies of other releases."""

    def setUp(self):
        self.control_plane = self.use_here(ControlPlane(store="memory:"))
        self.client = self.control_plane.client()
        self.addCleanup(self.client.channel.close)
        self.client.apply(gateway(8080), says("one"))

    def asker(self, *kinds, node="edge-1", **options):
        asker = self.use_here(Asker(self.control_plane, node, **options))
        asker.subscribe(*kinds)
        return asker

    def ctl(self, *words, text=""):
        address = f"--api_address={self.control_plane.addresses['api_address']}"
        done = subprocess.run([porticoctl_binary(), *words, address], input=text, capture_output=True, text=True,
                              timeout=TIMEOUT_S, check=False)
        return done.returncode, done.stdout + done.stderr

    @table({"none": ({}, 0), "an older one": ({"schemaLevel": 0}, 0), "a newer one": ({"schemaLevel": 7}, 7),
            "more that is unknown": ({"schemaLevel": 2, "future": {"a": [1]}}, 2)})
    def test_the_level_of_a_proxy_is_shown(self, metadata, level):
        asker = self.asker("Gateway", "Route", "Revision", **metadata)
        asker.answer(asker.mark(1))
        eventually(lambda: fleet(self.control_plane)["edge-1"].running_revision == 1, "it runs")
        self.assertEqual(fleet(self.control_plane)["edge-1"].schema_level, level)

    def test_a_level_that_is_none(self):
        asker = self.asker("Gateway", schemaLevel=-1)
        eventually(lambda: asker.ended, "the stream is refused")
        self.assertEqual(asker.ended.code(), grpc.StatusCode.INVALID_ARGUMENT)
        self.assertIn("schemaLevel", asker.ended.details())

    def test_a_newer_proxy_asks_for_a_kind_that_is_unknown_here(self):
        asker = self.asker("FuturePolicy", "Gateway", "Route", "Revision", schemaLevel=2)
        self.assertEqual(len(asker.response("FuturePolicy").resources), 0)
        asker.answer(asker.response("FuturePolicy"))
        asker.answer(asker.mark(1))
        self.client.apply(says("two"))
        types = Messages.Revision.FromString(asker.mark(2).resources[0].resource.value).types
        self.assertEqual([one.type_url.rsplit(".", 1)[1] for one in types], ["Gateway", "Route"])
        asker.answer(asker.mark(2))
        eventually(lambda: fleet(self.control_plane)["edge-1"].running_revision == 2, "it runs")

    def test_a_newer_proxy_says_more_in_each_request(self):
        asker = self.asker("Gateway", "Route", "Revision", more=UNKNOWN)
        asker.answer(asker.mark(1))
        eventually(lambda: fleet(self.control_plane)["edge-1"].running_revision == 1, "it runs")

    def test_what_an_older_proxy_will_refuse_is_warned_of(self):
        asker = self.asker("Gateway", "Route", "Revision", schemaLevel=1)
        asker.answer(asker.mark(1))
        text = ("kind: Route\nmetadata: {name: shop}\nspec:\n  rules:\n  - requestContentBytesMax: 10\n"
                "    filters: [{type: DirectResponse, directResponse: {status: 200, body: two}}]\n")
        for command, code in ((("apply", "--dry-run"), 0), (("diff",), 1), (("apply",), 0)):
            with self.subTest(command):
                done, said = self.ctl(*command, "-f", "-", text=text)
                self.assertEqual(done, code, said)
                self.assertIn("spec.rules[0].requestContentBytesMax", said)
                self.assertIn("is of schema level 2; 1 of 1 connected proxies of Gateway default is of level 1 and will refuse "
                              "it", said)
        asker.answer(asker.mark(2))
        self.assertNotIn("schema level", self.ctl("apply", "-f", "-", text=text)[1], "nothing is brought")

    def test_what_an_older_proxy_refuses_is_shown_to_who_applies(self):
        asker = self.asker("Gateway", "Route", "Revision", schemaLevel=0)
        asker.answer(asker.mark(1))
        self.client.apply(says("two"))
        reason = f"spec.rules[0]: unknown field 17; {OLDER}"
        version = next(one.version for response in asker.responses for one in response.resources if one.name == "default/shop")
        report = Messages.RevisionReport()
        report.refusals.add(resource="Route default/shop", version=version, reason=reason)
        asker.answer(asker.mark(2), report)
        eventually(lambda: fleet(self.control_plane)["edge-1"].refusals, "the fleet has it")
        self.assertEqual(fleet(self.control_plane)["edge-1"].running_revision, 2)
        code, said = self.ctl("status")
        self.assertEqual(code, 1, said)
        self.assertIn("edge-1", said)
        self.assertIn(reason, said)

    def test_waiting_tells_who_refused(self):
        asker = self.asker("Gateway", "Route", "Revision", schemaLevel=0)
        asker.answer(asker.mark(1))
        text = ("kind: Route\nmetadata: {name: other}\nspec:\n  rules:\n"
                "  - filters: [{type: DirectResponse, directResponse: {status: 200, body: x}}]\n")
        waiting = subprocess.Popen([porticoctl_binary(), "apply", "-f", "-", "--wait",
                                    f"--api_address={self.control_plane.addresses['api_address']}"], text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        waiting.stdin.write(text)
        waiting.stdin.close()
        report = Messages.RevisionReport()
        report.refusals.add(resource="Route default/other", version="e.2", reason=f"spec: unknown field 17; {OLDER}")
        asker.answer(asker.mark(2), report)
        said = waiting.stdout.read()
        self.assertEqual(waiting.wait(TIMEOUT_S), 1, said)
        self.assertIn(f"Route default/other: spec: unknown field 17; {OLDER}", said)
        waiting.stdout.close()

    @table({"of the whole": lambda whole: whole.route, "deep inside": lambda whole: whole.route.spec.rules[0]})
    def test_a_newer_client_writes_a_field_that_is_unknown_here(self, place):
        newer = says("two")
        place(newer).MergeFromString(UNKNOWN)
        with self.assertRaises(grpc.RpcError) as raised:
            self.client.apply(newer, path_says("/beside", "new"))
        self.assertEqual(raised.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)
        self.assertIn("Route shop", raised.exception.details())
        self.assertIn("holds a field that this version does not know", raised.exception.details())
        self.assertEqual(self.client.names(kind="Route"), ["shop"], "nothing of the change is stored")


class Stored(Case):
    def test_a_store_of_a_newer_release(self):
        control_plane = self.use_here(ControlPlane())
        with control_plane.client() as client:
            client.apply(cluster("kept"))
        control_plane.end()
        database = sqlite3.connect(control_plane.folder / "portico.db")
        level = database.execute("PRAGMA user_version").fetchone()[0]
        database.execute(f"PRAGMA user_version = {level + 1}")
        database.close()
        code, said = run(*control_plane.command()[1:], folder=control_plane.folder)
        self.assertEqual(code, 1)
        self.assertIn(f"was written by a newer release (schema {level + 1}; this one knows {level}): upgrade, or restore a "
                      "backup", said)
        database = sqlite3.connect(control_plane.folder / "portico.db")
        database.execute(f"PRAGMA user_version = {level}")
        database.close()
        control_plane.start()
        with control_plane.client() as client:
            self.assertEqual(client.names(), ["kept"], "it was not touched")
