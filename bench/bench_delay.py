# SPDX-License-Identifier: Apache-2.0
"""How constant the delay of the programme is.

One reader at the input path and one at the output path of the same MediaMTX
note when each picture came; a picture is known again by its slices. Delay is
output time less input time.

    MINUTES=10  DELAY_MS=8000  STS=echo|none

delay_error_ms_max   largest |delay - OUTPUT_DELAY_MS| of any second of the
                     programme, by its median picture
picture_error_ms_max the same of any single picture: has in it what the
                     machine's load did to either reader
delay_growth_ms      median of the last minute less that of the first
"""

from __future__ import annotations

import os
import sys
import time
from fractions import Fraction
from statistics import median

from benchlib import figure, fresh_stack, header, load, number, percentile, say

from helpers import clips
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
    return 0


if __name__ == "__main__":
    sys.exit(main())
