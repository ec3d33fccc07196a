# SPDX-License-Identifier: Apache-2.0
"""FLV tags as values: what RTMP carries and what we keep of a run.

A Recording is a list of tags in the order in which they came, each with its
wall clock time of arrival. From it the tests read access units and sound
packets; nothing here decodes.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, field
from pathlib import Path

AUDIO, VIDEO, SCRIPT = 8, 9, 18
FLV_HEADER = b"FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00"
SLICE_TYPES = (1, 5)


@dataclass
class Tag:
    kind: int
    time_ms: int
    body: bytes
    arrival_s: float = 0.0


@dataclass
class AccessUnit:
    """One coded picture, as it stands in the tag."""

    pts_ms: int
    dts_ms: int
    is_key: bool
    data: bytes
    arrival_s: float = 0.0
    is_h265: bool = False

    @property
    def digest(self) -> str:
        return hashlib.sha1(self.data).hexdigest()

    @property
    def slice_digest(self) -> str:
        """Of the slices only: media servers rewrite what is around them."""
        sha = hashlib.sha1()
        for nal in split_nals(self.data):
            if nal and is_slice(nal, self.is_h265):
                sha.update(nal)
        return sha.hexdigest()


@dataclass
class SoundPacket:
    time_ms: int
    data: bytes
    arrival_s: float = 0.0


@dataclass
class Recording:
    tags: list[Tag] = field(default_factory=list)
    error: str = ""

    def units(self) -> list[AccessUnit]:
        return [to_unit(t) for t in self.tags if is_picture(t)]

    def sound(self) -> list[SoundPacket]:
        return [SoundPacket(t.time_ms, t.body[2:], t.arrival_s)
                for t in self.tags
                if t.kind == AUDIO and len(t.body) > 2 and t.body[1] == 1]

    def video_configs(self) -> list[Tag]:
        return [t for t in self.tags if t.kind == VIDEO
                and len(t.body) > 5
                and (t.body[0] & 0xF == 0 if is_h265(t)
                     else t.body[0] & 0x8F == 7 and t.body[1] == 0)]

    def write(self, path: Path | str) -> Path:
        """An FLV file of it, for the decoders. Times start near zero."""
        first = min((t.time_ms for t in self.tags if t.kind != SCRIPT),
                    default=0)
        with open(path, "wb") as out:
            out.write(FLV_HEADER)
            for tag in self.tags:
                write_tag(out, tag, max(0, tag.time_ms - first))
        return Path(path)


def is_slice(nal: bytes, is_h265: bool = False) -> bool:
    return nal[0] >> 1 & 0x3F < 32 if is_h265 \
        else nal[0] & 0x1F in SLICE_TYPES


def is_h265(tag: Tag) -> bool:
    """By Enhanced RTMP, as a video tag names it."""
    return tag.kind == VIDEO and tag.body[:1] >= b"\x80" \
        and tag.body[1:5] == b"hvc1"


def is_picture(tag: Tag) -> bool:
    if tag.kind != VIDEO or len(tag.body) <= 5:
        return False
    if is_h265(tag):
        return tag.body[0] & 0xF == 1 and len(tag.body) > 8
    return tag.body[0] & 0x8F == 7 and tag.body[1] == 1


def to_unit(tag: Tag) -> AccessUnit:
    at = 5 if is_h265(tag) else 2  # of the offset
    offset = int.from_bytes(tag.body[at:at + 3], "big")
    if offset >= 1 << 23:
        offset -= 1 << 24
    return AccessUnit(pts_ms=tag.time_ms + offset, dts_ms=tag.time_ms,
                      is_key=tag.body[0] >> 4 & 7 == 1,
                      data=tag.body[at + 3:], arrival_s=tag.arrival_s,
                      is_h265=at == 5)


def split_nals(data: bytes, length_size: int = 4) -> list[bytes]:
    """Length-prefixed NAL units; a bad length ends the list."""
    nals, at = [], 0
    while at + length_size <= len(data):
        size = int.from_bytes(data[at:at + length_size], "big")
        at += length_size
        if size > len(data) - at:
            raise ValueError("a NAL unit reaches over its access unit")
        nals.append(data[at:at + size])
        at += size
    return nals


def write_tag(out, tag: Tag, time_ms: int) -> None:
    size = len(tag.body)
    out.write(struct.pack(">B3s3sB3s", tag.kind, size.to_bytes(3, "big"),
                          (time_ms & 0xFFFFFF).to_bytes(3, "big"),
                          time_ms >> 24 & 0xFF, b"\0\0\0"))
    out.write(tag.body)
    out.write(struct.pack(">I", size + 11))


def read_flv(path: Path | str) -> Recording:
    data = Path(path).read_bytes()
    if data[:3] != b"FLV":
        raise ValueError(f"{path}: not an FLV file")
    recording, at = Recording(), int.from_bytes(data[5:9], "big") + 4
    while at + 11 <= len(data):
        size = int.from_bytes(data[at + 1:at + 4], "big")
        time_ms = (int.from_bytes(data[at + 4:at + 7], "big")
                   | data[at + 7] << 24)
        body = data[at + 11:at + 11 + size]
        if len(body) < size:
            break
        recording.tags.append(Tag(data[at] & 0x1F, time_ms, body))
        at += 11 + size + 4
    return recording
