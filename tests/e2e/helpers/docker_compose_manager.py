# SPDX-License-Identifier: Apache-2.0
"""The services as an operator starts them, for tests: by scripts/services.

Containers where a Docker engine answers, the same programs as processes
where none does; the tests see addresses only.

    manager = DockerComposeManager.running()          # what `make e2e-up` left
    with DockerComposeManager.own(folder) as manager: # free ports, ended after
        manager.rtmp_url("live/a/in")
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path

from . import tools
from .processes import free_port, get, wait_for

sys.path.append(str(tools.ROOT / "scripts"))

# pylint: disable=wrong-import-position
from serviceslib import compose, stacks  # noqa: E402
from serviceslib.processes import RUN, Processes  # noqa: E402

STACK = stacks.STACKS["e2e"]


class NotRunning(Exception):
    """Those that a test insists on."""


def _choose(env: dict, run: Path):
    command = compose.find_command()
    if command is not None and env.get("SERVICES_ENGINE") != "processes":
        return compose.Compose(STACK, env, command, run)
    return Processes(STACK, env, run)


class DockerComposeManager:
    def __init__(self, env: dict | None = None, run: Path = RUN):
        self.services = _choose({**os.environ, **(env or {})}, run)

    @classmethod
    def own(cls, folder: Path, **env: str) -> "DockerComposeManager":
        """On free ports, with its logs in the folder."""
        ports = {port.variable: str(free_port()) for port in stacks.PORTS}
        return cls({**ports, **env}, folder)

    @classmethod
    def running(cls) -> "DockerComposeManager | None":
        """What `make e2e-up` started; None when it is not all there."""
        manager = cls()
        return manager if manager.services.is_up() else None

    def __enter__(self):
        self.services.up()
        return self

    def __exit__(self, *_):
        self.services.down()

    @property
    def ports(self) -> dict[str, int]:
        return self.services.record["ports"]

    def http_url(self, name: str, path: str = "") -> str:
        """name: api, media, sts or metrics (MediaMTX's own)."""
        return stacks.http(self.ports, name, path)

    def rtmp_url(self, path: str) -> str:
        return f"rtmp://127.0.0.1:{self.ports['rtmp']}/{path}"

    def runtime_socket(self, stream: str) -> str:
        """A worker's control socket; "" when it is inside of a container."""
        folder = self.services.record.get("runtime_dir")
        return f"{folder}/{stream}.sock" if folder else ""

    def paths(self) -> dict[str, dict]:
        """What the media server has, by path."""
        status, body = get(self.http_url(
            "api", "/v3/paths/list?itemsPerPage=1000"))
        if status != 200:
            return {}
        return {i["name"]: i for i in json.loads(body)["items"]}

    def wait_path(self, path: str, timeout_s: float) -> dict:
        return wait_for(
            lambda: (p := self.paths().get(path)) and p["ready"] and p,
            timeout_s, f"{path} on the media server")


@contextlib.contextmanager
def running_or_own(folder: Path):
    """As E2E_STACK says: running (must be there), own, or what is there."""
    wanted = os.environ.get("E2E_STACK") or "any"
    if wanted not in ("running", "own", "any"):
        raise ValueError(f"E2E_STACK={wanted}: must be running, own or any")
    found = None if wanted == "own" else DockerComposeManager.running()
    if found is not None:
        yield found
    elif wanted == "running":
        raise NotRunning("the services do not run: make e2e-up")
    else:
        with DockerComposeManager.own(folder, LOG_LEVEL="debug") as own:
            yield own
