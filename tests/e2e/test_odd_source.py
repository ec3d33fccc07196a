# SPDX-License-Identifier: Apache-2.0
"""P3: a source that is there and does what it should not.

Its clock drifts against the wall clock, its frame rate changes, its access
units are broken, its codec changes from H.264 to H.265.
"""

from __future__ import annotations

import time
from dataclasses import replace
from fractions import Fraction

import pytest

from helpers import clips, h265, stream_analyzer as sa
from helpers.fault_run import run_together
from helpers.flv import AccessUnit, read_flv
from helpers.loss_judge import BACK_S, KEY_S, MARGIN_S, Fault
from helpers.loss_run import LossRun
from helpers.odd_source import drift, spoil, splice
from helpers.processes import Stack, wait_for
from helpers.rtmp import RtmpServer
from helpers.scenarios import DELAY_MS

pytestmark = [pytest.mark.e2e, pytest.mark.p3, pytest.mark.slow]

DELAY_S = DELAY_MS / 1000
END_S = 66.0
FASTER_S, BROKEN_S, WHOLE_S = 20.0, 36.0, 40.0
FIRST_S, SECOND_S = 24.0, 24.0  # how long each codec is sent


class OddRun(LossRun):
    def inputs(self) -> list[AccessUnit]:
        """By the clock of the source, which is not the clip's."""
        units = self.source.units()
        for unit in units:
            unit.arrival_s += self.began_s
        return units

    def play(self) -> None:
        self.server.sources[f"live/{self.name}/in"] = self.source
        self.start()
        self.sleep_until(self.scenario.clip.seconds + DELAY_S + 1)


def play_slow(run: OddRun) -> None:
    """200 ppm is 17 s a day."""
    run.source = drift(run.source, 200)
    run.play()


def play_fast(run: OddRun) -> None:
    run.source = drift(run.source, -200)
    run.play()


def play_broken(run: OddRun) -> None:
    """Twice as many pictures a second, then broken ones."""
    faster = replace(run.scenario.clip, name="sync-faster", fps=Fraction(50))
    whole = splice(run.source, read_flv(clips.make(faster)), FASTER_S)
    run.faults = [Fault("broken", BROKEN_S, WHOLE_S)]
    run.source = drift(whole, 0)
    run.whole = run.source
    run.source = spoil(run.source, BROKEN_S, WHOLE_S)
    run.play()
    run.source = run.whole


def play_codec(run: OddRun) -> None:
    """By RTSP, since MediaMTX gives no H.265 by RTMP."""
    stack, path = run.stack, f"live/{run.name}/in"
    url = f"rtsp://127.0.0.1:{stack.rtsp_port}/{path}"
    run.second = h265.coded_again(run.source_path, SECOND_S)
    run.publish()
    run.start(input_url=url)
    run.sleep_until(FIRST_S)
    run.publisher.stop()
    wait_for(lambda: path not in stack.paths()
             or not stack.paths()[path]["ready"], 10, "the source's end")
    run.published_s = time.monotonic()
    stack.start("publisher-h265", [
        "ffmpeg", "-hide_banner", "-loglevel", "warning", "-nostdin", "-re",
        "-i", run.second, "-c", "copy", "-f", "rtsp", "-rtsp_transport",
        "tcp", url])
    time.sleep(SECOND_S + DELAY_S + 1)


SCRIPTS = {"slow": play_slow, "fast": play_fast, "broken": play_broken,
           "codec": play_codec}
OURS = ["slow", "fast", "broken"]  # with a source of our own


@pytest.fixture(scope="module", name="all_runs")
def _all_runs():
    with Stack("p3-odd") as stack, RtmpServer() as server:
        stack.mediamtx(rtsp=True)
        runs = [OddRun(name, stack, server) for name in SCRIPTS]
        run_together(runs, list(SCRIPTS.values()))
        yield dict(zip(SCRIPTS, runs))


@pytest.fixture(name="run")
def _run(request, all_runs):
    name = getattr(request, "param", None) \
        or request.node.get_closest_marker("of").args[0]
    run = all_runs[name]
    if run.error:
        pytest.fail(f"{name}: {run.error}")
    return run


@pytest.mark.parametrize("run", OURS, indirect=True)
def test_nothing_is_lost_but_what_is_broken(run):
    programme = run.programme()
    assert programme.order_problems() == []
    assert programme.lost_problems(END_S) == []
    assert programme.shift_problems() == []


@pytest.mark.parametrize("run", OURS, indirect=True)
def test_delay_stays(run):
    problems = run.programme().delay_problems(run.inputs(), DELAY_S, 40)
    assert problems == []


@pytest.mark.parametrize("run", [*OURS, "codec"], indirect=True)
def test_sound_goes_on_without_a_hole(run):
    (_, recording), = run.outputs()
    assert sa.sound_time_problems(recording) == []


@pytest.mark.parametrize("run", OURS, indirect=True)
def test_flash_and_beep_stay_together(run):
    (_, recording), = run.outputs()
    path = recording.write(run.folder / f"{run.name}-out.flv")
    assert run.programme().sync_problems(
        run.scenario.clip.flash_every_s,
        sa.beep_times(sa.decode_sound(recording, path))) == []


@pytest.mark.of("broken")
def test_new_frame_rate_leaves_as_it_came(run):
    """From its key frame on, each picture at its time."""
    programme = run.programme()
    units = [u for u in programme.units if FASTER_S + 1
             <= (u.dts_ms - programme.shift_ms) / 1000 < BROKEN_S - 1]
    assert {b.dts_ms - a.dts_ms for a, b in zip(units, units[1:])} == {20}
    (_, recording), = run.outputs()
    assert len({t.body for t in recording.video_configs()}) == 2


@pytest.mark.of("broken")
def test_broken_pictures_cost_their_time_only(run):
    after_s = run.programme().back_after_s(run.faults[0])
    print(f"back {after_s:.2f} s after the last broken picture")
    assert after_s <= KEY_S + MARGIN_S
    assert run.value("video_frames_dropped", reason="invalid") >= 30


# --- another codec -------------------------------------------------------------

def h265_numbers(run) -> list[tuple[int, AccessUnit]]:
    """Which picture of the clip each is; a repeated one counts once."""
    numbers = {s: n for n, s in enumerate(h265.slices_of(run.second))}
    (_, recording), = run.outputs()
    found, seen = [], set()
    for unit in recording.units():
        if unit.is_h265:
            number = numbers[h265.first_slice(unit)]
            if number not in seen:
                found.append((number, unit))
            seen.add(number)
    return found


@pytest.mark.of("codec")
def test_new_codec_goes_on_in_the_same_programme(run):
    """One connection; a key frame with its codec data; times that rise."""
    (_, recording), = run.outputs()
    units = recording.units()
    report = sa.VideoReport()
    sa.check_order(units, report)
    assert report.problems == []
    first = next(n for n, u in enumerate(units) if u.is_h265)
    assert units[first].is_key
    assert all(u.is_h265 for u in units[first:])
    config = [t for t in recording.video_configs() if t.body[:1] >= b"\x80"]
    assert config and config[0].time_ms <= units[first].dts_ms


@pytest.mark.of("codec")
def test_no_picture_of_the_new_codec_is_lost(run):
    numbers = [n for n, _ in h265_numbers(run)]
    print(f"from picture {numbers[0]} on, {len(numbers)} of them")
    assert numbers[0] / 25 <= BACK_S + KEY_S + MARGIN_S
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert len(numbers) >= 25 * (SECOND_S - BACK_S - KEY_S - 1)


@pytest.mark.of("codec")
def test_new_codec_leaves_with_the_same_delay(run):
    """In wall clock over stream time, before and after."""
    (_, recording), = run.outputs()
    old = [u.arrival_s - u.dts_ms / 1000 for u in recording.units()
           if not u.is_h265]
    new = [u.arrival_s - u.dts_ms / 1000 for _, u in h265_numbers(run)]
    off_ms = (sorted(new)[len(new) // 2] - sorted(old)[len(old) // 2]) * 1000
    print(f"{off_ms:+.1f} ms off")
    assert abs(off_ms) <= 100


@pytest.mark.of("codec")
def test_flash_and_beep_of_the_new_codec(run):
    (_, recording), = run.outputs()
    found = h265_numbers(run)
    # White are the pictures whose pts is a whole multiple of 2 s.
    base = found[0][1].pts_ms - 40 * found[0][0]
    flashes = sorted(u.pts_ms / 1000 for _, u in found
                     if (u.pts_ms - base + 5) % 2000 <= 10)
    sound = sa.decode_sound(recording, recording.write(
        run.folder / "codec-out.flv"))
    report = sa.compare_sync(flashes, sa.beep_times(sound), expected=6,
                             tolerance_ms=40)
    print(f"{report.pairs} pairs, worst {report.worst_ms:+.1f} ms")
    assert report.problems == []
