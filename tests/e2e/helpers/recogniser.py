# SPDX-License-Identifier: Apache-2.0
"""What is heard in a recording, by the recogniser of sts-service."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from . import clips, tools

PIECE_S = 12.0


def pieces(sound: np.ndarray, rate: int) -> list[np.ndarray]:
    """Cut at the quietest point of the last 4 s of each 12 s.

    A recogniser on a busy machine gets through a short piece in its time.
    """
    size, tail, found = int(PIECE_S * rate), int(4 * rate), []
    while len(sound) > size:
        step = rate // 10
        levels = [float(np.mean(sound[at:at + step] ** 2))
                  for at in range(size - tail, size - step, step // 2)]
        cut = size - tail + int(np.argmin(levels)) * (step // 2) + step // 2
        found.append(sound[:cut])
        sound = sound[cut:]
    return found + [sound]


def has_second() -> bool:
    """Is there a recogniser (of English) that takes no part in the chains?"""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return (cache / "live-broadcast-dubbing" / "models" / "moonshine-tiny-en"
            / "tokens.txt").exists()


def transcribe(path: Path | str, folder: Path | str,
               language: str = "en", engine: str = "auto") -> str:
    """By a recogniser of sts-service, which did not see the texts."""
    texts, rate = [], 16000
    for piece in pieces(clips.load_sound(path, rate), rate):
        wav = Path(folder) / "piece.wav"
        clips.write_wav(wav, piece, rate)
        texts.append(_transcribe_piece(wav, language, engine))
    return "\n".join(texts)


def _transcribe_piece(path: Path, language: str, engine: str) -> str:
    return tools.run(tools.need("sts-service"), "transcribe", path,
                     "--language", language, "--asr-provider", engine,
                     text=True).stdout
