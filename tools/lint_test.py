#!/usr/bin/python3
"""Plants violations and asks tools/lint for them: a table for each check, of what it must find and what it must not."""
import importlib.machinery
import importlib.util
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader("lint", str(Path(__file__).resolve().parent / "lint"))
lint = importlib.util.module_from_spec(importlib.util.spec_from_loader("lint", loader))
loader.exec_module(lint)


def include(path):
    return f'#include "{path}"\n'


def body(lines, head="int Count(int a) {", end="}"):
    return head + "\n" + "  a++;\n" * (lines - 2) + end + "\n"


BLOCK = "".join(f"  total += Piece{number}(a);\n" for number in range(12))

# check -> {row: (files, paths that are to be reported)}
TABLE = {
    "sizes": {
        "short header": ({"a.h": "\n" * 160}, []),
        "long header": ({"a.h": "\n" * 161}, ["a.h"]),
        "long source": ({"a.cc": "\n" * 601}, ["a.cc"]),
        "long source with a reason": ({"a.cc": "// Long: one table\n" + "\n" * 601}, []),
        "function of 60": ({"a.cc": body(60)}, []),
        "function of 61": ({"a.cc": body(61)}, ["a.cc"]),
        "long table is no function": ({"a.cc": body(90, "constexpr int kTable[] = {", "};")}, []),
        "many short tables before a function": ({"a.cc": "constexpr int kA = {\n    1};\n" * 40 + body(5)}, []),
        "long class of short methods": ({"a.cc": "class A {\n" + "  int F() {\n    return 1;\n  }\n" * 40 + "};\n"}, []),
        "long method in a class": ({"a.cc": "class A {\n  int F() {\n" + "    a++;\n" * 70 + "  }\n};\n"}, ["a.cc"]),
        "long namespace": ({"a.cc": "namespace a {\n" + body(5) * 30 + "}  // namespace a\n"}, []),
        "two functions": ({"a.cc": body(40) + body(40)}, []),
        "long signature over lines": ({"a.cc": "int Count(int a,\n          int b) {\n" + "  a++;\n" * 70 + "}\n"}, ["a.cc"]),
        "tests are tables": ({"a_test.cc": body(200)}, []),
    },
    "floors": {
        "downwards": ({"dataplane/downstream/a.cc": include("dataplane/http/message.h")}, []),
        "upwards": ({"dataplane/http/a.cc": include("dataplane/downstream/exchange.h")}, ["dataplane/http/a.cc"]),
        "sideways": ({"dataplane/http/a.h": include("dataplane/event/loop.h")}, ["dataplane/http/a.h"]),
        "sideways by an arrow": ({"dataplane/tls/a.h": include("dataplane/net/stream.h")}, []),
        "against the arrow": ({"dataplane/net/a.h": include("dataplane/tls/stream.h")}, ["dataplane/net/a.h"]),
        "own folder": ({"dataplane/http/h1/a.h": include("dataplane/http/message.h")}, []),
        "filter to filter": ({"dataplane/filters/auth/a.cc": include("dataplane/filters/cors/b.h")}, ["dataplane/filters/auth/a.cc"]),
        "filters.cc lists them": ({"dataplane/filters/filters.cc": include("dataplane/filters/auth/a.h")}, []),
        "filter to compose": ({"dataplane/filters/auth/a.cc": include("dataplane/compose/b.h")}, ["dataplane/filters/auth/a.cc"]),
        "config stands below snapshot": ({"dataplane/snapshot/a.cc": include("dataplane/downstream/limits_config.h")}, []),
        "other files do not": ({"dataplane/snapshot/a.cc": include("dataplane/downstream/exchange.h")}, ["dataplane/snapshot/a.cc"]),
        "main sees all": ({"dataplane/main.cc": include("dataplane/worker/worker.h")}, []),
        "nobody sees worker": ({"dataplane/listener/a.cc": include("dataplane/worker/worker.h")}, ["dataplane/listener/a.cc"]),
        "new folder": ({"dataplane/misc/a.cc": include("dataplane/http/message.h")}, ["dataplane/misc/a.cc"]),
        "other plane": ({"controlplane/xds/a.cc": include("dataplane/xds/b.h")}, ["controlplane/xds/a.cc"]),
        "control plane downwards": ({"controlplane/store/sqlite/a.cc": include("controlplane/store/store.h")}, []),
        "control plane upwards": ({"controlplane/store/a.cc": include("controlplane/store/sqlite/b.h")}, ["controlplane/store/a.cc"]),
        "store to store": ({"controlplane/store/memory/a.cc": include("controlplane/store/sqlite/b.h")}, ["controlplane/store/memory/a.cc"]),
        "only change writes": ({"controlplane/xds/a.cc": include("controlplane/change/b.h")}, ["controlplane/xds/a.cc"]),
        "control plane's main": ({"controlplane/main.cc": include("controlplane/north/b.h")}, []),
        "api is below all": ({"api/yaml/a.cc": include("dataplane/base/b.h")}, ["api/yaml/a.cc"]),
        "api downwards": ({"api/resolve/a.cc": include("api/check/b.h")}, []),
        "api upwards": ({"api/check/a.cc": include("api/resolve/b.h")}, ["api/check/a.cc"]),
        "api sideways": ({"api/yaml/a.cc": include("api/jq/b.h")}, ["api/yaml/a.cc"]),
        "tests may": ({"dataplane/http/a_test.cc": include("dataplane/event/loop.h")}, []),
    },
    "names": {
        "clock": ({"dataplane/http/a.cc": "auto t = std::chrono::steady_clock::now();\n"}, ["dataplane/http/a.cc"]),
        "clock in event": ({"dataplane/event/a.cc": "auto t = std::chrono::steady_clock::now();\n"}, []),
        "clock in a comment": ({"dataplane/http/a.cc": "// not std::chrono::steady_clock\n"}, []),
        "clock in a string": ({"dataplane/http/a.cc": 'auto t = "time(nullptr)";\n'}, []),
        "time()": ({"dataplane/http/a.cc": "auto t = time(nullptr);\n"}, ["dataplane/http/a.cc"]),
        "a method called time": ({"dataplane/http/a.cc": "auto t = entry.time(0);\n"}, []),
        "mutex": ({"api/yaml/a.cc": "std::mutex m;\n"}, ["api/yaml/a.cc"]),
        "atomic in shared": ({"dataplane/shared/a.h": "std::atomic<int> a;\n"}, []),
        "rand": ({"dataplane/base/a.cc": "int a = rand();\n"}, ["dataplane/base/a.cc"]),
        "operand": ({"dataplane/base/a.cc": "int a = operand();\n"}, []),
        "sleep": ({"test/a.cc": "usleep(5);\n"}, ["test/a.cc"]),
        "openssl": ({"dataplane/http/a.cc": "#include <openssl/ssl.h>\n"}, ["dataplane/http/a.cc"]),
        "openssl in tls": ({"dataplane/tls/a.cc": "#include <openssl/ssl.h>\n"}, []),
        "openssl in the control plane": ({"controlplane/crypto/key_pair.cc": "#include <openssl/ssl.h>\n"}, []),
        "nghttp2": ({"dataplane/http/h1/a.cc": "#include <nghttp2/nghttp2.h>\n"}, ["dataplane/http/h1/a.cc"]),
        "libevent": ({"dataplane/net/a.cc": "#include <event2/event.h>\n"}, ["dataplane/net/a.cc"]),
        "yaml-cpp": ({"api/check/a.cc": "#include <yaml-cpp/yaml.h>\n"}, ["api/check/a.cc"]),
        "printing": ({"api/check/a.cc": "std::cout << 1;\n"}, ["api/check/a.cc"]),
        "printing in main": ({"dataplane/main.cc": "std::cout << 1;\n"}, []),
        "machine path": ({"docs/a.md": "see /home/somebody/portico/a\n"}, ["docs/a.md"]),
        "machine path in a comment": ({"api/yaml/a.cc": "// /root/src/a\n"}, ["api/yaml/a.cc"]),
        "other path": ({"docs/a.md": "see ./work/a and /usr/include/a and framework/x\n"}, []),
        "digit separators": ({"dataplane/http/a.cc": "int a = 1'000; std::mutex m; int b = 1'0;\n"}, ["dataplane/http/a.cc"]),
    },
    "readmes": {
        "there": ({"dataplane/http/a.h": "", "dataplane/http/README.md": "x"}, []),
        "missing": ({"dataplane/http/h1/a.h": ""}, ["dataplane/http/README.md"]),
        "of a filter": ({"dataplane/filters/auth/a.h": "", "dataplane/filters/README.md": ""}, ["dataplane/filters/auth/README.md"]),
        "not of tests": ({"test/support/a.h": ""}, []),
    },
    "dead": {
        "named": ({"a/BUILD.bazel": 'srcs = ["b.cc"]', "a/b.cc": ""}, []),
        "by glob": ({"a/BUILD.bazel": 'srcs = glob(["*.cc"])', "a/b.cc": ""}, []),
        "in a parent's target": ({"a/BUILD.bazel": 'srcs = ["c/b.cc"]', "a/c/b.cc": ""}, []),
        "forgotten": ({"a/BUILD.bazel": 'srcs = ["b.cc"]', "a/b.cc": "", "a/c.cc": ""}, ["a/c.cc"]),
        "named in a comment": ({"a/BUILD.bazel": '# "c.cc"', "a/c.cc": ""}, ["a/c.cc"]),
        "without a BUILD file": ({"a/c.cc": ""}, ["a/c.cc"]),
    },
    "includes": {
        "missing": ({"a/a.cc": "std::vector<int> v;\n"}, ["a/a.cc"]),
        "there": ({"a/a.cc": "#include <vector>\nstd::vector<int> v;\n"}, []),
        "through a header of ours": ({"a/a.cc": "#include \"a/b.h\"\nstd::vector<int> v;\n", "a/b.h": "#include \"a/c.h\"\n",
                                      "a/c.h": "#include <vector>\n"}, []),
        "in a comment": ({"a/a.cc": "// std::vector<int>\n"}, []),
        "one stands for another": ({"a/a.cc": "#include <string>\nstd::string_view v;\n"}, []),
        "absl": ({"a/a.cc": "absl::StatusOr<int> v;\n"}, ["a/a.cc"]),
    },
    "duplicates": {
        "two files": ({"a.cc": "int F(int a) {\n" + BLOCK + "}\n", "b.cc": "int G(int b) {\n" + BLOCK + "}\n"}, ["b.cc"]),
        "one file": ({"a.cc": BLOCK + "int a;\n" + BLOCK}, ["a.cc"]),
        "spaces and comments": ({"a.cc": BLOCK, "b.cc": BLOCK.replace("\n", "  // why\n\n").replace("  ", "    ")}, ["b.cc"]),
        "eleven lines": ({"a.cc": BLOCK.split("\n", 1)[1], "b.cc": BLOCK.split("\n", 1)[1]}, []),
        "includes": ({"a.cc": "#include <a>\n" * 20, "b.cc": "#include <a>\n" * 20}, []),
        "tests": ({"a_test.cc": BLOCK, "b_test.cc": BLOCK}, []),
    },
}


class Planted(unittest.TestCase):
    pass


def add(check, row, files, expected):
    def case(self):
        found = lint.CHECKS[check](lint.Tree(files))
        self.assertEqual([violation.path for violation in found], expected, found)
        self.assertTrue(all(violation.check == check for violation in found))
    setattr(Planted, f"test_{check}__{row.replace(' ', '_')}", case)


for name, rows in TABLE.items():
    for row_name, (planted, reported) in rows.items():
        add(name, row_name, planted, reported)


class Edges(unittest.TestCase):
    def test_line_of_the_edge(self):
        found = lint.check_floors(lint.Tree({"dataplane/http/a.cc": "\n\n" + include("dataplane/worker/w.h")}))
        self.assertEqual([(violation.path, violation.line) for violation in found], [("dataplane/http/a.cc", 3)])
        self.assertIn("dataplane/worker/w.h", found[0].what)

    def test_every_arrow_is_on_one_floor(self):
        for source, targets in lint.ARROWS.items():
            for target in targets:
                self.assertEqual(lint.FLOORS[source], lint.FLOORS[target], (source, target))


if __name__ == "__main__":
    unittest.main()
