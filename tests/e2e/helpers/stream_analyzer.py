# SPDX-License-Identifier: Apache-2.0
"""Judges what left the programme: pictures, sound, and both together.

Each check compares a recording with the clip that was sent. A report lists
`problems` in words, so that an empty list is the verdict; the figures beside
it are for people. tests/e2e/test_stream_analyzer.py breaks recordings on
purpose and shows that each check sees it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from . import clips, tools
from .flv import AccessUnit, Recording, read_flv

RATE = 48000
SOUND_FLOOR = 10 ** (-45 / 20)
SAMPLES = 1024  # of a packet, at its own rate
TIME_TOLERANCE_S = 0.002
HOLE_EDGE_S = 0.15  # a beep's length, and what a decoder does at an edge


# --- reading ------------------------------------------------------------

def probe(path: Path | str) -> dict:
    """Streams and format, as ffprobe sees them."""
    return json.loads(tools.run(
        "ffprobe", "-v", "error", "-print_format", "json", "-show_streams",
        "-show_format", path).stdout)


def probe_packets(path: Path | str, stream: str = "v:0") -> list[dict]:
    return json.loads(tools.run(
        "ffprobe", "-v", "error", "-print_format", "json",
        "-select_streams", stream, "-show_packets", path).stdout)["packets"]


@dataclass
class Sound:
    """Decoded sound and the stream time of its first sample.

    holes: stream times without a packet; there the samples are zero.
    """

    samples: np.ndarray
    start_s: float
    rate: int = RATE
    holes: list[tuple[float, float]] = field(default_factory=list)

    def at(self, time_s: float) -> int:
        return round((time_s - self.start_s) * self.rate)

    def time(self, sample: float) -> float:
        return self.start_s + sample / self.rate


def decode_sound(recording: Recording, path: Path | str) -> Sound:
    """Of a recording that was written to `path`. Times are the tags' own.

    A decoder joins what it finds; here each packet's samples are where its
    time says, so that a hole moves nothing that comes after it.
    """
    packets = recording.sound()
    if not packets:
        raise ValueError(f"{path}: no sound")
    joined = clips.load_sound(path, RATE)
    size = SAMPLES * RATE / sound_rate(path)
    sound = Sound(joined, packets[0].time_ms / 1000)
    runs = _runs(packets, size)
    if len(runs) == 1 or abs(len(joined) - len(packets) * size) > size:
        return sound
    return _place(sound, runs, size)


def _runs(packets: list, size: float) -> list[tuple[int, float]]:
    """[(number of its first packet, time)] of what follows its count."""
    runs = [(0, packets[0].time_ms / 1000)]
    for number, packet in enumerate(packets):
        first, start_s = runs[-1]
        expected = start_s + (number - first) * size / RATE
        if abs(packet.time_ms / 1000 - expected) > TIME_TOLERANCE_S:
            runs.append((number, packet.time_ms / 1000))
    return runs


def _place(joined: Sound, runs: list[tuple[int, float]],
           size: float) -> Sound:
    edges = [round(first * size) for first, _ in runs]
    parts = [joined.samples[a:b]
             for a, b in zip(edges, [*edges[1:], len(joined.samples)])]
    starts = [joined.at(start_s) for _, start_s in runs]
    shift = min(starts)
    ends = [a + len(part) for a, part in zip(starts, parts)]
    placed = Sound(np.zeros(max(ends) - shift), joined.time(shift))
    for start, part in zip(starts, parts):
        placed.samples[start - shift:start - shift + len(part)] = part
    placed.holes = [(joined.time(end), joined.time(start))
                    for end, start in zip(ends, starts[1:]) if start > end]
    return placed


def sound_rate(path: Path | str) -> int:
    for stream in probe(path)["streams"]:
        if stream["codec_type"] == "audio":
            return int(stream["sample_rate"])
    raise ValueError(f"{path}: no sound")


def sound_time_problems(recording: Recording, rate: int = RATE,
                        tolerance_ms: float = TIME_TOLERANCE_S * 1000,
                        ) -> list[str]:
    """Packet times must follow the sample count: 1024 samples each."""
    packets, problems = recording.sound(), []
    if not packets:
        return ["no sound"]
    expected = packets[0].time_ms
    for number, packet in enumerate(packets):
        error = packet.time_ms - expected
        if abs(error) > tolerance_ms:
            problems.append(f"sound packet {number} at {packet.time_ms} ms "
                            f"is {error:+.1f} ms off its sample count")
            expected = packet.time_ms
        expected += SAMPLES / rate * 1000
    return problems


# --- pictures -----------------------------------------------------------

@dataclass
class VideoReport:
    problems: list[str] = field(default_factory=list)
    matched: int = 0
    shift_ms: float = 0.0     # output pts less source pts, the median
    shift_spread_ms: float = 0.0
    first_source_ms: int = 0  # the part of the source that was found
    last_source_ms: int = 0


def compare_video(source: Recording, output: Recording, *,
                  exact: bool = False, with_dts: bool = False,
                  tolerance_ms: float = 1.0) -> VideoReport:
    """Every picture, once, in order, unchanged, at its time.

    exact: payloads byte for byte; else the slice NAL units, which is what a
    media server leaves alone. with_dts: dts - source dts is constant too.
    """
    report = VideoReport()
    name = "digest" if exact else "slice_digest"
    units = output.units()
    if not units:
        report.problems.append("no picture in the output")
        return report
    check_order(units, report)
    pairs, unknown = pair_units(source.units(), units, name)
    if unknown:
        report.problems.append(
            f"{unknown} of {len(units)} pictures are not the source's")
    if pairs:
        check_pairs(pairs, report, tolerance_ms, with_dts)
    return report


def pair_units(sources: list[AccessUnit], units: list[AccessUnit],
               name: str) -> tuple[list, int]:
    """[(number, source, unit)] and how many units are nobody's.

    Two pictures may be coded alike (nothing moved): then the one that
    follows the last is meant.
    """
    index: dict[str, list[int]] = {}
    for number, unit in enumerate(sources):
        index.setdefault(getattr(unit, name), []).append(number)
    pairs, unknown, last = [], 0, -1
    for unit in units:
        numbers = index.get(getattr(unit, name))
        if numbers is None:
            unknown += 1
            continue
        last = min(numbers, key=lambda n, l=last: (n <= l, abs(n - l - 1)))
        pairs.append((last, sources[last], unit))
    return pairs, unknown


def check_order(units: list[AccessUnit], report: VideoReport) -> None:
    if not units[0].is_key:
        report.problems.append("the first picture is not a key frame")
    for last, unit in zip(units, units[1:]):
        if unit.dts_ms <= last.dts_ms:
            report.problems.append(
                f"dts {unit.dts_ms} after {last.dts_ms} does not rise")
    for unit in units:
        if unit.dts_ms > unit.pts_ms:
            report.problems.append(
                f"dts {unit.dts_ms} is over its pts {unit.pts_ms}")


def check_pairs(pairs: list, report: VideoReport, tolerance_ms: float,
                with_dts: bool) -> None:
    numbers = [p[0] for p in pairs]
    for last, number in zip(numbers, numbers[1:]):
        if number != last + 1:
            report.problems.append(
                f"source picture {number} follows {last}: "
                + ("lost" if number > last else "out of order or doubled"))
    for _, source, unit in pairs:
        if source.is_key != unit.is_key:
            report.problems.append(
                f"key flag of the picture at {source.pts_ms} ms changed")
    report.matched = len(pairs)
    report.first_source_ms = min(p[1].pts_ms for p in pairs)
    report.last_source_ms = max(p[1].pts_ms for p in pairs)
    shifts = np.array([p[2].pts_ms - p[1].pts_ms for p in pairs])
    report.shift_ms, report.shift_spread_ms = _check_shift(
        "pts", shifts, report, tolerance_ms)
    if with_dts:
        _check_shift("dts", np.array([p[2].dts_ms - p[1].dts_ms
                                      for p in pairs]),
                     report, tolerance_ms)


def _check_shift(name: str, shifts: np.ndarray, report: VideoReport,
                 tolerance_ms: float) -> tuple[float, float]:
    middle = (shifts.min() + shifts.max()) / 2
    spread = float(np.abs(shifts - middle).max())
    if spread > tolerance_ms:
        report.problems.append(
            f"{name} is shifted by {shifts.min()} to {shifts.max()} ms")
    return float(np.median(shifts)), spread


# --- sound --------------------------------------------------------------

@dataclass
class SoundReport:
    problems: list[str] = field(default_factory=list)
    lag_s: float = 0.0        # output stream time less source stream time
    lag_spread_ms: float = 0.0
    blocks: int = 0           # blocks with sound in them that were compared
    worst_match: float = 1.0  # lowest correlation of a 20 ms window
    gain_db: tuple[float, float] = (0.0, 0.0)  # 1st and 99th percentile


def find_lag(source: Sound, output: Sound) -> float:
    """By cross-correlation of the whole, in seconds of stream time."""
    step = 6  # 8 kHz is enough to find the place; blocks refine it
    a = _decimate(source.samples, step)
    b = _decimate(output.samples, step)
    size = 1 << int(np.ceil(np.log2(len(a) + len(b))))
    product = np.fft.irfft(np.fft.rfft(b, size)
                           * np.conj(np.fft.rfft(a, size)), size)
    at = int(np.argmax(product))
    at = at - size if at > size // 2 else at
    return at * step / RATE + output.start_s - source.start_s


def _decimate(samples: np.ndarray, step: int) -> np.ndarray:
    count = len(samples) // step * step
    return samples[:count].reshape(-1, step).mean(axis=1)


def match(block: np.ndarray, around: np.ndarray) -> tuple[int, float, float]:
    """Where `block` lies in `around`: (offset, correlation, gain)."""
    size = 1 << int(np.ceil(np.log2(len(block) + len(around))))
    product = np.fft.irfft(np.fft.rfft(around, size)
                           * np.conj(np.fft.rfft(block, size)), size)
    product = product[:len(around) - len(block) + 1]
    energy = np.concatenate(([0], np.cumsum(around ** 2)))
    energy = energy[len(block):] - energy[:-len(block)]
    own = float(np.sum(block ** 2))
    norm = product / np.sqrt(np.maximum(energy * own, 1e-12))
    at = int(np.argmax(norm))
    return at, float(norm[at]), float(product[at] / max(own, 1e-12))


def compare_sound(source: Sound, output: Sound, *, span: tuple | None = None,
                  skip: list[tuple[float, float]] = (),
                  tolerance_ms: float = 10.0, least_match: float = 0.85,
                  search_s: float = 0.25) -> SoundReport:
    """One constant delay, no gap, no doubled block.

    Blocks of 0.4 s are searched for around the common lag, which shows lost
    or doubled sound that shifts the rest. Windows of 20 ms at that lag show
    what was replaced in place. span: part of the source to look at; skip:
    parts of it that may differ (a dub sounds there). Stream times.
    """
    report = SoundReport(lag_s=find_lag(source, output))
    errors = _search_blocks(source, output, report, span, skip, search_s)
    if not errors:
        report.problems.append("no block of the source's sound was found")
        return report
    times, lags = np.array(errors).T
    middle = float(np.median(lags))
    report.lag_s += middle
    report.lag_spread_ms = float(np.abs(lags - middle).max() * 1000)
    bad = np.abs(lags - middle) * 1000 > tolerance_ms
    for time_s, lag in list(zip(times[bad], lags[bad]))[:5]:
        report.problems.append(f"the sound at {time_s:.2f} s is "
                               f"{(lag - middle) * 1000:+.1f} ms off")
    _check_windows(source, output, report, (span, skip), least_match)
    return report


def _wanted(time_s: float, length_s: float, span, skip) -> bool:
    if span and (time_s < span[0] or time_s + length_s > span[1]):
        return False
    return not any(time_s < end and time_s + length_s > start
                   for start, end in skip)


def _search_blocks(source, output, report, span, skip, search_s) -> list:
    size, search = int(0.4 * RATE), int(search_s * RATE)
    found = []
    for start in range(0, len(source.samples) - size, size // 2):
        time_s = source.time(start)
        at = output.at(time_s + report.lag_s)
        if not _wanted(time_s, 0.4, span, skip) or at < search \
                or at + size + search > len(output.samples):
            continue
        block = source.samples[start:start + size]
        if np.sqrt(np.mean(block ** 2)) < SOUND_FLOOR:
            continue
        offset, value, _ = match(
            block, output.samples[at - search:at + size + search])
        report.blocks += 1
        if value < 0.5:
            report.problems.append(f"the sound at {time_s:.2f} s is not in "
                                   f"the output (match {value:.2f})")
        else:
            found.append((time_s, (offset - search) / RATE))
    return found


def _check_windows(source, output, report, limits, least_match) -> None:
    # A decoder's first and last frames lack their neighbours: 50 ms of grace.
    size, near, edge = int(0.02 * RATE), 24, int(0.05 * RATE)
    gains, bad = [], []
    for start in range(0, len(source.samples) - size, size // 2):
        time_s = source.time(start)
        at = output.at(time_s + report.lag_s)
        if not _wanted(time_s, 0.02, *limits) or at < edge \
                or at + size + edge > len(output.samples):
            continue
        block = source.samples[start:start + size]
        if np.sqrt(np.mean(block ** 2)) < SOUND_FLOOR:
            continue
        _, value, gain = match(block,
                               output.samples[at - near:at + size + near])
        report.worst_match = min(report.worst_match, value)
        gains.append(20 * np.log10(max(gain, 1e-6)))
        if value < least_match:
            bad.append((time_s, value))
    if gains:
        report.gain_db = tuple(np.percentile(gains, [1, 99]).round(2))
    for time_s, value in bad[:5]:
        report.problems.append(f"20 ms of sound at {time_s:.2f} s are lost "
                               f"or changed (match {value:.2f})")
    if len(bad) > 5:
        report.problems.append(f"... and {len(bad) - 5} more windows")


def original_gain(source: Sound, output: Sound, lag_s: float,
                  window_s: float = 0.2) -> list[tuple[float, float]]:
    """[(source time, gain)] of the source's sound within the output.

    By projection: what else sounds (a dub) is not like it, so it falls out.
    1 where the original plays, about 0.13 where it is lowered by 18 dB;
    nan where the source is too quiet to tell.
    """
    size, result = int(window_s * RATE), []
    for start in range(0, len(source.samples) - size, size):
        at = output.at(source.time(start) + lag_s)
        block = source.samples[start:start + size]
        energy = float(np.sum(block ** 2))
        if at < 0 or at + size > len(output.samples):
            continue
        gain = float("nan")
        if np.sqrt(energy / size) >= SOUND_FLOOR:
            gain = float(np.sum(block
                                * output.samples[at:at + size])) / energy
        result.append((source.time(start), gain))
    return result


def lowered_spans(gains: list[tuple[float, float]], window_s: float = 0.2,
                  margin_s: float = 0.6) -> list[tuple[float, float]]:
    """Source times around which the original is lowered.

    A quiet window is as the one before it: a dub may sound on over a pause.
    """
    spans, lowered = [], False
    for time_s, gain in gains:
        if not np.isnan(gain):
            lowered = gain < 0.9
        if lowered:
            spans.append((time_s - margin_s, time_s + window_s + margin_s))
    return spans


def level_db(sound: Sound, start_s: float, end_s: float) -> float:
    part = sound.samples[max(0, sound.at(start_s)):sound.at(end_s)]
    return 20 * float(np.log10(max(1e-6, np.sqrt(np.mean(part ** 2)))
                               if len(part) else 1e-6))


def loudness(path: Path | str) -> tuple[float, float]:
    """(integrated LUFS, true peak dBTP) by EBU R128."""
    text = tools.run("ffmpeg", "-hide_banner", "-nostdin", "-i", path,
                     "-af", "ebur128=peak=true", "-f", "null", "-",
                     text=True).stderr
    tail = text[text.rindex("Summary:"):]
    lufs = float(re.search(r"I:\s+(-?[\d.]+|-inf) LUFS", tail).group(1))
    peak = float(re.search(r"Peak:\s+(-?[\d.]+|-inf) dBFS", tail).group(1))
    return lufs, peak


# --- picture against sound ----------------------------------------------

@dataclass
class SyncReport:
    problems: list[str] = field(default_factory=list)
    pairs: int = 0
    worst_ms: float = 0.0
    first_s: float = 0.0
    last_s: float = 0.0


def flash_times(recording: Recording, path: Path | str) -> list[float]:
    """Stream times of the white pictures."""
    width, height = 32, 18
    raw = tools.ffmpeg("-i", path, "-map", "0:v:0", "-fps_mode",
                       "passthrough", "-vf",
                       f"scale={width}:{height}:flags=area,format=gray",
                       "-f", "rawvideo", "-", timeout_s=300)
    bright = np.frombuffer(raw, np.uint8).reshape(-1, width * height)
    bright = bright.mean(axis=1)
    times = sorted(u.pts_ms / 1000 for u in recording.units())
    if len(times) != len(bright):
        raise ValueError(f"{path}: {len(times)} pictures came, "
                         f"{len(bright)} could be decoded")
    return [times[n] for n in range(len(times))
            if bright[n] > 215 and (n == 0 or bright[n - 1] <= 215)]


def beep_response(sound: Sound) -> tuple[np.ndarray, float]:
    """A matched filter's answer at each sample, and that to the clip's beep."""
    one = clips.beep(sound.rate)
    t = np.arange(len(one)) / sound.rate
    wave = np.exp(-2j * np.pi * clips.BEEP_HZ * t) * np.abs(one).max()
    size = 1 << int(np.ceil(np.log2(len(sound.samples) + len(one))))
    spectrum = np.conj(np.fft.fft(np.conj(wave), size))
    found = np.abs(np.fft.ifft(np.fft.fft(sound.samples, size) * spectrum))
    return found[:len(sound.samples)], float(np.sum(one ** 2))


def beep_times(sound: Sound, least_gain: float = 0.35) -> list[float]:
    """Stream times at which the beeps start, by matched filter.

    least_gain: of the faintest that counts; 1 is as loud as in the clip.
    """
    found, whole = beep_response(sound)
    least, result, at = least_gain * whole, [], 0
    while at < len(found):
        if found[at] < least:
            at += 1
            continue
        window = found[at:at + sound.rate // 2]
        result.append(sound.time(at + int(np.argmax(window))))
        at += sound.rate // 2
    return result


def beep_near(sound: Sound, response: tuple[np.ndarray, float], at_s: float,
              reach_s: float, least_gain: float) -> float | None:
    """The strongest beep that starts within reach_s of at_s, whatever louder
    one starts outside: under a dub that is late, the lowered original has its
    beep where it was and the dub has a copy later."""
    found, whole = response
    first = round((at_s - reach_s - sound.start_s) * sound.rate)
    last = round((at_s + reach_s - sound.start_s) * sound.rate)
    if first < 0 or last >= len(found) or last - first < 3:
        return None
    part = found[first:last + 1]
    around = round(0.005 * sound.rate)
    # A maximum of its own, not the slope of one that starts outside.
    tops = [n for n in np.flatnonzero(part >= least_gain * whole)
            if around <= n < len(part) - around
            and part[n] == part[n - around:n + around + 1].max()]
    return sound.time(first + max(tops, key=lambda n: part[n])) if tops \
        else None


def beep_errors(sound: Sound, flashes: list[float], *, near_s: float = 0.03,
                least_gain: float = 0.35) -> list[tuple[float, float]]:
    """[(flash, ms by which its beep is late)] of those that can have one.

    What lies at the very ends is left out, and what lies in a hole: the hole
    is the error there (sound_time_problems), and nothing after it.
    """
    beeps, response = beep_times(sound, least_gain), beep_response(sound)
    first, last = sound.start_s + 0.2, sound.time(len(sound.samples)) - 0.2
    found = []
    for flash in flashes:
        if not beeps or not first < flash < last or any(
                start - HOLE_EDGE_S < flash < end + HOLE_EDGE_S
                for start, end in sound.holes):
            continue
        kept = beep_near(sound, response, flash, near_s, least_gain)
        error = min((b - flash for b in ([kept] if kept is not None
                                         else beeps)), key=abs)
        found.append((flash, error * 1000))
    return found


def compare_sync(flashes: list[float], beeps: list[float], *,
                 tolerance_ms: float = 10.0, expected: int = 0,
                 begin_s: float = -1e9) -> SyncReport:
    """Each flash has its beep.

    Flashes at the very ends may have lost it. begin_s: where the sound
    begins; a beep that starts there has its attack cut, so 0.1 s are left.
    """
    report = SyncReport()
    if not flashes or not beeps:
        report.problems.append(f"{len(flashes)} flashes, {len(beeps)} beeps")
        return report
    report.first_s, report.last_s = flashes[0], flashes[-1]
    inside = [f for f in flashes
              if beeps[0] - 0.5 <= f <= beeps[-1] + 0.5
              and f >= begin_s + 0.1]
    for flash in inside:
        beep = min(beeps, key=lambda b, f=flash: abs(b - f))
        error = (beep - flash) * 1000
        if abs(error) > 500:
            report.problems.append(f"the flash at {flash:.3f} s has no beep")
            continue
        report.pairs += 1
        if abs(error) > abs(report.worst_ms):
            report.worst_ms = error
        if abs(error) > tolerance_ms:
            report.problems.append(f"the beep of the flash at {flash:.3f} s "
                                   f"is {error:+.1f} ms off")
    if report.pairs < expected:
        report.problems.append(f"only {report.pairs} pairs of flash and beep "
                               f"of {expected}")
    return report


def offset_problems(video: VideoReport, sound: SoundReport,
                    tolerance_ms: float = 10.0) -> list[str]:
    """The kept sound against the kept picture, whatever both are shifted."""
    error = sound.lag_s * 1000 - video.shift_ms
    if abs(error) <= tolerance_ms:
        return []
    return [f"the sound is {error:+.1f} ms off its picture"]


# --- whole runs ---------------------------------------------------------

def load(path: Path | str) -> tuple[Recording, Sound]:
    recording = read_flv(path)
    return recording, decode_sound(recording, path)
