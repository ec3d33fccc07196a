# SPDX-License-Identifier: Apache-2.0
"""Runs that tests judge: a clip goes in, what comes out is kept.

Runs that do not measure time go on side by side on one media server. Each
takes as long as its clip and the programme's delay.
"""

from __future__ import annotations

import functools
import os
import threading
import time
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from . import clips, stream_analyzer as sa
from .flv import Recording, read_flv
from .processes import Process, Stack, free_port
from .rtmp import RtmpReader, RtmpServer
from .stream_publisher import publish, relay

FRACTIONS = {"25": Fraction(25), "2997": Fraction(30000, 1001),
             "50": Fraction(50)}
SECONDS = 68.0
DELAY_MS = 8000


@dataclass(frozen=True)
class Scenario:
    """peer: at the worker's own sockets, without a media server between."""

    name: str
    clip: clips.Clip
    echo: bool = False
    peer: bool = False
    dead_sts: bool = False  # the service's address answers nothing
    settings: tuple = ()


def _sync(name: str, fps: str, **kwargs) -> clips.Clip:
    return clips.Clip(f"sync-{name}-{fps}", FRACTIONS[fps], SECONDS,
                      **{"sound": "music+breath+beeps", **kwargs})


SPEECH = {"sound": "speech+background+breath+beeps", "speech": "lv_es.mp3"}
QUIET_S = 24.0

SCENARIOS = {s.name: s for s in [
    Scenario("echo-25", _sync("speech", "25", channels=2, **SPEECH),
             echo=True),
    Scenario("echo-2997", _sync("speech", "2997", rate=44100, **SPEECH),
             echo=True),
    Scenario("plain-50", _sync("music", "50", channels=2)),
    Scenario("dead-sts", clips.Clip("dead-sts", seconds=QUIET_S, **SPEECH),
             dead_sts=True),
    Scenario("peer-25", _sync("music", "25"), peer=True),
    Scenario("peer-2997", _sync("music", "2997", rate=44100), peer=True),
    Scenario("peer-50", _sync("music", "50"), peer=True),
    Scenario("music", clips.Clip("quiet-music", seconds=QUIET_S,
                                 sound="music+chords+breath"),
             echo=True),
    Scenario("silence", clips.Clip("quiet-silence", seconds=QUIET_S,
                                   sound="silence"), echo=True),
    Scenario("tone", clips.Clip("quiet-tone", seconds=QUIET_S,
                                sound="tone"), echo=True),
]}


@dataclass
class Run:
    """What went in and what came out; decoded on first use."""

    scenario: Scenario
    folder: Path
    source_path: Path
    recording: Recording = field(default_factory=Recording)
    worker: Process | None = None
    error: str = ""

    @functools.cached_property
    def source(self) -> Recording:
        return read_flv(self.source_path)

    @functools.cached_property
    def source_sound(self) -> sa.Sound:
        return sa.decode_sound(self.source, self.source_path)

    @functools.cached_property
    def path(self) -> Path:
        return self.recording.write(self.folder
                                    / f"{self.scenario.name}-out.flv")

    @functools.cached_property
    def output(self) -> Recording:
        """As far as the source went; after it a worker fills in."""
        return cut_after_source(self.source, read_flv(self.path))

    @functools.cached_property
    def sound(self) -> sa.Sound:
        cut = self.output.write(self.path.with_suffix(".cut.flv"))
        first = self.output.sound()[0].time_ms / 1000
        return sa.Sound(clips.load_sound(cut), first)

    @functools.cached_property
    def sound_report(self) -> sa.SoundReport:
        # Where an echo ends, 1.13 times the source becomes 0.13 times: a
        # window over that edge matches by 0.6 at least. A gap does not.
        return sa.compare_sound(self.source_sound, self.sound,
                                least_match=0.55 if self.scenario.echo
                                else 0.85)

    @functools.cached_property
    def flashes(self) -> list[float]:
        cut = self.output.write(self.path.with_suffix(".cut.flv"))
        return sa.flash_times(self.output, cut)


def cut_after_source(source: Recording, output: Recording) -> Recording:
    last = source.units()[-1].slice_digest
    end = next((u.dts_ms for u in output.units()
                if u.slice_digest == last), None)
    if end is None:
        return output
    return Recording([t for t in output.tags if t.time_ms <= end],
                     output.error)


def run_batch(names: list[str], stack: Stack) -> dict[str, Run]:
    """All of them at the same time. A run that failed says so in `error`."""
    chosen = [SCENARIOS[n] for n in names]
    runs = {s.name: Run(s, stack.folder, clips.make(s.clip)) for s in chosen}
    stack.mediamtx()
    sts_url = ""
    if any(s.echo for s in chosen) and not stands_in():
        sts_url = stack.sts("echo").url
    with RtmpServer() as server:
        threads = [threading.Thread(target=_run_one, daemon=True,
                                    args=(stack, server, run, sts_url))
                   for run in runs.values()]
        for thread in threads:
            thread.start()
            time.sleep(0.2)
        for thread in threads:
            thread.join(SECONDS + DELAY_MS / 1000 + 90)
    return runs


def _run_one(stack: Stack, server: RtmpServer, run: Run, sts_url: str):
    try:
        if run.scenario.peer:
            _run_peer(stack, server, run)
        else:
            if run.scenario.dead_sts:
                sts_url = f"http://127.0.0.1:{free_port()}"
            elif not run.scenario.echo:
                sts_url = ""
            _run_served(stack, run, sts_url)
    except Exception as error:  # pylint: disable=broad-except
        run.error = f"{type(error).__name__}: {error}"


def stands_in() -> bool:
    """ffmpeg in place of the worker: shows that the harness itself works."""
    return os.environ.get("E2E_STAND_IN") == "ffmpeg"


def start_worker(stack: Stack, run: Run, source: str, target: str,
                 sts_url: str = "") -> None:
    name = run.scenario.name
    if stands_in():
        run.worker = relay(stack, source, target, name=f"relay-{name}")
    else:
        run.worker = stack.worker(
            name, sts_url=sts_url, input_url=source, output_url=target,
            OUTPUT_DELAY_MS=str(DELAY_MS), **dict(run.scenario.settings))


def _run_served(stack: Stack, run: Run, sts_url: str) -> None:
    name = run.scenario.name
    source = stack.rtmp_url(f"live/{name}/in")
    target = stack.rtmp_url(f"live/{name}/out")
    reader = RtmpReader(target)
    publisher = publish(stack, run.source_path, source,
                        name=f"publisher-{name}")
    stack.wait_path(f"live/{name}/in")
    start_worker(stack, run, source, target, sts_url)
    publisher.wait(run.scenario.clip.seconds + 30)
    time.sleep(1 if stands_in() else DELAY_MS / 1000 + 2)
    run.recording = reader.stop()
    _check_alive(run)


def _run_peer(stack: Stack, server: RtmpServer, run: Run) -> None:
    name = run.scenario.name
    server.sources[f"live/{name}/in"] = run.source
    start_worker(stack, run, server.url(f"live/{name}/in"),
                 server.url(f"live/{name}/out"))
    wait = run.scenario.clip.seconds + DELAY_MS / 1000 + 20
    server.wait_recorded(f"live/{name}/out", len(run.source.units()), wait)
    time.sleep(0.5)
    run.recording = server.recordings.get(f"live/{name}/out", Recording())
    if not run.recording.tags:
        run.error = "nothing was published" + tail(run.worker)


def _check_alive(run: Run) -> None:
    if not run.recording.tags:
        run.error = "nothing came out" + tail(run.worker)


def tail(process: Process | None, size: int = 2000) -> str:
    if process is None:
        return ""
    code = process.popen.poll()
    return (f" ({process.name}, exit code {code})\n"
            + process.output()[-size:])
