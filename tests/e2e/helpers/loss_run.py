# SPDX-License-Identifier: Apache-2.0
"""A run whose source comes from a media server, where it needs one.

Our own RTMP server plays a clip once and to one reader; a media server goes
on, so a worker that comes back finds the clip where it is by then.
"""

from __future__ import annotations

from .fault_run import FaultRun
from .flv import Recording
from .loss_judge import Fault, Programme
from .processes import wait_for
from .rtmp import RtmpReader
from .stream_publisher import publish


class LossRun(FaultRun):
    """With the source on a media server, where a run needs one."""

    faults: list[Fault] = []
    reader: RtmpReader | None = None

    def publish(self) -> None:
        url = self.stack.rtmp_url(f"live/{self.name}/in")
        self.publisher = publish(self.stack, self.source_path, url,
                                 name=f"publisher-{self.name}")
        self.stack.wait_path(f"live/{self.name}/in")
        self.reader = RtmpReader(url)
        first = wait_for(lambda: self.reader.recording.units(), 20,
                         "the source")[0]
        numbers = {u.slice_digest: u for u in self.source.units()}
        clip_ms = numbers[first.slice_digest].dts_ms \
            - self.source.units()[0].dts_ms
        self.began_s = first.arrival_s - clip_ms / 1000

    def finish(self) -> None:
        self.stop_watching()

    def programme(self) -> Programme:
        units = [u for _, r in self.outputs() for u in r.units()]
        return Programme(self.source.units(), units, self.faults)

    def outputs(self) -> list[tuple[str, Recording]]:
        return [(p, r) for p, r in self.server.history
                if p == f"live/{self.name}/out" and r.tags]
