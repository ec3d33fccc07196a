# SPDX-License-Identifier: Apache-2.0
"""The RTMP peer keeps what it is sent, byte for byte."""

from __future__ import annotations

import time

import pytest

from helpers.flv import AUDIO, VIDEO, Recording, Tag
from helpers.rtmp import (RtmpReader, RtmpServer, amf_decode, amf_encode)
from helpers import tools

pytestmark = pytest.mark.helper


@pytest.fixture(name="server")
def _server():
    with RtmpServer() as server:
        yield server


def tags(first_ms: int) -> list[Tag]:
    big = bytes([0x17, 1, 0, 0, 0]) + bytes(range(256)) * 600
    return [Tag(AUDIO, first_ms, b"\xaf\x01sound"),
            Tag(VIDEO, first_ms + 40, big),
            Tag(AUDIO, first_ms + 60, b"\xaf\x01more")]


@pytest.mark.parametrize("first_ms", [0, 0xFFFFFF - 50, 0x7FFFFFF0])
def test_reader_gets_what_the_server_has(server, first_ms):
    server.sources["live/a/in"] = Recording(tags(first_ms))
    reader = RtmpReader(server.url("live/a/in"), wait_s=5)
    deadline = time.monotonic() + 10
    while len(reader.recording.tags) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    got = reader.stop().tags
    assert [(t.kind, t.time_ms, t.body) for t in got] == \
        [(t.kind, t.time_ms, t.body) for t in tags(first_ms)]
    assert got[0].arrival_s <= got[1].arrival_s


def test_refused_player_is_told(server):
    reader = RtmpReader(server.url("live/none/in"), wait_s=0)
    reader.thread.join(10)
    assert not reader.thread.is_alive()
    assert reader.recording.tags == []
    assert reader.recording.error


def test_server_records_a_real_encoder(server, tmp_path):
    url = server.url("live/b/out")
    tools.ffmpeg("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25",
                 "-f", "lavfi", "-i", "sine=440", "-t", "2", "-c:v",
                 "libx264", "-c:a", "aac", "-f", "flv", url, timeout_s=60)
    recording = server.recordings["live/b/out"]
    assert len(recording.units()) == 50
    assert recording.units()[0].is_key
    assert len(recording.video_configs()) == 1
    assert len(recording.sound()) > 80


def test_amf_round_trip():
    values = ["connect", 1.0, None, True, {"app": "live", "n": 2.0}]
    assert amf_decode(amf_encode(*values)) == values
