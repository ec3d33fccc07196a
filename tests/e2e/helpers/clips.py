# SPDX-License-Identifier: Apache-2.0
"""Test streams, made once into build/fixtures and kept there.

A sync clip has a white flash on each N-th picture and a beep that starts at
the very pts of that picture, over music that never repeats (so that every
moment of the sound can be found again by correlation), with speech on top
when it is asked for. H.264 with B-frames, AAC, in FLV: what an encoder would
send by RTMP.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import wave
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from . import tools

BEEP_HZ = 3000
BEEP_S = 0.04
VERSION = 8


@dataclass(frozen=True)
class Clip:
    """What is in it. `sound` is a list of layers, joined by '+'."""

    name: str
    fps: Fraction = Fraction(25)
    seconds: float = 66.0
    size: str = "640x360"
    sound: str = "music+breath+beeps"
    rate: int = 48000
    video_kbps: int = 800
    b_frames: int = 2
    speech: str = ""
    speech_until_s: float = 0.0  # 0: to the end
    flash_every_s: float = 2.0
    channels: int = 1
    video: str = "h264"

    @property
    def flash_every(self) -> int:
        """Pictures from one flash to the next."""
        return round(self.flash_every_s * self.fps)

    def flash_times(self) -> list[float]:
        step = float(self.flash_every / self.fps)
        return [n * step for n in range(int(self.seconds / step) + 1)
                if n * step < self.seconds - 0.1]


def path_of(clip: Clip) -> Path:
    key = hashlib.sha1(repr((VERSION, sorted(
        (k, str(v)) for k, v in asdict(clip).items()))).encode()).hexdigest()
    return tools.FIXTURES / f"{clip.name}-{key[:8]}.flv"


@contextmanager
def _locked(path: Path):
    """Two test runs at once must not make the same clip."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path.with_suffix(".lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def make(clip: Clip) -> Path:
    """The clip's file, made if it is not there yet."""
    path = path_of(clip)
    with _locked(path):
        if not path.exists():
            _encode(clip, path)
    return path


def _encode(clip: Clip, path: Path) -> None:
    temporary = path.with_suffix(".part.flv")
    sound = path.with_suffix(".wav")
    args = ["-f", "lavfi", "-i", _picture(clip)]
    if clip.sound != "none":
        write_wav(sound, to_channels(make_sound(clip), clip), clip.rate)
        args += ["-i", sound, "-c:a", "aac", "-b:a", "160k"]
    args += _video_codec(clip)
    tools.ffmpeg(*args, "-t", str(clip.seconds), "-f", "flv", temporary,
                 timeout_s=900)
    os.replace(temporary, path)
    sound.unlink(missing_ok=True)


def _picture(clip: Clip) -> str:
    fps = f"{clip.fps.numerator}/{clip.fps.denominator}"
    # Twelve boxes count the pictures, so that no key frame is like another.
    bits = "".join(
        f"drawbox=x={16 * n}:y=0:w=16:h=16:color=white:thickness=fill:"
        f"enable='mod(floor(n/{1 << n}),2)'," for n in range(12))
    return (f"testsrc2=size={clip.size}:rate={fps},{bits}"
            "drawbox=color=white:thickness=fill:"
            f"enable='eq(mod(n,{clip.flash_every}),0)'")


def _video_codec(clip: Clip) -> list:
    if clip.video == "flv1":
        return ["-c:v", "flv", "-b:v", "400k"]
    kbps = clip.video_kbps
    return ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p",
            "-b:v", f"{kbps}k", "-minrate", f"{kbps}k", "-maxrate",
            f"{kbps}k", "-bufsize", f"{2 * kbps}k", "-bf", str(clip.b_frames),
            "-g", str(round(clip.fps)), "-x264-params",
            "nal-hrd=cbr:force-cfr=1:scenecut=0", "-threads", "2"]


# --- sound --------------------------------------------------------------

def make_sound(clip: Clip) -> np.ndarray:
    """Mono, -1 to 1."""
    count = int(clip.seconds * clip.rate)
    sound = np.zeros(count)
    for layer in clip.sound.split("+"):
        sound += LAYERS[layer](clip, count)
    return np.clip(sound, -0.95, 0.95)


def to_channels(sound: np.ndarray, clip: Clip) -> np.ndarray:
    """Two channels differ by a room sound; their mean is the mono sound."""
    if clip.channels == 1:
        return sound
    side = 0.3 * np.roll(sound, round(0.011 * clip.rate))
    return np.stack((sound + side, sound - side), axis=1)


def silence(_clip: Clip, count: int) -> np.ndarray:
    return np.zeros(count)


def tone(clip: Clip, count: int) -> np.ndarray:
    return 0.2 * np.sin(2 * np.pi * 440 * np.arange(count) / clip.rate)


def background(clip: Clip, count: int) -> np.ndarray:
    """Music as it lies under speech, some 20 dB below it; where the speech has
    ended it comes up."""
    level = np.full(count, 0.1)
    if clip.speech_until_s:
        since = np.arange(count) / clip.rate - clip.speech_until_s - 1
        level += 0.9 * np.clip(since, 0, 1)
    return level * music(clip, count)


def music(clip: Clip, count: int) -> np.ndarray:
    """Plucked notes of a random walk in D minor: no bar is like another."""
    random = np.random.default_rng(17)
    scale = [0, 2, 3, 5, 7, 8, 10]
    out, at, degree = np.zeros(count), 0, 7
    while at < count:
        length = int(clip.rate * random.choice([0.15, 0.2, 0.3, 0.45]))
        degree = int(np.clip(degree + random.integers(-3, 4), 0, 20))
        hertz = 110 * 2 ** ((degree // 7) + scale[degree % 7] / 12)
        _pluck(out, at, hertz, clip.rate, random)
        if random.random() < 0.3:
            _pluck(out, at, hertz / 2, clip.rate, random)
        at += length
    return 0.2 * out / max(1e-9, np.abs(out).max())


def breath(clip: Clip, count: int) -> np.ndarray:
    """Faint noise: makes each 20 ms different from the last, which a held
    note is not."""
    return 0.01 * _breath(count, clip.rate, np.random.default_rng(18))


def chords(clip: Clip, count: int) -> np.ndarray:
    """Four voices that move slowly, as an organ does, with a soft attack."""
    random = np.random.default_rng(19)
    scale, t = [0, 2, 3, 5, 7, 8, 10], np.arange(count) / clip.rate
    out = np.zeros(count)
    for voice in range(4):
        at, degree = 0.0, 2 * voice
        while at < clip.seconds:
            length = random.choice([0.6, 0.9, 1.2, 1.8])
            degree = int(np.clip(degree + random.integers(-1, 2), 0, 14))
            hertz = 146.8 * 2 ** ((degree // 7) + scale[degree % 7] / 12)
            a, b = int(at * clip.rate), int((at + length) * clip.rate)
            note = t[a:b] - at
            edge = np.minimum(1, np.minimum(note, length - note) / 0.05)
            for k in range(1, 7):
                out[a:b] += edge * np.sin(2 * np.pi * hertz * k * note
                                          + voice) / k ** 1.5
            at += length
    return 0.25 * out / max(1e-9, np.abs(out).max())


def _breath(count: int, rate: int, random) -> np.ndarray:
    """Noise of 300 to 3000 Hz, one in standard deviation."""
    spectrum = np.fft.rfft(random.normal(size=count))
    hertz = np.fft.rfftfreq(count, 1 / rate)
    spectrum[(hertz < 300) | (hertz > 3000)] = 0
    noise = np.fft.irfft(spectrum, count)
    return noise / np.std(noise)


def _pluck(out: np.ndarray, at: int, hertz: float, rate: int, random) -> None:
    t = np.arange(min(int(0.8 * rate), len(out) - at)) / rate
    note = sum(np.sin(2 * np.pi * hertz * k * t + random.random() * 6.28)
               * np.exp(-t * (4 + 2 * k)) / k for k in range(1, 6))
    out[at:at + len(t)] += note * np.minimum(1, t * 200)


def beep(rate: int) -> np.ndarray:
    t = np.arange(int(BEEP_S * rate)) / rate
    edge = np.minimum(1, np.minimum(t, BEEP_S - t) / 0.001)
    return 0.3 * edge * np.sin(2 * np.pi * BEEP_HZ * t)


def beeps(clip: Clip, count: int) -> np.ndarray:
    out, one = np.zeros(count), beep(clip.rate)
    for start in clip.flash_times():
        at = round(start * clip.rate)
        part = one[:max(0, count - at)]
        out[at:at + len(part)] += part
    return out


def speech(clip: Clip, count: int) -> np.ndarray:
    """The speech file from 1 s on, again after a pause when it is short."""
    end = round(clip.speech_until_s * clip.rate) or count
    voice = load_sound(media(clip.speech), clip.rate)
    voice = 0.4 * voice / max(1e-9, np.abs(voice).max())
    out, at = np.zeros(count), clip.rate
    while at < end:
        part = voice[:end - at]
        out[at:at + len(part)] += part
        at += len(part) + 2 * clip.rate
    return out


LAYERS = {"music": music, "breath": breath, "chords": chords, "tone": tone,
          "silence": silence, "beeps": beeps, "speech": speech,
          "background": background}


def media(name: str) -> Path:
    path = tools.MEDIA / name
    if not path.exists():
        raise FileNotFoundError(f"{path}: set TEST_MEDIA to its folder")
    return path


def load_sound(path: Path | str, rate: int = 48000) -> np.ndarray:
    """Any file's sound as mono floats: the mean of two channels.

    (ffmpeg's own way to mono adds 3 dB in float.)
    """
    raw = tools.ffmpeg("-i", path, "-map", "0:a:0", "-ar", str(rate),
                       "-f", "f32le", "-")
    samples = np.frombuffer(raw, np.float32).astype(np.float64)
    return samples.reshape(-1, channels_of(path)).mean(axis=1)


def channels_of(path: Path | str) -> int:
    return int(tools.run(
        "ffprobe", "-v", "error", "-select_streams", "a:0",
        "-show_entries", "stream=channels", "-of", "csv=p=0", path,
        text=True).stdout.split()[0])


def write_wav(path: Path | str, sound: np.ndarray, rate: int) -> None:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1 if sound.ndim == 1 else sound.shape[1])
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes((np.clip(sound, -1, 1) * 32767)
                        .astype("<i2").tobytes())


def programme_1080p(seconds: float = 30) -> Clip:
    """What the cost is measured on: 1080p30, 6 Mbit/s, speech and music.

    Short, since it is looped: to make it takes longer than to play it.
    """
    return Clip("programme-1080p30", Fraction(30), seconds, "1920x1080",
                "speech+background", video_kbps=6000, speech="lv_es.mp3",
                channels=2)
