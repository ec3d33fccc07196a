# SPDX-License-Identifier: Apache-2.0
"""A small RTMP peer: server and client, byte for byte.

Media servers remake timestamps and rewrite parameter sets on the way, so what
leaves the worker can only be judged by a peer that does not. RtmpServer takes
what is published to it (`recordings`) and serves what was given to it
(`sources`) in real time; RtmpReader plays a stream from any server and notes
the wall clock time of each tag. Both are bounded in bytes and in time, and
use a thread for each connection.
"""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from urllib.parse import urlsplit

from .flv import AUDIO, SCRIPT, VIDEO, Recording, Tag

MAX_MESSAGE_BYTES = 16 << 20
MAX_RECORDING_BYTES = 512 << 20
MAX_THREADS = 64
CHUNK_BYTES = 65536
HANDSHAKE_BYTES = 1536
(SET_CHUNK_SIZE, ACK, USER_CONTROL, WINDOW_ACK, PEER_BANDWIDTH) = \
    (1, 3, 4, 5, 6)
DATA_AMF0, COMMAND_AMF0 = 18, 20


class RtmpError(Exception):
    """The peer refused, closed, or said what is not RTMP."""


# --- AMF0 ---------------------------------------------------------------

def amf_encode(*values) -> bytes:
    return b"".join(_amf_value(v) for v in values)


def _amf_value(value) -> bytes:
    if isinstance(value, bool):
        return struct.pack(">BB", 1, value)
    if isinstance(value, (int, float)):
        return struct.pack(">Bd", 0, value)
    if isinstance(value, str):
        raw = value.encode()
        return struct.pack(">BH", 2, len(raw)) + raw
    if value is None:
        return b"\x05"
    if isinstance(value, dict):
        body = b"".join(struct.pack(">H", len(k)) + k.encode()
                        + _amf_value(v) for k, v in value.items())
        return b"\x03" + body + b"\0\0\x09"
    raise TypeError(f"no AMF0 form for {value!r}")


def amf_decode(data: bytes) -> list:
    values, at = [], 0
    while at < len(data):
        value, at = _amf_read(data, at, 0)
        values.append(value)
    return values


def _amf_read(data: bytes, at: int, depth: int):
    if depth > 16:
        raise RtmpError("AMF0 nested too deeply")
    kind, at = data[at], at + 1
    if kind == 0:
        return struct.unpack_from(">d", data, at)[0], at + 8
    if kind == 1:
        return bool(data[at]), at + 1
    if kind == 2:
        size = struct.unpack_from(">H", data, at)[0]
        return data[at + 2:at + 2 + size].decode("utf-8", "replace"), \
            at + 2 + size
    if kind == 12:
        size = struct.unpack_from(">I", data, at)[0]
        return data[at + 4:at + 4 + size].decode("utf-8", "replace"), \
            at + 4 + size
    if kind in (5, 6):
        return None, at
    if kind == 3:
        return _amf_read_object(data, at, depth)
    if kind == 8:
        return _amf_read_object(data, at + 4, depth)
    if kind == 10:
        count, at, values = struct.unpack_from(">I", data, at)[0], at + 4, []
        for _ in range(min(count, 4096)):
            value, at = _amf_read(data, at, depth + 1)
            values.append(value)
        return values, at
    raise RtmpError(f"AMF0 type {kind} is not known")


def _amf_read_object(data: bytes, at: int, depth: int):
    result = {}
    while True:
        size = struct.unpack_from(">H", data, at)[0]
        key = data[at + 2:at + 2 + size].decode("utf-8", "replace")
        at += 2 + size
        if size == 0 and data[at] == 9:
            return result, at + 1
        result[key], at = _amf_read(data, at, depth + 1)


# --- chunks and messages ------------------------------------------------

class Link:
    """One connection after its handshake: messages in, messages out."""

    def __init__(self, sock: socket.socket):
        self.sock = sock
        self.buffer = bytearray()
        self.in_chunk = 128
        self.streams: dict[int, dict] = {}
        self.received = self.acked = 0
        self.lock = threading.Lock()

    def read(self, count: int) -> bytes:
        while len(self.buffer) < count:
            data = self.sock.recv(262144)
            if not data:
                raise RtmpError("the peer closed the connection")
            self.buffer += data
            self.received += len(data)
        data = bytes(self.buffer[:count])
        del self.buffer[:count]
        return data

    def acknowledge(self) -> None:
        if self.received - self.acked >= 65536:
            self.acked = self.received
            self.send(2, ACK, 0, 0,
                      struct.pack(">I", self.received & 0xFFFFFFFF))

    def message(self) -> tuple[int, int, int, bytes]:
        """The next (type, stream, time, payload) that is not plumbing."""
        while True:
            done = self._chunk()
            self.acknowledge()
            if done is None:
                continue
            kind, _, _, payload = done
            if kind == SET_CHUNK_SIZE:
                self.in_chunk = max(1, struct.unpack(">I", payload)[0]
                                    & 0x7FFFFFFF)
            elif kind == USER_CONTROL and payload[:2] == b"\0\x06":
                self.send(2, USER_CONTROL, 0, 0, b"\0\x07" + payload[2:])
            elif kind not in (ACK, USER_CONTROL, WINDOW_ACK, PEER_BANDWIDTH):
                return done

    def _chunk(self):
        first = self.read(1)[0]
        form, csid = first >> 6, first & 0x3F
        if csid == 0:
            csid = 64 + self.read(1)[0]
        elif csid == 1:
            low, high = self.read(2)
            csid = 64 + low + high * 256
        state = self.streams.setdefault(csid, {
            "time": 0, "delta": 0, "size": 0, "kind": 0, "sid": 0,
            "extended": False, "data": bytearray()})
        self._chunk_header(state, form)
        part = min(self.in_chunk, state["size"] - len(state["data"]))
        state["data"] += self.read(part)
        if len(state["data"]) < state["size"]:
            return None
        payload, state["data"] = bytes(state["data"]), bytearray()
        return state["kind"], state["sid"], state["time"], payload

    def _chunk_header(self, state: dict, form: int) -> None:
        starts = not state["data"]
        stamp = state.get("stamp", 0)
        if form < 3:
            stamp = int.from_bytes(self.read(3), "big")
            state["extended"] = stamp == 0xFFFFFF
            if form < 2:
                state["size"] = int.from_bytes(self.read(3), "big")
                state["kind"] = self.read(1)[0]
                if state["size"] > MAX_MESSAGE_BYTES:
                    raise RtmpError("a message is too large")
            if form == 0:
                state["sid"] = int.from_bytes(self.read(4), "little")
        if state["extended"]:
            stamp = int.from_bytes(self.read(4), "big")
        state["stamp"] = stamp
        if not starts:
            return
        if form == 0:
            state["time"], state["delta"] = stamp, 0
        else:
            state["delta"] = stamp if form < 3 else state["delta"]
            state["time"] = state["time"] + state["delta"] & 0xFFFFFFFF

    def send(self, csid: int, kind: int, sid: int, time_ms: int,
             payload: bytes) -> None:
        time_ms &= 0xFFFFFFFF
        extended = struct.pack(">I", time_ms) if time_ms >= 0xFFFFFF else b""
        out = bytearray(struct.pack(
            ">B3s3sB", csid, min(time_ms, 0xFFFFFF).to_bytes(3, "big"),
            len(payload).to_bytes(3, "big"), kind))
        out += struct.pack("<I", sid) + extended
        for at in range(0, max(1, len(payload)), CHUNK_BYTES):
            if at:
                out += bytes([0xC0 | csid]) + extended
            out += payload[at:at + CHUNK_BYTES]
        with self.lock:
            self.sock.sendall(out)

    def send_chunk_size(self) -> None:
        self.send(2, SET_CHUNK_SIZE, 0, 0, struct.pack(">I", CHUNK_BYTES))

    def command(self, sid: int, *values) -> None:
        self.send(3, COMMAND_AMF0, sid, 0, amf_encode(*values))


def _handshake_server(link: Link) -> None:
    if link.read(1) != b"\x03":
        raise RtmpError("not an RTMP handshake")
    theirs = link.read(HANDSHAKE_BYTES)
    ours = bytes(8) + os.urandom(HANDSHAKE_BYTES - 8)
    link.sock.sendall(b"\x03" + ours + theirs)
    link.read(HANDSHAKE_BYTES)


def _handshake_client(link: Link) -> None:
    ours = bytes(8) + os.urandom(HANDSHAKE_BYTES - 8)
    link.sock.sendall(b"\x03" + ours)
    if link.read(1) != b"\x03":
        raise RtmpError("not an RTMP handshake")
    theirs = link.read(HANDSHAKE_BYTES)
    link.read(HANDSHAKE_BYTES)
    link.sock.sendall(theirs)


# --- server -------------------------------------------------------------

class RtmpServer:
    """Serves `sources[path]` to players, keeps what publishers send:
    `recordings[path]` is of the last connection, `history` of all.

    A path is application and stream key joined, e.g. "live/a/in". `refuse`
    holds paths whose publish or play is answered with an error.
    """

    def __init__(self):
        self.sources: dict[str, Recording] = {}
        self.recordings: dict[str, Recording] = {}
        self.history: list[tuple[str, Recording]] = []
        self.refuse: set[str] = set()
        self.served_at: dict[str, float] = {}
        self.closing = False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.connections: list[socket.socket] = []
        self.threads: list[threading.Thread] = []
        self.changed = threading.Condition()
        self._start(self._accept)

    def url(self, path: str) -> str:
        return f"rtmp://127.0.0.1:{self.port}/{path}"

    def _start(self, function, *args) -> None:
        thread = threading.Thread(target=function, args=args, daemon=True)
        self.threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self.closing:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.threads = [t for t in self.threads if t.is_alive()]
            if len(self.threads) >= MAX_THREADS:
                sock.close()
                continue
            self.connections.append(sock)
            self._start(self._serve, sock)

    def _serve(self, sock: socket.socket) -> None:
        sock.settimeout(30)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        session = _Session(self, Link(sock))
        try:
            _handshake_server(session.link)
            session.run()
        except (RtmpError, OSError, struct.error, IndexError) as error:
            session.ended(str(error))
        finally:
            sock.close()

    def wait_recorded(self, path: str, units: int, timeout_s: float) -> bool:
        """Until `path` has so many pictures, or until the time is over."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            recording = self.recordings.get(path)
            if recording and len(recording.units()) >= units:
                return True
            time.sleep(0.25)
        return False

    def close(self) -> None:
        self.closing = True
        self.listener.close()
        for sock in self.connections:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class _Session:
    def __init__(self, server: RtmpServer, link: Link):
        self.server, self.link = server, link
        self.app = ""
        self.recording: Recording | None = None
        self.bytes = 0

    def run(self) -> None:
        while not self.server.closing:
            kind, sid, time_ms, payload = self.link.message()
            if kind == COMMAND_AMF0:
                self.on_command(sid, amf_decode(payload))
            elif kind in (AUDIO, VIDEO, DATA_AMF0) and self.recording:
                self.keep(kind, time_ms, payload)

    def keep(self, kind: int, time_ms: int, payload: bytes) -> None:
        self.bytes += len(payload)
        if self.bytes > MAX_RECORDING_BYTES:
            raise RtmpError("the recording is too large")
        self.recording.tags.append(
            Tag(kind, time_ms, payload, time.monotonic()))

    def ended(self, why: str) -> None:
        if self.recording is not None:
            self.recording.error = why

    def on_command(self, sid: int, values: list) -> None:
        name, number = values[0], values[1]
        if name == "connect":
            self.app = str(values[2].get("app", "")).strip("/")
            self.link.send(2, WINDOW_ACK, 0, 0, struct.pack(">I", 2500000))
            self.link.send(2, PEER_BANDWIDTH, 0, 0,
                           struct.pack(">IB", 2500000, 2))
            self.link.send_chunk_size()
            self.link.command(0, "_result", number,
                              {"fmsVer": "FMS/3,0,1,123", "capabilities": 31},
                              {"level": "status",
                               "code": "NetConnection.Connect.Success",
                               "description": "ok"})
        elif name == "createStream":
            self.link.command(0, "_result", number, None, 1)
        elif name in ("releaseStream", "FCPublish", "FCSubscribe",
                      "getStreamLength"):
            self.link.command(0, "_result", number, None, None)
        elif name == "publish":
            self.on_publish(sid, self.path(values))
        elif name == "play":
            self.on_play(sid, self.path(values))
        elif name in ("deleteStream", "FCUnpublish", "closeStream"):
            self.ended("the publisher ended")

    def path(self, values: list) -> str:
        name = str(values[3]).split("?")[0].strip("/")
        return f"{self.app}/{name}".strip("/")

    def status(self, sid: int, level: str, code: str) -> None:
        self.link.command(sid, "onStatus", 0, None,
                          {"level": level, "code": code,
                           "description": code})

    def on_publish(self, sid: int, path: str) -> None:
        if path in self.server.refuse:
            self.status(sid, "error", "NetStream.Publish.BadName")
            raise RtmpError("refused, as the test asks")
        self.recording = Recording()
        self.server.recordings[path] = self.recording
        self.server.history.append((path, self.recording))
        self.status(sid, "status", "NetStream.Publish.Start")

    def on_play(self, sid: int, path: str) -> None:
        source = self.server.sources.get(path)
        if source is None or path in self.server.refuse:
            self.status(sid, "error", "NetStream.Play.StreamNotFound")
            raise RtmpError("refused, as the test asks")
        self.link.send(2, USER_CONTROL, 0, 0, struct.pack(">HI", 0, sid))
        self.status(sid, "status", "NetStream.Play.Reset")
        self.status(sid, "status", "NetStream.Play.Start")
        self.server.served_at[path] = time.monotonic()
        self.server._start(self.feed, sid, source)

    def feed(self, sid: int, source: Recording) -> None:
        """The source's tags, paced by their times, or by arrival_s where a
        test gives them other times than the clip's."""
        start = time.monotonic()
        first = None
        try:
            for tag in source.tags:
                if tag.kind != SCRIPT and first is None:
                    first = tag.time_ms
                due = start + (tag.arrival_s
                               or (tag.time_ms - (first or 0)) / 1000)
                delay = due - time.monotonic()
                if delay > 0:
                    time.sleep(delay)
                if self.server.closing:
                    return
                csid = {AUDIO: 4, VIDEO: 6}.get(tag.kind, 5)
                self.link.send(csid, tag.kind, sid, tag.time_ms, tag.body)
            self.status(sid, "status", "NetStream.Play.UnpublishNotify")
            self.link.send(2, USER_CONTROL, 0, 0, struct.pack(">HI", 1, sid))
        except OSError:
            pass


# --- client -------------------------------------------------------------

class RtmpReader:
    """Plays a stream and keeps its tags, until stop() or a limit.

    Retries until the stream is there. The wall clock time of each tag is
    that of its last byte in this process.
    """

    def __init__(self, url: str, keep_bodies: bool = True,
                 wait_s: float = 60.0):
        self.url = url
        self.recording = Recording()
        self.keep_bodies = keep_bodies
        self.wait_until = time.monotonic() + wait_s
        self.stopping = False
        self.sock: socket.socket | None = None
        self.started = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        while not self.stopping:
            try:
                self._play()
            except (RtmpError, OSError, struct.error, IndexError) as error:
                self.recording.error = str(error)
            if self.started.is_set() or time.monotonic() > self.wait_until:
                return
            time.sleep(0.4)

    def _play(self) -> None:
        parts = urlsplit(self.url)
        app, _, name = parts.path.strip("/").rpartition("/")
        self.sock = socket.create_connection(
            (parts.hostname, parts.port or 1935), timeout=15)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self.sock:
            link = Link(self.sock)
            _handshake_client(link)
            link.send_chunk_size()
            link.command(0, "connect", 1, {
                "app": app, "flashVer": "LNX 9,0,124,2",
                "tcUrl": f"rtmp://{parts.netloc}/{app}", "fpad": False,
                "capabilities": 15, "audioCodecs": 4071, "videoCodecs": 252,
                "videoFunction": 1})
            self._await_result(link, 1)
            link.command(0, "createStream", 2, None)
            stream = int(self._await_result(link, 2)[3])
            link.command(stream, "play", 3, None, name)
            self._receive(link)

    @staticmethod
    def _await_result(link: Link, number: int) -> list:
        while True:
            kind, _, _, payload = link.message()
            if kind != COMMAND_AMF0:
                continue
            values = amf_decode(payload)
            if values[0] == "_error":
                raise RtmpError(f"the server refused: {values[-1]}")
            if values[0] == "_result" and values[1] == number:
                return values

    def _receive(self, link: Link) -> None:
        size = 0
        while not self.stopping and size < MAX_RECORDING_BYTES:
            kind, _, time_ms, payload = link.message()
            if kind == COMMAND_AMF0:
                self._on_command(amf_decode(payload))
            elif kind in (AUDIO, VIDEO, DATA_AMF0):
                self.started.set()
                size += len(payload) if self.keep_bodies else 0
                self._keep(kind, time_ms, payload)

    def _keep(self, kind: int, time_ms: int, payload: bytes) -> None:
        now = time.monotonic()
        if not self.keep_bodies:
            # Enough to know the picture again: its slices, hashed later,
            # would cost memory over ten minutes, so only the tail is kept.
            payload = payload[:5] + payload[-48:] if kind == VIDEO \
                else payload[:2]
        self.recording.tags.append(Tag(kind, time_ms, payload, now))

    @staticmethod
    def _on_command(values: list) -> None:
        if values[0] == "onStatus" and isinstance(values[-1], dict) \
                and values[-1].get("level") == "error":
            raise RtmpError(f"the server refused: {values[-1].get('code')}")

    def stop(self) -> Recording:
        self.stopping = True
        if self.sock is not None:
            try:
                self.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.thread.join(timeout=5)
        return self.recording
