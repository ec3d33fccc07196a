# SPDX-License-Identifier: Apache-2.0
"""A worker through a seeded row of faults, judged as a whole.

The source is a looped clip on a real MediaMTX, the speech service is the echo
service, what leaves is kept byte for byte by an RTMP server of ours. Between
the worker and each of the three stands a proxy; every few seconds one of them
fails in one of its ways. What a fault explains is declared: nothing for one of
the speech service; for one of source or destination its own time, and until it
is used again (2 s) at a key frame (1 s).

    MINUTES=10  SEED=1

chaos_breaches  undeclared: pictures lost or late, times that do not rise, holes
                in the sound, flash and beep more than 40/60 ms apart, left-over
                descriptors and children
rss_slope_mb_h  growth of the worker's resident memory, by linear regression
                over all but the first minute
"""

from __future__ import annotations

import os
import random
import sys
import threading
import time
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
from benchlib import ROOT, figure, fresh_stack, header, load, number, say
from chaos_report import write_report

import socketio
from helpers import clips, metrics_parser, stream_analyzer as sa, tools
from helpers.control_listener import ControlListener
from helpers.delay import key_of
from helpers.fault_proxy import FaultProxy
from helpers.flv import Recording, read_flv
from helpers.processes import children_of, free_port, get, wait_for
from helpers.rtmp import RtmpReader, RtmpServer
from helpers.stream_publisher import publish

DELAY_S = 8.0
BACK_S = 3.5       # 2 s, a key frame, and what measuring needs
EARLY_S = 0.5
CLIP = clips.Clip("chaos", Fraction(25), 60.0, size="320x180",
                  sound="speech+background+breath+beeps", speech="lv_es.mp3",
                  video_kbps=300)


@dataclass
class Fault:
    """As it happened, by the wall clock."""

    part: str
    kind: str
    start_s: float
    end_s: float

    def explains(self, at_s: float) -> bool:
        return self.start_s - EARLY_S <= at_s <= self.end_s + BACK_S


@dataclass
class Run:
    faults: list[Fault] = field(default_factory=list)
    rss: list[tuple[float, float]] = field(default_factory=list)
    coverage: list[tuple[float, float]] = field(default_factory=list)
    delays: list[tuple[float, float]] = field(default_factory=list)
    syncs: list[tuple[float, float]] = field(default_factory=list)
    breaches: list[str] = field(default_factory=list)

    def breach(self, what: str) -> None:
        self.breaches.append(what)
        say("breach: " + what)


# --- faults ---------------------------------------------------------------

class Chaos:
    """What may go wrong: each fault begins, lasts, and is over."""

    def __init__(self, seed: int, stack, source: FaultProxy,
                 target: FaultProxy, sts: FaultProxy):
        self.dice = random.Random(seed)
        self.stack, self.sts_port = stack, sts.to
        self.parts = {"source": source, "destination": target, "speech": sts}
        self.echo = self.start_echo()
        self.kinds = [("source", "reset", 0), ("source", "stall", 5),
                      ("source", "refuse", 12),
                      ("destination", "cut", 0), ("destination", "refuse", 8),
                      ("destination", "stall", 10),
                      ("speech", "reset", 0), ("speech", "stall", 12),
                      ("speech", "trickle", 8), ("speech", "refuse", 15),
                      ("speech", "kill", 8), ("speech", "errors", 3)]

    def start_echo(self):
        echo = self.stack.start("echo", [tools.need("sts-service"), "echo"],
                                env={"ECHO_PORT": str(self.sts_port),
                                     "ECHO_HOST": "127.0.0.1"})
        wait_for(lambda: get(f"http://127.0.0.1:{self.sts_port}"
                             "/health/ready")[0] == 200, 20, "the echo service")
        return echo

    def play(self) -> Fault:
        part, kind, most_s = self.dice.choice(self.kinds)
        lasts_s = self.dice.uniform(1, most_s) if most_s else 0.0
        proxy, start = self.parts[part], time.monotonic()
        if kind == "kill":
            self.echo.stop(0)
        elif kind == "errors":
            self.ask_for_errors(self.dice.randint(2, 7))
        else:
            self.begin(proxy, kind)
        time.sleep(lasts_s)
        if kind == "kill":
            self.echo = self.start_echo()
        proxy.accept()
        proxy.go_on()
        return Fault(part, kind, start, time.monotonic())

    @staticmethod
    def begin(proxy: FaultProxy, kind: str) -> None:
        if kind == "stall":
            proxy.stall()
        elif kind == "trickle":
            proxy.bytes_per_s = 60000
        elif kind == "refuse":
            proxy.refuse()
            proxy.reset()
        else:
            getattr(proxy, kind)()

    def ask_for_errors(self, count: int) -> None:
        client = socketio.Client(reconnection=False)
        client.connect(f"http://127.0.0.1:{self.sts_port}",
                       transports=["websocket"])
        client.emit("config:error_simulation", {
            "stream_id": "*", "enabled": True, "rules": [
                {"trigger": "nth_fragment", "value": 1, "count": count,
                 "error_code": "MODEL_ERROR"}]})
        time.sleep(0.2)
        client.disconnect()


# --- while it runs ----------------------------------------------------------

def descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def watch(run: Run, pid: int, listener: ControlListener,
          over: threading.Event) -> None:
    while not over.wait(2):
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        run.rss.append((time.monotonic(),
                        pages * os.sysconf("SC_PAGESIZE") / 1e6))
        run.coverage.append((time.monotonic(), metrics_parser.value(
            listener.metrics(), "media_service_worker_dub_coverage_ratio")))


# --- afterwards ---------------------------------------------------------------

def explained(run: Run, part: str, at_s: float) -> bool:
    return any(f.part == part and f.explains(at_s) for f in run.faults)


def judge_pictures(run: Run, inputs: list, outputs: list, span) -> None:
    """Each picture that came left once, a delay later."""
    left: dict[bytes, list[float]] = {}
    for unit in outputs:
        left.setdefault(key_of(unit), []).append(unit.arrival_s)
    lost, seconds = [], {}
    for unit in inputs:
        at_s = unit.arrival_s
        if not span[0] <= at_s <= span[1] or explained(run, "source", at_s) \
                or explained(run, "destination", at_s + DELAY_S):
            continue
        times = left.get(key_of(unit), ())
        off = min((t - at_s - DELAY_S for t in times), key=abs, default=99.0)
        if abs(off) > 2:
            lost.append(at_s)
        else:
            seconds.setdefault(int(at_s), []).append(off * 1000)
    for at_s in lost:
        if not any(0 < at_s - other < 1 for other in lost):
            run.breach(f"pictures lost from {at_s - span[0]:.2f} s on")
    for second, offs in sorted(seconds.items()):
        error = sorted(offs)[len(offs) // 2]
        run.delays.append((second, error))
        if abs(error) > 100:
            run.breach(f"delay {error:+.0f} ms off at {second - span[0]:.0f} s")


def judge_times(run: Run, recordings: list[Recording]) -> None:
    report = sa.VideoReport()
    sa.check_order([u for r in recordings for u in r.units()], report)
    for problem in report.problems:
        run.breach(problem)
    for recording in recordings:
        for problem in sa.sound_time_problems(recording):
            run.breach(problem)


def white_pictures(clip: Recording) -> set[bytes]:
    units = clip.units()
    return {key_of(u) for u in units
            if (u.pts_ms - units[0].pts_ms) % (CLIP.flash_every_s * 1000)
            == 0}


def judge_sync(run: Run, recording: Recording, white: set[bytes],
               path: Path) -> None:
    """Of one connection. Where a picture left is when its sound did."""
    if len(recording.units()) < 50:
        return
    recording.write(path)
    sound = sa.decode_sound(recording, path)
    beeps = sa.beep_times(sound, 0.11)
    first = sound.start_s + 0.2
    last = sound.time(len(sound.samples)) - 0.2
    for unit in recording.units():
        flash, at_s = unit.pts_ms / 1000, unit.arrival_s
        if key_of(unit) not in white or not first < flash < last \
                or not beeps or explained(run, "source", at_s - DELAY_S) \
                or explained(run, "destination", at_s):
            continue
        error = min((b - flash for b in beeps), key=abs) * 1000
        run.syncs.append((at_s, error))
        if not -60 <= error <= 40:
            run.breach(f"beep {error:+.0f} ms from its flash at {flash:.2f} s")
    path.unlink()


def slope_mb_h(rss: list[tuple[float, float]]) -> float:
    """Of all but the first minute."""
    kept = [(t, m) for t, m in rss if t - rss[0][0] > 60]
    if len(kept) < 10:
        return float("nan")
    times, sizes = np.array(kept).T
    return float(np.polyfit(times - times[0], sizes, 1)[0]) * 3600


def play(run: Run, chaos: Chaos, minutes: float) -> None:
    deadline = time.monotonic() + minutes * 60
    while True:
        time.sleep(chaos.dice.uniform(6, 14))
        if time.monotonic() > deadline - 20:
            break
        run.faults.append(chaos.play())
        fault = run.faults[-1]
        say(f"{fault.start_s:.0f}: {fault.part} {fault.kind}, "
            f"{fault.end_s - fault.start_s:.1f} s")
    time.sleep(max(0.0, deadline - time.monotonic()))


def main() -> int:
    minutes, seed = number("MINUTES", 10), int(number("SEED", 1))
    header("chaos", f"{minutes:g} minutes, seed {seed}")
    run, clip = Run(), clips.make(CLIP)
    with fresh_stack("chaos") as stack, RtmpServer() as server:
        stack.mediamtx()
        url = stack.rtmp_url("live/chaos/in")
        publish(stack, clip, url, loop=True)
        stack.wait_path("live/chaos/in")
        source = RtmpReader(url, keep_bodies=False)
        with FaultProxy(stack.rtmp_port) as a, FaultProxy(server.port) as b, \
                FaultProxy(free_port()) as c:
            chaos = Chaos(seed, stack, a, b, c)
            worker = stack.worker(
                "chaos", sts_url=c.url, LOG_LEVEL="info",
                input_url=f"rtmp://127.0.0.1:{a.port}/live/chaos/in",
                output_url=f"rtmp://127.0.0.1:{b.port}/live/chaos/out",
                OUTPUT_DELAY_MS=str(int(DELAY_S * 1000)))
            listener = ControlListener(stack.runtime_socket("chaos"))
            wait_for(lambda: server.history, 60, "the worker's output")
            start, before = time.monotonic(), descriptors(worker.pid)
            over = threading.Event()
            threading.Thread(target=watch, daemon=True, args=(
                run, worker.pid, listener, over)).start()
            play(run, chaos, minutes)
            over.set()
            if not worker.is_running:
                run.breach("the worker ended: " + worker.output()[-500:])
            else:
                if descriptors(worker.pid) > before + 3:
                    run.breach(f"{descriptors(worker.pid) - before} "
                               "descriptors more than at the start")
                if children_of(worker.pid):
                    run.breach("the worker has children")
            end = time.monotonic()
            inputs = source.stop().units()
        recordings = [r for _, r in server.history if r.tags]
        outputs = [u for r in recordings for u in r.units()]
        judge_pictures(run, inputs, outputs, (start, end - DELAY_S - 2))
        judge_times(run, recordings)
        white = white_pictures(read_flv(clip))
        for recording in recordings:
            judge_sync(run, recording, white, stack.folder / "connection.flv")
    say(f"{len(run.faults)} faults, {len(recordings)} connections, "
        f"{len(run.syncs)} flashes judged; {load()}")
    report = ROOT / "build" / "bench" / "chaos.html"
    write_report(report, run, f"{minutes:g} minutes, seed {seed}")
    say(f"report: {report}")
    figure("chaos_breaches", len(run.breaches), 0)
    figure("rss_slope_mb_h", slope_mb_h(run.rss))
    return 1 if run.breaches else 0


if __name__ == "__main__":
    sys.exit(main())
