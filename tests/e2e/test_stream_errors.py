# SPDX-License-Identifier: Apache-2.0
"""P1: what cannot be dubbed ends in an error that says where and why.

Each names the URL without its key. The peer is our own, so that it can
refuse; the key is the last part of the path.
"""

from __future__ import annotations

import subprocess

import pytest

from helpers import clips
from helpers.flv import read_flv
from helpers.processes import free_port
from helpers.rtmp import RtmpServer

pytestmark = [pytest.mark.e2e, pytest.mark.p1]

KEY = "s3cr3t-k3y"
SOURCE, TARGET = f"app/{KEY}", f"push/{KEY}"


@pytest.fixture(name="server")
def _server():
    with RtmpServer() as server:
        yield server


def good() -> clips.Clip:
    return clips.Clip("short", seconds=16, sound="music")


def run_worker(stack, source: str, target: str) -> tuple[int, str]:
    """Until it ends by itself. A worker that goes on for ever has failed."""
    worker = stack.worker("err", input_url=source, output_url=target,
                          ORCH_GRACE_PERIOD="3s", SOURCE_LOSS="close")
    try:
        code = worker.wait(60)
    except subprocess.TimeoutExpired:
        pytest.fail("the worker goes on:\n" + worker.output()[-3000:])
    return code, worker.output()


def check(result: tuple[int, str], place: str, *causes: str) -> None:
    code, text = result
    assert code != 0, text[-3000:]
    errors = "\n".join(line for line in text.splitlines()
                       if place in line)
    assert errors, f"nothing names {place}:\n{text[-3000:]}"
    assert any(c in errors.lower() for c in causes), text[-3000:]
    assert KEY not in text
    assert "traceback" not in text.lower()


def place_of(server: RtmpServer) -> str:
    return f"127.0.0.1:{server.port}"


def test_error_no_audio_track(stack, server):
    clip = clips.make(clips.Clip("no-sound", seconds=16, sound="none"))
    server.sources[SOURCE] = read_flv(clip)
    check(run_worker(stack, server.url(SOURCE), server.url(TARGET)),
          place_of(server), "audio", "sound")


def test_error_unknown_video_codec(stack, server):
    clip = clips.make(clips.Clip("old-codec", seconds=16, sound="music",
                                 video="flv1"))
    server.sources[SOURCE] = read_flv(clip)
    check(run_worker(stack, server.url(SOURCE), server.url(TARGET)),
          place_of(server), "codec", "video", "format", "h.264", "h264")


def test_error_source_refuses(stack, server):
    server.refuse.add(SOURCE)
    check(run_worker(stack, server.url(SOURCE), server.url(TARGET)),
          place_of(server), "refus", "not found", "notfound", "no such")


def test_error_source_not_there(stack):
    port = free_port()
    check(run_worker(stack, f"rtmp://127.0.0.1:{port}/{SOURCE}",
                     f"rtmp://127.0.0.1:{port}/{TARGET}"),
          f"127.0.0.1:{port}", "refus", "connect")


def test_error_destination_refuses(stack, server):
    server.sources[SOURCE] = read_flv(clips.make(good()))
    server.refuse.add(TARGET)
    check(run_worker(stack, server.url(SOURCE), server.url(TARGET)),
          place_of(server), "refus", "badname", "denied", "publish",
          "reject")


def test_error_destination_not_there(stack, server):
    port = free_port()
    server.sources[SOURCE] = read_flv(clips.make(good()))
    check(run_worker(stack, server.url(SOURCE),
                     f"rtmp://127.0.0.1:{port}/{TARGET}"),
          f"127.0.0.1:{port}", "refus", "connect")
