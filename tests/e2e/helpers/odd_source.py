# SPDX-License-Identifier: Apache-2.0
"""A clip whose times do what encoders and servers have been seen to do.

Each step says from which moment of the clip on the times are moved, to where.
The tags leave when the clip says, whatever their times.
"""

from __future__ import annotations

from dataclasses import dataclass

from .flv import AUDIO, SCRIPT, VIDEO, Recording, Tag

WRAP_MS = 1 << 32


@dataclass
class Step:
    """From at_s on, at_s has the time to_ms."""

    at_s: float
    to_ms: int


@dataclass
class Missing:
    """One kind of tags is not sent for a while."""

    kind: int
    start_s: float
    end_s: float


def is_config(tag: Tag) -> bool:
    if tag.kind == SCRIPT:
        return True
    return len(tag.body) > 1 and tag.body[1] == 0


def move(source: Recording, steps: list[Step],
         missing: list[Missing] = ()) -> Recording:
    """Both tracks at the same moment; pictures come back at a key frame."""
    first = min(t.time_ms for t in source.tags if not is_config(t))
    moved, is_waiting = Recording(), False
    for tag in source.tags:
        at_ms = max(0, tag.time_ms - first)
        if any(m.kind == tag.kind and m.start_s <= at_ms / 1000 < m.end_s
               for m in missing) and not is_config(tag):
            is_waiting |= tag.kind == VIDEO
            continue
        if tag.kind == VIDEO and is_waiting and not is_config(tag):
            if tag.body[0] >> 4 != 1:
                continue
            is_waiting = False
        step = [s for s in steps if s.at_s <= at_ms / 1000][-1]
        time_ms = step.to_ms + at_ms - round(step.at_s * 1000)
        moved.tags.append(Tag(tag.kind, time_ms % WRAP_MS, tag.body,
                              max(at_ms / 1000, 0.001)))
    return moved


def splice(first: Recording, second: Recording, at_s: float) -> Recording:
    """The pictures of `second` from its first key frame at at_s on, with its
    codec data; all else is of `first`. Both have the same times."""
    start = min(t.time_ms for t in first.tags if not is_config(t))
    key = next(t for t in second.tags if t.kind == VIDEO
               and not is_config(t) and t.body[0] >> 4 == 1
               and t.time_ms - start >= at_s * 1000)
    config = next(t for t in second.tags if t.kind == VIDEO and is_config(t))
    tags = [t for t in first.tags
            if t.kind != VIDEO or is_config(t) or t.time_ms < key.time_ms]
    tags.append(Tag(VIDEO, key.time_ms, config.body))
    tags += [t for t in second.tags if t.kind == VIDEO and not is_config(t)
             and t.time_ms >= key.time_ms]
    return Recording(sorted(tags, key=lambda t: t.time_ms))


def stuff(source: Recording, start_s: float, end_s: float,
          size: int) -> Recording:
    """Each picture of that span has `size` bytes of filler behind it."""
    start = min(t.time_ms for t in source.tags if not is_config(t))
    filler = (size + 2).to_bytes(4, "big") + b"\x0c" + b"\xff" * size + b"\x80"
    return Recording([
        Tag(t.kind, t.time_ms, t.body + filler)
        if t.kind == VIDEO and not is_config(t)
        and start_s <= (t.time_ms - start) / 1000 < end_s else t
        for t in source.tags])


def drift(source: Recording, ppm: float) -> Recording:
    """Plays slower than its times say, by so many millionths."""
    start = min(t.time_ms for t in source.tags if not is_config(t))
    return Recording([
        Tag(t.kind, t.time_ms, t.body,
            max((t.time_ms - start) / 1000 * (1 + ppm / 1e6), 0.001))
        for t in source.tags])


def _cut(body: bytes) -> bytes:
    return body[:5 + (len(body) - 5) // 2]


def _noise(body: bytes) -> bytes:
    return body[:5] + bytes((n * 73 + 41) % 256 for n in range(400))


def _nothing(body: bytes) -> bytes:
    return body[:5]


BREAKS = (_cut, _noise, _nothing)


def spoil(source: Recording, start_s: float, end_s: float) -> Recording:
    """Every second picture of that span, key frames too, is cut in the
    middle, noise, or nothing, in turn."""
    start = min(t.time_ms for t in source.tags if not is_config(t))
    spoiled, count = Recording(), 0
    for tag in source.tags:
        body = tag.body
        if tag.kind == VIDEO and not is_config(tag) \
                and start_s <= (tag.time_ms - start) / 1000 < end_s:
            count += 1
            if count % 2:
                body = BREAKS[count // 2 % len(BREAKS)](body)
        spoiled.tags.append(Tag(tag.kind, tag.time_ms, body, tag.arrival_s))
    return spoiled


__all__ = ["drift", "spoil", "stuff", "splice", "AUDIO", "VIDEO", "Missing", "Step", "move", "WRAP_MS"]
