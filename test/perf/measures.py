"""What the measurements have in common: what a process has used, and how times are told."""
import os
import re
import sys
from pathlib import Path


def resident_kib(process):
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())[1])


def cpu_s(process):
    fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def spread(times):
    times = sorted(times)
    median, p90, p99 = (times[min(int(len(times) * share), len(times) - 1)] for share in (.5, .9, .99))
    return f"median {median:.1f} ms, p90 {p90:.1f}, p99 {p99:.1f}, longest {times[-1]:.1f}"


def progress(text=""):
    """One line that is written over, on a terminal alone; without a text it is cleared."""
    if sys.stdout.isatty():
        print(f"\r\033[K{text}", end="", flush=True)
