# SPDX-License-Identifier: Apache-2.0
"""A client of sts-service by the public python-socketio library.

Speaks the nested dialect of the protocol and keeps every event with its wall
clock time. Sends PCM as a binary attachment where the service can take it,
base64 otherwise.
"""

from __future__ import annotations

import base64
import threading
import time
import uuid
from dataclasses import dataclass, field

import socketio

EVENTS = ("stream:ready", "fragment:ack", "fragment:processed",
          "stream:complete", "backpressure", "error")


@dataclass
class Event:
    name: str
    data: dict
    at_s: float


@dataclass
class Fragment:
    """One that was sent, and its answer."""

    fragment_id: str
    sent_s: float
    duration_ms: int
    acked_s: float = 0.0
    answered_s: float = 0.0
    answer: dict = field(default_factory=dict)

    @property
    def round_trip_s(self) -> float:
        return self.answered_s - self.sent_s

    def pcm(self) -> bytes:
        """The dub's bytes, whichever way they came."""
        data = (self.answer.get("dubbed_audio") or {}).get("data_base64", b"")
        return base64.b64decode(data) if isinstance(data, str) else data


class SocketIOMonitor:
    def __init__(self, url: str, stream_id: str, transports=("websocket",)):
        self.stream_id = stream_id
        self.events: list[Event] = []
        self.fragments: dict[str, Fragment] = {}
        self.changed = threading.Condition()
        self.sequence = 0
        self.ready: dict = {}
        self.client = socketio.Client(reconnection=False)
        for name in EVENTS:
            self.client.on(name, lambda data, n=name: self._on(n, data))
        self.client.connect(url, transports=list(transports))

    def _on(self, name: str, data: dict) -> None:
        now = time.monotonic()
        with self.changed:
            self.events.append(Event(name, data, now))
            fragment = self.fragments.get(str(data.get("fragment_id")))
            if fragment and name == "fragment:ack":
                fragment.acked_s = now
            if fragment and name == "fragment:processed":
                fragment.answered_s, fragment.answer = now, data
            self.changed.notify_all()
        if name == "fragment:processed":
            self.client.emit("fragment:ack", {
                "fragment_id": data.get("fragment_id"),
                "status": "received", "timestamp": int(time.time() * 1000)})

    def wait(self, check, timeout_s: float):
        """The first true value of check(), looked at after each event."""
        deadline = time.monotonic() + timeout_s
        with self.changed:
            while True:
                value = check()
                left = deadline - time.monotonic()
                if value or left <= 0:
                    return value
                self.changed.wait(left)

    def named(self, name: str) -> list[Event]:
        return [e for e in self.events if e.name == name]

    def init(self, source: str, target: str, *, rate: int = 48000,
             channels: int = 1, timeout_ms: int = 8000,
             timeout_s: float = 15.0) -> dict:
        self.client.emit("stream:init", {
            "stream_id": self.stream_id,
            "worker_id": f"worker-{self.stream_id}",
            "config": {"source_language": source, "target_language": target,
                       "voice_profile": "default", "chunk_duration_ms": 6000,
                       "sample_rate_hz": rate, "channels": channels,
                       "format": "pcm_s16le"},
            "max_inflight": 3, "timeout_ms": timeout_ms})
        found = self.wait(lambda: self.named("stream:ready")
                          or self.named("error"), timeout_s)
        if not found or found[0].name == "error":
            raise RuntimeError(f"stream:init was not answered by ready: "
                               f"{[e.data for e in found or []]}")
        self.ready = found[0].data
        return self.ready

    @property
    def takes_binary(self) -> bool:
        capabilities = self.ready.get("capabilities") or {}
        return isinstance(capabilities, dict) \
            and bool(capabilities.get("pcm_s16le_binary"))

    def send_pcm(self, pcm: bytes, rate: int, *, room_ms: int = 0,
                 deadline_ms: int = 0) -> Fragment:
        """Mono PCM s16le."""
        number, self.sequence = self.sequence, self.sequence + 1
        fragment = Fragment(str(uuid.uuid4()), time.monotonic(),
                            len(pcm) * 1000 // (2 * rate))
        metadata = {"pts_ns": 0, "room_ms": room_ms}
        if deadline_ms:
            metadata["deadline_ms"] = deadline_ms
        self.fragments[fragment.fragment_id] = fragment
        self.client.emit("fragment:data", {
            "fragment_id": fragment.fragment_id,
            "stream_id": self.stream_id, "sequence_number": number,
            "timestamp": int(time.time() * 1000),
            "audio": {"format": "pcm_s16le", "sample_rate_hz": rate,
                      "channels": 1, "duration_ms": fragment.duration_ms,
                      "data_base64": pcm if self.takes_binary
                      else base64.b64encode(pcm).decode()},
            "metadata": metadata})
        return fragment

    def answer(self, fragment: Fragment, timeout_s: float) -> Fragment:
        if not self.wait(lambda: fragment.answered_s, timeout_s):
            raise TimeoutError(f"fragment {fragment.fragment_id} was not "
                               f"answered within {timeout_s:.0f} s")
        return fragment

    def end(self, timeout_s: float = 15.0) -> dict:
        self.client.emit("stream:end", {"stream_id": self.stream_id,
                                        "reason": "source_ended"})
        found = self.wait(lambda: self.named("stream:complete"), timeout_s)
        return found[0].data if found else {}

    def close(self) -> None:
        self.client.disconnect()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
