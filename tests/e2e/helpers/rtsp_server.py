# SPDX-License-Identifier: Apache-2.0
"""A small RTSP server: it takes what is published and notes when each packet
came, since a media server does not tell.

    with RtspServer() as server:
        ...                       # rtsp://127.0.0.1:{server.port}/any/path
    server.tracks["video"].packets

RTP by TCP only. One thread a connection; the last connection is kept.
"""

from __future__ import annotations

import re
import socket
import struct
import threading
import time
from dataclasses import dataclass, field

MAX_BODY = 65536
MAX_PACKETS = 100000
NTP_FRACTION = 1 << 32


@dataclass
class Packet:
    time: int  # as in RTP, in the track's clock
    arrival_s: float
    payload: bytes


@dataclass
class Report:
    """A sender report of RTCP: both times are of the same moment."""

    ntp_s: float
    time: int


@dataclass
class Track:
    rate: int
    packets: list[Packet] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)

    def ntp_s(self, rtp_time: int, report: Report) -> float:
        """When that was, by a report."""
        ticks = (rtp_time - report.time + (1 << 31)) % (1 << 32) - (1 << 31)
        return report.ntp_s + ticks / self.rate


class RtspServer:
    def __init__(self, answer_delay_s: float = 0.0):
        self.answer_delay_s = answer_delay_s
        self.tracks: dict[str, Track] = {}  # "video", "audio"
        self.error = ""
        self.channels: dict[int, Track] = {}
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.sock: socket.socket | None = None
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for sock in (self.listener, self.sock):
            if sock is not None:
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                sock.close()

    def _accept(self) -> None:
        while True:
            try:
                self.sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(self.sock,),
                             daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            with sock.makefile("rb") as stream:
                while self._next(sock, stream):
                    pass
        except (OSError, ValueError, struct.error) as error:
            self.error = str(error)

    def _next(self, sock: socket.socket, stream) -> bool:
        first = stream.read(1)
        if first == b"$":
            channel, size = struct.unpack(">BH", stream.read(3))
            self._take(channel, stream.read(size), time.monotonic())
            return True
        if not first:
            return False
        self._answer(sock, stream, (first + stream.readline()).decode())
        return True

    def _answer(self, sock: socket.socket, stream, line: str) -> None:
        headers = {}
        while (text := stream.readline().decode().strip()):
            name, _, value = text.partition(":")
            headers[name.lower()] = value.strip()
        size = int(headers.get("content-length", 0))
        if size > MAX_BODY:
            raise ValueError(f"a body of {size} bytes")
        body = stream.read(size).decode()
        method, url = line.split()[:2]
        extra = ["Session: 1"]
        if method == "ANNOUNCE":
            self._announce(body)
        elif method == "SETUP":
            extra.append(self._set_up(url, headers["transport"]))
        elif method == "OPTIONS":
            extra.append("Public: OPTIONS, ANNOUNCE, SETUP, RECORD, TEARDOWN")
        time.sleep(self.answer_delay_s)
        sock.sendall("\r\n".join(["RTSP/1.0 200 OK", f"CSeq: {headers['cseq']}",
                                  *extra, "", ""]).encode())

    def _announce(self, sdp: str) -> None:
        self.controls, self.tracks, self.channels = {}, {}, {}
        for media in re.split(r"^m=", sdp, flags=re.M)[1:]:
            rate = re.search(r"^a=rtpmap:\d+ [^/]+/(\d+)", media, re.M)
            control = re.search(r"^a=control:(\S+)", media, re.M)
            track = Track(int(rate[1]))
            self.tracks[media.split()[0]] = track
            self.controls[control[1]] = track

    def _set_up(self, url: str, transport: str) -> str:
        first = int(re.search(r"interleaved=(\d+)", transport)[1])
        track = next(t for c, t in self.controls.items() if url.endswith(c))
        self.channels[first] = self.channels[first + 1] = track
        return (f"Transport: RTP/AVP/TCP;unicast;"
                f"interleaved={first}-{first + 1};mode=record")

    def _take(self, channel: int, data: bytes, now_s: float) -> None:
        track = self.channels[channel]
        if channel % 2 == 0 and len(track.packets) < MAX_PACKETS:
            track.packets.append(Packet(struct.unpack_from(">I", data, 4)[0],
                                        now_s, data[12:]))
        elif channel % 2 == 1 and data[1] == 200:  # a sender report
            high, low, rtp = struct.unpack_from(">III", data, 8)
            track.reports.append(Report(high + low / NTP_FRACTION, rtp))
