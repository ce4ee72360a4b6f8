"""A changed file is in force within moments, a bad one never is, and no request notices."""
import os
import signal
import threading
from pathlib import PosixPath

from harness import Case, Proxy, RawClient, check, cluster, eventually, free_port, gateway, get, route, table
from origins import Origin, answer


def says(word, extra=""):
    return lambda port: gateway(port) + route("r", [
        f"{{filters: [{{directResponse: {{status: 200, body: {word}}}}}]}}"]) + extra


BAD = {
    "misspelt field": ("kind: Cluster\nmetadata: {name: c}\nspec: {endpoint: []}\n", "endpoints"),
    "unknown kind": ("kind: Clutser\nmetadata: {name: c}\nspec: {}\n", "Cluster"),
    "not YAML": ("kind: [Cluster\n", ""),
    "duplicate key": ("kind: Cluster\nkind: Cluster\nmetadata: {name: c}\n", "kind"),
    "bad regex": (route("x", ['{matches: [{path: {type: RegularExpression, value: "("}}], filters: '
                              '[{directResponse: {status: 200}}]}']).lstrip("-\n"), "value"),
    "unknown cluster": (route("x", ["{backendRefs: [{name: nobody}]}"]).lstrip("-\n"), "nobody"),
    "bad jq program": ("kind: Composition\nmetadata: {name: c}\nspec:\n  steps:\n  - name: a\n    call: {backendRef: "
                       "{name: c}, path: /}\n  answer: {body: '$nothing'}\n---\n" + cluster("c", 9).lstrip("-\n"), "nothing"),
    "bad duration": (cluster("c", 9, "connectTimeout: 5").lstrip("-\n"), "connectTimeout"),
    "a field of later": (route("x", ["{backendRefs: [{name: c}], sessionPersistence: {sessionName: s}}"]).lstrip("-\n"),
                         "sessionPersistence"),
    "alias bomb": ("kind: Cluster\nmetadata: {name: c}\nspec:\n  a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"  {chr(98 + i)}: &{chr(98 + i)} [" + ",".join([f"*{chr(97 + i)}"] * 9) + "]\n" for i in range(9)), ""),
}


class Reload(Case):
    def setUp(self):
        self.proxy = self.use_here(Proxy(says("one"), workers=2))

    def word(self):
        with RawClient(self.proxy.port) as client:
            return client.exchange(get()).content.decode()

    def test_rename(self):
        self.assertEqual(self.word(), "one")
        self.proxy.replace_config(says("two"))
        eventually(lambda: self.word() == "two", "the new file is in force")

    def test_written_in_place(self):
        self.proxy.config_path.write_text(says("two")(self.proxy.port))
        eventually(lambda: self.word() == "two", "the new file is in force")

    @table({name: row for name, row in BAD.items()})
    def test_bad_file(self, text, named):
        line = says("one")(self.proxy.port).count("\n") + 1
        self.proxy.replace_config(lambda port: says("two")(port) + "---\n" + text)
        said = eventually(lambda: self.proxy.errors() if "portico.yaml:" in self.proxy.errors() else "",
                          "the refusal is logged")
        self.assertRegex(said, r"portico\.yaml:\d+")
        self.assertIn(named, said)
        number = int(said.split("portico.yaml:")[1].split(":")[0].split()[0])
        self.assertGreater(number, line)
        self.assertEqual(self.word(), "one")
        self.proxy.replace_config(says("three"))
        eventually(lambda: self.word() == "three", "a good file behind a bad one is in force")

    def test_file_disappears(self):
        self.proxy.config_path.unlink()
        self.assertEqual(self.word(), "one")
        self.proxy.replace_config(says("two"))
        eventually(lambda: self.word() == "two", "the file that came back is in force")

    def test_kept_connection_sees_the_new_file(self):
        with RawClient(self.proxy.port) as client:
            self.assertEqual(client.exchange(get()).content, b"one")
            self.proxy.replace_config(says("two"))
            eventually(lambda: client.exchange(get()).content == b"two", "the connection sees it")

    def test_half_a_head_meets_the_new_file(self):
        proxy = self.use_here(Proxy(says("one")))  # one worker: what one connection sees, all do

        def word_now():
            with RawClient(proxy.port) as other:
                return other.exchange(get()).content.decode()
        for split in (1, 10, len(get()) - 1):
            with RawClient(proxy.port) as client:
                client.send(get()[:split])
                word = f"after-{split}"
                proxy.replace_config(says(word))
                eventually(lambda: word_now() == word, "the new file is in force")
                client.send(get()[split:])
                self.assertEqual(client.read_response().content.decode(), word)

    def test_a_new_listener(self):
        other = free_port()
        self.proxy.replace_config(lambda port: says("two")(port).replace(
            "protocol: HTTP}]", f"protocol: HTTP}}, {{name: more, port: {other}, protocol: HTTP}}]"))

        def answers():
            try:
                with RawClient(other) as client:
                    return client.exchange(get()).status == 200
            except OSError:
                return False
        eventually(answers, "the new listener accepts")

    def test_a_port_in_use_refuses_the_change(self):
        taken = self.use_here(Origin())
        self.proxy.replace_config(lambda port: says("two")(port).replace(
            "protocol: HTTP}]", f"protocol: HTTP}}, {{name: more, port: {taken.port}, protocol: HTTP}}]"))
        eventually(lambda: str(taken.port) in self.proxy.errors(), "the refusal names the port")
        self.assertEqual(self.word(), "one")
        self.proxy.replace_config(says("three"))
        eventually(lambda: self.word() == "three", "a good file behind it is in force")
        self.assertEqual(self.proxy.metric("portico_configuration_revision"), 2, "what was refused has no number")

    def test_requests_notice_nothing(self):
        failures, stop = [], threading.Event()

        def load():
            with RawClient(self.proxy.port) as client:
                while not stop.is_set():
                    response = client.exchange(get())
                    if response.status != 200 or response.content.decode() not in words:
                        failures.append(response)
        words = {"one"} | {f"w{number}" for number in range(10)}
        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            for number in range(10):
                self.proxy.replace_config(says(f"w{number}"))
                eventually(lambda: self.word() == f"w{number}", "the change is in force")
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.assertEqual(failures, [])

    def test_an_exchange_under_way_keeps_its_rule(self):
        origin = self.use_here(Origin(lambda request: [0.4, answer("old")]))
        proxy = self.use_here(Proxy(lambda port: gateway(port) + cluster("o", origin.port) + route(
            "r", ["{backendRefs: [{name: o}]}"])))
        with RawClient(proxy.port) as client:
            client.send(get())
            eventually(lambda: origin.requests, "the origin was asked")
            proxy.replace_config(says("new"))
            self.assertEqual(client.read_response().content, b"old")


class Folder(Case):
    def test_symlink_swap(self):
        """As a mounted ConfigMap changes: the folder's files are links through one link, which is swapped."""
        first, second = says("one"), says("two")
        proxy = LinkedProxy(first)
        self.use_here(proxy)
        with RawClient(proxy.port) as client:
            self.assertEqual(client.exchange(get()).content, b"one")
            (proxy.folder / "v2").mkdir()
            (proxy.folder / "v2/shop.yaml").write_text(second(proxy.port))
            os.symlink("v2", proxy.folder / "next")
            os.rename(proxy.folder / "next", proxy.folder / "current")
            eventually(lambda: client.exchange(get()).content == b"two", "the swapped link is in force")


class LinkedProxy(Proxy):
    """Its configuration is the folder `configuration`, whose file is a link through the link `current`."""

    @property
    def config_path(self):
        folder = self.folder / "configuration"
        if not folder.exists():
            (self.folder / "v1").mkdir()
            os.symlink("v1", self.folder / "current")
            folder.mkdir()
            os.symlink("../current/shop.yaml", folder / "shop.yaml")
            (self.folder / "v1/shop.yaml").write_text(self.text)
        return ConfigFolder(folder)


class ConfigFolder(PosixPath):
    """A folder in the place where a file is expected: writing it is done already."""

    def write_text(self, text):
        return len(text)


class Start(Case):
    @table({name: row for name, row in BAD.items()})
    def test_check(self, text, named):
        code, said = check(says("one")(free_port()) + "---\n" + text)
        self.assertEqual(code, 1, said)
        self.assertRegex(said, r"portico\.yaml:\d+")
        self.assertIn(named, said)

    def test_check_good(self):
        code, said = check(says("one")(free_port()))
        self.assertEqual(code, 0, said)

    def test_no_file(self):
        code, said = check("", arguments=("--config=/nonexistent/portico.yaml", "--check"))
        self.assertNotEqual(code, 0)
        self.assertIn("/nonexistent/portico.yaml", said)

    def test_unknown_flag(self):
        self.assertEqual(check("", arguments=("--confg=x",))[0], 2)

    @table({"help": "--help", "version": "--version"})
    def test_flag(self, flag):
        code, said = check("", arguments=(flag,))
        self.assertEqual(code, 0)
        self.assertTrue(said)

    def test_port_in_use(self):
        taken = self.use_here(Origin())
        proxy = Proxy(lambda port: says("one")(taken.port), wait=False)
        proxy.start()
        self.addCleanup(proxy.stop)
        self.assertEqual(proxy.exits(), 1)
        self.assertIn("http", proxy.errors())           # the listener's name
        self.assertIn(str(taken.port), proxy.errors())

    def test_port_in_use_by_another_proxy(self):
        first = self.use_here(Proxy(says("one")))
        second = Proxy(lambda port: says("two")(first.port), wait=False)
        second.start()
        self.addCleanup(second.stop)
        self.assertEqual(second.exits(), 1)

    def test_hangup_reopens_the_log_and_nothing_else(self):
        folder_proxy = self.use_here(Proxy(says("one")))
        folder_proxy.process.send_signal(signal.SIGHUP)
        with RawClient(folder_proxy.port) as client:
            self.assertEqual(client.exchange(get()).status, 200)
        self.assertTrue(os.path.exists(f"/proc/{folder_proxy.process.pid}"))
