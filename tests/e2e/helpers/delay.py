# SPDX-License-Identifier: Apache-2.0
"""The delay of the programme, picture by picture, by wall clock."""

from __future__ import annotations

from statistics import median

from .flv import AccessUnit


def key_of(unit: AccessUnit) -> bytes:
    """Its tail: a slice, which media servers leave alone."""
    return unit.data[-48:]


def pair(inputs: list[AccessUnit], outputs: list[AccessUnit],
         delay_s: float) -> list[tuple[float, float]]:
    """(input time, output time) of each picture that was seen at both.

    A looped clip's picture comes again each minute: the one whose delay is
    nearest to the wanted is meant.
    """
    index: dict[bytes, list[float]] = {}
    for unit in inputs:
        index.setdefault(key_of(unit), []).append(unit.arrival_s)
    found = []
    for unit in outputs:
        times = index.get(key_of(unit), ())
        if times:
            found.append((min(times, key=lambda t, u=unit: abs(
                u.arrival_s - t - delay_s)), unit.arrival_s))
    return found


def by_second(pairs: list[tuple[float, float]]) -> list[float]:
    """Median delay of each second, in ms. The edges hold few pictures."""
    start, seconds = pairs[0][0], {}
    for came, out in pairs:
        seconds.setdefault(int(came - start), []).append((out - came) * 1000)
    return [median(v) for _, v in sorted(seconds.items())][1:-1]
