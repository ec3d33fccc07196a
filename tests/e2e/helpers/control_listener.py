# SPDX-License-Identifier: Apache-2.0
"""Listens at a worker's control socket: states, events, metrics.

The socket takes any number of listeners; this one also gives commands.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from . import metrics_parser


@dataclass
class Line:
    at_s: float
    message: dict = field(default_factory=dict)


class ControlListener:
    def __init__(self, path: Path | str, wait_s: float = 30.0):
        self.path, self.lines = str(path), []
        self.last_metrics = ""
        self.stopping = False
        self.sock: socket.socket | None = None
        self.wait_until = time.monotonic() + wait_s
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _connect(self) -> socket.socket | None:
        while not self.stopping and time.monotonic() < self.wait_until:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                sock.connect(self.path)
                return sock
            except OSError:
                sock.close()
                time.sleep(0.1)
        return None

    def _run(self) -> None:
        self.sock = self._connect()
        if self.sock is None:
            return
        try:
            with self.sock.makefile("rb") as stream:
                for line in stream:
                    self._keep(json.loads(line))
        except (OSError, ValueError):
            pass

    def _keep(self, message: dict) -> None:
        if message.get("type") == "metrics":
            self.last_metrics = message.get("text", "")
        elif len(self.lines) < 100000:
            self.lines.append(Line(time.monotonic(), message))

    def events(self, name: str = "") -> list[Line]:
        return [line for line in self.lines
                if line.message.get("type") == "event"
                and name in ("", line.message.get("event"))]

    def metrics(self) -> list[metrics_parser.Sample]:
        return metrics_parser.parse(self.last_metrics)

    def command(self, **message) -> None:
        if self.sock is None:
            raise RuntimeError(f"{self.path}: not connected")
        self.sock.sendall(json.dumps(message).encode() + b"\n")

    def stop(self) -> None:
        self.stopping = True
        if self.sock is not None:
            try:
                self.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.thread.join(5)
