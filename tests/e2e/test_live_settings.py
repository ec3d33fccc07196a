# SPDX-License-Identifier: Apache-2.0
"""P2: several languages and extra destinations together, by the API alone.

A stream is made with two languages and a destination for the second of them;
a second destination and a third language come while it runs; then it is
removed. Judged from what left. The first language gets an echo, the second
silence, so that one can be told from the other.
"""

from __future__ import annotations

import json
import shutil
import time
from fractions import Fraction

import numpy as np
import pytest

from helpers import clips, stream_analyzer as sa, tools
from helpers.flv import read_flv
from helpers.language_sts import LanguageSts
from helpers.loss_judge import Programme
from helpers.processes import wait_for
from helpers.rtmp import RtmpServer
from helpers.scenarios import SPEECH
from helpers.secret_hunt import ask
from helpers.served import Follower, Service, is_worker
from helpers.stream_publisher import publish

pytestmark = [pytest.mark.e2e, pytest.mark.p2, pytest.mark.slow]

CLIP = clips.Clip("sync-languages-25", Fraction(25), 44.0, channels=2,
                  **SPEECH)
DELAY_MS = 5000
SECOND_S, THIRD_S = 16.0, 24.0    # after the first picture has left
KEYS = {"german": "k3y-german-51d0", "english": "k3y-english-51d0"}


class Run:
    def __init__(self, service: Service, server: RtmpServer, sts: LanguageSts):
        self.service, self.server, self.sts = service, server, sts
        self.path = clips.make(CLIP)
        self.source = read_flv(self.path)
        self.answers: dict[str, dict] = {}
        self.recordings: dict[str, list] = {}
        self.statuses: dict[str, int] = {}
        self.pids: set[int] = set()

    def call(self, name: str, method: str, path: str,
             body: dict | None = None) -> None:
        self.statuses[name], answer = ask(
            f"{self.service.url}/v1/streams{path}", method,
            json.dumps(body).encode() if body is not None else None)
        text = answer.partition(b"\n\n")[2]
        self.answers[name] = json.loads(text) if text else {}

    def destination(self, name: str, **more: str) -> dict:
        return {"name": name, **more,
                "url": self.server.url(f"app/{KEYS[name]}")}

    def state(self) -> str:
        return self.service.streams().get("api", {}).get("state", "")

    def play(self) -> None:
        stack = self.service.stack
        publish(stack, self.path, stack.rtmp_url("source/api"), loop=True)
        stack.wait_path("source/api")
        followers = {way: Follower(stack.rtmp_url(f"live/api/{way}"))
                     for way in ("out", "out/de", "out/fr")}
        german = self.destination("german", language="de")
        self.call("made", "POST", "", {
            "stream_id": "api", "input_url": stack.rtmp_url("source/api"),
            "target_languages": ["en", "de"], "destinations": [german]})
        stack.wait_path("live/api/out")
        stack.wait_path("live/api/out/de")
        time.sleep(SECOND_S)
        self.call("second", "PATCH", "/api", {"destinations": [
            german, self.destination("english", language="en")]})
        time.sleep(THIRD_S - SECOND_S)
        self.call("third", "PATCH", "/api",
                  {"target_languages": ["en", "de", "fr"]})
        stack.wait_path("live/api/out/fr", 40)
        time.sleep(6)
        assert self.state() == "running"
        self.pids = set(self.service.pids)
        self.call("removed", "DELETE", "/api")
        wait_for(lambda: not self.state(), 20, "the stream's end")
        wait_for(lambda: not [p for p, v in stack.paths().items()
                              if p.startswith("live/api/out") and v["ready"]],
                 10, "the outputs' end")
        self.recordings = {way: f.stop() for way, f in followers.items()}
        for name, key in KEYS.items():
            self.recordings[name] = [r for p, r in self.server.history
                                     if p == f"app/{key}" and r.tags]

    def numbers(self, way: str, connection: int = 0) -> list[int]:
        """Which picture of the clip each of a connection is."""
        of = {u.slice_digest: n for n, u in enumerate(self.source.units())}
        return [of.get(u.slice_digest, -1)
                for u in self.recordings[way][connection].units()]

    def frames(self, way: str, connection: int = 0) -> list[bytes]:
        return [p.data for p in self.recordings[way][connection].sound()]

    def sound(self, way: str) -> sa.Sound:
        recording = self.recordings[way][0]
        return sa.decode_sound(recording, recording.write(
            self.service.stack.folder / f"{way.replace('/', '-')}.flv"))


@pytest.fixture(scope="module", name="run")
def _run():
    shutil.rmtree(tools.ARTIFACTS / "p2-live", ignore_errors=True)
    with LanguageSts() as sts, RtmpServer() as server, Service(
            "p2-live", sts.url, OUTPUT_DELAY_MS=str(DELAY_MS)) as service:
        run = Run(service, server, sts)
        run.play()
        yield run


def test_each_order_is_answered(run):
    assert run.statuses == {"made": 201, "second": 200, "third": 200,
                            "removed": 204}
    assert run.answers["second"]["applied"] == "live"
    languages = [run.answers[n]["settings"]["target_languages"]
                 for n in ("made", "second", "third")]
    assert languages == [["en", "de"]] * 2 + [["en", "de", "fr"]]
    text = json.dumps(run.answers) + run.service.process.output()
    assert not [k for k in KEYS.values() if k in text]


@pytest.mark.parametrize("way", ["out", "out/de", "german", "english"])
def test_every_picture_is_in_its_place(run, way):
    numbers = run.numbers(way)
    count = len(run.source.units())
    assert len(numbers) >= 5 * 25
    assert -1 not in numbers
    assert {(b - a) % count for a, b in zip(numbers, numbers[1:])} == {1}


def test_pictures_are_the_same_in_each(run):
    """Whoever came later has what the first has from there on."""
    own = run.numbers("out")
    for way in ("out/de", "german", "english"):
        other = run.numbers(way)
        first = next(n for n in own if n in other)
        a, b = own[own.index(first):], other[other.index(first):]
        size = min(len(a), len(b))
        assert size >= 4 * 25 and a[:size] == b[:size], way


@pytest.mark.parametrize("name,way,wrong", [
    ("german", "out/de", "out"), ("english", "out", "out/de")])
def test_destination_gets_its_language(run, name, way, wrong):
    """Every frame of sound, but where one of both begins or ends."""
    got, own = run.frames(name), set(run.frames(way))
    share = {w: np.mean([f in set(run.frames(w)) for f in got])
             for w in (way, wrong)}
    print(f"{name}: {share}")
    assert len(got) > 4 * 46 and own
    assert share[way] >= 0.95
    assert share[wrong] < 0.9


@pytest.mark.parametrize("way,is_silent", [("out", False), ("out/de", True)])
def test_each_output_has_its_own_dub(run, way, is_silent):
    source = sa.decode_sound(run.source, run.path)
    sound = run.sound(way)
    gains = np.array([g for _, g in sa.original_gain(
        source, sound, sa.find_lag(source, sound))])
    lowered = float(np.mean(gains[np.isfinite(gains)] < 0.3))
    print(f"{way}: {lowered:.0%} of the original is lowered")
    assert lowered > 0.15 if is_silent else lowered < 0.1


@pytest.mark.parametrize("way,least", [
    ("out", 0.11), ("out/de", 0.01), ("german", 0.01)])
def test_each_is_in_sync_and_whole(run, way, least):
    recording = run.recordings[way][0]
    flashes = [s.unit.pts_ms / 1000 for s in Programme(
        run.source.units(), recording.units()).shown
        if not s.is_repeat and s.clip_ms % (CLIP.flash_every_s * 1000) == 0]
    sound = run.sound(way)
    report = sa.compare_sync(flashes, sa.beep_times(sound, least),
                             tolerance_ms=10, begin_s=sound.start_s)
    far = [p for p in report.problems if "no beep" not in p]
    print(f"{way}: {report.pairs} pairs, worst {report.worst_ms:+.1f} ms")
    assert report.pairs >= 5 and far == []
    assert sa.sound_time_problems(recording) == []


def test_third_language_came(run):
    assert "fr" in run.sts.language_of.values()
    assert len(run.recordings["out/fr"][0].units()) >= 2 * 25


def test_second_destination_came_while_it_ran(run):
    """The first kept its connection until the languages changed."""
    german = run.recordings["german"][0].units()
    english = run.recordings["english"][0].units()
    assert german[0].arrival_s < english[0].arrival_s < german[-1].arrival_s


def test_nothing_is_left(run):
    assert run.pids and not any(is_worker(pid) for pid in run.pids)
    assert run.state() == ""
