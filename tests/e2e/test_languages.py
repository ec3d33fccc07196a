# SPDX-License-Identifier: Apache-2.0
"""P2: one stream, dubbed into three languages at once.

The speech service answers each in its own way, so that one can be told from
another by ear: the first language gets an echo, the second silence. The output
of the third is refused. Judged from what left.
"""

from __future__ import annotations

import time
from fractions import Fraction

import numpy as np
import pytest

from helpers import clips, stream_analyzer as sa
from helpers.fault_run import DUBBED, FaultRun, run_together
from helpers.language_sts import LanguageSts
from helpers.processes import Stack
from helpers.rtmp import RtmpServer
from helpers.scenarios import SPEECH

pytestmark = [pytest.mark.e2e, pytest.mark.p2, pytest.mark.slow]

CLIP = clips.Clip("sync-languages-25", Fraction(25), 44.0, channels=2,
                  **SPEECH)
LANGUAGES = ["en", "de", "fr"]
LOWERED = 10 ** (-18 / 20)
CHANGED_S = 30.0


def play(run: FaultRun) -> None:
    run.server.refuse.add("live/languages/out/fr")
    with LanguageSts() as run.sts:
        run.start(run.sts.url, vad_max_segment_duration_s="2.5",
                  orch_grace_period="5s",
                  worker_target_languages=",".join(LANGUAGES))
        run.sleep_until(CHANGED_S)
        run.changed_s = time.monotonic()
        run.listener.command(type="set", id=1, settings={
            "WORKER_VOICE_PROFILE": "other"})
        run.sleep_until(CLIP.seconds + 8)
        run.is_running = run.worker.is_running


@pytest.fixture(scope="module", name="runs")
def _runs():
    with Stack("languages") as stack, RtmpServer() as server:
        run = FaultRun("languages", stack, server, CLIP)
        run_together([run], [play])
        if run.error:
            pytest.fail(run.error)
        other = FaultRun("languages-de", stack, server, CLIP)
        other.recording = server.recordings["live/languages/out/de"]
        other.listener, other.looks = run.listener, run.looks
        yield {"en": run, "de": other}


@pytest.mark.parametrize("language", ["en", "de"])
def test_pictures_are_the_same_in_each(runs, language):
    assert runs[language].video_problems() == []


@pytest.mark.parametrize("language", ["en", "de"])
def test_each_is_in_sync_and_whole(runs, language):
    run = runs[language]
    assert sa.sound_time_problems(run.output) == []
    # A beep in a slot is lowered with the rest; what is heard is in place.
    beeps = sa.beep_times(run.sound, 0.01 if language == "de" else 0.11)
    report = sa.compare_sync(run.flashes, beeps, tolerance_ms=10,
                             begin_s=run.sound.start_s)
    far = [p for p in report.problems if "no beep" not in p]
    print(f"{language}: {report.pairs} pairs")
    assert report.pairs >= 10
    assert far == []


@pytest.mark.parametrize("language,gain", [("en", DUBBED), ("de", LOWERED)])
def test_each_has_its_own_dub(runs, language, gain):
    run = runs[language]
    sent = [f for f in runs["en"].sts.fragments_of(language)
            if f.duration_s > 1.2 and f.start_s < CHANGED_S - 6]
    gains = [run.gain_of(f) for f in sent]
    print(language, np.round(gains, 2))
    assert len(sent) >= 4
    assert abs(float(np.nanmedian(gains)) - gain) < 0.1


def test_refused_output_stops_nobody(runs):
    """Longer than the grace period: the worker goes on for the others."""
    run = runs["en"]
    assert run.is_running
    assert run.value("pipeline_state", language="fr", pipeline="output") == 2
    assert run.value("pipeline_state", language="de", pipeline="output") == 1


def test_changed_voice_is_a_new_session(runs):
    run = runs["en"]
    before = [s for s in run.sts.sessions if s["at_s"] < run.changed_s]
    after = [s for s in run.sts.sessions if s["at_s"] >= run.changed_s]
    for sessions, voice in ((before, "default"), (after, "other")):
        assert sorted(s["config"]["target_language"] for s in sessions) \
            == sorted(LANGUAGES)
        assert len({s["stream_id"] for s in sessions}) == 3
        assert {s["config"]["voice_profile"] for s in sessions} == {voice}
    assert [f for f in run.sts.fragments if f.came_s > run.changed_s + 1]


def test_metrics_and_events_name_the_language(runs):
    run = runs["en"]
    for language in LANGUAGES:
        assert run.value("dubs_heard_total", language=language) > 2
        heard = [e for e in run.events("dub_heard")
                 if e.message["fields"]["language"] == language]
        assert len(heard) > 2
    assert run.value("cpu_seconds_total", language="en") > 0
    assert run.value("cpu_seconds_total", language="de") == 0
