# SPDX-License-Identifier: Apache-2.0
"""P3: what the machine does to a worker: stopped, without CPU, its disk full,
its clock set back, a source that suddenly sends 80 MB a second.

Judged from what left, as in test_reconnection.py. The run without CPU comes
after the others, since it takes a core from them.
"""

from __future__ import annotations

import json
import signal
import time
from datetime import datetime

import pytest

from helpers import stream_analyzer as sa
from helpers.fault_run import run_together
from helpers.loss_judge import Fault
from helpers.loss_run import LossRun
from helpers.machine import WallClock, starved, tiny_disk
from helpers.odd_source import stuff
from helpers.processes import Stack
from helpers.rtmp import RtmpServer
from helpers.scenarios import DELAY_MS, cut_after_source

pytestmark = [pytest.mark.e2e, pytest.mark.p3, pytest.mark.slow]

DELAY_S = DELAY_MS / 1000
END_S = 66.0
BEFORE, AFTER = (10.0, 19.0), (58.0, 66.0)


class MachineRun(LossRun):
    def to_the_end(self) -> None:
        self.sleep_until(self.scenario.clip.seconds + DELAY_S + 1)
        self.is_alive = self.worker.is_running

    def untouched_problems(self) -> list[str]:
        """Byte for byte, on one connection."""
        (_, recording), = self.outputs()
        return sa.compare_video(
            self.source, cut_after_source(self.source, recording),
            exact=True, with_dts=True).problems


def late(name: str, start_s: float, end_s: float) -> list[Fault]:
    """A worker that did nothing: what came in then, and what was due then."""
    return [Fault(name, start_s, end_s),
            Fault(name, start_s - DELAY_S, end_s - DELAY_S)]


def play_stopped(run: MachineRun) -> None:
    """As by a debugger, a paused machine, a disk that swaps."""
    run.faults = late("stopped", 24, 29)
    run.publish()
    run.start(run.echo.url,
              input_url=run.stack.rtmp_url(f"live/{run.name}/in"))
    run.sleep_until(24)
    run.worker.signal(signal.SIGSTOP)
    run.sleep_until(29)
    run.worker.signal(signal.SIGCONT)
    run.to_the_end()


def play_starved(run: MachineRun) -> None:
    """For longer than the delay: what it held is lost."""
    run.faults = late("starved", 20, 40)
    run.publish()
    run.start(run.echo.url,
              input_url=run.stack.rtmp_url(f"live/{run.name}/in"))
    run.sleep_until(20)
    with starved(run.worker.pid):
        run.sleep_until(40)
    run.to_the_end()


def play_disk(run: MachineRun) -> None:
    folder = run.folder / "capture"
    folder.mkdir(exist_ok=True)
    run.prefix = tiny_disk(folder, "1m")
    run.start(run.echo.url, capture="media", capture_dir=str(folder))
    run.to_the_end()


def play_clock(run: MachineRun) -> None:
    clock = WallClock(run.folder)
    run.env = clock.env
    echo = run.stack.sts("echo", **clock.env)
    run.start(echo.url)
    run.sleep_until(26)
    run.shifted_s = time.monotonic()
    clock.shift(-3600)
    run.to_the_end()


def play_burst(run: MachineRun) -> None:
    """More than a worker may hold: 320 MB in 4 s."""
    run.faults = [Fault("burst", 24, 28)]
    run.source = stuff(run.source, 24, 28, 3200000)
    run.server.sources[f"live/{run.name}/in"] = run.source
    run.start()
    run.to_the_end()


TOGETHER = {"stopped": play_stopped, "disk": play_disk, "clock": play_clock}
ALONE = {"burst": play_burst, "starved": play_starved}
RUNS = [*TOGETHER, *ALONE]


@pytest.fixture(scope="module", name="all_runs")
def _all_runs(request):
    wanted = {i.callspec.params["run"] if hasattr(i, "callspec")
              else i.get_closest_marker("of").args[0]
              for i in request.session.items if i.module is request.module}
    with Stack("p3-machine") as stack, RtmpServer() as server:
        stack.mediamtx()
        echo = stack.sts("echo")
        runs = {n: MachineRun(n, stack, server) for n in RUNS if n in wanted}
        for run in runs.values():
            run.echo = echo
        together = [n for n in TOGETHER if n in runs]
        run_together([runs[n] for n in together],
                     [TOGETHER[n] for n in together])
        for name in [n for n in ALONE if n in runs]:
            run_together([runs[name]], [ALONE[name]])
        yield runs


@pytest.fixture(name="run")
def _run(request, all_runs):
    name = getattr(request, "param", None) \
        or request.node.get_closest_marker("of").args[0]
    run = all_runs[name]
    if run.error:
        pytest.fail(f"{name}: {run.error}")
    return run


# --- what must hold in each of them -----------------------------------------

@pytest.mark.parametrize("run", RUNS, indirect=True)
def test_times_only_rise(run):
    assert run.programme().order_problems() == []


@pytest.mark.parametrize("run", RUNS, indirect=True)
def test_nothing_is_lost_outside_of_the_fault(run):
    assert run.programme().lost_problems(END_S) == []


@pytest.mark.parametrize("run", RUNS, indirect=True)
def test_delay_is_as_before(run):
    programme = run.programme()
    print(f"{run.name}: at most {programme.worst_shift_ms()} ms off")
    # What is repeated while there was no CPU may be a picture not seen before.
    assert run.name == "starved" or programme.shift_problems() == []
    inputs = run.reader.recording.units() if run.reader else run.inputs()
    assert programme.delay_problems(inputs, DELAY_S) == []


@pytest.mark.parametrize("run", RUNS, indirect=True)
def test_sound_goes_on_without_a_hole(run):
    for _, recording in run.outputs():
        assert sa.sound_time_problems(recording) == []


@pytest.mark.parametrize("run", RUNS, indirect=True)
def test_flash_and_beep_stay_together(run):
    beeps = []
    for number, (_, recording) in enumerate(run.outputs()):
        path = recording.write(run.folder / f"{run.name}-{number}.flv")
        beeps += sa.beep_times(sa.decode_sound(recording, path), 0.11)
    assert run.programme().sync_problems(
        run.scenario.clip.flash_every_s, beeps) == []


@pytest.mark.parametrize("run", RUNS, indirect=True)
def test_nothing_is_left_over(run):
    assert run.leak_problems(BEFORE, AFTER) == []


# --- and in one of them ----------------------------------------------------------

@pytest.mark.of("stopped")
def test_worker_that_was_stopped_is_the_same(run):
    assert run.is_alive
    assert run.value("dubs_heard") >= 5


@pytest.mark.of("starved")
def test_starved_worker_is_the_same(run):
    """And what it did not do is counted."""
    assert run.is_alive
    assert run.value("video_frames_dropped") + run.value("source_holds") > 0


@pytest.mark.of("disk")
def test_full_disk_is_counted_and_touches_nothing(run):
    assert run.value("capture_files") > 0
    assert run.value("capture_lost") > 0
    assert run.value("dubs_heard") >= 5
    assert run.untouched_problems() == []


@pytest.mark.of("clock")
def test_clock_was_set_back_and_nothing_changes(run):
    times = [datetime.fromisoformat(json.loads(line)["ts"])
             .timestamp() for line in run.worker.output().splitlines()
             if line.startswith("{")]
    steps = [b - a for a, b in zip(times, times[1:])]
    assert -3660 < min(steps) < -3500
    heard = [e for e in run.events("dub_heard") if e.at_s > run.shifted_s]
    assert len(heard) >= 4
    assert run.value("fallback") == 0
    assert run.untouched_problems() == []


@pytest.mark.of("burst")
def test_burst_stays_within_the_queues(run):
    most = max(look.rss_mib for look in run.looks)
    dropped = run.value("video_frames_dropped")
    print(f"at most {most:.0f} MiB, {dropped:.0f} pictures dropped")
    assert 200 < most < 600
    assert dropped > 0
