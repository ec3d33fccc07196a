# SPDX-License-Identifier: Apache-2.0
"""P1: `dub file` on the repository's clip, judged by the file it makes.

Nothing is live: every piece of speech is dubbed, however long it takes; the
pictures are those of the input, byte for byte; the sound between the dubs is
the input's, where it was.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from helpers import clips, recogniser, stream_analyzer as sa, tools, words
from helpers.processes import children_of, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.p1, pytest.mark.slow]

CLIP = tools.ROOT / "demo" / "demo_es.mp4"
RATE = 48000


@dataclass
class Dubbed:
    path: Path
    folder: Path
    said: list[str]
    printed: str  # what is kept, and how far it is


def dub(*words_, **kwargs) -> subprocess.CompletedProcess:
    return subprocess.run([tools.need("dub"), "file", *map(str, words_)],
                          capture_output=True, text=True, timeout=600,
                          check=False, **kwargs)


@pytest.fixture(scope="module")
def dubbed(tmp_path_factory) -> Dubbed:
    folder = tmp_path_factory.mktemp("dub-file")
    path = folder / "out.mp4"
    done = dub(CLIP, "-o", path, "--from", "es", "--to", "en", "--print",
               "--synthesiser", "piper")
    assert done.returncode == 0, done.stderr
    said = [line.split("said", 1)[1].rsplit("(", 1)[0].strip()
            for line in done.stdout.splitlines() if "] said " in line]
    return Dubbed(path, folder, said, done.stdout + done.stderr)


def packets(path, stream: str) -> list[tuple]:
    text = tools.run("ffprobe", "-v", "error", "-select_streams", stream,
                     "-show_packets", "-show_data_hash", "sha256",
                     "-show_entries", "packet=pts_time,dts_time,flags,"
                     "data_hash", "-of", "csv=p=0", path, text=True).stdout
    return [tuple(line.split(",")[:4]) for line in text.splitlines() if line]


def test_pictures_are_the_inputs(dubbed):
    before, after = packets(CLIP, "v:0"), packets(dubbed.path, "v:0")
    assert len(before) == 1825
    assert [p[3] for p in after] == [p[3] for p in before]
    assert [p[2][:1] for p in after] == [p[2][:1] for p in before]
    for one, other in zip(before, after):
        assert abs(float(one[0]) - float(other[0])) < 0.001
        assert abs(float(one[1]) - float(other[1])) < 0.001


def test_lengths_are_the_inputs(dubbed):
    for stream in ("v:0", "a:0"):
        lengths = [float(sa.probe(path)["streams"][stream == "a:0"]["duration"])
                   for path in (CLIP, dubbed.path)]
        # GStreamer's demuxer leaves out the last frame of AAC.
        assert abs(lengths[0] - lengths[1]) <= 1024 / RATE + 0.001, stream


def lag_of(source: np.ndarray, output: np.ndarray) -> tuple[int, float]:
    """Where output lies against source, in samples, and how alike they are."""
    size = 1 << (len(source) + len(output)).bit_length()
    spectrum = np.fft.rfft(output, size) * np.conj(np.fft.rfft(source, size))
    curve = np.fft.irfft(spectrum, size)
    at = int(np.argmax(curve))
    norm = np.linalg.norm(source) * np.linalg.norm(output) + 1e-9
    return (at if at < size // 2 else at - size), float(curve[at] / norm)


def test_kept_sound_is_where_it_was(dubbed):
    """Each half second without a dub, at the very sample."""
    source = clips.load_sound(CLIP, RATE)
    output = clips.load_sound(dubbed.path, RATE)
    source, output = (s if s.ndim == 1 else s[:, 0] for s in (source, output))
    step, kept = RATE // 2, 0
    for at in range(0, min(len(source), len(output)) - step, step):
        one, other = source[at:at + step], output[at:at + step]
        if np.sqrt(np.mean(one ** 2)) < 1e-3:
            continue
        lag, alike = lag_of(one, other)
        if alike < 0.97:
            continue  # a dub sounds, or ends
        assert abs(lag) <= 1, f"{at / RATE:.1f} s: {lag} samples"
        kept += 1
    assert kept >= 5


def test_all_speech_is_dubbed_and_heard(dubbed):
    # A fit or a guard may refuse a sentence; time never does.
    kept = [line for line in dubbed.printed.splitlines() if "] kept " in line]
    assert len(kept) <= 2
    assert "timeout" not in "".join(kept).lower()
    assert len(dubbed.said) >= 14
    said = [word for text in dubbed.said for word in words.normal(text)]
    heard = words.normal(
        recogniser.transcribe(dubbed.path, dubbed.folder, "en"))
    assert words.shared(said, heard) >= 0.8


@pytest.mark.parametrize("make, status, says", [
    (lambda folder: folder / "none.mp4", 66, "no such file"),
    (lambda folder: text_file(folder), 65, "text.mp4"),
    (lambda folder: without(folder, "-an"), 65, "no sound"),
    (lambda folder: without(folder, "-vn"), 65, "no video"),
])
def test_refuses_what_it_cannot_dub(tmp_path, make, status, says):
    output = tmp_path / "out.mp4"
    done = dub(make(tmp_path), "-o", output)
    assert done.returncode == status
    assert says in done.stderr
    assert list(tmp_path.glob("out*")) == []


def worker_of(pid: int) -> int:
    """The process that writes the file; 0 while there is none."""
    for child in children_of(pid):
        if "media-worker" in Path(f"/proc/{child}/cmdline").read_text():
            return child
    return 0


def test_error_full_disk_names_the_output(tmp_path):
    """As a disk that takes no more; no half-written file stays."""
    short, output = tmp_path / "short.mp4", tmp_path / "out.mp4"
    tools.ffmpeg("-i", CLIP, "-t", "8", "-c", "copy", short)
    process = subprocess.Popen(
        [tools.need("dub"), "file", str(short), "-o", str(output), "--from",
         "es", "--synthesiser", "piper"],
        stderr=subprocess.PIPE, text=True)
    worker = wait_for(lambda: worker_of(process.pid), 60, "a worker")
    resource.prlimit(worker, resource.RLIMIT_FSIZE, (4096, 4096))
    told = process.communicate(timeout=60)[1]
    assert process.returncode == 73, told
    last = told.splitlines()[-1]
    assert last.startswith("dub file: ") and str(output) in last
    assert "cannot be written: File too large" in last
    assert list(tmp_path.glob("out*")) == []


@pytest.mark.parametrize("words_, status, says", [
    (["--to", "spanish"], 64, '"spanish" is no language tag'),
    (["--to", "xx"], 69, "nothing here translates"),
    (["--synthesiser", "banana"], 69, "no synthesiser banana"),
    (["--duck-db", "3"], 78, "DUCK_DB"),
    (["--keep-original", "perhaps"], 78, "lower"),
])
def test_error_wrong_words_are_named(tmp_path, words_, status, says):
    done = dub(CLIP, "-o", tmp_path / "out.mp4", "--from", "es", *words_)
    assert done.returncode == status, done.stderr
    assert says in done.stderr
    assert list(tmp_path.iterdir()) == []


def text_file(folder: Path) -> Path:
    path = folder / "text.mp4"
    path.write_text("no media\n" * 100, encoding="utf-8")
    return path


def without(folder: Path, word: str) -> Path:
    path = folder / "half.mp4"
    tools.ffmpeg("-i", CLIP, "-t", "2", "-c", "copy", word, path)
    return path


def test_ctrl_c_leaves_nothing(tmp_path):
    output = tmp_path / "out.mp4"
    process = subprocess.Popen(
        [tools.need("dub"), "file", str(CLIP), "-o", str(output)],
        stderr=subprocess.PIPE, env={**os.environ, "TMPDIR": str(tmp_path)})
    part = Path(f"{output}.part")
    until = time.monotonic() + 60
    while not part.exists() and time.monotonic() < until:
        time.sleep(0.1)
    assert part.exists()
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 75
    process.stderr.close()
    assert list(tmp_path.iterdir()) == []
