#!/usr/bin/python3
"""The show of tools/demo: services, a control plane, two proxies, a load, and what the reader is told about them."""
import argparse
import os
import signal
import sys
from pathlib import Path

sys.dont_write_bytecode = True

from demo.acts_at_rest import HISTORY, show_composition, show_signing_in, start_everything
from demo.acts_of_policies import show_cache, show_key, show_limit, show_waterfall
from demo.acts_under_load import show_under_load
from demo.stage import CONTROL_PLANE, HOST, PORTICOCTL, PROXY, ROOT, Stage
from demo.told import Expectations, coloured, heading, say


def summary(expectations, load):
    heading("Summary")
    say(f"  {len(expectations.held)} of {len(expectations.held) + len(expectations.broken)} expectations held")
    for what in expectations.broken:
        say(f"  {coloured('NO', 'red')}  {what}")
    if load:
        say(f"  failed requests: {len(load.failures)} of {load.done} (asked anew, since a kept connection was closed between two of "
            f"them: {load.again})")


def show_urls(stage):
    heading("Everything goes on running until Ctrl-C")
    ctl, api = stage.porticoctl_binary, f"--api_address={stage.control_plane.api}"
    rows = [("the control plane", f"http://{stage.control_plane.admin}/metrics"),
            ("who runs what", f"{ctl} status {api}"),
            ("what was changed", f"{ctl} history {api}"),
            ("change it", f"edit {stage.config}, then {ctl} apply -f {stage.config} --wait {api}"),
            ("the logs", f"{stage.folder}/edge-1, edge-2, control-plane: stderr.log, stdout.log; logs/*.jsonl")]
    for proxy in stage.proxies:
        ask = f"curl --cacert {stage.authority} --resolve {HOST}:{stage.https}:{proxy.address}"
        alice = f"-H \"authorization: Bearer $(examples/shop/token --folder {stage.folder}/tls alice)\""
        rows += [(f"{proxy.name}, catalogue", f"{ask} {stage.url('/products')}"),
                 (f"{proxy.name}, order history", f"{ask} {alice} {stage.url(HISTORY)}"),
                 (f"{proxy.name}, admin port", f"http://{proxy.admin}/")]
    for what, how in rows:
        say(f"  {what:22} {how}")


def main():
    parser = argparse.ArgumentParser(prog="tools/demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end after the show")
    parser.add_argument("--binaries", type=Path, default=ROOT / "bazel-bin", help="the folder that Bazel builds into")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda signum, _: sys.exit(128 + signum))
    for binary in (PROXY, CONTROL_PLANE, PORTICOCTL):
        if not os.access(options.binaries / binary, os.X_OK):
            sys.exit(f"demo: there is no {options.binaries / binary}; run tools/build first")
    stage, expectations, load = Stage(options.binaries), Expectations(), None
    try:
        start_everything(stage, expectations)
        show_signing_in(stage, expectations)
        for act in (show_composition, show_waterfall, show_cache, show_limit, show_key):
            act(stage, expectations)
        load = show_under_load(stage, expectations)
        summary(expectations, load)
        if not options.once:
            show_urls(stage)
            signal.pause()
    except KeyboardInterrupt:
        say("\nstopped")
    except RuntimeError as error:
        expectations.expect(False, str(error))
        summary(expectations, load)
    finally:
        stage.stop()
    return 1 if expectations.broken else 0


if __name__ == "__main__":
    sys.exit(main())
