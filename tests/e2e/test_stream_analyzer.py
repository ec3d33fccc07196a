# SPDX-License-Identifier: Apache-2.0
"""The judges are judged: each broken recording must be seen as broken."""

from __future__ import annotations

import copy
from fractions import Fraction

import numpy as np
import pytest

from helpers import clips, stream_analyzer as sa
from helpers.flv import Recording, Tag

pytestmark = pytest.mark.helper


@pytest.fixture(scope="module")
def clip():
    return clips.make(clips.Clip("judge", Fraction(25), seconds=16))


@pytest.fixture(scope="module")
def whole(clip):
    return sa.load(clip)


@pytest.fixture(name="recording")
def _recording(whole):
    return copy.deepcopy(whole[0])


@pytest.fixture(name="sound")
def _sound(whole):
    return whole[1]


def changed(sound: sa.Sound, samples: np.ndarray) -> sa.Sound:
    return sa.Sound(samples, sound.start_s, sound.rate)


def picture_tags(recording: Recording) -> list[int]:
    return [n for n, t in enumerate(recording.tags)
            if t.kind == 9 and t.body[1] == 1]


# --- pictures ---

def test_video_happy_path(recording):
    report = sa.compare_video(recording, recording, exact=True,
                              with_dts=True)
    assert report.problems == []
    assert report.matched == 400


def test_video_may_be_a_part_of_the_source(recording):
    part = Recording([t for t in recording.tags if t.time_ms >= 3000])
    first = next(n for n, t in enumerate(part.tags)
                 if t.kind == 9 and t.body[0] >> 4 == 1)
    part.tags = part.tags[first:]
    assert sa.compare_video(recording, part).problems == []


def lose_picture(tags, at):
    del tags[at[50]]


def swap_pictures(tags, at):
    a, b = tags[at[50]], tags[at[51]]
    a.body, b.body = b.body[:5] + a.body[5:], a.body[:5] + b.body[5:]
    tags[at[50]], tags[at[51]] = b, a


def double_picture(tags, at):
    tags.insert(at[50] + 1, copy.deepcopy(tags[at[50]]))
    tags[at[50] + 1].time_ms += 10


def flip_a_bit_of_a_slice(tags, at):
    body = bytearray(tags[at[50]].body)
    body[-3] ^= 1
    tags[at[50]].body = bytes(body)


def move_a_picture(tags, at):
    body = tags[at[50]].body
    offset = int.from_bytes(body[2:5], "big") + 5
    tags[at[50]].body = body[:2] + offset.to_bytes(3, "big") + body[5:]


def repeat_a_dts(tags, at):
    tags[at[51]].time_ms = tags[at[50]].time_ms


def put_dts_over_pts(tags, at):
    body = tags[at[50]].body
    tags[at[50]].body = body[:2] + (0xFFFFFF).to_bytes(3, "big") + body[5:]


def clear_a_key_flag(tags, at):
    body = tags[at[50]].body
    tags[at[50]].body = bytes([0x27]) + body[1:]


def start_with_no_key(tags, at):
    del tags[at[0]]


def drift(tags, _at):
    for tag in tags:
        tag.time_ms += round(tag.time_ms * 0.001)


@pytest.mark.parametrize("fault", [
    lose_picture, swap_pictures, double_picture, flip_a_bit_of_a_slice,
    move_a_picture, repeat_a_dts, put_dts_over_pts, clear_a_key_flag,
    start_with_no_key, drift])
def test_video_error_is_seen(whole, recording, fault):
    fault(recording.tags, picture_tags(recording))
    if fault is clear_a_key_flag:
        first = picture_tags(recording)[50]
        assert recording.tags[first].body[0] == 0x27
    report = sa.compare_video(whole[0], recording)
    assert report.problems or fault is clear_a_key_flag
    if fault is clear_a_key_flag:
        # Picture 50 opens a group, so it was a key frame.
        assert any("key flag" in p for p in report.problems)


def test_video_error_outside_slices_only_when_exact(whole, recording):
    at = picture_tags(recording)[0]
    body = bytearray(recording.tags[at].body)
    assert body[9] & 0x1F == 6  # a supplemental unit comes first
    body[15] ^= 1
    recording.tags[at].body = bytes(body)
    assert sa.compare_video(whole[0], recording).problems == []
    assert sa.compare_video(whole[0], recording, exact=True).problems


# --- sound ---

def test_sound_happy_path(sound):
    report = sa.compare_sound(sound, sound)
    assert report.problems == []
    assert report.blocks > 60


def test_sound_may_be_delayed_and_quieter(sound):
    later = sa.Sound(np.concatenate((np.zeros(4800), sound.samples * 0.7)),
                     sound.start_s + 8.0)
    report = sa.compare_sound(sound, later)
    assert report.problems == []
    assert report.lag_s == pytest.approx(8.1, abs=0.001)
    assert report.gain_db[0] == pytest.approx(-3.1, abs=0.2)


def gap_in_place(samples):
    samples[250000:250000 + 960] = 0
    return samples


def lost_block(samples):
    return np.delete(samples, slice(250000, 250000 + 1024))


def doubled_block(samples):
    return np.insert(samples, 250000, samples[250000 - 1024:250000])


def block_replaced_by_the_last(samples):
    samples[250000:251024] = samples[250000 - 1024:250000]
    return samples


def noise_in_place(samples):
    noise = np.random.default_rng(1).normal(0, 0.1, 2048)
    samples[250000:252048] = noise
    return samples


def running_slow(samples):
    at = np.arange(0, len(samples) - 1, 0.998)
    return np.interp(at, np.arange(len(samples)), samples)


def step_of_15_ms(samples):
    return np.insert(samples, 250000, np.zeros(720))


@pytest.mark.parametrize("fault", [
    gap_in_place, lost_block, doubled_block, block_replaced_by_the_last,
    noise_in_place, running_slow, step_of_15_ms])
def test_sound_error_is_seen(sound, fault):
    broken = changed(sound, fault(sound.samples.copy()))
    assert sa.compare_sound(sound, broken).problems


def test_sound_error_may_be_skipped_where_a_dub_sounds(sound):
    broken = changed(sound, gap_in_place(sound.samples.copy()))
    time_s = sound.time(250000)
    report = sa.compare_sound(sound, broken,
                              skip=[(time_s - 0.1, time_s + 0.2)])
    assert report.problems == []


def test_sound_error_of_another_programme(sound):
    noise = np.random.default_rng(2).normal(0, 0.1, len(sound.samples))
    assert sa.compare_sound(sound, changed(sound, noise)).problems


def test_sound_times_follow_the_sample_count(recording):
    assert sa.sound_time_problems(recording) == []
    for tag in [t for t in recording.tags if t.kind == 8][200:]:
        tag.time_ms += 21
    assert len(sa.sound_time_problems(recording)) == 1


def test_sound_error_packet_lost(recording):
    at = [n for n, t in enumerate(recording.tags) if t.kind == 8][200]
    del recording.tags[at]
    assert sa.sound_time_problems(recording)


def test_original_gain_under_a_dub(sound):
    samples = sound.samples.copy()
    dub = np.random.default_rng(3).normal(0, 0.05, 96000)
    samples[200000:296000] = samples[200000:296000] * 0.126 + dub
    gains = sa.original_gain(sound, changed(sound, samples), 0.0)
    begin, end = sound.time(200000), sound.time(296000)
    gains = [(t, g) for t, g in gains if not np.isnan(g)]
    under = [g for t, g in gains if begin < t and t + 0.2 < end]
    beside = [g for t, g in gains if t + 0.2 < begin or t > end]
    assert len(under) >= 8
    assert np.median(under) == pytest.approx(0.126, abs=0.1)
    assert beside == pytest.approx([1.0] * len(beside), abs=0.01)
    spans = sa.lowered_spans(gains)
    assert min(s for s, _ in spans) > begin - 1
    assert max(e for _, e in spans) < end + 1


# --- both together ---

def test_sync_happy_path(clip, whole):
    report = sa.compare_sync(sa.flash_times(whole[0], clip),
                             sa.beep_times(whole[1]), expected=7)
    assert report.problems == []
    assert abs(report.worst_ms) < 1.5


def test_sync_error_late_sound(clip, whole):
    late = sa.Sound(whole[1].samples, whole[1].start_s + 0.015)
    report = sa.compare_sync(sa.flash_times(whole[0], clip),
                             sa.beep_times(late))
    assert report.problems
    assert report.worst_ms == pytest.approx(15, abs=1.5)


def test_sync_leaves_out_a_beep_whose_attack_is_cut(clip, whole):
    flashes, beeps = sa.flash_times(whole[0], clip), sa.beep_times(whole[1])
    beeps[0] += 0.012
    assert sa.compare_sync(flashes, beeps).problems
    assert sa.compare_sync(flashes, beeps,
                           begin_s=flashes[0] - 0.02).problems == []


def test_sound_error_seen_with_the_tolerance_of_echo_runs(sound):
    """Where an echo ends the gain jumps: no error; a gap there: an error."""
    edge = sound.samples.copy()
    edge[200000:250500] *= 1.126
    edge[250500:260000] *= 0.126
    assert sa.compare_sound(sound, changed(sound, edge),
                            least_match=0.55).problems == []
    gap = gap_in_place(sound.samples.copy())
    assert sa.compare_sound(sound, changed(sound, gap),
                            least_match=0.55).problems


def test_sync_error_beep_lost(clip, whole):
    samples = whole[1].samples.copy()
    at = whole[1].at(sa.beep_times(whole[1])[3])
    samples[at - 100:at + 3000] = 0
    report = sa.compare_sync(sa.flash_times(whole[0], clip),
                             sa.beep_times(changed(whole[1], samples)))
    assert any("has no beep" in p for p in report.problems)


@pytest.mark.parametrize("late_s", [0.05, 0.08, 0.35])
def test_beep_under_a_late_dub_is_found(whole, late_s):
    """Lowered by 18 dB, and its copy in the dub is louder."""
    at = sa.beep_times(whole[1])[3]
    samples = whole[1].samples * 0.126
    shift = round(late_s * whole[1].rate)
    samples[shift:] += whole[1].samples[:-shift]
    both = changed(whole[1], samples)
    found = sa.beep_near(both, sa.beep_response(both), at, 0.03, 0.11)
    assert found == pytest.approx(at, abs=0.001)


@pytest.mark.parametrize("late_s", [0.02, 0.05, 0.35])
def test_beep_error_moved_sound_is_seen(whole, late_s):
    at = sa.beep_times(whole[1])[3]
    moved = sa.Sound(whole[1].samples, whole[1].start_s + late_s)
    found = sa.beep_near(moved, sa.beep_response(moved), at, 0.03, 0.11)
    if late_s < 0.03:
        assert found == pytest.approx(at + late_s, abs=0.001)
    else:
        assert found is None


# --- a hole in the sound ---

def sound_tags(recording: Recording) -> list[Tag]:
    return [t for t in recording.tags if t.kind == 8 and t.body[1] == 1]


def lose_sound(recording: Recording, at: int, count: int) -> None:
    for tag in sound_tags(recording)[at:at + count]:
        recording.tags.remove(tag)


def errors_of(recording: Recording, folder) -> list[float]:
    path = recording.write(folder / "hole.flv")
    flashes = sa.flash_times(recording, path)
    return [round(e) for _, e in sa.beep_errors(
        sa.decode_sound(recording, path), flashes)]


def test_hole_is_one_error_and_moves_nothing_after_it(recording, tmp_path):
    lose_sound(recording, 210, 8)
    lose_sound(recording, 300, 16)
    path = recording.write(tmp_path / "hole.flv")
    sound = sa.decode_sound(recording, path)
    lengths = [end - start for start, end in sound.holes]
    assert lengths == pytest.approx([8 * 1024 / 48000, 16 * 1024 / 48000],
                                    abs=0.002)
    assert len(sa.sound_time_problems(recording)) == 2
    errors = errors_of(recording, tmp_path)
    assert len(errors) >= 6
    assert max(map(abs, errors)) <= 3


def test_beep_in_a_hole_is_not_looked_for_elsewhere(recording, whole,
                                                    tmp_path):
    beep = sa.beep_times(whole[1])[3]
    at = next(n for n, t in enumerate(sound_tags(recording))
              if t.time_ms / 1000 > beep - 0.05)
    before = errors_of(recording, tmp_path)
    lose_sound(recording, at, 8)
    errors = errors_of(recording, tmp_path)
    assert len(errors) == len(before) - 1
    assert max(map(abs, errors)) <= 3


def test_sync_error_times_jump_and_the_sound_goes_on(recording, tmp_path):
    for tag in sound_tags(recording)[250:]:
        tag.time_ms += 85
    errors = errors_of(recording, tmp_path)
    assert [e for e in errors if abs(e) > 10] == pytest.approx([85] * 5,
                                                               abs=3)


def test_sync_error_sound_lost_and_its_times_go_on(recording, tmp_path):
    tags = sound_tags(recording)
    times = [t.time_ms for t in tags]
    lose_sound(recording, 250, 4)
    for tag, time_ms in zip(sound_tags(recording), times):
        tag.time_ms = time_ms
    assert sa.sound_time_problems(recording) == []
    errors = errors_of(recording, tmp_path)
    assert [e for e in errors if abs(e) > 10] == pytest.approx([-85] * 5,
                                                               abs=3)


def test_sync_error_after_a_hole_is_seen(recording, tmp_path):
    """By as much as the hole is long: what follows was put at its end."""
    lose_sound(recording, 210, 4)
    for tag in sound_tags(recording)[210:]:
        tag.time_ms += 85
    errors = errors_of(recording, tmp_path)
    late = [e for e in errors if abs(e) > 10]
    assert len(late) >= 5
    assert late == pytest.approx([85] * len(late), abs=3)


def test_offset_error_is_seen():
    video, sound = sa.VideoReport(shift_ms=-2278), sa.SoundReport()
    sound.lag_s = -2.278
    assert sa.offset_problems(video, sound) == []
    sound.lag_s = -2.265
    assert sa.offset_problems(video, sound)


def test_recording_writes_what_it_read(tmp_path, recording):
    written = sa.read_flv(recording.write(tmp_path / "copy.flv"))
    assert [t.body for t in written.tags] == \
        [t.body for t in recording.tags]
    late = Recording([Tag(t.kind, t.time_ms + 0x1000000, t.body)
                      for t in recording.tags])
    again = sa.read_flv(late.write(tmp_path / "late.flv"))
    assert again.tags[-1].time_ms == recording.tags[-1].time_ms
