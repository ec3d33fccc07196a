# SPDX-License-Identifier: Apache-2.0
"""A stack as containers, by Docker Compose."""

import json
import os
import subprocess

from demolib import programs

from . import stacks
from .processes import RUN
from .stacks import ServiceError


def find_command():
    """The compose command where an engine answers, else None."""
    if not _succeeds(["docker", "info", "--format", "{{.ServerVersion}}"]):
        return None
    for command in (["docker", "compose"], ["docker-compose"]):
        if _succeeds([*command, "version"]):
            return command
    return None


def _succeeds(command):
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


class Compose:
    engine = "compose"

    def __init__(self, stack, env, command, run=RUN):
        self.stack, self.env = stack, env
        self.folder = run / stack.name
        self.ports = stacks.ports_of(stack, env)
        self.record = {"engine": self.engine, "ports": self.ports}
        file = programs.ROOT / stack.compose
        self.command = [*command, "--file", str(file)]

    def _environment(self):
        numbers = {
            port.variable: str(self.ports[port.name]) for port in stacks.PORTS
        }
        return {**os.environ, **numbers}

    def _run(self, *args, **kwargs):
        return subprocess.run(
            [*self.command, *args],
            env=self._environment(),
            check=False,
            text=True,
            **kwargs,
        )

    def _must(self, *args):
        if self._run(*args).returncode != 0:
            raise ServiceError(f"{' '.join([*self.command, *args])} failed")

    def _running(self):
        done = self._run(
            "ps", "--services", "--status", "running", capture_output=True
        )
        return set(done.stdout.split())

    def is_up(self):
        return self._running() >= set(self.stack.services)

    def up(self):
        if self.is_up():
            return False
        self._must("up", "--detach", "--build", "--wait")
        self.folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.record, indent=2) + "\n"
        (self.folder / "stack.json").write_text(text, "utf-8")
        return True

    def down(self):
        had = bool(self._running())
        self._must("down", "--remove-orphans")
        (self.folder / "stack.json").unlink(missing_ok=True)
        return had

    def ps(self):
        self._must("ps")

    def logs(self, follow):
        self._must("logs", "--tail", "200", *(["--follow"] if follow else []))
