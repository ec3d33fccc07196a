# SPDX-License-Identifier: Apache-2.0
"""Where the programs are, and running them until the demo ends.

Each program has a session of its own, so that Ctrl-C reaches the demo alone,
which then ends them in order: the source first, the media server last.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class DemoError(Exception):
    """What went wrong, for the person who sees it."""


def build_folder():
    return ROOT / os.environ.get("BUILD_DIR", "build/native")


def find(name):
    """A program of ours in the build folder, wherever Meson put it."""
    for path in sorted(build_folder().glob(f"apps/**/{name}")):
        if path.is_file() and os.access(path, os.X_OK):
            return path
    raise DemoError(f"{name} is not built: make build")


def media_server():
    tools = os.environ.get("TOOLS_PREFIX") or ROOT / "build" / "tools"
    path = Path(os.environ.get("MEDIAMTX") or Path(tools) / "mediamtx")
    if not path.exists():
        raise DemoError(f"{path} is missing: make setup")
    return path


def is_free(port, kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind == socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def take_port(standard, kind=socket.SOCK_STREAM):
    """The port that people expect, or a free one when somebody has it."""
    if is_free(standard, kind):
        return standard
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status == 200
    except (OSError, urllib.error.URLError, ValueError):
        return False


class Programs:
    """The running programs of one demo, with a log file each."""

    def __init__(self, folder):
        self.folder = folder
        self.running = []

    def start(self, name, args, env=None):
        log = self.folder / f"{name}.log"
        with open(log, "wb") as out:
            process = subprocess.Popen(
                [str(arg) for arg in args],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                start_new_session=True,
            )
        self.running.append((name, process))
        return process

    def log_tail(self, name, lines=8):
        text = (self.folder / f"{name}.log").read_text("utf-8", "replace")
        return "\n".join("    " + line for line in text.splitlines()[-lines:])

    def check(self):
        """Raises when one of them has ended by itself."""
        for name, process in self.running:
            if process.poll() is not None:
                raise DemoError(
                    f"{name} ended with {process.returncode}:\n"
                    + self.log_tail(name)
                )

    def wait_for(self, what, is_there, seconds):
        until = time.monotonic() + seconds
        while not is_there():
            self.check()
            if time.monotonic() > until:
                raise DemoError(f"{what}: not there after {seconds} s")
            time.sleep(0.1)

    def stop(self, name, seconds=10):
        """Asks, waits, and only then ends what is left of its group."""
        for entry in [e for e in self.running if e[0] == name]:
            self.running.remove(entry)
            process = entry[1]
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                pass
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass
            process.wait()

    def stop_all(self):
        """The last one started first."""
        while self.running:
            self.stop(self.running[-1][0])


class Terminal:
    """Ctrl-C for the demo alone: make, which started it, would call that a
    failure. Ends with `with`; does nothing without a terminal."""

    def __enter__(self):
        self.fd = None
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        signal.signal(signal.SIGHUP, signal.default_int_handler)
        if os.getpgrp() == os.getpid():
            return self
        try:
            fd = os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return self
        self.before = os.tcgetpgrp(fd)
        if self.before != os.getpgrp():
            # In the background: the terminal is not ours to take.
            os.close(fd)
            return self
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        os.setpgid(0, 0)
        os.tcsetpgrp(fd, os.getpgrp())
        self.fd = fd
        return self

    def __exit__(self, *_):
        if self.fd is not None:
            os.tcsetpgrp(self.fd, self.before)
            os.close(self.fd)


def ignore_signals():
    """While ending, another Ctrl-C must not leave a program behind."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def need_command(name):
    if shutil.which(name) is None:
        raise DemoError(f"{name} is not installed: make setup")
    return name
