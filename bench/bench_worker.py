# SPDX-License-Identifier: Apache-2.0
"""What a worker costs beside ffmpeg on the same stream.

Both read 1080p30 at 6 Mbit/s from one MediaMTX and publish to it, in the same
minute: the worker with an echo STS, ffmpeg with `-c:v copy -c:a aac`.

    SECONDS=60  measured time        SETTLE=20  before it

worker_cpu_ratio  CPU of the worker over that of ffmpeg
worker_uss_mib    largest private memory of the worker while it was measured
"""

from __future__ import annotations

import sys
import time

from benchlib import (figure, fresh_stack, header, load, number, say,
                      wait_quiet)

from helpers import clips
from helpers.processes import wait_for
from helpers.stream_publisher import publish, relay


def flowing(stack, seconds: float = 3.0) -> dict[str, int]:
    """Bytes that each path took in, in that time."""
    before = {n: p["bytesReceived"] for n, p in stack.paths().items()}
    time.sleep(seconds)
    return {n: p["bytesReceived"] - before.get(n, 0)
            for n, p in stack.paths().items()}


def check_flow(stack) -> None:
    """A process that does nothing is cheap: both must really deliver."""
    flow = flowing(stack)
    wanted = flow.get("live/cost/in", 0)
    for path in ("live/cost/out", "live/cost/ffmpeg"):
        if not 0.8 * wanted < flow.get(path, 0) < 1.25 * wanted:
            raise SystemExit(f"{path} carries {flow.get(path, 0)} bytes where "
                             f"the source has {wanted}: not measured")


def main() -> int:
    seconds, settle = number("SECONDS", 60), number("SETTLE", 20)
    header("bench-worker", "1080p30 H.264 6 Mbit/s + AAC, echo STS")
    clip = clips.make(clips.programme_1080p())
    with fresh_stack("worker") as stack:
        stack.mediamtx()
        sts = stack.sts("echo")
        publish(stack, clip, stack.rtmp_url("live/cost/in"), loop=True)
        stack.wait_path("live/cost/in")
        peer = relay(stack, stack.rtmp_url("live/cost/in"),
                     stack.rtmp_url("live/cost/ffmpeg"), sound=(
                         "-c:a", "aac", "-b:a", "160k"))
        worker = stack.worker("cost", sts_url=sts.url, LOG_LEVEL="info")
        wait_for(lambda: stack.paths().get("live/cost/out"), 40,
                 "the worker's output")
        wait_quiet(settle)
        check_flow(stack)
        uss, before = 0, (time.monotonic(), worker.cpu_s(), peer.cpu_s())
        while time.monotonic() - before[0] < seconds:
            time.sleep(1)
            uss = max(uss, worker.uss_kib())
        took = time.monotonic() - before[0]
        ours = (worker.cpu_s() - before[1]) * 60 / took
        theirs = (peer.cpu_s() - before[2]) * 60 / took
        peer_uss = peer.uss_kib()
        check_flow(stack)
        say(f"worker {ours:.2f} CPU s a minute, ffmpeg {theirs:.2f}; private "
            f"memory {uss / 1024:.1f} MiB and {peer_uss / 1024:.1f} MiB; "
            f"{load()}")
    figure("worker_cpu_s_per_min", ours)
    figure("ffmpeg_cpu_s_per_min", theirs)
    figure("worker_cpu_ratio", ours / theirs)
    figure("ffmpeg_uss_mib", peer_uss / 1024, 1)
    figure("worker_uss_mib", uss / 1024, 1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
