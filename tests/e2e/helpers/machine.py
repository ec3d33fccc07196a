# SPDX-License-Identifier: Apache-2.0
"""What a machine may do to a program: a full disk, no CPU, another clock."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

from . import tools

SHIFT = Path(__file__).with_name("clock_shift.c")
BURN = "while True:\n    pass\n"


def tiny_disk(folder: Path, size: str) -> tuple:
    """A command before another: that sees a disk of this size at `folder`,
    which goes away with it."""
    user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    return ("unshare", *user, "--mount", "sh", "-c",
            f'mount -t tmpfs -o size={size} none "$0" && exec "$@"', folder)


class WallClock:
    """The wall clock of the programs that get `env`; no other is moved."""

    def __init__(self, folder: Path):
        self.file = folder / "clock-shift"
        self.file.unlink(missing_ok=True)
        library = folder / "clock_shift.so"
        tools.run(os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1",
                  "-o", library, SHIFT)
        self.env = {"LD_PRELOAD": str(library),
                    "CLOCK_SHIFT_FILE": str(self.file)}
        if "ASAN_OPTIONS" in os.environ:  # which wants to be the first
            self.env["ASAN_OPTIONS"] = \
                os.environ["ASAN_OPTIONS"] + ":verify_asan_link_order=0"

    def shift(self, seconds: int) -> None:
        self.file.write_text(str(seconds))


@contextmanager
def starved(pid: int, count: int = 4):
    """All threads of the process on one core, with others that take it. As
    root those are of the highest priority, else they are many. Each is a
    session of its own, since the kernel shares out by sessions first."""
    core = max(os.sched_getaffinity(0))
    cores = os.sched_getaffinity(pid)
    is_root = os.geteuid() == 0
    pin(pid, {core})
    burners = []
    try:
        for _ in range(count if is_root else 16 * count):
            burner = subprocess.Popen([sys.executable, "-c", BURN],
                                      start_new_session=True)
            burners.append(burner)
            os.sched_setaffinity(burner.pid, {core})
            if is_root:
                prefer(burner.pid)
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()
        pin(pid, cores)


def prefer(pid: int) -> None:
    os.setpriority(os.PRIO_PROCESS, pid, -20)
    group = Path(f"/proc/{pid}/autogroup")
    if group.exists():
        group.write_text("-20")


def pin(pid: int, cores: set) -> None:
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            os.sched_setaffinity(int(task), cores)
        except ProcessLookupError:
            pass  # a thread that has ended
