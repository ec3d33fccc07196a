# SPDX-License-Identifier: Apache-2.0
"""What a destination got, against the stream's own output.

Both have the same coded pictures and frames of sound; only where they begin,
and the times that a server gave them, may differ.
"""

from __future__ import annotations

from .flv import Recording

# The rest of a connection before; silence looks all alike.
UNSURE_FRAMES = 5
SAMPLE_FRAMES = 200


def place(own: Recording, got: Recording) -> tuple[int, int, list[bytes]]:
    """Which of the own output's pictures and frames of sound come first, and
    the frames from there on."""
    digest = got.units()[0].slice_digest
    pictures = [u.slice_digest for u in own.units()]
    frames = [p.data for p in own.sound()]
    sound = [p.data for p in got.sound()][UNSURE_FRAMES:]
    first = next((n for n in range(len(frames))
                  if frames[n:n + SAMPLE_FRAMES] == sound[:SAMPLE_FRAMES]), -1)
    assert first >= 0, "the sound is not the same"
    return pictures.index(digest), first, sound


def unequal(own: Recording, got: Recording) -> list[str]:
    """From its first picture on: none lost, changed or doubled, and at the
    same distances; every frame of sound."""
    begin, first, sound = place(own, got)
    pictures, units = own.units()[begin:], got.units()
    found = []
    for number, (a, b) in enumerate(zip(pictures, units)):
        if a.slice_digest != b.slice_digest:
            found.append(f"picture {number} is another")
            break
        shift = b.pts_ms - units[0].pts_ms - (a.pts_ms - pictures[0].pts_ms)
        if abs(shift) > 1:
            found.append(f"picture {number} is {shift} ms off")
    frames = [p.data for p in own.sound()]
    if frames[first:first + len(sound)] != sound:
        found.append("the sound is not the same")
    return found[:5]


def sync_ms(own: Recording, got: Recording) -> int:
    """How much later its sound is, against its picture, than in the own
    output."""
    begin, first, _ = place(own, got)
    own_ms = own.sound()[first].time_ms - own.units()[begin].pts_ms
    got_ms = got.sound()[UNSURE_FRAMES].time_ms - got.units()[0].pts_ms
    return got_ms - own_ms
