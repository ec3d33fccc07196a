# SPDX-License-Identifier: Apache-2.0
"""A worker between our own RTMP peers, while something goes wrong.

The source is a clip that our RTMP server plays in real time; what the worker
publishes to the same server is kept byte for byte. A test gives a script that
runs beside it; then it asks for what left.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass

import numpy as np

from . import clips, metrics_parser, stream_analyzer as sa
from .control_listener import ControlListener, Line
from .delay import by_second, pair
from .flv import AccessUnit, Recording
from .processes import Stack, descriptors_of, rss_of, wait_for
from .rtmp import RtmpServer
from .scenarios import DELAY_MS, SCENARIOS, Run, Scenario, tail

PREFIX = "media_service_worker_"
# The speech clip of P1: its fixture is made once.
CLIP = SCENARIOS["echo-25"].clip
DUBBED, KEPT = 10 ** (1.03 / 20), 1.0


@dataclass
class Look:
    """At the worker's metrics, at a moment."""

    at_s: float
    samples: list
    rss_mib: float = 0.0
    descriptors: int = 0

    def value(self, name: str, prefix: str = PREFIX,
              **labels: str) -> float:
        return metrics_parser.value(self.samples, prefix + name, **labels)


class FaultRun(Run):
    """`settings` as in the worker's table, in lower case."""

    env: dict = {}         # of the worker
    prefix: tuple = ()     # a command that becomes the worker

    def __init__(self, name: str, stack: Stack, server: RtmpServer,
                 clip: clips.Clip = CLIP):
        super().__init__(Scenario(name, clip, echo=True, peer=True),
                         stack.folder, clips.make(clip))
        self.name, self.stack, self.server = name, stack, server
        self.listener: ControlListener | None = None
        self.looks: list[Look] = []
        self.over = threading.Event()
        self.began_s = 0.0  # when the source began to play
        server.sources[f"live/{name}/in"] = self.source

    # --- while it runs ---

    def start(self, sts_url: str = "", input_url: str = "",
              output_url: str = "", **settings: str) -> None:
        self.worker = self.stack.worker(
            self.name, sts_url=sts_url,
            input_url=input_url or self.server.url(f"live/{self.name}/in"),
            output_url=output_url or self.server.url(f"live/{self.name}/out"),
            OUTPUT_DELAY_MS=str(DELAY_MS), env=self.env, prefix=self.prefix,
            **{k.upper(): v for k, v in settings.items()})
        self.listener = ControlListener(
            self.stack.runtime_socket(self.name))
        threading.Thread(target=self._watch, daemon=True).start()

    def sleep_until(self, source_s: float) -> None:
        """Until the source plays what is at that time in the clip."""
        if not self.began_s:
            path = f"live/{self.name}/in"
            self.began_s = wait_for(
                lambda: self.server.served_at.get(path), 30, "the source")
            self.server.refuse.add(path)  # it is played once
        time.sleep(max(0.0, self.began_s + source_s - time.monotonic()))

    def finish(self) -> None:
        """Waits for the last picture, and keeps what was recorded."""
        path = f"live/{self.name}/out"
        self.sleep_until(self.scenario.clip.seconds + DELAY_MS / 1000)
        self.server.wait_recorded(path, len(self.source.units()), 20)
        time.sleep(0.5)
        self.stop_watching()
        self.recording = self.server.recordings.get(path, Recording())
        if not self.recording.tags:
            self.error = "nothing was published" + tail(self.worker)

    def stop_watching(self) -> None:
        self.over.set()
        self.listener.stop()

    def _watch(self) -> None:
        """The worker tells its metrics each second."""
        last = ""
        while not self.over.wait(0.1):
            text = self.listener.last_metrics
            if text and text != last:
                last = text
                self._look(text)

    def _look(self, text: str) -> None:
        look = Look(time.monotonic(), metrics_parser.parse(text))
        try:
            look.rss_mib = rss_of(self.worker.pid)
            look.descriptors = descriptors_of(self.worker.pid)
        except OSError:
            return  # it has ended meanwhile
        self.looks.append(look)

    # --- afterwards ---

    def value(self, name: str, prefix: str = PREFIX,
              **labels: str) -> float:
        return self.looks[-1].value(name, prefix, **labels)

    def events(self, name: str) -> list[Line]:
        return self.listener.events(name)

    def between(self, first_s: float, last_s: float) -> list[Look]:
        """By the clip."""
        return [look for look in self.looks
                if first_s <= look.at_s - self.began_s <= last_s]

    def leak_problems(self, before: tuple, after: tuple,
                      most_mib: float = 16.0) -> list[str]:
        """Spans of clip time: what the worker holds after its faults is what
        it held before. Descriptors exactly; memory but for what malloc keeps
        of threads that have gone."""
        old, new = self.between(*before), self.between(*after)
        if len(old) < 2 or len(new) < 2:
            return [f"{len(old)} and {len(new)} looks are too few"]
        found = []
        files = [int(np.median([v.descriptors for v in s]))
                 for s in (old, new)]
        memory = [float(np.median([v.rss_mib for v in s]))
                  for s in (old, new)]
        print(f"{self.name}: descriptors {files[0]}, then {files[1]}; "
              f"memory {memory[0]:.1f}, then {memory[1]:.1f} MiB")
        if files[1] > files[0]:
            found.append(f"{files[1] - files[0]} descriptors are left over")
        # A sanitizer keeps what was freed; it looks for leaks itself.
        if memory[1] > memory[0] + most_mib \
                and "ASAN_OPTIONS" not in os.environ:
            found.append(f"{memory[1] - memory[0]:.1f} MiB are left over")
        return found

    def gain_of(self, fragment) -> float:
        """Over its slot."""
        return self.gain(fragment.start_s,
                         fragment.start_s + fragment.duration_s)

    def sound_problems(self) -> list[str]:
        return sa.sound_time_problems(self.output) \
            + self.sound_report.problems

    def video_problems(self) -> list[str]:
        return sa.compare_video(self.source, self.output, exact=True,
                                with_dts=True).problems

    def sync_problems(self, tolerance_ms: float = 10.0) -> list[str]:
        # Right behind a dub the original is still coming up from -18 dB.
        return sa.compare_sync(
            self.flashes, sa.beep_times(self.sound, 0.11), expected=28,
            tolerance_ms=tolerance_ms, begin_s=self.sound.start_s).problems

    def inputs(self) -> list[AccessUnit]:
        """The source's pictures, with the wall clock at which they came."""
        units = self.source.units()
        first = units[0].dts_ms
        for unit in units:
            unit.arrival_s = self.began_s + (unit.dts_ms - first) / 1000
        return units

    def delays_ms(self) -> list[float]:
        """Of each second, by the wall clock."""
        return by_second(pair(self.inputs(), self.recording.units(),
                              DELAY_MS / 1000))

    def gain(self, start_s: float, end_s: float) -> float:
        """Of the original in the output, in media time: KEPT where it plays
        alone, DUBBED where its echo lies on the lowered original."""
        lag = self.sound_report.lag_s
        first = self.source.units()[0].pts_ms / 1000
        gains = [g for t, g in self._gains(lag)
                 if start_s + 0.2 <= t - first <= end_s - 0.4]
        return float(np.nanmedian(gains)) if gains else float("nan")

    def _gains(self, lag_s: float) -> list[tuple[float, float]]:
        if not hasattr(self, "_gain_list"):
            self._gain_list = sa.original_gain(
                self.source_sound, self.sound, lag_s)
        return self._gain_list


def run_together(runs: list, scripts: list) -> None:
    """Each script in a thread of its own; what fails is kept in its run."""
    def play(run, script):
        try:
            script(run)
            run.finish()
        except Exception as error:  # pylint: disable=broad-except
            run.error = (f"{type(error).__name__}: {error}"
                         + tail(run.worker))
    threads = [threading.Thread(target=play, args=pair_, daemon=True)
               for pair_ in zip(runs, scripts)]
    for thread in threads:
        thread.start()
        time.sleep(0.3)
    for thread in threads:
        thread.join(240)
