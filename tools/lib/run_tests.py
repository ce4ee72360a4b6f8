#!/usr/bin/python3
"""Runs everything: set-up, build, lint, unit tests under ASan and UBSan, integration tests of both builds.

usage: tools/test [--only STAGE,...] [--skip STAGE,...]

stages: setup build lint release integration unit integration-sanitized; and, where --only names it, threads
`unit` runs every unit test under ASan and UBSan, except the few that have the tag "release": they say something about the
build with -c opt alone (what an exchange costs), and `release` runs them there. Nothing is compiled twice for one build.
`threads` runs the proxy's unit tests under TSan; it compiles the proxy once more, which takes some 15 minutes.
The whole takes about 20 minutes on two cores with a cold cache and a few minutes with a warm one. The last line is
`N passed, N failed`, counting test cases; a stage or target that breaks without a case of its own counts as one failure.

exit: 0 everything passed, 1 something failed, 2 wrong usage
"""
import argparse
import collections
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
import xml.etree.ElementTree
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TERMINAL = sys.stderr.isatty()
QUIET = [] if TERMINAL else ["--noshow_progress", "--color=no"]
BINARIES = ["//tools/ctl:porticoctl", "//controlplane:portico-controlplane", "//dataplane:portico-proxy"]
DRIVEN = {"--proxy": "dataplane/portico-proxy", "--control_plane": "controlplane/portico-controlplane",
          "--porticoctl": "tools/ctl/porticoctl"}    # by integration tests
WAITING = ["test_drain"]        # integration tests that take time without taking a core

Count = collections.namedtuple("Count", "passed failed")


def call(*command, **options):
    return subprocess.run([str(part) for part in command], cwd=ROOT, check=False, **options)


def simple(*command):
    """A stage without cases: nothing if it went well, one failure if not."""
    return Count(0, 0) if call(*command).returncode == 0 else Count(0, 1)


def python_cases(*command):
    """A run of python's unittest."""
    done = call(*command, stderr=subprocess.PIPE, text=True)
    total = re.search(r"^Ran (\d+) test", done.stderr, re.M)
    if not total:
        sys.stderr.write(done.stderr)
        return Count(0, 1)
    failed = sum(int(number) for number in re.findall(r"(?:failures|errors)=(\d+)", done.stderr))
    if failed:
        sys.stderr.write(done.stderr)
    return Count(int(total[1]) - failed, failed)


def cases_of(path):
    """The cases of one test.xml, as GoogleTest or (for other tests) Bazel writes it."""
    total = failed = 0
    for suite in xml.etree.ElementTree.parse(path).getroot().iter("testsuite"):
        total += int(suite.get("tests", 0)) - int(suite.get("disabled", 0)) - int(suite.get("skipped", 0))
        failed += int(suite.get("failures", 0)) + int(suite.get("errors", 0))
    return Count(total - failed, failed)


def bazel_cases(*options, targets=("//...",)):
    """Runs unit tests and counts their cases from the build events: label, verdict, where test.xml is."""
    with tempfile.TemporaryDirectory(prefix="portico-test-") as folder:
        events = Path(folder, "events.json")
        code = call("tools/bazel", "test", "--keep_going", f"--build_event_json_file={events}", "--test_output=errors",
                    "--test_summary=terse", *options, *QUIET, *targets).returncode
        if not events.exists():
            return Count(0, 1)
        counts, verdicts = {}, {}
        for line in events.read_text().splitlines():
            event = json.loads(line)
            name = event.get("id", {})
            if "testResult" in name and "testResult" in event:
                label = name["testResult"]["label"]
                for output in event["testResult"].get("testActionOutput", []):
                    if output["name"] == "test.xml":
                        path = urllib.parse.unquote(urllib.parse.urlparse(output["uri"]).path)
                        counts[label] = cases_of(path) if os.path.exists(path) else Count(0, 0)
            elif "testSummary" in name and "testSummary" in event:
                verdicts[name["testSummary"]["label"]] = event["testSummary"]["overallStatus"]
    passed = sum(count.passed for count in counts.values())
    failed = sum(count.failed for count in counts.values())
    # A target that failed though its cases did not: a sanitizer's report at the end, a time-out, a crash.
    broken = [label for label, verdict in verdicts.items()
              if verdict not in ("PASSED", "FLAKY") and not counts.get(label, Count(0, 0)).failed]
    for label in broken:
        print(f"{label}: {verdicts[label]}", flush=True)
    failed += len(broken)
    if code not in (0, 3) or (code and not failed):      # 3: a test failed; 1: something does not build; 4: no tests at all
        failed += 1
    return Count(passed, failed)


def integration_part(*options):
    done = subprocess.Popen([str(ROOT / "test/integration/run"), *options], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    last = ""
    for line in done.stdout:
        if not line.startswith("ok "):
            sys.stdout.write(line)
        elif TERMINAL:
            sys.stderr.write(f"\r\033[K{line.rstrip()[:100]}\r")
        last = line
    done.wait()
    match = re.match(r"(\d+) passed, (\d+) failed", last)
    if not match:
        return Count(0, 1)
    count = Count(int(match[1]), int(match[2]))
    return count if done.returncode == 0 or count.failed else Count(count.passed, 1)


def integration(*options):
    """Runs the cases of draining, which wait for a minute in all, beside all others."""
    modules = [path.stem for path in sorted((ROOT / "test/integration").glob("test_*.py"))]
    parts = [[f"{name}." for name in modules if name in WAITING], [f"{name}." for name in modules if name not in WAITING]]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        counts = list(pool.map(lambda part: integration_part(*options, *part), parts))
    return Count(sum(count.passed for count in counts), sum(count.failed for count in counts))


def built_binaries(config):
    """Builds in another configuration and keeps copies in a folder, since bazel-bin always shows the last build."""
    if call("tools/bazel", "build", f"--config={config}", *QUIET, *BINARIES).returncode:
        return None
    folder = Path(tempfile.mkdtemp(prefix=f"portico-{config}-"))
    for path in DRIVEN.values():
        shutil.copy(ROOT / "bazel-bin" / path, folder)
    return folder


def integration_with(config, *options):
    folder = built_binaries(config)
    if folder is None:
        return Count(0, 1)
    try:
        binaries = [word for flag, path in DRIVEN.items() for word in (flag, str(folder / Path(path).name))]
        return integration(*binaries, *options)
    finally:
        shutil.rmtree(folder)


def lint():
    planted = python_cases("tools/lint_test.py")
    clean = simple("tools/lint")
    return Count(planted.passed + (0 if clean.failed else 1), planted.failed + clean.failed)


STAGES = {
    "setup": ("packages", lambda: simple("tools/setup", "--yes")),
    "build": ("build", lambda: simple("tools/bazel", "build", "--config=opt", *QUIET, *BINARIES)),
    "lint": ("style", lint),
    "release": ("unit tests of the release build",
                lambda: bazel_cases("--config=opt", "--test_tag_filters=release", "--build_tests_only")),
    "integration": ("integration tests", lambda: integration_with("opt")),
    "unit": ("unit tests under ASan and UBSan",
             lambda: bazel_cases("--config=asan", "--test_tag_filters=-release", "--build_tag_filters=-release")),
    "integration-sanitized": ("integration tests under ASan and UBSan",
                              lambda: integration_with("asan", "--sanitized")),
}
ON_REQUEST = {
    "threads": ("unit tests of the proxy under TSan",
                lambda: bazel_cases("--config=tsan", "--test_tag_filters=-release", "--build_tests_only",
                                    targets=("//dataplane/...", "//test/agreement/..."))),
}


def chosen(options, parser):
    names = (options.only or ",".join(STAGES)).split(",")
    skipped = options.skip.split(",") if options.skip else []
    for name in names + skipped:
        if name not in STAGES and name not in ON_REQUEST:
            parser.error(f"unknown stage {name!r}; there are {', '.join([*STAGES, *ON_REQUEST])}")
    return [name for name in [*STAGES, *ON_REQUEST] if name in names and name not in skipped]


def main():
    parser = argparse.ArgumentParser(prog="tools/test", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only")
    parser.add_argument("--skip")
    options = parser.parse_args()
    passed = failed = 0
    for name in chosen(options, parser):
        title, stage = (STAGES | ON_REQUEST)[name]
        print(f"== {title}", flush=True)
        begin = time.monotonic()
        count = stage()
        passed, failed = passed + count.passed, failed + count.failed
        verdict = f"{count.passed} passed, {count.failed} failed" if sum(count) else "done"
        print(f"== {title}: {verdict} ({time.monotonic() - begin:.0f} s)", flush=True)
        if name == "setup" and count.failed:
            break           # nothing else can work
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
