# SPDX-License-Identifier: Apache-2.0
"""P1: a stream goes through the worker, with an echo STS and with none.

Judged from what left the programme alone: no log line, no metric.
"""

from __future__ import annotations

import numpy as np
import pytest

from helpers import stream_analyzer as sa

pytestmark = [pytest.mark.e2e, pytest.mark.p1, pytest.mark.scenario]

SERVED = ["echo-25", "echo-2997", "plain-50"]
PEERS = ["peer-25", "peer-2997", "peer-50"]
LEAST_S = 60.0


def show(run, report) -> None:
    """Figures for people (pytest -rP)."""
    print(run.scenario.name, {k: v for k, v in vars(report).items()
                              if k != "problems"})


def check_video(run, **kwargs) -> sa.VideoReport:
    report = sa.compare_video(run.source, run.output, **kwargs)
    show(run, report)
    assert report.problems == []
    span_s = (report.last_source_ms - report.first_source_ms) / 1000
    assert span_s >= LEAST_S
    return report


@pytest.mark.parametrize("scenario", SERVED)
def test_video_untouched_through_the_media_server(run, scenario):
    """Slices equal, pts to 1 ms, dts rising and not over pts."""
    check_video(run)


@pytest.mark.parametrize("scenario", PEERS)
def test_video_byte_for_byte_at_the_workers_sockets(run, scenario):
    """Payloads, pts, dts and key flags."""
    check_video(run, exact=True, with_dts=True)


@pytest.mark.parametrize("scenario", SERVED + PEERS)
def test_flash_and_beep_stay_together(run, scenario):
    """Within 10 ms, over the whole run."""
    report = sa.compare_sync(run.flashes, sa.beep_times(run.sound),
                             expected=28, begin_s=run.sound.start_s)
    show(run, report)
    assert report.problems == []
    assert report.last_s - report.first_s >= 55


@pytest.mark.parametrize("scenario", SERVED + PEERS)
def test_sound_has_one_constant_delay(run, scenario):
    """No gap, no doubled block, and no step against the picture."""
    video = sa.compare_video(run.source, run.output)
    report = run.sound_report
    show(run, report)
    assert report.problems == []
    assert sa.offset_problems(video, report) == []
    assert report.blocks * 0.2 >= 0.8 * LEAST_S


@pytest.mark.parametrize("scenario", SERVED + PEERS)
def test_sound_times_follow_the_samples(run, scenario):
    assert sa.sound_time_problems(run.output) == []


@pytest.mark.parametrize("scenario", ["echo-25", "echo-2997"])
def test_echo_is_heard_over_the_lowered_original(run, scenario):
    """Original at -18 dB and its echo on top of it: 1.03 dB louder.

    Were nothing dubbed the gain would be 0 dB, so this keeps the tests
    above from judging a pass-through.
    """
    report = run.sound_report
    show(run, report)
    assert report.gain_db[1] == pytest.approx(1.03, abs=0.4)


@pytest.mark.parametrize("scenario", ["plain-50"] + PEERS)
def test_sound_keeps_its_level_without_a_dub(run, scenario):
    report = run.sound_report
    assert report.gain_db == pytest.approx((0, 0), abs=0.3)


@pytest.mark.parametrize("scenario", ["music"])
def test_music_goes_through_unchanged(run, scenario):
    report = run.sound_report
    show(run, report)
    assert report.problems == []
    assert report.gain_db == pytest.approx((0, 0), abs=0.3)
    assert report.blocks >= 80


@pytest.mark.parametrize("scenario", ["dead-sts"])
def test_dead_service_changes_nothing(run, scenario):
    """Speech that cannot be dubbed is heard as it was, with its picture."""
    video = sa.compare_video(run.source, run.output)
    report = run.sound_report
    show(run, report)
    assert video.problems == [] and report.problems == []
    assert sa.offset_problems(video, report) == []
    assert report.gain_db == pytest.approx((0, 0), abs=0.3)
    assert report.blocks >= 50


@pytest.mark.parametrize("scenario", ["silence"])
def test_silence_stays_silent(run, scenario):
    assert sa.sound_time_problems(run.output) == []
    assert len(run.sound.samples) / run.sound.rate >= 18
    assert np.abs(run.sound.samples).max() < 0.001


@pytest.mark.parametrize("scenario", ["tone"])
def test_tone_goes_through_unchanged(run, scenario):
    """Every 20 ms as loud as they were, at the same pitch."""
    assert sa.sound_time_problems(run.output) == []
    samples = run.sound.samples[4800:-4800]
    assert len(samples) / run.sound.rate >= 18
    windows = samples[:len(samples) // 960 * 960].reshape(-1, 960)
    level = 20 * np.log10(np.sqrt(np.mean(windows ** 2, axis=1)))
    wanted = 20 * np.log10(0.2 / np.sqrt(2))
    assert level.min() > wanted - 0.5 and level.max() < wanted + 0.5
    phase = np.unwrap(np.angle(np.exp(
        -2j * np.pi * 440 * np.arange(len(windows)) * 960 / 48000)
        * (windows @ np.exp(-2j * np.pi * 440 * np.arange(960) / 48000))))
    # One phase all along: no sample was lost or doubled.
    assert np.abs(phase - phase.mean()).max() < 0.2
