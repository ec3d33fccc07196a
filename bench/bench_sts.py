# SPDX-License-Identifier: Apache-2.0
"""How fast and how well the real chain speaks.

Real speech in fragments of 5 s goes to sts-service at the pace of a live
stream, while a MediaMTX and a worker (1080p30, with an echo STS of its own)
run beside it. Then music, noise and silence go the same way: nothing may be
said.

    FRAGMENTS=24  SOURCE=es  QUIET=120 (ten minutes)

fragment_p50_s, fragment_p95_s   from sending to the answer
<stage>_p50_ms, <stage>_p95_ms   of asr, translation, tts
fit_within_10                    share at most 10 % too long for the slot
loudness_error_lu                95th percentile of |dub - source speech|
true_peak_dbtp                   highest of any dub
invented_fragments               quiet fragments that were given words
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np

from benchlib import (figure, fresh_stack, header, load, number, percentile,
                      say)

from helpers import clips, stream_analyzer as sa
from helpers.processes import wait_for
from helpers.socketio_monitor import Fragment, SocketIOMonitor
from helpers.stream_publisher import publish

RATE = 48000
SECONDS = 5
TOO_LONG = "DURATION_MISMATCH_EXCEEDED"


def pieces(sound: np.ndarray, count: int) -> list[np.ndarray]:
    size = SECONDS * RATE
    whole = len(sound) // size
    return [sound[(n % whole) * size:(n % whole + 1) * size]
            for n in range(count)]


def to_pcm(sound: np.ndarray) -> bytes:
    return (np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes()


def quiet_pieces(count: int) -> list[np.ndarray]:
    """Music, noise, silence and applause, in turn; generated."""
    if count == 0:
        return []
    size = SECONDS * RATE
    random = np.random.default_rng(5)
    clip = clips.Clip("quiet", seconds=SECONDS * count)
    music = clips.music(clip, size * count)
    made = []
    for n in range(count):
        claps = np.zeros(size)
        for at in random.integers(0, size - 2000, 400):
            claps[at:at + 2000] += random.normal(0, 0.05, 2000) \
                * np.exp(-np.arange(2000) / 200)
        made.append([music[n * size:(n + 1) * size],
                     random.normal(0, 0.05, size), np.zeros(size),
                     claps][n % 4])
    return made


def send_paced(monitor: SocketIOMonitor, sounds: list[np.ndarray],
               wait_s: float = 30.0) -> list[Fragment]:
    """One each 5 s, as a stream gives them; waits for the last."""
    sent, start = [], time.monotonic()
    for n, sound in enumerate(sounds):
        delay = start + n * SECONDS - time.monotonic()
        if delay > 0:
            time.sleep(delay)
        sent.append(monitor.send_pcm(to_pcm(sound), RATE, deadline_ms=8000))
        say_answers(sent)
    for fragment in sent:
        monitor.wait(lambda f=fragment: f.answered_s, wait_s)
    say_answers(sent)
    return sent


def send_in_turn(monitor: SocketIOMonitor, sounds: list[np.ndarray],
                 wait_s: float = 60.0) -> list[Fragment]:
    """Each when the one before is answered: what is said does not depend on
    the pace, and ten minutes need not take ten."""
    sent = []
    for sound in sounds:
        sent.append(monitor.send_pcm(to_pcm(sound), RATE, deadline_ms=30000))
        monitor.wait(lambda: sent[-1].answered_s, wait_s)
        say_answers(sent)
    return sent


def say_answers(sent: list[Fragment]) -> None:
    for fragment in sent:
        if fragment.answered_s and not getattr(fragment, "said", False):
            fragment.said = True
            answer = fragment.answer
            say(f"  {fragment.round_trip_s:5.2f} s  "
                f"{answer.get('status', '?'):8}"
                f"{answer.get('transcript') or '-'}  ->  "
                f"{answer.get('translated_text') or '-'}"
                f"  {(answer.get('error') or {}).get('code', '')}")


def loudness_of(sound: np.ndarray, rate: int, folder: Path) -> tuple:
    path = folder / "loudness.wav"
    clips.write_wav(path, sound, rate)
    return sa.loudness(path)


def in_slot(dub: np.ndarray, rate: int) -> np.ndarray:
    """With the pause that follows it, as the source has its pauses: loudness
    is measured in blocks, and those at the edges count."""
    return np.pad(dub, (0, max(0, SECONDS * rate - len(dub))))


def dub_of(fragment: Fragment) -> tuple[np.ndarray, int]:
    """The dub as mono floats."""
    audio = fragment.answer.get("dubbed_audio") or {}
    rate = int(audio.get("sample_rate_hz") or RATE)
    samples = np.frombuffer(fragment.pcm(), "<i2").astype(np.float64) / 32768
    channels = int(audio.get("channels") or 1)
    return samples.reshape(-1, channels).mean(axis=1), rate


def judge_speed(sent: list[Fragment]) -> None:
    answered = [f for f in sent if f.answered_s]
    times = [f.round_trip_s for f in answered]
    figure("fragments_sent", len(sent), 0)
    figure("fragments_answered", len(answered), 0)
    for status in ("success", "partial", "failed"):
        figure(f"fragments_{status}", sum(
            f.answer.get("status") == status for f in answered), 0)
    figure("fragment_p50_s", percentile(times, 0.5))
    figure("fragment_p95_s", percentile(times, 0.95))
    for stage in ("asr", "translation", "tts"):
        values = [(f.answer.get("stage_timings") or {}).get(f"{stage}_ms", 0)
                  for f in answered]
        figure(f"{stage}_p50_ms", percentile(values, 0.5), 0)
        figure(f"{stage}_p95_ms", percentile(values, 0.95), 0)


def judge_quality(sent: list[Fragment], sounds: list[np.ndarray],
                  folder: Path) -> None:
    errors, peaks, fits = [], [], []
    for fragment, source in zip(sent, sounds):
        answer = fragment.answer
        if not answer.get("translated_text"):
            continue
        metadata = answer.get("metadata") or {}
        # One that came too late was not fitted; one that could not be
        # fitted counts.
        status, code = answer.get("status"), (answer.get("error")
                                              or {}).get("code")
        if status in ("success", "partial") or code == TOO_LONG:
            fits.append(status == "success" and float(
                metadata.get("duration_variance_percent") or 0) <= 10)
        audio = answer.get("dubbed_audio") or {}
        if audio.get("format") != "pcm_s16le":
            continue
        dub, rate = dub_of(fragment)
        own, peak = loudness_of(in_slot(dub, rate), rate, folder)
        wanted, _ = loudness_of(source, RATE, folder)
        errors.append(abs(own - wanted))
        peaks.append(peak)
    figure("fit_within_10", sum(fits) / len(fits) if fits
           else float("nan"), 3)
    figure("loudness_error_lu", percentile(errors, 0.95))
    figure("true_peak_dbtp", max(peaks, default=float("nan")))


def main() -> int:
    count, quiet = int(number("FRAGMENTS", 24)), int(number("QUIET", 120))
    source = os.environ.get("SOURCE") or "es"
    header("bench-sts", f"{count} fragments of 5 s, {source} to en")
    speech = clips.load_sound(clips.media(f"lv_{source}.mp3"), RATE)
    clip = clips.make(clips.programme_1080p())
    with fresh_stack("sts") as stack:
        stack.mediamtx()
        echo = stack.sts("echo")
        publish(stack, clip, stack.rtmp_url("live/beside/in"), loop=True)
        stack.wait_path("live/beside/in")
        stack.worker("beside", sts_url=echo.url, LOG_LEVEL="info")
        wait_for(lambda: stack.paths().get("live/beside/out"), 40,
                 "the worker beside")
        sts = stack.sts(timeout_s=120, LOG_LEVEL="info")
        sounds = pieces(speech, count)
        with SocketIOMonitor(sts.url, "bench") as monitor:
            monitor.init(source, "en")
            say("speech:")
            sent = send_paced(monitor, sounds)
            busy = load()
            say("music, noise, silence, applause:")
            nothing = send_in_turn(monitor, quiet_pieces(quiet))
        say(f"\n{busy}")
        judge_speed(sent)
        judge_quality(sent, sounds, stack.folder)
        figure("invented_fragments", sum(
            bool(f.answer.get("translated_text")) for f in nothing), 0)
    return 0


if __name__ == "__main__":
    sys.exit(main())
