#!/usr/bin/python3
"""Starts every service of the shop, as many instances as shop.yaml names endpoints, and stops them at Ctrl-C."""
import argparse
import collections
import http.client
import signal
import subprocess
import sys
import time
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
READY_SECONDS_MAX = 10

Instance = collections.namedtuple("Instance", "name service version port")


def instances(text):
    """Every endpoint of every Cluster in a configuration: cluster product-v2 is version 2 of the service product."""
    found = []
    for resource in yaml.safe_load_all(text):
        if resource and resource["kind"] == "Cluster":
            cluster = resource["metadata"]["name"]
            service, _, version = cluster.partition("-v")
            for number, endpoint in enumerate(resource["spec"]["endpoints"], 1):
                found.append(Instance(f"{cluster}-{number}", service, int(version or 1), endpoint["port"]))
    return found


def start(instance, log_folder, latency_ms):
    """One instance as a process; its log is log_folder/NAME.jsonl."""
    log_folder = Path(log_folder)
    log_folder.mkdir(parents=True, exist_ok=True)
    command = ["/usr/bin/python3", str(HERE / "service.py"), instance.service, f"--name={instance.name}",
               f"--port={instance.port}", f"--version={instance.version}", f"--latency-ms={latency_ms}",
               f"--log={log_folder / (instance.name + '.jsonl')}"]
    with open(log_folder / (instance.name + ".stderr"), "ab") as errors:
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors, stdin=subprocess.DEVNULL)


def wait_ready(instance, process):
    """Returns when /healthz answers; raises RuntimeError if the process ends or the time is up."""
    deadline = time.monotonic() + READY_SECONDS_MAX
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{instance.name} ended at its start; see its .stderr file")
        connection = http.client.HTTPConnection("127.0.0.1", instance.port, timeout=1)
        try:
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.02)
        finally:
            connection.close()
    raise RuntimeError(f"{instance.name} did not answer within {READY_SECONDS_MAX} s")


def stop(processes):
    for process in processes:
        if process.poll() is None:
            process.terminate()
    for process in processes:
        try:
            process.wait(3)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", default=str(HERE / "shop.yaml"), help="whose clusters to start (default: shop.yaml)")
    parser.add_argument("--log-folder", default=str(HERE / "logs"))
    parser.add_argument("--latency-ms", type=float, default=30)
    options = parser.parse_args()

    processes = []
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        for instance in instances(Path(options.config).read_text()):
            processes.append(start(instance, options.log_folder, options.latency_ms))
            wait_ready(instance, processes[-1])
            print(f"{instance.name:14} http://127.0.0.1:{instance.port}/healthz", flush=True)
        print(f"logs in {options.log_folder}; Ctrl-C stops everything", flush=True)
        while all(process.poll() is None for process in processes):
            time.sleep(0.2)
        return 1
    except RuntimeError as error:
        print(f"services: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        stop(processes)


if __name__ == "__main__":
    sys.exit(main())
