# SPDX-License-Identifier: Apache-2.0
"""How constant the delay of the programme is.

One reader at the input path and one at the output path of the same MediaMTX
note when each picture came; a picture is known again by its slices. Delay is
output time less input time.

Then the real chain dubs the same for SPEECH_MINUTES, with a delay that leaves
it time, and the worker tells when each dub was there and keeps its sound.

    MINUTES=10  DELAY_MS=8000  STS=echo|none  SPEECH_MINUTES=3 (0: without)

delay_error_ms_max   largest |delay - OUTPUT_DELAY_MS| of any second of the
                     programme, by its median picture
picture_error_ms_max the same of any single picture: has in it what the
                     machine's load did to either reader
delay_growth_ms      median of the last minute less that of the first
delay_for_95_s       the delay at which 95 % of what was said would be dubbed:
                     from the moment that a segment's first sample came to that
                     at which its dub was there, by seconds of speech. A segment
                     that got no dub needs more than any delay: inf when more
                     than 5 % got none, however long they had
delay_for_95_of_dubs_s  the same of the segments that got one
dubbed_share         of the segments' seconds, at CHAIN_DELAY_MS
onset_p95_ms         |onset of the dub - onset of the original|: how late the
                     dub began, and the pause before its first sound against
                     that before the original's
"""

from __future__ import annotations

import json
import os
import sys
import time
from fractions import Fraction
from pathlib import Path
from statistics import median

import numpy as np

from benchlib import figure, fresh_stack, header, load, number, percentile, say

from helpers import clips
from helpers.control_listener import ControlListener
from helpers.delay import by_second, pair
from helpers.processes import wait_for
from helpers.rtmp import RtmpReader
from helpers.stream_publisher import publish


def judge(pairs: list[tuple[float, float]], expected: int,
          wanted_ms: float) -> None:
    medians = by_second(pairs)
    edge = min(60, max(1, len(medians) // 3))
    every = [(out - came) * 1000 for came, out in pairs]
    say(f"{len(pairs)} pictures in {len(medians)} s: median delay "
        f"{median(every):.1f} ms, of one second {min(medians):.1f} to "
        f"{max(medians):.1f}, of one picture {min(every):.1f} to "
        f"{max(every):.1f}; {load()}")
    figure("delay_error_ms_max",
           max(abs(m - wanted_ms) for m in medians), 1)
    figure("picture_error_ms_p99",
           percentile([abs(d - wanted_ms) for d in every], 0.99), 1)
    figure("picture_error_ms_max",
           max(abs(d - wanted_ms) for d in every), 1)
    figure("delay_growth_ms",
           median(medians[-edge:]) - median(medians[:edge]), 1)
    figure("pictures_lost_share", 1 - len(pairs) / max(1, expected), 4)


# --- how much delay the chain needs ---------------------------------------

CHAIN_DELAY_MS = 12000
ONSET_DB = -30


def onset_ms(path: Path) -> float:
    """To the first 10 ms that are less than 30 dB below the loudest."""
    rate = 48000
    sound = clips.load_sound(path, rate)
    step = rate // 100
    levels = [float(np.sqrt(np.mean(sound[at:at + step] ** 2)))
              for at in range(0, len(sound) - step, step)]
    floor = max(levels, default=0) * 10 ** (ONSET_DB / 20)
    return next((n * 10.0 for n, level in enumerate(levels)
                 if level > floor), 0.0)


def onset_errors(folder: Path, lags_ms: dict[str, float]) -> list[float]:
    """Of the dubs that the worker kept."""
    errors = []
    for described in folder.glob("streams/*/runs/*/assets/fragments/*/"
                                 "timing.json"):
        fragment = json.loads(described.read_text())
        original, dub = (described.parent / n for n in ("in.wav", "out.wav"))
        lag = lags_ms.get(fragment["id"])
        if lag is not None and original.exists() and dub.exists():
            errors.append(abs(lag + onset_ms(dub) - onset_ms(original)))
    return errors


def needed_delay_s(needed: list[tuple[float, float]], share: float) -> float:
    """needed: (delay, seconds of speech) of each segment."""
    total, heard = sum(s for _, s in needed), 0.0
    for delay, seconds in sorted(needed):
        heard += seconds
        if heard >= share * total:
            return delay
    return float("nan")


def judge_chain(events: list[dict], folder: Path) -> None:
    needed, lags = [], {}
    answered = {e["fragment_id"] for e in events if e["event"] == "answered"}
    for event in events:
        if event["event"] == "answered":
            needed.append((CHAIN_DELAY_MS / 1000
                           + float(event["lag_ms"]) / 1000,
                           float(event["duration_s"])))
        elif event["event"] == "dub_started":
            lags[event["fragment_id"]] = float(event["lag_ms"])
        elif event["event"] == "fallback" \
                and event.get("fragment_id") not in answered:
            needed.append((float("inf"), float(event["duration_s"])))
    spoken = sum(s for _, s in needed)
    say(f"{len(needed)} segments, {spoken:.0f} s of speech; {load()}")
    figure("delay_for_95_s", needed_delay_s(needed, 0.95))
    figure("delay_for_95_of_dubs_s", needed_delay_s(
        [n for n in needed if n[0] != float("inf")], 0.95))
    figure("dubbed_share", sum(s for d, s in needed if d != float("inf"))
           / max(spoken, 1e-9), 3)
    errors = onset_errors(folder, lags)
    if not errors:
        raise SystemExit(f"none of {len(lags)} dubs was kept in {folder}")
    say(f"{len(errors)} dubs were kept; their onsets:")
    figure("onset_p50_ms", percentile(errors, 0.5), 0)
    figure("onset_p95_ms", percentile(errors, 0.95), 0)


def run_chain(clip: Path, minutes: float) -> None:
    say(f"\nthe real chain, {minutes:g} minutes at {CHAIN_DELAY_MS} ms:")
    with fresh_stack("delay-chain") as stack:
        stack.mediamtx()
        sts = stack.sts(timeout_s=120)
        publish(stack, clip, stack.rtmp_url("live/chain/in"), loop=True)
        stack.wait_path("live/chain/in")
        kept = stack.folder / "kept"
        worker = stack.worker(
            "chain", sts_url=sts.url, LOG_LEVEL="info", CAPTURE="media",
            WORKER_SOURCE_LANGUAGE="es", WORKER_TARGET_LANGUAGE="en",
            CAPTURE_DIR=str(kept), OUTPUT_DELAY_MS=str(CHAIN_DELAY_MS))
        listener = ControlListener(Path(stack.runtime()) / "chain.sock")
        deadline = time.monotonic() + minutes * 60 + CHAIN_DELAY_MS / 1000
        while time.monotonic() < deadline and worker.is_running:
            time.sleep(1)
        events = [{"event": line.message["event"], **line.message["fields"]}
                  for line in list(listener.lines)
                  if line.message.get("type") == "event"]
    judge_chain(events, kept)


def main() -> int:
    minutes, delay_ms = number("MINUTES", 10), number("DELAY_MS", 8000)
    header("bench-delay", f"{minutes:g} minutes at {delay_ms:g} ms")
    clip = clips.make(clips.Clip("delay", Fraction(25), 60.0,
                                 sound="speech+background",
                                 speech="lv_es.mp3"))
    with fresh_stack("delay") as stack:
        stack.mediamtx()
        sts_url = "" if os.environ.get("STS") == "none" \
            else stack.sts("echo").url
        source = RtmpReader(stack.rtmp_url("live/delay/in"),
                            keep_bodies=False)
        publish(stack, clip, stack.rtmp_url("live/delay/in"), loop=True)
        stack.wait_path("live/delay/in")
        worker = stack.worker("delay", sts_url=sts_url, LOG_LEVEL="info",
                              OUTPUT_DELAY_MS=str(int(delay_ms)))
        output = RtmpReader(stack.rtmp_url("live/delay/out"),
                            keep_bodies=False)
        wait_for(lambda: output.recording.tags, 60, "the worker's output")
        deadline = time.monotonic() + minutes * 60
        while time.monotonic() < deadline and worker.is_running:
            time.sleep(1)
        outputs = output.stop().units()
        inputs = source.stop().units()
    if not worker.is_running and time.monotonic() < deadline:
        raise SystemExit("the worker ended: " + worker.output()[-1000:])
    pairs = pair(inputs, outputs, delay_ms / 1000)
    if len(pairs) < 100:
        raise SystemExit(f"only {len(pairs)} pictures were found again")
    expected = sum(1 for u in inputs
                   if pairs[0][0] <= u.arrival_s <= pairs[-1][0])
    judge(pairs, expected, delay_ms)
    if number("SPEECH_MINUTES", 3) > 0:
        run_chain(clip, number("SPEECH_MINUTES", 3))
    return 0


if __name__ == "__main__":
    sys.exit(main())
