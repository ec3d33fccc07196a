# SPDX-License-Identifier: Apache-2.0
"""A quantised model of Whisper hears what the float16 one hears.

Those of the larger models are what a machine without a GPU can carry, and
their products run in other kernels than those of float16: some processors'
crashed.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

import numpy as np
import pytest

from helpers import tools

pytestmark = [pytest.mark.e2e, pytest.mark.p2]

F16, Q8_0, BLOCK = 1, 8, 32
QUANTISED = 2007  # the file's ftype of q8_0, with its version
SPEECH = tools.ROOT / "tests" / "media" / "jfk.wav"


def to_q8_0(values: np.ndarray) -> bytes:
    """Blocks of 32: a float16 scale and as many signed bytes."""
    blocks = values.astype("<f4").reshape(-1, BLOCK)
    scale = (np.abs(blocks).max(axis=1) / 127).astype("<f2")
    steps = np.where(scale > 0, scale.astype("<f4"), 1)
    packed = np.zeros(len(blocks), dtype=[("d", "<f2"), ("q", "i1", BLOCK)])
    packed["d"] = scale
    packed["q"] = np.clip(np.rint(blocks / steps[:, None]), -127, 127)
    return packed.tobytes()


def head_size(data: bytes) -> int:
    """Magic, eleven numbers, mel filters and vocabulary."""
    n_mel, n_fft = struct.unpack_from("<2i", data, 48)
    at = 56 + 4 * n_mel * n_fft
    n_words, = struct.unpack_from("<i", data, at)
    at += 4
    for _ in range(n_words):
        at += 4 + struct.unpack_from("<i", data, at)[0]
    return at


def quantise(source: Path, target: Path) -> int:
    """Every matrix of rank 2 but the positions; how many that were."""
    data = source.read_bytes()
    at = head_size(data)
    count = 0
    with target.open("wb") as out:
        out.write(data[:44] + struct.pack("<i", QUANTISED) + data[48:at])
        while at < len(data):
            rank, length, kind = struct.unpack_from("<3i", data, at)
            shape = struct.unpack_from(f"<{rank}i", data, at + 12)
            name = data[at + 12 + 4 * rank:][:length]
            begin = at + 12 + 4 * rank + length
            at = begin + int(np.prod(shape)) * (2 if kind == F16 else 4)
            body = data[begin:at]
            if rank == 2 and kind == F16 and shape[0] % BLOCK == 0:
                body = to_q8_0(np.frombuffer(body, "<f2"))
                kind = Q8_0
                count += 1
            out.write(struct.pack(f"<{3 + rank}i", rank, length, kind, *shape))
            out.write(name + body)
    return count


def heard(model: Path) -> str:
    return tools.run(
        tools.need("sts-service"), "transcribe", SPEECH, "--language", "en",
        env={**os.environ, "MODELS_DIR": str(model.parent),
             "ASR_MODEL": model.name}, timeout_s=120, text=True).stdout


def test_quantised_model_hears_the_same(tmp_path):
    model = Path(os.environ.get("MODELS_DIR") or Path.home() / ".cache" /
                 "live-broadcast-dubbing" / "models") / "ggml-base.bin"
    if not model.is_file():
        pytest.skip("the model is not there: scripts/fetch gets it")
    small = tmp_path / "ggml-base-q8_0.bin"
    assert quantise(model, small) > 90
    assert small.stat().st_size < 0.6 * model.stat().st_size
    words = heard(small).lower()
    print(words)
    assert "what you can do for your country" in words
