# SPDX-License-Identifier: Apache-2.0
"""Clips in H.265, and what is told apart by its slices."""

from __future__ import annotations

from pathlib import Path

from . import stream_analyzer as sa, tools
from .flv import AccessUnit, is_slice


def coded_again(path: Path, seconds: float) -> Path:
    """The same clip in H.265, with a key frame each second."""
    coded = path.with_name(f"{path.stem}-{seconds:g}-h265.mkv")
    if not coded.exists():
        part = coded.with_suffix(".part.mkv")
        tools.ffmpeg("-i", path, "-t", seconds, "-c:v", "libx265",
                     "-preset", "ultrafast", "-x265-params",
                     "keyint=25:min-keyint=25:bframes=2:log-level=error",
                     "-c:a", "copy", part)
        part.rename(coded)
    return coded


def slices_of(path: Path) -> list[bytes]:
    """Of each picture, in the order of decoding."""
    raw = tools.ffmpeg("-i", path, "-map", "0:v", "-c", "copy", "-f", "hevc",
                       "-")
    nals = [n.rstrip(b"\0") for n in raw.split(b"\0\0\1") if n.strip(b"\0")]
    return [n for n in nals if is_slice(n, True)]


def pictures_of(path: Path) -> list[tuple[bytes, float]]:
    """Each picture's slice and pts."""
    times = [float(p["pts_time"]) for p in sa.probe_packets(path)]
    slices = slices_of(path)
    assert len(times) == len(slices), "a picture is not one slice"
    return list(zip(slices, times))


def first_slice(unit: AccessUnit) -> bytes:
    """Of a picture in a recording."""
    at = 0
    while at + 4 <= len(unit.data):
        size = int.from_bytes(unit.data[at:at + 4], "big")
        nal = unit.data[at + 4:at + 4 + size]
        if is_slice(nal, True):
            return nal.rstrip(b"\0")
        at += 4 + size
    return b""
