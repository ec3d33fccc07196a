# SPDX-License-Identifier: Apache-2.0
"""Streams the whole way: encoder, media server, hook, media-service, worker.

    with Service("processes") as service:
        stream = Served(service, "killed")
        stream.publish()
        stream.sleep_until(16)          # by the clip
        os.kill(stream.worker_pid(), signal.SIGKILL)

What left is read from the media server over as many connections as it takes
(a server ends its readers when the publisher goes). Workers outlive their
media-service, so a Service ends those that it has seen.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from pathlib import Path

from . import clips, metrics_parser, stream_analyzer as sa
from .fault_run import CLIP
from .flv import Recording, read_flv
from .loss_judge import Programme
from .processes import Process, Stack, free_port, get, wait_for
from .rtmp import RtmpReader
from .scenarios import DELAY_MS
from .stream_publisher import publish
from . import tools


class Follower:
    """Reads a path until stop(), over all its connections."""

    def __init__(self, url: str, keep_bodies: bool = True):
        self.url, self.keep_bodies, self.readers = url, keep_bodies, []
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        while not self.stopping.is_set():
            reader = RtmpReader(self.url, self.keep_bodies, 1e9)
            self.readers.append(reader)
            while reader.thread.is_alive() and not self.stopping.wait(0.05):
                pass

    def stop(self) -> list[Recording]:
        self.stopping.set()
        self.thread.join(5)
        recordings = [r.stop() for r in self.readers]
        return [r for r in recordings if r.units()]


class Service:
    """MediaMTX with its hook, the echo service, media-service. sts_url: of
    another speech service, in place of the echo."""

    def __init__(self, name: str, sts_url: str = "", **settings: str):
        self.stack, self.settings = Stack(name), settings
        self.sts_url = sts_url
        self.port = free_port()
        self.process: Process | None = None
        self.echo: Process | None = None
        self.pids: set[int] = set()

    def __enter__(self):
        try:
            self.stack.mediamtx(hook=tools.need("mtx-hook"),
                                orchestrator_url=self.url)
            if not self.sts_url:
                self.echo = self.stack.sts("echo")
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """On the same port as before."""
        self.process = self.stack.media_service(
            self.sts_url or self.echo.url, self.port, **{
                "OUTPUT_DELAY_MS": str(DELAY_MS), "MEDIAMTX_API_URL":
                f"http://127.0.0.1:{self.stack.api_port}", **self.settings})

    def streams(self) -> dict[str, dict]:
        status, body = get(self.url + "/v1/streams")
        if status != 200:
            return {}
        found = {s["stream_id"]: s for s in json.loads(body)["streams"]}
        self.pids |= {s["worker_pid"] for s in found.values()
                      if s.get("worker_pid")}
        return found

    def metrics(self) -> list[metrics_parser.Sample]:
        return metrics_parser.parse(get(self.url + "/metrics")[1])

    def close(self) -> None:
        self.streams()
        self.stack.close()
        for pid in self.pids:
            if is_worker(pid):
                os.kill(pid, signal.SIGKILL)


def is_worker(pid: int) -> bool:
    """Whether this number still is a worker, and not long another's."""
    try:
        path = os.readlink(f"/proc/{pid}/exe")
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]
    except OSError:
        return False
    return Path(path).name == "media-worker" and state.split()[0] != "Z"


class Served:
    """One stream of a Service."""

    def __init__(self, service: Service, name: str,
                 clip: clips.Clip = CLIP):
        self.service, self.name, self.clip = service, name, clip
        self.path = clips.make(clip)
        self.source = read_flv(self.path)
        self.publisher: Process | None = None
        self.came: RtmpReader | None = None
        self.left: Follower | None = None
        self.began_s = 0.0
        self.inputs, self.outputs = Recording(), []

    # --- while it runs ---

    def publish(self) -> None:
        stack, url = self.service.stack, self._url("in")
        self.left = Follower(self._url("out"))
        self.publisher = publish(stack, self.path, url,
                                 name=f"publisher-{self.name}")
        stack.wait_path(f"live/{self.name}/in")
        self.came = RtmpReader(url)
        first = wait_for(lambda: self.came.recording.units(), 20,
                         "the source")[0]
        units = self.source.units()
        number = {u.slice_digest: n for n, u in enumerate(units)}
        clip_ms = units[number[first.slice_digest]].dts_ms - units[0].dts_ms
        self.began_s = first.arrival_s - clip_ms / 1000

    def _url(self, way: str) -> str:
        return self.service.stack.rtmp_url(f"live/{self.name}/{way}")

    def sleep_until(self, clip_s: float) -> None:
        time.sleep(max(0.0, self.began_s + clip_s - time.monotonic()))

    def clip_s(self) -> float:
        """Where the clip is now."""
        return time.monotonic() - self.began_s

    def state(self) -> dict:
        return self.service.streams().get(self.name, {})

    def worker_pid(self) -> int:
        return self.state().get("worker_pid", 0)

    def wait_out(self, timeout_s: float = 30.0) -> None:
        self.service.stack.wait_path(f"live/{self.name}/out", timeout_s)

    def finish(self) -> None:
        self.inputs = self.came.stop()
        self.outputs = self.left.stop()

    # --- afterwards ---

    def programme(self) -> Programme:
        return Programme(self.source.units(),
                         [u for r in self.outputs for u in r.units()])

    def holes_s(self) -> list[tuple[float, float]]:
        """Clip times of what is missing between what left: the last picture
        that was there, and the first that is there again."""
        units, seen = self.source.units(), sorted(self.programme().seen)
        at = [(u.pts_ms - units[0].pts_ms) / 1000 for u in units]
        # Pictures are numbered in the order of decoding; what an end cuts
        # off is up to a few of those.
        return [(at[a], at[b]) for a, b in zip(seen, seen[1:]) if b > a + 1]

    def delay_problems(self) -> list[str]:
        return self.programme().delay_problems(
            self.inputs.units(), DELAY_MS / 1000, least=15)

    def order_problems(self) -> list[str]:
        """Of each connection; a server remakes times for each."""
        return [p for r in self.outputs
                for p in Programme(self.source.units(), r.units())
                .order_problems()]

    def sound_problems(self) -> list[str]:
        return [p for r in self.outputs for p in sa.sound_time_problems(r)]

    def sync(self, tolerance_ms: float = 10.0) -> sa.SyncReport:
        """Flash and beep, of all connections together."""
        whole = sa.SyncReport()
        for number, recording in enumerate(self.outputs):
            path = self.service.stack.folder \
                / f"{self.name}-{number}.flv"
            flashes = [s.unit.pts_ms / 1000 for s in Programme(
                self.source.units(), recording.units()).shown
                if not s.is_repeat
                and s.clip_ms % (self.clip.flash_every_s * 1000) == 0]
            sound = sa.decode_sound(recording, recording.write(path))
            report = sa.compare_sync(
                flashes, sa.beep_times(sound, 0.11),
                tolerance_ms=tolerance_ms, begin_s=sound.start_s)
            whole.pairs += report.pairs
            whole.problems += report.problems
            whole.worst_ms = max(whole.worst_ms, report.worst_ms, key=abs)
        return whole


__all__ = ["Follower", "Served", "Service", "is_worker"]
