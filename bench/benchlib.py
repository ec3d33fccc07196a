# SPDX-License-Identifier: Apache-2.0
"""What the benches share: figures, the machine's name, percentiles.

A bench prints for people, and each figure also as key=value on a line of its
own for scripts.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

# pylint: disable=wrong-import-position
from helpers import tools  # noqa: E402
from helpers.processes import Stack  # noqa: E402


def machine() -> str:
    model = "unknown CPU"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return f"{model}, {os.cpu_count()} cores, Linux {platform.release()}"


def header(name: str, what: str) -> None:
    now = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    print(f"{name}: {what}\n{machine()}, {now}\n", flush=True)


def say(text: str) -> None:
    print(text, flush=True)


def figure(key: str, value: float, digits: int = 2) -> None:
    print(f"{key}={value:.{digits}f}", flush=True)


def percentile(values: list[float], q: float) -> float:
    """Nearest rank; nan when there are none."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(q * len(ordered)
                                                      + 0.5) - 1))]


def number(name: str, default: float) -> float:
    """A setting from the environment, as in `make bench-delay MINUTES=2`."""
    return float(os.environ.get(name) or default)


def fresh_stack(name: str) -> Stack:
    folder = ROOT / "build" / "bench" / name
    shutil.rmtree(folder, ignore_errors=True)
    return Stack(name, ROOT / "build" / "bench")


def wait_quiet(seconds: float) -> None:
    """Lets what has started settle."""
    time.sleep(seconds)


def load() -> str:
    return "load average " + " ".join(f"{v:.1f}" for v in os.getloadavg())


__all__ = ["ROOT", "Stack", "figure", "fresh_stack", "header", "load",
           "machine", "number", "percentile", "say", "tools", "wait_quiet"]
