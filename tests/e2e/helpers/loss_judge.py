# SPDX-License-Identifier: Apache-2.0
"""Judges a programme whose source or destination was lost for a while.

A fault is a span of clip time; what the source showed in it may be missing,
and what came right after it too, until a connection is back and its next key
frame has come. Nothing else may be missing, doubled, late or out of order.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from . import stream_analyzer as sa
from .delay import key_of
from .flv import AccessUnit

PICTURE_MS = 40
KEY_S = 1.0       # from key frame to key frame
BACK_S = 2.0      # until a source, server or destination is used again
MARGIN_S = 0.4
REPEAT_MS = 1000  # of the last key frame while there is nothing


@dataclass
class Fault:
    name: str
    start_s: float
    end_s: float

    @property
    def over_s(self) -> float:
        """From here on nothing is missing."""
        return self.end_s + BACK_S + KEY_S + MARGIN_S

    def holds(self, clip_s: float) -> bool:
        return self.start_s - MARGIN_S <= clip_s <= self.over_s


@dataclass
class Shown:
    """A picture that left, and which of the source it is."""

    number: int
    clip_ms: int
    unit: AccessUnit
    is_repeat: bool = False


@dataclass
class Programme:
    """What left, over all its connections, against the clip."""

    source: list[AccessUnit]
    units: list[AccessUnit]
    faults: list[Fault] = field(default_factory=list)

    def __post_init__(self):
        pairs, self.unknown = sa.pair_units(
            self.source, self.units, "slice_digest")
        first, seen = self.source[0].pts_ms, set()
        self.shown = []
        for number, source, unit in pairs:
            self.shown.append(Shown(number, source.pts_ms - first, unit,
                                    number in seen))
            seen.add(number)
        self.seen = seen
        shifts = sorted(s.unit.pts_ms - s.clip_ms for s in self.shown[:100])
        self.shift_ms = shifts[len(shifts) // 2] if shifts else 0

    def in_fault(self, clip_s: float) -> bool:
        return any(f.holds(clip_s) for f in self.faults)

    def order_problems(self) -> list[str]:
        report = sa.VideoReport()
        sa.check_order(self.units, report)
        if self.unknown:
            report.problems.append(f"{self.unknown} pictures are nobody's")
        return report.problems

    def shift_problems(self, tolerance_ms: float = 100.0) -> list[str]:
        """The delay in stream time is as before, and before as after."""
        found = []
        for shown in self.shown:
            error = shown.unit.pts_ms - shown.clip_ms - self.shift_ms
            if not shown.is_repeat and abs(error) > tolerance_ms:
                found.append(f"the picture at {shown.clip_ms / 1000:.2f} s "
                             f"is {error:+.0f} ms off")
        return found[:5]

    def worst_shift_ms(self) -> float:
        return max((abs(s.unit.pts_ms - s.clip_ms - self.shift_ms)
                    for s in self.shown if not s.is_repeat), default=0)

    def lost_problems(self, until_s: float) -> list[str]:
        """Pictures that are missing outside of the faults."""
        first = min(self.seen, default=0)
        lost = [n for n in range(first, len(self.source))
                if n not in self.seen]
        times = [(self.source[n].pts_ms - self.source[0].pts_ms) / 1000
                 for n in lost]
        bad = [t for t in times if t < until_s and not self.in_fault(t)]
        return [f"{len(bad)} pictures lost, first at {bad[0]:.2f} s"] \
            if bad else []

    def hole_problems(self, until_s: float,
                      is_held: bool = True) -> list[str]:
        """Time without a picture: in a fault only, and there no longer than
        it takes to repeat the last one."""
        found = []
        for last, unit in zip(self.units, self.units[1:]):
            hole_ms = unit.dts_ms - last.dts_ms
            at_s = (last.dts_ms - self.shift_ms) / 1000
            if at_s > until_s:
                break
            most = REPEAT_MS + 4 * PICTURE_MS if is_held else 60000
            if not self.in_fault(at_s) \
                    and not self.in_fault(at_s + hole_ms / 1000):
                most = 2 * PICTURE_MS
            if hole_ms > most:
                found.append(f"no picture for {hole_ms} ms at {at_s:.2f} s")
        return found[:5]

    def back_after_s(self, fault: Fault) -> float:
        """From its end to the first picture that was taken in again."""
        later = [s.clip_ms / 1000 for s in self.shown
                 if not s.is_repeat and s.clip_ms / 1000 > fault.end_s]
        return min(later, default=float("inf")) - fault.end_s

    def delay_problems(self, inputs: list[AccessUnit], delay_s: float,
                       tolerance_ms: float = 100.0,
                       least: int = 20) -> list[str]:
        """By the wall clock, outside of the faults: the median of each
        second that has enough pictures for one."""
        came = {key_of(u): u.arrival_s for u in inputs}
        seconds: dict[int, list[float]] = {}
        for shown in self.shown:
            arrival = came.get(key_of(shown.unit))
            if arrival is None or shown.is_repeat \
                    or self.in_fault(shown.clip_ms / 1000):
                continue
            seconds.setdefault(shown.clip_ms // 1000, []).append(
                (shown.unit.arrival_s - arrival - delay_s) * 1000)
        found = []
        for second, errors in sorted(seconds.items()):
            error = sorted(errors)[len(errors) // 2]
            if abs(error) > tolerance_ms and len(errors) >= 10:
                found.append(f"at {second} s the delay is {error:+.0f} ms off")
        if len(seconds) < least:
            found.append(f"only {len(seconds)} seconds could be compared")
        return found[:8]

    def flash_times(self, every_s: float) -> list[float]:
        """Stream times, without decoding: which pictures are white is known
        from the clip."""
        return [s.unit.pts_ms / 1000 for s in self.shown
                if not s.is_repeat and s.clip_ms % (every_s * 1000) == 0]

    def sync_problems(self, every_s: float, beeps: list[float],
                      tolerance_ms: float = 10.0) -> list[str]:
        """Flash and beep outside of the faults. beeps: stream times."""
        wanted = [f for f in self.flash_times(every_s)
                  if not self.in_fault(f - self.shift_ms / 1000)]
        report = sa.compare_sync(wanted, beeps, tolerance_ms=tolerance_ms)
        if report.pairs < 8:
            report.problems.append(f"only {report.pairs} flashes")
        return report.problems
