# SPDX-License-Identifier: Apache-2.0
"""Looks for keys in all that a run has left, said and shown.

A key is looked for as it is and as programs write it: escaped for a URL, for
JSON, in base64 alone and behind "user:".
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from .processes import children_of

MAX_BYTES = 64 << 20


def new_key(name: str) -> str:
    """Long, not to be met by chance, and with what URLs must escape."""
    return f"{name}+{secrets.token_hex(12)}"


def forms(key: str, users: tuple = ()) -> set[bytes]:
    """Every way in which it would be written down."""
    pairs = [key] + [f"{user}:{key}" for user in users]
    found = {key, urllib.parse.quote(key, safe=""),
             urllib.parse.quote_plus(key), json.dumps(key)[1:-1]}
    found |= {base64.b64encode(p.encode()).decode().rstrip("=")
              for p in pairs}
    # The part that no escaping changes.
    found.add(key.rpartition("+")[2])
    return {f.encode() for f in found if f}


@dataclass
class Hunt:
    """Places are (what it is, bytes); `found` says which key was where."""

    keys: dict[str, str]                  # name -> key
    users: tuple = ()
    found: set[tuple[str, str]] = field(default_factory=set)
    looked_at: int = 0
    bytes_seen: int = 0

    def look(self, where: str, data: bytes) -> None:
        self.looked_at += 1
        self.bytes_seen += len(data)
        for name, key in self.keys.items():
            if any(form in data for form in forms(key, self.users)):
                self.found.add((name, where))

    def look_at_file(self, path: Path) -> None:
        try:
            with open(path, "rb") as file:
                self.look(str(path), file.read(MAX_BYTES))
        except OSError:
            pass

    def look_below(self, folder: Path, skip: tuple = ()) -> None:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.name not in skip:
                self.look_at_file(path)
            # A name can tell as well.
            self.look(f"the name of {path.name[:8]}...", path.name.encode())


def ask(url: str, method: str = "GET", body: bytes | None = None,
        token: str = "", timeout_s: float = 5.0,
        **headers: str) -> tuple[int, bytes]:
    """(status, headers and body); of an endless answer what came in time."""
    request = urllib.request.Request(url, data=body, method=method)
    for name, value in headers.items():
        request.add_header(name.replace("_", "-"), value)
    if body is not None:
        request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        answer = urllib.request.urlopen(request, timeout=timeout_s)
    except urllib.error.HTTPError as error:
        answer = error
    except OSError as error:
        return 0, str(error).encode()
    with answer:
        data = str(answer.headers).encode()
        end = time.monotonic() + timeout_s
        try:
            while time.monotonic() < end and (part := answer.read1(65536)):
                data += part
        except OSError:
            pass
        return answer.status, data


class ProcessWatch:
    """Arguments of some processes and of all that they start, for as long as
    it runs; and the environment of those that have `environment_of` in
    their name."""

    def __init__(self, hunt: Hunt, pids: list[int],
                 environment_of: str = ""):
        self.hunt, self.pids = hunt, pids
        self.environment_of = environment_of
        self.seen: set[bytes] = set()
        self.environments: set[int] = set()
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()

    def _run(self) -> None:
        # mtx-hook lives for some milliseconds.
        while not self.stop.wait(0.005):
            for pid in list(self.pids):
                self._look(pid)

    def _look(self, pid: int) -> None:
        for child in children_of(pid):
            self._look(child)
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return
        if command and command not in self.seen:
            self.seen.add(command)
            self.hunt.look(f"arguments of {_name(command)}", command)
        if self.environment_of and pid not in self.environments \
                and self.environment_of in _name(command):
            self.environments.add(pid)
            self.hunt.look(f"environment of {_name(command)}",
                           _read(f"/proc/{pid}/environ"))

    def names(self) -> set[str]:
        return {_name(c) for c in self.seen}


def _name(command: bytes) -> str:
    return os.path.basename(command.split(b"\0")[0].decode("utf-8",
                                                           "replace"))


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""
