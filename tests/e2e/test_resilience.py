# SPDX-License-Identifier: Apache-2.0
"""P2: whatever the speech service does, the programme goes on.

Three runs side by side; in each the service misbehaves in another way. Judged
from what left: pictures byte for byte, no hole in the sound, flash and beep
together, the delay constant; and from what the service saw.
"""

from __future__ import annotations

import signal
import time

import numpy as np
import pytest

from helpers.fault_proxy import FaultProxy
from helpers.fault_run import DUBBED, KEPT, FaultRun, run_together
from helpers.processes import Stack, get, wait_for
from helpers.rtmp import RtmpServer
from helpers.scripted_sts import Fragment, ScriptedSts

pytestmark = [pytest.mark.e2e, pytest.mark.p2, pytest.mark.slow]

RUNS = ["breaker", "answers", "service"]
SETTINGS = {"vad_max_segment_duration_s": "2.5"}


# --- the service fails, five times in a row ------------------------------

class FailingSts(ScriptedSts):
    """Fails five times; what comes next is the probe, which takes long."""

    def __init__(self):
        super().__init__(FailingSts.act)

    def act(self, fragment: Fragment) -> None:
        if fragment.number < 5:
            self.fail(fragment, "TIMEOUT")
            return
        if fragment.number == 5:
            time.sleep(3.5)
        self.echo(fragment)


def play_breaker(run: FaultRun) -> None:
    """Behind a proxy that lets no WebSocket through."""
    with FailingSts() as run.sts, FaultProxy(run.sts.port) as run.proxy:
        run.proxy.blocks_websocket = True
        run.start(run.proxy.url, **SETTINGS)
        run.sleep_until(run.scenario.clip.seconds + 8)


# --- the service answers what nobody wants --------------------------------

GARBAGE = ["text", 7, None, [], {}, {"fragment_id": 1},
           {"fragment_id": "nobody", "status": "success"},
           {"fragment_id": "nobody", "status": "moon"}]


class OddSts(ScriptedSts):
    """One fault for each fragment, and an echo between them."""

    def __init__(self):
        super().__init__(OddSts.act)
        self.proxy: FaultProxy | None = None
        self.held: Fragment | None = None
        self.did: dict[int, tuple[str, Fragment]] = {}
        self.plan = iter([
            "echo", "twice", "hold", "release", "late", "garbage", "empty",
            "wrong_id", "slower_rate", "too_short", "wrong_rate",
            "too_long", "error_storm",
            "refused", "cut_off", "echo", "half_a_frame", "echo",
            "over_the_limit", "echo", "pause"])

    def act(self, fragment: Fragment) -> None:
        with self.lock:
            name = next(self.plan, "echo")
            self.did[fragment.number] = (name, fragment)
        getattr(self, name)(fragment)

    def twice(self, fragment):
        self.answer(fragment)
        self.answer(fragment)

    def hold(self, fragment):
        self.held = fragment

    def release(self, fragment):
        """The later one first."""
        self.answer(fragment)
        self.answer(self.held)

    def late(self, fragment):
        time.sleep(9)
        self.answer(fragment)

    def garbage(self, fragment):
        for payload in GARBAGE:
            for event in ("fragment:processed", "fragment:ack", "error",
                          "backpressure", "stream:ready", "nonsense"):
                self.emit(event, payload, fragment.sid)
        self.answer(fragment)

    def empty(self, fragment):
        self.answer(fragment, b"")

    def slower_rate(self, fragment):
        self.answer(fragment, thin(fragment.pcm),
                    audio={"sample_rate_hz": 16000})

    def too_short(self, fragment):
        self.answer(fragment, fragment.pcm[:2 * fragment.rate // 20])

    def wrong_rate(self, fragment):
        self.answer(fragment, audio={"sample_rate_hz": 7})

    def too_long(self, fragment):
        self.answer(fragment, bytes(2 * 8000 * 70),
                    audio={"sample_rate_hz": 8000})

    def wrong_id(self, fragment):
        self.answer(fragment, fragment_id="another's")

    def error_storm(self, fragment):
        for n in range(500):
            self.emit("error", {"code": "MODEL_ERROR", "message": "x" * 1000,
                                "retryable": True,
                                **({"fragment_id": f"no-{n}"} if n % 2
                                   else {})}, fragment.sid)
        self.answer(fragment)

    def refused(self, fragment):
        self.fail(fragment, "INVALID_CONFIG", retryable=False)

    def cut_off(self, fragment):
        self.proxy.cut()

    def half_a_frame(self, fragment):
        self.proxy.cut_after = 3000
        self.answer(fragment)

    def over_the_limit(self, fragment):
        self.answer(fragment, bytes(18 << 20))

    def pause(self, fragment):
        """Nothing comes until it is over."""
        self.emit("backpressure", {
            "stream_id": "s", "severity": "high", "action": "pause",
            "current_inflight": 1}, fragment.sid)
        self.paused_s = time.monotonic()
        time.sleep(4)
        self.resumed_s = time.monotonic()
        self.emit("backpressure", {
            "stream_id": "s", "severity": "low", "action": "none",
            "current_inflight": 1}, fragment.sid)
        self.answer(fragment)


def thin(pcm: bytes) -> bytes:
    """48 kHz to 16 kHz, by the mean of three."""
    samples = np.frombuffer(pcm, "<i2")
    samples = samples[:len(samples) // 3 * 3].reshape(-1, 3)
    return samples.mean(axis=1).astype("<i2").tobytes()


def play_answers(run: FaultRun) -> None:
    with OddSts() as run.sts, FaultProxy(run.sts.port) as run.sts.proxy:
        run.start(run.sts.proxy.url, **SETTINGS)
        run.sleep_until(run.scenario.clip.seconds + 8)


# --- the service is slow, stands still, dies, comes back -------------------

def play_service(run: FaultRun) -> None:
    echo = run.stack.sts("echo")
    port = int(echo.url.rpartition(":")[2])
    with FaultProxy(port) as proxy:
        run.start(proxy.url, **SETTINGS)
        run.sleep_until(12)
        proxy.bytes_per_s = 150000        # slow: 1.6 s for a fragment
        run.sleep_until(20)
        proxy.go_on()
        run.sleep_until(24)
        proxy.stall()                     # stands still, closes nothing
        run.sleep_until(33)
        proxy.go_on()
        run.sleep_until(40)
        echo.signal(signal.SIGKILL)       # dies in the middle
        echo.wait(5)
        run.sleep_until(50)
        run.stack.start("sts-again", echo.popen.args, env={
            "ECHO_PORT": str(port), "ECHO_HOST": "127.0.0.1"})
        wait_for(lambda: get(f"http://127.0.0.1:{port}/health/ready")[0]
                 == 200, 10, "the echo service", 0.05)
        run.back_s = time.monotonic()
        run.sleep_until(run.scenario.clip.seconds + 8)


@pytest.fixture(scope="module", name="all_runs")
def _all_runs():
    with Stack("p2") as stack, RtmpServer() as server:
        runs = [FaultRun(name, stack, server) for name in RUNS]
        run_together(runs, [play_breaker, play_answers, play_service])
        yield dict(zip(RUNS, runs))


@pytest.fixture(name="run")
def _run(request, all_runs):
    name = getattr(request, "param", None) \
        or request.node.get_closest_marker("of").args[0]
    run = all_runs[name]
    if run.error:
        pytest.fail(f"{name}: {run.error}")
    return run


# --- what must hold in each of them ----------------------------------------

@pytest.mark.parametrize("run", RUNS, indirect=True)
def test_every_picture_leaves_untouched(run):
    assert run.video_problems() == []


@pytest.mark.parametrize("run", RUNS, indirect=True)
def test_sound_has_no_hole(run):
    assert run.sound_problems() == []


@pytest.mark.parametrize("run", RUNS, indirect=True)
def test_flash_and_beep_stay_together(run):
    assert run.sync_problems() == []


@pytest.mark.parametrize("run", RUNS, indirect=True)
def test_delay_stays(run):
    delays = run.delays_ms()
    print(f"{run.name}: {min(delays):.0f} to {max(delays):.0f} ms")
    assert min(delays) > 7900 and max(delays) < 8100


@pytest.mark.parametrize("run", RUNS, indirect=True)
def test_never_more_than_three_in_flight(run):
    looks = [look.value("sts_inflight_fragments") for look in run.looks]
    assert len(looks) > 60 and max(looks) <= 3
    if hasattr(run, "sts"):
        assert 1 <= run.sts.most_in_flight() <= 3


@pytest.mark.parametrize("run", RUNS, indirect=True)
def test_nothing_is_left_over(run):
    assert run.leak_problems((9, 12), (66, 75)) == []


# --- the breaker ------------------------------------------------------------

@pytest.mark.of("breaker")
def test_breaker_opens_after_exactly_five(run):
    sent = run.sts.fragments
    assert len(sent) > 6
    assert run.value("circuit_breaker_failures") == 5
    pause_s = sent[5].came_s - sent[4].answered_s
    # 30 s, and then the next piece of speech.
    assert 30 <= pause_s < 38


@pytest.mark.of("breaker")
def test_breaker_lets_one_probe_through(run):
    probe, after = run.sts.fragments[5:7]
    assert probe.answered_s - probe.came_s > 3
    assert after.came_s >= probe.answered_s


@pytest.mark.of("breaker")
def test_polling_where_websocket_is_blocked(run):
    assert run.proxy.refused_upgrades == 1
    assert run.value("sts_reconnections") == 0


@pytest.mark.of("breaker")
def test_breaker_is_told(run):
    states = [look.value("circuit_breaker_state") for look in run.looks]
    changes = [states[0]] + [b for a, b in zip(states, states[1:]) if a != b]
    assert changes == [0, 2, 1, 0]
    details = [e.message["fields"]["detail"] for e in run.events("breaker")]
    assert details == ["open", "half-open", "closed"]
    kept = run.value("circuit_breaker_fallbacks")
    assert kept == run.value("fallback", reason="breaker_open") >= 8


@pytest.mark.of("breaker")
def test_original_plays_while_the_breaker_is_open(run):
    sent = run.sts.fragments
    first, last = sent[0].start_s, sent[5].start_s
    assert run.gain(first, last) == pytest.approx(KEPT, abs=0.02)
    for fragment in sent[6:-3]:
        assert run.gain_of(fragment) == pytest.approx(DUBBED, abs=0.06)


# --- odd answers --------------------------------------------------------------

LOWERED = 10 ** (-18 / 20)  # the rest of the slot of a dub that is short
HEARD = {"echo", "twice", "hold", "release", "garbage", "slower_rate",
         "error_storm", "pause"}


@pytest.mark.of("answers")
def test_what_is_no_answer_keeps_the_original(run):
    did = dict(run.sts.did.values())
    assert {"pause", "late", "wrong_id", "over_the_limit"} <= did.keys()
    end_s = run.scenario.clip.seconds - 8
    for name, fragment in run.sts.did.values():
        gain = run.gain_of(fragment)
        if np.isnan(gain) or fragment.start_s > end_s:
            continue
        wanted = DUBBED if name in HEARD else \
            LOWERED if name == "too_short" else KEPT
        assert gain == pytest.approx(wanted, abs=0.07), name


@pytest.mark.of("answers")
def test_each_odd_answer_is_counted(run):
    assert run.value("fallback", reason="timeout") == 2  # late, wrong id
    # Empty, refused, a rate that is none.
    assert run.value("fallback", reason="error") == 3
    assert run.value("fallback", reason="disconnected") >= 3
    assert run.value("dubs_dropped") == 1                # too long
    assert run.value("sts_reconnections") == 3
    assert run.value("circuit_breaker_transitions") == 0
    ignored = [e.message["fields"]["detail"] for e in run.events("answer_ignored")]
    assert "late" in ignored


@pytest.mark.of("answers")
def test_each_connection_begins_anew(run):
    assert len(run.sts.inits) == 4
    for _, sid in run.sts.inits:
        numbers = [f.sequence for f in run.sts.fragments if f.sid == sid]
        assert numbers == list(range(len(numbers)))
    for acked in run.sts.acks:
        assert acked["status"] in ("received", "applied")


@pytest.mark.of("answers")
def test_pause_is_obeyed(run):
    sts = run.sts
    assert [f for f in sts.fragments
            if sts.paused_s + 0.5 < f.came_s < sts.resumed_s] == []
    assert [f for f in sts.fragments if f.came_s >= sts.resumed_s]
    assert run.value("backpressure_events", action="pause") == 1


# --- the service dies -----------------------------------------------------------

@pytest.mark.of("service")
def test_dead_service_is_used_again_within_10_s(run):
    sent = [e.at_s - run.back_s for e in run.events("fragment_sent")]
    first = min(s for s in sent if s >= 0)
    print(f"first fragment {first:.1f} s after the return")
    assert first <= 10
    heard = [e for e in run.events("dub_heard") if e.at_s > run.back_s]
    assert heard


@pytest.mark.of("service")
def test_stalled_service_costs_its_fragments_only(run):
    assert run.value("fallback", reason="timeout") >= 1
    assert run.value("fallback", reason="not_ready") >= 1
    assert run.value("dubs_heard") >= 5
    assert run.value("sts_reconnections") >= 1
