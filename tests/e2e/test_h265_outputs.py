# SPDX-License-Identifier: Apache-2.0
"""P2: H.265 by SRT and RTSP, as a stream's own output and as destinations.

Two streams made through the API from one H.265 source at the real MediaMTX,
one of them in two languages by SRT. It records what it gets: the source's pictures, none lost or changed, from
a key frame on, and their sound as far from them as in what the same worker
publishes to a peer of ours.
"""

from __future__ import annotations

import json
import shutil
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from helpers import clips, h265, stream_analyzer as sa, tools
from helpers.flv import Recording
from helpers.processes import Stack, get, wait_for
from helpers.rtmp import RtmpServer
from helpers.secret_hunt import ask
from helpers.served import is_worker

pytestmark = [pytest.mark.e2e, pytest.mark.p2, pytest.mark.slow]

CLIP = clips.Clip("h265-25", Fraction(25), 40.0, sound="music+breath+beeps")
DELAY_MS = 3000
RECORDED_S = 14.0
FLASH_S = CLIP.flash_every_s
# What MediaMTX gets, and how far its sound may be from where it was.
# The first stream has a second language.
WAYS = {"main-srt": 3, "main-srt/de": 3, "to-srt": 3, "main-rtsp": 10, "to-rtsp": 10}
RECORD = """pathDefaults:
  record: yes
  recordPath: {folder}/%path/%s-%f
  recordFormat: fmp4
"""


class Run:
    def __init__(self, stack: Stack, server: RtmpServer):
        self.stack, self.server = stack, server
        self.clip = h265.coded_again(clips.make(CLIP), CLIP.seconds)
        self.source = h265.pictures_of(self.clip)
        self.number = {s: n for n, (s, _) in enumerate(self.source)}
        self.folder = stack.folder / "recorded"
        self.pids: set[int] = set()
        self.url = ""

    def place(self, way: str) -> str:
        return {
            "srt": f"srt://127.0.0.1:{self.stack.srt_port}"
                   f"?streamid=publish:live/{way}",
            "rtsp": f"rtsp://127.0.0.1:{self.stack.rtsp_port}/live/{way}",
        }[way.rpartition("-")[2]]

    def create(self, kind: str, languages: list[str],
               destinations: list[dict]) -> None:
        status, answer = ask(f"{self.url}/v1/streams", "POST", json.dumps({
            "stream_id": kind,
            "input_url": f"rtsp://127.0.0.1:{self.stack.rtsp_port}/source/a",
            "output_url": self.place(f"main-{kind}"),
            "target_languages": languages,
            "destinations": destinations + [
                {"name": "ours", "url": self.server.url(f"app/{kind}")}],
        }).encode())
        assert status == 201, answer

    def play(self) -> None:
        stack = self.stack
        stack.mediamtx(rtsp=True, srt=True,
                       extra=RECORD.format(folder=self.folder))
        service = stack.media_service(
            "http://127.0.0.1:1", SKIP_STS_CONNECTION="true",
            OUTPUT_DELAY_MS=str(DELAY_MS), MEDIAMTX_API_URL=stack.server.url)
        self.url = service.url
        stack.start("publisher", [
            "ffmpeg", "-hide_banner", "-loglevel", "warning", "-nostdin",
            "-re", "-i", self.clip, "-c", "copy", "-f", "rtsp",
            "-rtsp_transport", "tcp",
            f"rtsp://127.0.0.1:{stack.rtsp_port}/source/a"])
        stack.wait_path("source/a")
        self.create("srt", ["en", "de"], [
            {"name": w, "url": self.place(w)} for w in ("to-srt", "to-rtsp")])
        self.create("rtsp", ["en"], [])
        for way in WAYS:
            stack.wait_path(f"live/{way}", 30)
        time.sleep(RECORDED_S)
        self.end()

    def end(self) -> None:
        streams = json.loads(get(f"{self.url}/v1/streams")[1])["streams"]
        self.pids = {s["worker_pid"] for s in streams}
        for stream in streams:
            ask(f"{self.url}/v1/streams/{stream['stream_id']}", "DELETE")
        wait_for(lambda: not any(map(is_worker, self.pids)), 20, "the end")
        self.stack.server.stop()  # its recordings are whole then

    def recorded(self, way: str) -> Path:
        files = sorted((self.folder / "live" / way).glob("*.mp4"))
        assert len(files) == 1, files
        return files[0]

    def own(self, kind: str) -> Recording:
        return self.server.recordings[f"app/{kind}"]


@pytest.fixture(scope="module", name="run")
def _run():
    shutil.rmtree(tools.ARTIFACTS / "h265", ignore_errors=True)
    with Stack("h265") as stack, RtmpServer() as server:
        run = Run(stack, server)
        run.play()
        yield run


def is_flash(source_s: float) -> bool:
    return (source_s + 0.005) % FLASH_S <= 0.01


def beep_ms(flashes: list[float], sound: sa.Sound) -> float:
    """How much later than their flash the beeps are."""
    beeps = sa.beep_times(sound)
    off = [min((b - f for b in beeps), key=abs) * 1000 for f in flashes
           if sound.start_s + 0.1 <= f <= beeps[-1] + 0.5]
    assert len(off) >= 4, f"{len(off)} pairs"
    return float(np.median(off))


def sync_ms(run: Run, way: str) -> float:
    path = run.recorded(way)
    flashes = [t for s, t in h265.pictures_of(path)
               if is_flash(run.source[run.number[s]][1])]
    first = float(sa.probe_packets(path, "a:0")[0]["pts_time"])
    return beep_ms(flashes, sa.Sound(clips.load_sound(path, sa.RATE), first))


def own_sync_ms(run: Run, kind: str) -> float:
    recording = run.own(kind)
    flashes = [u.pts_ms / 1000 for u in recording.units()
               if is_flash(run.source[run.number[h265.first_slice(u)]][1])]
    return beep_ms(flashes, sa.decode_sound(recording, recording.write(
        run.stack.folder / f"own-{kind}.flv")))


@pytest.mark.parametrize("way", WAYS)
def test_every_picture_arrives_unchanged(run, way):
    path = run.recorded(way)
    numbers = [run.number.get(s, -1) for s, _ in h265.pictures_of(path)]
    print(f"{way}: {len(numbers)} pictures from {numbers[0]} on")
    assert "hevc" in [s["codec_name"] for s in sa.probe(path)["streams"]]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert len(numbers) >= 25 * (RECORDED_S - 3)
    assert "K" in sa.probe_packets(path)[0]["flags"]


@pytest.mark.parametrize("way", WAYS)
def test_pictures_stay_at_their_distances(run, way):
    pictures = h265.pictures_of(run.recorded(way))
    shifts = [t - run.source[run.number[s]][1] for s, t in pictures]
    assert max(shifts) - min(shifts) <= 0.002


@pytest.mark.parametrize("way", WAYS)
def test_sound_stays_with_its_picture(run, way):
    kind = "rtsp" if way == "main-rtsp" else "srt"
    got, own = sync_ms(run, way), own_sync_ms(run, kind)
    print(f"{way}: {got:+.1f} ms, {own:+.1f} ms at our peer")
    assert abs(got - own) <= WAYS[way]
