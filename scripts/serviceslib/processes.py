# SPDX-License-Identifier: Apache-2.0
"""A stack as plain processes that outlive the command that started them.

build/run/<stack>/ holds a pid file and a log of each program and stack.json,
what the stack was started with. A process is known again by its id and the
time at which it began, never by its name.
"""

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from demolib import programs

from . import stacks
from .stacks import ServiceError

RUN = programs.ROOT / "build" / "run"
# A service stops its workers, or lets sessions end, before it ends.
STOP_S = 20.0


def say(text=""):
    print(text, flush=True)


def began(pid):
    """When the process began, in ticks since boot; None when it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return None
    state, *rest = text.rpartition(")")[2].split()
    return None if state in "ZX" else int(rest[18])


class Handle:
    """One program of a stack, whoever started it."""

    def __init__(self, folder, name):
        self.name = name
        self.pid_file = folder / f"{name}.pid"
        self.log = folder / f"{name}.log"
        self.pid, self.began = 0, None
        try:
            pid, start = self.pid_file.read_text("ascii").split()
            self.pid, self.began = int(pid), int(start)
        except (OSError, ValueError):
            pass

    @property
    def is_running(self):
        return self.pid > 0 and began(self.pid) == self.began

    def seconds(self):
        """How long it has run."""
        up = float(Path("/proc/uptime").read_text("ascii").split()[0])
        return up - self.began / os.sysconf("SC_CLK_TCK")

    def start(self, service, env):
        with open(self.log, "wb") as out:
            child = subprocess.Popen(
                service.args,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**env, **service.env},
                start_new_session=True,
            )
        self.pid, self.began = child.pid, began(child.pid)
        self.pid_file.write_text(f"{self.pid} {self.began}\n", "ascii")

    def stop(self):
        """Asks, waits, and then ends what is left of its group."""
        if self.is_running:
            os.kill(self.pid, signal.SIGTERM)
            wait_until(lambda: not self.is_running, STOP_S)
        if self.is_running:
            say(f"{self.name} does not end, killing it")
            os.killpg(self.pid, signal.SIGKILL)
            wait_until(lambda: not self.is_running, 5)
        self.pid_file.unlink(missing_ok=True)

    def log_tail(self, lines=15):
        text = self.log.read_text("utf-8", "replace")
        return "\n".join("    " + line for line in text.splitlines()[-lines:])


def wait_until(is_done, seconds):
    until = time.monotonic() + seconds
    while not is_done():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


class Processes:
    """The verbs of a stack. Each takes the lock, so that two cannot mix."""

    engine = "processes"

    def __init__(self, stack, env, run=RUN):
        self.stack, self.env = stack, env
        self.folder = run / stack.name
        self.record = self._read_record()

    def _read_record(self):
        try:
            return json.loads((self.folder / "stack.json").read_text("utf-8"))
        except (OSError, ValueError):
            return {}

    def _write_record(self, record):
        self.record = record
        text = json.dumps(record, indent=2) + "\n"
        (self.folder / "stack.json").write_text(text, "utf-8")

    @contextmanager
    def _locked(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / ".lock", "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.record = self._read_record()
            yield

    def handles(self):
        return [Handle(self.folder, name) for name in self.stack.services]

    def is_up(self):
        return all(handle.is_running for handle in self.handles())

    def up(self):
        """Starts what does not run. Gives False when all ran already."""
        with self._locked():
            missing = [h for h in self.handles() if not h.is_running]
            if not missing:
                return False
            if len(missing) == len(self.stack.services) or not self.record:
                self._begin()
            self._start_all(missing)
        return True

    def _begin(self):
        # Unix socket names are short, so not below the checkout.
        runtime_dir = tempfile.mkdtemp(prefix=f"dub-{self.stack.name}-")
        self._write_record(
            {
                "engine": self.engine,
                "ports": stacks.ports_of(self.stack, self.env),
                "runtime_dir": runtime_dir,
            }
        )

    def _start_all(self, missing):
        ports, runtime_dir = self.record["ports"], self.record["runtime_dir"]
        todo = [
            (handle, stacks.service(handle.name, ports, runtime_dir, self.env))
            for handle in missing
        ]
        started = []
        try:
            for _, service in todo:
                check_ports(service, ports)
            for handle, service in todo:
                handle.start(service, self.env)
                started.append(handle)
                wait_ready(handle, service)
        except BaseException:
            for handle in reversed(started):
                handle.stop()
            if len(missing) == len(self.stack.services):
                self._forget()
            raise

    def down(self):
        """Gives False when nothing was there to end."""
        with self._locked():
            running = [h for h in self.handles() if h.is_running]
            for handle in reversed(self.handles()):
                handle.stop()
            if "runtime_dir" in self.record:
                stop_workers(Path(self.record["runtime_dir"]))
            self._forget()
        return bool(running)

    def _forget(self):
        runtime_dir = self.record.get("runtime_dir")
        if runtime_dir:
            shutil.rmtree(runtime_dir, ignore_errors=True)
        (self.folder / "stack.json").unlink(missing_ok=True)
        self.record = {}

    def ps(self):
        ports = self.record.get("ports", {})
        say(f"{'NAME':<16}{'STATE':<12}{'PID':<9}{'UP':<10}PORTS")
        for handle in self.handles():
            say(ps_line(handle, ports, self.env, self.record))

    def logs(self, follow):
        logs = [str(h.log) for h in self.handles() if h.log.exists()]
        if not logs:
            raise ServiceError(f"no logs yet: {self.stack.up}")
        sys_tail = ["tail", "-n", "200"] + (["-F"] if follow else [])
        os.execvp("tail", sys_tail + logs)


def ps_line(handle, ports, env, record):
    if not handle.is_running:
        state = "ended" if handle.pid else "down"
        return f"{handle.name:<16}{state:<12}"
    service = stacks.service(
        handle.name, ports, record.get("runtime_dir", ""), env
    )
    state = "healthy" if programs.answers(service.ready_url) else "unhealthy"
    minutes, seconds = divmod(int(handle.seconds()), 60)
    listed = " ".join(f"{name}:{ports[name]}" for name in service.ports)
    return (
        f"{handle.name:<16}{state:<12}{handle.pid:<9}"
        f"{f'{minutes} m {seconds:02d} s':<10}{listed}"
    )


def check_ports(service, ports):
    for name in service.ports:
        port = stacks.BY_NAME[name]
        if not programs.is_free(ports[name], port.kind):
            raise ServiceError(
                f"port {ports[name]} is taken, which {service.name} needs for "
                f"{name}: end what has it, or set {port.variable} to another"
            )


def wait_ready(handle, service):
    start = time.monotonic()

    def is_done():
        return programs.answers(service.ready_url) or not handle.is_running

    is_ready = wait_until(is_done, service.ready_s) and handle.is_running
    if not is_ready:
        what = (
            f"is not ready after {service.ready_s:g} s"
            if handle.is_running
            else "ended at once"
        )
        raise ServiceError(f"{service.name} {what}:\n{handle.log_tail()}")
    say(f"{service.name} is ready ({time.monotonic() - start:.1f} s)")


def stop_workers(runtime_dir):
    """Workers that outlived their media-service, by their own sockets."""
    for path in runtime_dir.glob("*.sock"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(STOP_S)
            try:
                sock.connect(str(path))
                sock.sendall(b'{"type":"stop"}\n')
                # Until it closes its side, which is when it has ended.
                while sock.recv(65536):
                    pass
            except OSError:
                pass
