# SPDX-License-Identifier: Apache-2.0
"""Prometheus text into numbers: for what a test has to know of the inside.

A metric is never the proof that the programme came out right; it tells which
case a run has met (how many fragments were dubbed, which fell back).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LINE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+-?\d+)?$")
LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"\s*,?\s*')


@dataclass(frozen=True)
class Sample:
    name: str
    labels: tuple
    value: float

    def has(self, wanted: dict) -> bool:
        have = dict(self.labels)
        return all(have.get(k) == v for k, v in wanted.items())


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], text)


def parse(text: str) -> list[Sample]:
    """Every sample; a line that is not one raises ValueError."""
    samples = []
    for line in text.splitlines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        found = LINE.match(line)
        if found is None:
            raise ValueError(f"not a metric line: {line!r}")
        labels, rest = [], found[2] or ""
        while rest:
            label = LABEL.match(rest)
            if label is None:
                raise ValueError(f"bad labels: {line!r}")
            labels.append((label[1], _unescape(label[2])))
            rest = rest[label.end():]
        samples.append(Sample(found[1], tuple(sorted(labels)),
                              float(found[3])))
    return samples


def value(samples: list[Sample], name: str, **labels: str) -> float:
    """The sum of all that match; 0.0 when there is none.

    Tries the name and name + "_total", as dashboards write either.
    """
    return sum(s.value for s in samples
               if s.name in (name, name + "_total") and s.has(labels))


def has(samples: list[Sample], name: str, **labels: str) -> bool:
    return any(s.name in (name, name + "_total") and s.has(labels)
               for s in samples)


def quantile(samples: list[Sample], name: str, q: float,
             **labels: str) -> float:
    """Of a histogram, by linear interpolation in its bucket."""
    buckets: dict[float, float] = {}
    for sample in samples:
        if sample.name == name + "_bucket" and sample.has(labels):
            edge = float(dict(sample.labels)["le"].replace("+Inf", "inf"))
            buckets[edge] = buckets.get(edge, 0.0) + sample.value
    edges = sorted(buckets)
    if not edges or buckets[edges[-1]] == 0:
        return float("nan")
    rank, low, below = q * buckets[edges[-1]], 0.0, 0.0
    for edge in edges:
        if buckets[edge] >= rank:
            if edge == float("inf"):
                return low
            inside = buckets[edge] - below
            return low + (edge - low) * ((rank - below) / inside
                                         if inside else 1.0)
        low, below = edge, buckets[edge]
    return low
