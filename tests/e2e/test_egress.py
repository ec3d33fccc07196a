# SPDX-License-Identifier: Apache-2.0
"""P3: a stream that goes to three destinations beside its own output.

One takes all, one refuses for a while, one stalls. Judged from what left: the
stream's own output and the good destination feel nothing, the others come back
by themselves, at a key frame, with times that only rise. No key is in any log
or message.
"""

from __future__ import annotations

import json
from fractions import Fraction

import pytest

from helpers import clips
from helpers.fault_proxy import FaultProxy
from helpers.fault_run import FaultRun, run_together
from helpers.flv import Recording
from helpers.loss_judge import KEY_S, MARGIN_S, Programme
from helpers.processes import Stack
from helpers.rtmp import RtmpServer
from helpers.scenarios import DELAY_MS

pytestmark = [pytest.mark.e2e, pytest.mark.p3, pytest.mark.slow]

CLIP = clips.Clip("sync-egress-25", Fraction(25), 44.0,
                  sound="music+breath+beeps")
KEYS = {name: f"k3y-of-{name}-7f21" for name in ("good", "refusing", "stalled",
                                                 "late")}
LATER_S = DELAY_MS / 1000
ACCEPTED_S, STALLED_S, GOES_ON_S, ADDED_S = 20.0, 18.0, 30.0, 24.0
# The fourth wait: 8 s and a quarter.
LONGEST_WAIT_S = 10.0
END_S = 43.0


class EgressRun(FaultRun):
    def destination(self, name: str, port: int) -> dict:
        return {"name": name,
                "url": f"rtmp://127.0.0.1:{port}/app/{KEYS[name]}"}

    def units_of(self, name: str) -> list:
        return [u for r in self.recordings_of(name) for u in r.units()]

    def recordings_of(self, name: str) -> list[Recording]:
        return [r for p, r in self.server.history
                if p == f"app/{KEYS[name]}" and r.tags]

    def programme_of(self, name: str) -> Programme:
        return Programme(self.source.units(), self.units_of(name))

    def told(self) -> list[list[dict]]:
        return [line.message["list"] for line in self.listener.lines
                if line.message.get("type") == "destinations"]

    def told_of(self, name: str) -> list[dict]:
        return [d for told in self.told() for d in told if d["name"] == name]


def play(run: EgressRun) -> None:
    with FaultProxy(run.server.port) as refusing, \
            FaultProxy(run.server.port) as stalled:
        refusing.refuse()
        three = [run.destination("good", run.server.port),
                 run.destination("refusing", refusing.port),
                 run.destination("stalled", stalled.port)]
        run.start(EGRESS_DESTINATIONS=json.dumps(three))
        run.sleep_until(LATER_S + 2)
        run.sleep_until(STALLED_S)
        stalled.stall()
        run.sleep_until(ACCEPTED_S)
        refusing.accept()
        run.sleep_until(ADDED_S)
        four = three + [run.destination("late", run.server.port)]
        run.listener.command(type="set", id=1, settings={
            "EGRESS_DESTINATIONS": json.dumps(four)})
        run.sleep_until(GOES_ON_S)
        stalled.go_on()
        run.sleep_until(CLIP.seconds + LATER_S - 1)
        run.listener.command(type="set", id=2, settings={
            "EGRESS_DESTINATIONS": json.dumps(four[:3])})
        run.sleep_until(CLIP.seconds + LATER_S + 1)
        run.stop_watching()  # what comes now is of the proxies' end


@pytest.fixture(scope="module", name="run")
def _run():
    with Stack("egress") as stack, RtmpServer() as server:
        run = EgressRun("egress", stack, server, CLIP)
        run_together([run], [play])
        if run.error:
            pytest.fail(run.error)
        yield run


def test_own_output_feels_nothing(run):
    assert run.video_problems() == []
    assert run.sound_problems() == []


def test_good_destination_gets_the_same(run):
    """Every picture of it, and every frame of sound from there on."""
    (good,) = run.recordings_of("good")
    own = [u.slice_digest for u in run.recording.units()]
    assert [u.slice_digest for u in good.units()][:len(own)] == own
    frames = [p.data for p in run.recording.sound()]
    got = [p.data for p in good.sound()]
    begin = frames.index(got[2])
    assert got[2:2 + 1000] == frames[begin:begin + 1000]
    assert run.programme_of("good").order_problems() == []


def test_each_connection_begins_at_a_key_frame(run):
    for name in KEYS:
        for recording in run.recordings_of(name):
            assert recording.units()[0].is_key, name
            assert recording.video_configs(), name


@pytest.mark.parametrize("name", KEYS)
def test_times_only_rise(run, name):
    assert run.programme_of(name).order_problems() == []


def test_refusing_one_is_used_when_it_takes(run):
    programme = run.programme_of("refusing")
    first_s = programme.shown[0].clip_ms / 1000
    print(f"used from clip time {first_s:.2f} s on")
    accepted_s = ACCEPTED_S - LATER_S
    assert accepted_s - MARGIN_S <= first_s
    assert first_s <= accepted_s + LONGEST_WAIT_S + KEY_S + MARGIN_S
    assert programme.lost_problems(END_S) == []


def test_refusing_one_is_tried_less_and_less_often(run):
    tries = run.value("egress_forwarder_retry_total", destination="refusing",
                      error_kind="unavailable", prefix="")
    print(f"{tries:.0f} tries")
    assert 3 <= tries <= 5
    assert run.value("egress_forwarder_last_error", destination="refusing",
                     error_kind="unavailable", prefix="") == 1


def test_stalled_one_comes_back(run):
    assert len(run.recordings_of("stalled")) >= 2
    last = run.recordings_of("stalled")[-1].units()
    assert Programme(run.source.units(), last).lost_problems(END_S) == []
    assert run.value("egress_forwarder_retry_total", destination="stalled",
                     error_kind="timeout", prefix="") >= 1
    assert run.value("egress_forwarder_restarts_total",
                     destination="stalled", prefix="") >= 1


def test_added_one_begins_at_once_and_goes(run):
    """Those that stay are not touched: the good one has one connection."""
    programme = run.programme_of("late")
    first_s = programme.shown[0].clip_ms / 1000
    assert first_s - (ADDED_S - LATER_S) <= KEY_S + 2 * MARGIN_S
    assert programme.lost_problems(CLIP.seconds - 2) == []
    assert len(run.recordings_of("good")) == 1
    replies = [line.message for line in run.listener.lines
               if line.message.get("type") == "reply"]
    assert [r["ok"] for r in replies] == [True, True]
    assert [d["name"] for d in run.told()[-1]] == ["good", "refusing",
                                                  "stalled"]
    assert 'destination="late"' not in run.listener.last_metrics


def test_status_tells_each(run):
    states = {name: [d["state"] for d in run.told_of(name)] for name in KEYS}
    assert "running" in states["good"]
    assert states["refusing"][0] == "waiting"
    assert states["refusing"][-1] == "running"
    assert "refused" in run.told_of("refusing")[-1]["last_error"]
    assert "takes nothing" in run.told_of("stalled")[-1]["last_error"]
    assert run.told_of("good")[-1]["bytes"] > 100000
    assert run.told_of("good")[-1]["connections"] == 1
    assert run.told_of("good")[-1]["url"].endswith("/app/***")


def test_no_key_is_told(run):
    text = run.worker.output() + json.dumps(
        [line.message for line in run.listener.lines])
    for key in KEYS.values():
        assert key not in text
