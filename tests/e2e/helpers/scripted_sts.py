# SPDX-License-Identifier: Apache-2.0
"""A speech service that does what a test says, by the public Socket.IO server.

Each fragment is handed to `behave`, in a thread of its own; the default sends
its own sound back after `delay_s`. It keeps what came and when, so a test can
say how many fragments were on their way at any moment.
"""

from __future__ import annotations

import logging
import socketserver
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import socketio

MAX_MESSAGE_BYTES = 32 << 20


@dataclass
class Fragment:
    fragment_id: str
    number: int        # in the order of arrival, from 0, over all connections
    sequence: int      # as the worker counts, from 0 on each connection
    pts_ns: int
    pcm: bytes
    rate: int
    sid: str
    came_s: float
    answered_s: float = 0.0

    @property
    def start_s(self) -> float:
        """Of its slot, in media time."""
        return self.pts_ns / 1e9

    @property
    def duration_s(self) -> float:
        return len(self.pcm) / 2 / self.rate


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request, client_address):
        """A connection that breaks is what these tests are about."""


class _Handler(WSGIRequestHandler):
    def get_environ(self):
        return {**super().get_environ(), "werkzeug.socket": self.connection}

    def log_message(self, *_):
        pass


class ScriptedSts:
    def __init__(self, behave: Callable | None = None, delay_s: float = 0.2):
        self.behave = behave or ScriptedSts.echo
        self.delay_s = delay_s
        self.fragments: list[Fragment] = []
        self.inits: list[tuple[float, str]] = []
        self.acks: list[dict] = []
        self.lock = threading.Lock()
        self.sio: socketio.Server | None = None
        self.server: _Server | None = None
        self.port = 0
        logging.getLogger("wsgiref").disabled = True
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    # --- life ---

    def start(self) -> None:
        """On the same port as before."""
        sio = socketio.Server(
            async_mode="threading", max_http_buffer_size=MAX_MESSAGE_BYTES,
            async_handlers=True)
        sio.on("stream:init", self._on_init)
        sio.on("fragment:data", self._on_fragment)
        sio.on("fragment:ack", lambda sid, data: self.acks.append(data))
        self.server = _Server(("127.0.0.1", self.port), _Handler)
        self.server.set_app(socketio.WSGIApp(sio))
        self.port = self.server.server_address[1]
        self.sio = sio
        threading.Thread(target=self.server.serve_forever, args=(0.1,),
                         daemon=True).start()

    def stop(self) -> None:
        """As a process that ends: every connection is closed."""
        server, self.server = self.server, None
        if server is None:
            return
        server.shutdown()
        server.server_close()
        self.disconnect()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    # --- what it does ---

    def echo(self, fragment: Fragment) -> None:
        time.sleep(self.delay_s)
        self.answer(fragment)

    def answer(self, fragment: Fragment, pcm: bytes | None = None,
               sid: str = "", **changes) -> None:
        """fragment:processed; `changes` replace what would be right."""
        pcm = fragment.pcm if pcm is None else pcm
        audio = {"format": "pcm_s16le", "sample_rate_hz": fragment.rate,
                 "channels": 1,
                 "duration_ms": len(pcm) // 2 * 1000 // fragment.rate,
                 "data_base64": pcm, **changes.pop("audio", {})}
        self.emit("fragment:processed", {
            "fragment_id": fragment.fragment_id, "stream_id": "s",
            "sequence_number": fragment.sequence, "status": "success",
            "dubbed_audio": audio, "transcript": "a",
            "translated_text": "b", "processing_time_ms": 1, **changes},
            sid or fragment.sid)
        fragment.answered_s = fragment.answered_s or time.monotonic()

    def fail(self, fragment: Fragment, code: str,
             retryable: bool = True) -> None:
        # Before it is sent: the next fragment may come at once.
        fragment.answered_s = time.monotonic()
        self.emit("fragment:processed", {
            "fragment_id": fragment.fragment_id, "stream_id": "s",
            "sequence_number": fragment.sequence, "status": "failed",
            "error": {"code": code, "message": "as the test asks",
                      "retryable": retryable}}, fragment.sid)

    def emit(self, event: str, data, sid: str = "") -> None:
        try:
            self.sio.emit(event, data, to=sid or None)
        except (OSError, KeyError):
            pass  # it is gone meanwhile

    def disconnect(self) -> None:
        for sid in list(self.sio.manager.get_participants("/", None)):
            try:
                self.sio.disconnect(sid[0] if isinstance(sid, tuple) else sid)
            except (OSError, KeyError):
                pass

    # --- what came ---

    def most_in_flight(self, until_s: float = float("inf"),
                       lost_after_s: float = 8.0) -> int:
        """Fragments that were here and not answered, at the worst moment."""
        changes = []
        for f in list(self.fragments):
            if f.came_s > until_s:
                continue
            end = min(f.answered_s or float("inf"), f.came_s + lost_after_s)
            changes += [(f.came_s, 1), (end, -1)]
        worst = now = 0
        for _, change in sorted(changes):
            now += change
            worst = max(worst, now)
        return worst

    def _on_init(self, sid: str, data: dict) -> None:
        self.inits.append((time.monotonic(), sid))
        self.emit("stream:ready", {
            "stream_id": data["stream_id"], "session_id": sid,
            "max_inflight": 3, "capabilities": {"pcm_s16le_binary": True}},
            sid)

    def _on_fragment(self, sid: str, data: dict) -> None:
        audio = data["audio"]
        with self.lock:
            fragment = Fragment(
                data["fragment_id"], len(self.fragments),
                data["sequence_number"], data["metadata"]["pts_ns"],
                audio["data_base64"], audio["sample_rate_hz"], sid,
                time.monotonic())
            self.fragments.append(fragment)
        self.emit("fragment:ack", {"fragment_id": fragment.fragment_id,
                                   "status": "queued"}, sid)
        self.behave(self, fragment)
