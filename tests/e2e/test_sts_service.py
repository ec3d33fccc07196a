# SPDX-License-Identifier: Apache-2.0
"""P1: sts-service alone, driven by the public Socket.IO client.

The real chain and the echo, over both transports; an engine child that dies
or hangs costs its fragment only.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from helpers import clips, tools, words
from helpers.processes import children_of
from helpers.socketio_monitor import SocketIOMonitor

pytestmark = [pytest.mark.e2e, pytest.mark.p1, pytest.mark.sts]

RATE = 48000


def fragments(count: int) -> list[bytes]:
    voice = clips.load_sound(clips.media("lv_es.mp3"), RATE)
    size = 4 * RATE
    return [(voice[n * size:(n + 1) * size] * 32767).astype("<i2").tobytes()
            for n in range(1, count + 1)]


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_echo_gives_back_what_it_got(stack, transport):
    sts = stack.sts("echo")
    sounds = fragments(3)
    with SocketIOMonitor(sts.url, "echo", [transport]) as monitor:
        monitor.init("es", "en")
        sent = [monitor.send_pcm(s, RATE) for s in sounds]
        for fragment, sound in zip(sent, sounds):
            assert monitor.answer(fragment, 10).acked_s
            assert fragment.answer["status"] == "success"
            assert fragment.pcm() == sound
        came = [e.data["sequence_number"]
                for e in monitor.named("fragment:processed")]
        assert came == [0, 1, 2]
        assert monitor.end()["stream_id"] == "echo"


def test_real_chain_says_it_in_english(stack):
    """By its text, and by a sound that is one and fits."""
    sts = stack.sts(timeout_s=120)
    said, failed = [], []
    with SocketIOMonitor(sts.url, "chain") as monitor:
        monitor.init("es", "en")
        for sound in fragments(4):
            fragment = monitor.answer(monitor.send_pcm(
                sound, RATE, room_ms=1000, deadline_ms=20000), 30)
            if fragment.answer["status"] == "failed":
                failed.append(fragment.answer["error"]["code"])
                continue
            said += words.normal(fragment.answer["translated_text"])
            pcm = np.frombuffer(fragment.pcm(), "<i2").astype(float)
            assert 0.5 * RATE < len(pcm) <= 5 * RATE + 480
            assert np.sqrt(np.mean(pcm ** 2)) > 300
        assert monitor.end()
    print(" ".join(said), failed)
    # Cut without regard to its words, one may be taken for none.
    assert failed in ([], ["NO_SPEECH"])
    assert len(said) >= 15
    assert {"weeks", "ago", "town", "history", "short", "entertaining"} \
        & set(said)


def engine_child(pid: int, kind: str) -> int:
    for child in children_of(pid):
        command = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
        if b"engine" in command and kind.encode() in command:
            return child
    raise AssertionError(f"no child of {pid} is engine {kind}")


def test_file_without_a_fragment_ends(tmp_path):
    """Shorter than half a second: nothing to dub, and nothing to wait for."""
    clips.write_wav(tmp_path / "short.wav", np.zeros(int(0.3 * RATE)), RATE)
    done = subprocess.run(
        [tools.need("sts-service"), "fragment", str(tmp_path / "short.wav")],
        env={**os.environ, "ASR_PROVIDER": "mock", "TTS_PROVIDER": "mock",
             "TRANSLATION_PROVIDER": "mock"},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert "fragments=0\n" in done.stdout


@pytest.mark.parametrize("number, kind", [
    (signal.SIGKILL, "whisper"), (signal.SIGKILL, "piper"),
    (signal.SIGSTOP, "whisper")])
def test_error_engine_child_costs_its_fragment_only(stack, number, kind):
    sts = stack.sts(timeout_s=120)
    sounds = fragments(4)
    with SocketIOMonitor(sts.url, "faults") as monitor:
        monitor.init("es", "en")
        first = monitor.answer(monitor.send_pcm(
            sounds[0], RATE, deadline_ms=20000), 30)
        assert first.answer["status"] in ("success", "partial")
        child = engine_child(sts.pid, kind)
        os.kill(child, number)
        hit = monitor.send_pcm(sounds[1], RATE, deadline_ms=3000)
        monitor.answer(hit, 20)
        # A killed child may be back in time to serve even this one.
        if number == signal.SIGSTOP:
            assert hit.answer["status"] == "failed"
            assert hit.answer["error"]["retryable"] is True
        back = wait_until_served(monitor, sounds[2:], 60)
        assert back.answer["translated_text"]
        assert engine_child(sts.pid, kind) != child
    assert sts.is_running


def wait_until_served(monitor, sounds, timeout_s: float):
    """Sends until one succeeds; the restart has its time."""
    deadline, n = time.monotonic() + timeout_s, 0
    while True:
        fragment = monitor.answer(monitor.send_pcm(
            sounds[n % len(sounds)], RATE, deadline_ms=8000), 20)
        n += 1
        if fragment.answer["status"] in ("success", "partial"):
            return fragment
        assert time.monotonic() < deadline, fragment.answer
        time.sleep(0.5)
