# SPDX-License-Identifier: Apache-2.0
"""P3: destinations whose server is slow to answer while it is connected to.

An RTSP server lays each track by when its first packet came, so what waits
during the handshake must not leave in one burst. A proxy gives each answer
late; the real MediaMTX is read back: sound and picture as in the stream's own
output. A server of our own tells when packets came, and what its reports say.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from fractions import Fraction

import pytest

from helpers import clips
from helpers.egress_judge import sync_ms, unequal
from helpers.fault_proxy import FaultProxy
from helpers.fault_run import FaultRun, run_together
from helpers.processes import Stack
from helpers.rtmp import RtmpReader, RtmpServer
from helpers.rtsp_server import RtspServer
from helpers.scenarios import DELAY_MS

pytestmark = [pytest.mark.e2e, pytest.mark.p3, pytest.mark.slow]

CLIP = clips.Clip("late-handshake-25", Fraction(25), 20.0,
                  sound="music+breath+beeps")
# How late each answer comes: RTSP asks five times.
LATE = {"rtsp-0": 0.0, "rtsp-200": 0.2, "rtsp-500": 0.5, "rtmp-100": 0.1}
KEY_S = 1.0  # from one key frame to the next
# Of sound before the first picture: what its dts is before its pts, and 45.
LEAD_MS = 80 + 45
TOLERANCE_MS = {"rtsp": 10, "rtmp": 2}


def destination(stack: Stack, stacked: ExitStack, name: str) -> dict:
    kind = name.partition("-")[0]
    proxy = stacked.enter_context(FaultProxy(
        stack.rtsp_port if kind == "rtsp" else stack.rtmp_port))
    proxy.answer_delay_s = LATE[name]
    return {"name": name,
            "url": f"{kind}://127.0.0.1:{proxy.port}/live/late/{name}"}


def play(run: FaultRun) -> None:
    stack = run.stack
    stack.mediamtx(rtsp=True)
    run.readers = {name: RtmpReader(stack.rtmp_url(f"live/late/{name}"))
                   for name in LATE}
    with ExitStack() as stacked:
        run.rtsp = stacked.enter_context(RtspServer(0.1))
        run.start(EGRESS_DESTINATIONS=json.dumps(
            [destination(stack, stacked, name) for name in LATE]
            + [{"name": "ours", "url":
                f"rtsp://127.0.0.1:{run.rtsp.port}/live/late/ours"}]))
        run.sleep_until(CLIP.seconds + DELAY_MS / 1000 - 1)
        run.got = {k: r.stop() for k, r in run.readers.items()}


@pytest.fixture(scope="module", name="run")
def _run():
    with Stack("late-handshake") as stack, RtmpServer() as server:
        run = FaultRun("late", stack, server, CLIP)
        run_together([run], [play])
        if run.error:
            pytest.fail(run.error)
        yield run


@pytest.mark.parametrize("name", LATE)
def test_sound_stays_with_its_picture(run, name):
    off_ms = sync_ms(run.recording, run.got[name])
    print(f"{name}: {off_ms} ms")
    assert abs(off_ms) <= TOLERANCE_MS[name.partition("-")[0]]


def test_begins_with_the_next_key_frame(run):
    """MediaMTX answers at once who is not known to send too early."""
    own, got = run.recording.units(), run.got["rtsp-0"].units()
    begin = [u.slice_digest for u in own].index(got[0].slice_digest)
    late_s = (own[begin].pts_ms - own[0].pts_ms) / 1000
    print(f"{late_s:.2f} s after the first picture")
    assert late_s <= KEY_S + 0.5


@pytest.mark.parametrize("name", LATE)
def test_packets_are_equal(run, name):
    got = run.got[name]
    print(f"{name}: {len(got.units())} pictures, {len(got.sound())} frames "
          "of sound")
    assert len(got.units()) > 200
    assert got.units()[0].is_key
    assert unequal(run.recording, got) == []


def test_packets_leave_when_they_are_due(run):
    """The first of each track come as far apart as their times are, by the
    reports, which hold for all that comes; the picture after the sound."""
    picture, sound = run.rtsp.tracks["video"], run.rtsp.tracks["audio"]
    assert run.rtsp.error == ""
    assert min(len(picture.reports), len(sound.reports)) >= 2
    for report, other in zip(picture.reports, sound.reports):
        told_ms = (picture.ntp_s(picture.packets[0].time, report)
                   - sound.ntp_s(sound.packets[0].time, other)) * 1000
        came_ms = (picture.packets[0].arrival_s
                   - sound.packets[0].arrival_s) * 1000
        print(f"{told_ms:.1f} ms by the reports, {came_ms:.1f} ms by arrival")
        assert 0 < told_ms <= LEAD_MS
        assert abs(told_ms - came_ms) <= 10
