# SPDX-License-Identifier: Apache-2.0
"""An encoder as far as the media server can tell: ffmpeg, in real time."""

from __future__ import annotations

from pathlib import Path

from .processes import Process, Stack


def publish(stack: Stack, clip: Path | str, url: str, *, name: str = "",
            loop: bool = False) -> Process:
    """Sends the file as it is, paced by its times."""
    args = ["ffmpeg", "-hide_banner", "-loglevel", "warning", "-nostdin",
            "-re"]
    if loop:
        args += ["-stream_loop", "-1"]
    args += ["-i", str(clip), "-c", "copy", "-f", "flv", "-flvflags",
             "no_duration_filesize", url]
    return stack.start(name or "publisher", args)


def relay(stack: Stack, source: str, url: str, *, name: str = "relay",
          sound: tuple = ("-c:a", "aac", "-b:a", "160k",
                        "-ar", "48000")) -> Process:
    """The stand-in for a worker: video copied, sound coded again."""
    return stack.start(name, [
        "ffmpeg", "-hide_banner", "-loglevel", "warning", "-nostdin",
        "-i", source, "-c:v", "copy", *sound, "-f", "flv", "-flvflags",
        "no_duration_filesize", url])
