# SPDX-License-Identifier: Apache-2.0
"""The files of fixtures/test_streams as an encoder would send them: FLV."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from . import tools

sys.path.append(str(tools.ROOT / "scripts"))

from demolib import source  # noqa: E402  pylint: disable=C0413

FOLDER = tools.ROOT / "tests" / "e2e" / "fixtures" / "test_streams"
MAIN = FOLDER / "1-min-es.mp4"
# Any translation of the main stream into English has most of these.
MAIN_WORDS = {"captain", "story", "work", "manuel", "glorious", "name",
              "brother", "friend", "september", "1881", "written", "royal",
              "academy", "spanish", "secretary", "words", "archive",
              "imagination", "pedro", "peter"}


def is_main() -> bool:
    return chosen().samefile(MAIN)


def chosen() -> Path:
    """The main stream, or the file that FIXTURE names."""
    path = Path(os.environ.get("FIXTURE") or MAIN)
    if not path.is_file():
        raise FileNotFoundError(f"FIXTURE={path}: there is no such file")
    return path


def as_flv(path: Path) -> Path:
    """Its first picture and sound, coded again only where RTMP needs it."""
    stat = path.stat()
    key = hashlib.sha1(f"{path.resolve()} {stat.st_size} {stat.st_mtime_ns}"
                       .encode()).hexdigest()[:8]
    target = tools.FIXTURES / f"{path.stem}-{key}.flv"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_suffix(f".{os.getpid()}.flv")
        tools.ffmpeg("-i", path, "-map", "0:v:0", "-map", "0:a:0",
                     *source.coding(source.streams_of(path)),
                     "-f", "flv", part, timeout_s=900)
        os.replace(part, target)
    return target
