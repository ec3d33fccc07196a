# SPDX-License-Identifier: Apache-2.0
"""Two workers through a seeded row of faults, judged as a whole.

The source is a looped clip on a real MediaMTX, the speech service is the echo
service. One worker runs by itself: what leaves it is kept byte for byte by an
RTMP server of ours, and between it and source, destination and speech service
stands a proxy each. The other one is kept by media-service, from a hook to an
output on the same MediaMTX. Every few seconds something fails in one of its
ways; all ways come once before one comes again. What a fault explains is
declared: nothing for one of the speech service or of media-service; for one of
source or destination its own time, and until it is used again (2 s) at a key
frame (1 s); for a worker that is killed what it held as well.

    MINUTES=10  SEED=1  REPORT=build/bench/chaos.html

chaos_breaches  undeclared: pictures lost or late, times that do not rise, holes
                in the sound, flash and beep more than 40/60 ms apart, left-over
                descriptors, children and zombies
rss_slope_mb_h  growth of the worker's resident memory, by linear regression
                over all but the first minute
rss_late_slope_mb_h  the same over the second half alone: what goes on growing
                when each fault has come several times (no bar of its own)
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import tempfile
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
from helpers.processes import (children_of, descriptors_of, free_port, get,
                               rss_of, wait_for)
from helpers.rtmp import RtmpServer
from helpers.served import Follower, is_worker
from helpers.stream_publisher import publish

DELAY_S = 8.0
BACK_S = 3.5       # 2 s, a key frame, and what measuring needs
EARLY_S = 0.5
FAINT = 0.11       # of a beep that is lowered under a dub
NEAR_S = 0.03
CLIP = clips.Clip("chaos", Fraction(25), 60.0, size="320x180",
                  sound="speech+background+breath+beeps", speech="lv_es.mp3",
                  video_kbps=300)


PLAIN, KEPT = "feed/chaos", "live/kept"  # only the latter has a hook


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
    files: list[tuple[float, float]] = field(default_factory=list)
    coverage: list[tuple[float, float]] = field(default_factory=list)
    delays: list[tuple[float, float]] = field(default_factory=list)
    kept_delays: list[tuple[float, float]] = field(default_factory=list)
    syncs: list[tuple[float, float]] = field(default_factory=list)
    breaches: list[str] = field(default_factory=list)

    def breach(self, what: str) -> None:
        self.breaches.append(what)
        say("breach: " + what)


# --- what runs ------------------------------------------------------------

class Programs:
    """All that can be killed, and how it is started again."""

    def __init__(self, stack, clip: Path):
        self.stack, self.clip = stack, clip
        self.sts_port, self.service_port = free_port(), free_port()
        self.pids: set[int] = set()
        self.echo = self.start_echo()
        stack.mediamtx(hook=tools.need("mtx-hook"),
                       orchestrator_url=self.service_url)
        self.service = self.start_service()
        self.publishers = self.publish()

    @property
    def service_url(self) -> str:
        return f"http://127.0.0.1:{self.service_port}"

    def start_echo(self):
        echo = self.stack.start("echo", [tools.need("sts-service"), "echo"],
                                env={"ECHO_PORT": str(self.sts_port),
                                     "ECHO_HOST": "127.0.0.1"})
        wait_for(lambda: get(f"http://127.0.0.1:{self.sts_port}"
                             "/health/ready")[0] == 200, 20,
                 "the echo service")
        return echo

    def start_service(self):
        return self.stack.media_service(
            f"http://127.0.0.1:{self.sts_port}", self.service_port,
            LOG_LEVEL="info", OUTPUT_DELAY_MS=str(int(DELAY_S * 1000)),
            MEDIAMTX_API_URL=f"http://127.0.0.1:{self.stack.api_port}")

    def publish(self) -> list:
        found = [publish(self.stack, self.clip,
                         self.stack.rtmp_url(f"{path}/in"), loop=True)
                 for path in (PLAIN, KEPT)]
        for path in (PLAIN, KEPT):
            self.stack.wait_path(f"{path}/in")
        return found

    def restart_server(self) -> None:
        for publisher in self.publishers:
            publisher.stop()
        self.stack.restart_mediamtx(self.service_url)
        self.publishers = self.publish()

    def worker_pid(self) -> int:
        """Of the one that media-service keeps; 0: none."""
        status, body = get(self.service_url + "/v1/streams")
        streams = json.loads(body)["streams"] if status == 200 else []
        pid = next((s.get("worker_pid", 0) for s in streams), 0)
        self.pids |= {pid} - {0}
        return pid

    def close(self) -> None:
        """What media-service has left; the stack ends the rest."""
        self.service.stop()
        for pid in self.pids:
            if is_worker(pid):
                os.kill(pid, signal.SIGKILL)


# --- faults ---------------------------------------------------------------

KINDS = [("source", "reset", 0), ("source", "stall", 5),
         ("source", "refuse", 12), ("server", "kill", 4),
         ("destination", "cut", 0), ("destination", "refuse", 8),
         ("destination", "stall", 10), ("destination", "trickle", 8),
         ("speech", "reset", 0), ("speech", "stall", 12),
         ("speech", "trickle", 8), ("speech", "refuse", 15),
         ("speech", "kill", 8), ("speech", "errors", 3),
         ("worker", "pause", 2), ("kept worker", "kill", 0),
         ("media-service", "kill", 6)]
BYTES_PER_S = {"speech": 60000, "destination": 30000}


class Chaos:
    """What may go wrong: each fault begins, lasts, and is over."""

    def __init__(self, seed: int, programs: Programs, proxies: dict):
        self.dice = random.Random(seed)
        self.programs, self.proxies = programs, proxies
        self.worker = None
        self.bag: list = []

    def next(self) -> tuple:
        if not self.bag:
            self.bag = self.dice.sample(KINDS, len(KINDS))
        return self.bag.pop()

    def play(self) -> Fault:
        part, kind, most_s = self.next()
        lasts_s = self.dice.uniform(1, most_s) if most_s else 0.0
        start = time.monotonic()
        if part in self.proxies and kind not in ("kill", "errors"):
            self.trouble(self.proxies[part], part, kind, lasts_s)
        else:
            getattr(self, f"{part}_{kind}".replace(" ", "_")
                    .replace("-", "_"))(lasts_s)
        return Fault(part, kind, start, time.monotonic())

    @staticmethod
    def trouble(proxy: FaultProxy, part: str, kind: str,
                lasts_s: float) -> None:
        if kind == "stall":
            proxy.stall()
        elif kind == "trickle":
            proxy.bytes_per_s = BYTES_PER_S[part]
        elif kind == "refuse":
            proxy.refuse()
            proxy.reset()
        else:
            getattr(proxy, kind)()
        time.sleep(lasts_s)
        proxy.accept()
        proxy.go_on()

    def server_kill(self, lasts_s: float) -> None:
        """MediaMTX, with all that it serves."""
        self.programs.stack.server.signal(signal.SIGKILL)
        time.sleep(lasts_s)
        self.programs.restart_server()

    def speech_kill(self, lasts_s: float) -> None:
        self.programs.echo.stop(0)
        time.sleep(lasts_s)
        self.programs.echo = self.programs.start_echo()

    def worker_pause(self, lasts_s: float) -> None:
        self.worker.signal(signal.SIGSTOP)
        time.sleep(lasts_s)
        self.worker.signal(signal.SIGCONT)

    def kept_worker_kill(self, _lasts_s: float) -> None:
        pid = self.programs.worker_pid()
        if pid:
            os.kill(pid, signal.SIGKILL)

    def media_service_kill(self, lasts_s: float) -> None:
        self.programs.worker_pid()
        self.programs.service.signal(signal.SIGKILL)
        self.programs.service.wait(5)
        time.sleep(lasts_s)
        self.programs.service = self.programs.start_service()

    def speech_errors(self, _lasts_s: float) -> None:
        count = self.dice.randint(2, 7)
        client = socketio.Client(reconnection=False)
        client.connect(f"http://127.0.0.1:{self.programs.sts_port}",
                       transports=["websocket"])
        client.emit("config:error_simulation", {
            "stream_id": "*", "enabled": True, "rules": [
                {"trigger": "nth_fragment", "value": 1, "count": count,
                 "error_code": "MODEL_ERROR"}]})
        time.sleep(0.2)
        client.disconnect()


# --- while it runs ----------------------------------------------------------

def watch(run: Run, pid: int, listener: ControlListener,
          over: threading.Event) -> None:
    while not over.wait(2):
        now = time.monotonic()
        try:
            run.rss.append((now, rss_of(pid) * 1.048576))
            run.files.append((now, descriptors_of(pid)))
        except OSError:
            return  # it has ended, which is judged elsewhere
        run.coverage.append((now, metrics_parser.value(
            listener.metrics(), "media_service_worker_dub_coverage_ratio")))


# --- afterwards ---------------------------------------------------------------

def explained(run: Run, at_s: float, *parts: str) -> bool:
    return any(f.part in parts and f.explains(at_s) for f in run.faults)


def is_plain_explained(run: Run, at_s: float) -> bool:
    """By what happened when it came, or when it was to leave."""
    return explained(run, at_s, "source", "server") \
        or explained(run, at_s + DELAY_S, "destination", "worker")


def is_kept_explained(run: Run, at_s: float) -> bool:
    """A killed worker loses what it held, at most a delay of it."""
    return explained(run, at_s, "server", "kept worker") \
        or explained(run, at_s + DELAY_S, "server") \
        or any(f.part == "kept worker" and f.start_s - DELAY_S - EARLY_S
               <= at_s <= f.start_s for f in run.faults)


def judge_pictures(run: Run, name: str, units: tuple, span: tuple,
                   is_explained) -> list[tuple[float, float]]:
    """Each picture that came left once, a delay later."""
    inputs, outputs = units
    left: dict[bytes, list[float]] = {}
    for unit in outputs:
        left.setdefault(key_of(unit), []).append(unit.arrival_s)
    lost, seconds = [], {}
    for unit in inputs:
        at_s = unit.arrival_s
        if not span[0] <= at_s <= span[1] or is_explained(run, at_s):
            continue
        times = left.get(key_of(unit), ())
        off = min((t - at_s - DELAY_S for t in times), key=abs, default=99.0)
        if abs(off) > 2:
            lost.append(at_s)
        else:
            seconds.setdefault(int(at_s), []).append(off * 1000)
    for at_s in lost:
        if not any(0 < at_s - other < 1 for other in lost):
            run.breach(f"{name}: pictures lost from "
                       f"{at_s - span[0]:.2f} s on")
    delays = []
    for second, offs in sorted(seconds.items()):
        error = sorted(offs)[len(offs) // 2]
        delays.append((second, error))
        if abs(error) > 100:
            run.breach(f"{name}: delay {error:+.0f} ms off at "
                       f"{second - span[0]:.0f} s")
    return delays


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
               path: Path, is_explained) -> None:
    """Of one connection. Where a picture left is when its sound did."""
    if len(recording.units()) < 50:
        return
    recording.write(path)
    sound = sa.decode_sound(recording, path)
    flashes = {u.pts_ms / 1000: u.arrival_s for u in recording.units()
               if key_of(u) in white
               and not is_explained(run, u.arrival_s - DELAY_S)}
    for flash, error in sa.beep_errors(sound, list(flashes), near_s=NEAR_S,
                                       least_gain=FAINT):
        run.syncs.append((flashes[flash], error))
        if not -60 <= error <= 40:
            run.breach(f"beep {error:+.0f} ms from its flash at {flash:.2f} s")
    path.unlink()


def slope_mb_h(rss: list[tuple[float, float]], skip_s: float = 60) -> float:
    """Of all but what was measured first."""
    kept = [(t, m) for t, m in rss if t - rss[0][0] > skip_s]
    if len(kept) < 10:
        return float("nan")
    times, sizes = np.array(kept).T
    return float(np.polyfit(times - times[0], sizes, 1)[0]) * 3600


def judge_left_over(run: Run, worker, programs: Programs) -> None:
    """Nothing that a fault has cost is still held."""
    if not worker.is_running:
        run.breach("the worker ended: " + worker.output()[-500:])
        return
    files = [int(np.median([n for _, n in part]))
             for part in (run.files[:5], run.files[-5:])]
    say(f"descriptors: {files[0]} at the start, {files[1]} at the end")
    if files[1] > files[0]:
        run.breach(f"{files[1] - files[0]} descriptors more than at the start")
    if children_of(worker.pid):
        run.breach("the worker has children")
    kept = programs.worker_pid()
    zombies = [pid for pid in children_of(programs.service.pid)
               if pid != kept]
    if zombies:
        run.breach(f"media-service has {len(zombies)} children that it does "
                   "not need")
    others = [pid for pid in programs.pids - {kept} if is_worker(pid)]
    if others or not kept:
        run.breach(f"{len(others)} old workers run, and "
                   f"{1 if kept else 0} of one that is wanted")


def play(run: Run, chaos: Chaos, minutes: float) -> None:
    """The last 25 s are quiet, for what is left over."""
    deadline = time.monotonic() + minutes * 60
    while True:
        time.sleep(chaos.dice.uniform(6, 14))
        if time.monotonic() > deadline - 40:
            break
        run.faults.append(chaos.play())
        fault = run.faults[-1]
        say(f"{fault.start_s:.0f}: {fault.part} {fault.kind}, "
            f"{fault.end_s - fault.start_s:.1f} s")
    time.sleep(max(0.0, deadline - time.monotonic()))


@dataclass
class Recorded:
    """Of one worker."""

    inputs: list
    recordings: list[Recording]

    @property
    def outputs(self) -> list:
        return [u for r in self.recordings for u in r.units()]


def start_worker(stack, ports: tuple, folder: str):
    """In a folder of its own, where no media-service adopts it."""
    source, target, sts = ports
    return stack.worker(
        "chaos", sts_url=f"http://127.0.0.1:{sts}", LOG_LEVEL="info",
        input_url=f"rtmp://127.0.0.1:{source}/{PLAIN}/in",
        output_url=f"rtmp://127.0.0.1:{target}/live/chaos/out",
        OUTPUT_DELAY_MS=str(int(DELAY_S * 1000)), RUNTIME_DIR=folder)


def record(run: Run, stack, server: RtmpServer, clip: Path, minutes: float,
           seed: int) -> tuple:
    """(span, what the worker left, what the kept one left)."""
    programs = Programs(stack, clip)
    came = [Follower(stack.rtmp_url(f"{p}/in"), False) for p in (PLAIN, KEPT)]
    left = Follower(stack.rtmp_url(f"{KEPT}/out"))
    with FaultProxy(stack.rtmp_port) as a, FaultProxy(server.port) as b, \
            FaultProxy(programs.sts_port) as c, \
            tempfile.TemporaryDirectory(prefix="dub-chaos-") as folder:
        chaos = Chaos(seed, programs,
                      {"source": a, "destination": b, "speech": c})
        worker = chaos.worker = start_worker(
            stack, (a.port, b.port, c.port), folder)
        listener = ControlListener(f"{folder}/chaos.sock")
        wait_for(lambda: server.history, 60, "the worker's output")
        stack.wait_path(f"{KEPT}/out")
        start, over = time.monotonic() + 4, threading.Event()
        threading.Thread(target=watch, daemon=True, args=(
            run, worker.pid, listener, over)).start()
        play(run, chaos, minutes)
        over.set()
        judge_left_over(run, worker, programs)
        end = time.monotonic()
        inputs = [[u for r in f.stop() for u in r.units()] for f in came]
        kept = Recorded(inputs[1], left.stop())
        programs.close()
    plain = Recorded(inputs[0], [r for _, r in server.history if r.tags])
    return (start, end - DELAY_S - 2), plain, kept


def judge(run: Run, span: tuple, plain: Recorded, kept: Recorded,
          clip: Path, folder: Path) -> None:
    run.delays = judge_pictures(
        run, "worker", (plain.inputs, plain.outputs), span,
        is_plain_explained)
    run.kept_delays = judge_pictures(
        run, "kept worker", (kept.inputs, kept.outputs), span,
        is_kept_explained)
    judge_times(run, plain.recordings)
    for recording in kept.recordings:  # a server remakes times for each
        judge_times(run, [recording])
    white = white_pictures(read_flv(clip))
    for recordings, is_explained in (
            (plain.recordings, is_plain_explained),
            (kept.recordings, is_kept_explained)):
        for recording in recordings:
            judge_sync(run, recording, white, folder / "connection.flv",
                       is_explained)


def main() -> int:
    minutes, seed = number("MINUTES", 10), int(number("SEED", 1))
    header("chaos", f"{minutes:g} minutes, seed {seed}")
    run, clip = Run(), clips.make(CLIP)
    with fresh_stack("chaos") as stack, RtmpServer() as server:
        span, plain, kept = record(run, stack, server, clip, minutes, seed)
        judge(run, span, plain, kept, clip, stack.folder)
    say(f"{len(run.faults)} faults, {len(plain.recordings)} and "
        f"{len(kept.recordings)} connections, {len(plain.outputs)} and "
        f"{len(kept.outputs)} pictures, {len(run.syncs)} flashes judged; "
        f"{load()}")
    report = ROOT / (os.environ.get("REPORT") or "build/bench/chaos.html")
    write_report(report, run, f"{minutes:g} minutes, seed {seed}",
                 slope_mb_h(run.rss))
    say(f"report: {report}")
    figure("chaos_faults", len(run.faults), 0)
    figure("chaos_breaches", len(run.breaches), 0)
    figure("rss_slope_mb_h", slope_mb_h(run.rss))
    figure("rss_late_slope_mb_h", slope_mb_h(run.rss, minutes * 30))
    return 1 if run.breaches else 0


if __name__ == "__main__":
    sys.exit(main())
