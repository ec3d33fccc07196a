# SPDX-License-Identifier: Apache-2.0
"""P1: a whole run with every door locked, and no key in anything it leaves.

MediaMTX as in production, media-service, its workers and sts-service, each with
tokens of their own, at LOG_LEVEL=debug and with everything kept that can be.
Then all is searched: logs, answers of both services (errors too), metrics, the
page, what each process could be seen to have been started with, and files.
"""

from __future__ import annotations

import base64
import json
import time
import urllib.parse

import pytest

from helpers import clips
from helpers.flv import read_flv
from helpers.processes import Stack, wait_for
from helpers.rtmp import RtmpServer
from helpers.secret_hunt import Hunt, ProcessWatch, ask, forms, new_key
from helpers.secured import NosyDeepl, Secured, USERS, basic
from helpers.stream_publisher import publish

pytestmark = [pytest.mark.e2e, pytest.mark.p1]

STREAM = "locked"
SECONDS = 20
# Our programs and the media server; ffmpeg is the stranger who has the key.
OURS = ("mediamtx", "media-service", "sts")


# --- the judge itself -------------------------------------------------------

@pytest.mark.helper
@pytest.mark.parametrize("write", [
    lambda k: k, lambda k: urllib.parse.quote(k, safe=""),
    lambda k: "x" + k + "y", lambda k: json.dumps({"a": k}),
    lambda k: base64.b64encode(k.encode()).decode(),
    lambda k: basic("encoder", k), lambda k: k.rpartition("+")[2]])
def test_hunt_finds_what_was_planted(tmp_path, write):
    key = new_key("planted")
    (tmp_path / "a.log").write_text("before " + write(key) + " after")
    (tmp_path / "b.log").write_text("nothing here")
    hunt = Hunt({"planted": key, "other": new_key("other")}, USERS)
    hunt.look_below(tmp_path)
    assert hunt.found == {("planted", str(tmp_path / "a.log"))}


@pytest.mark.helper
def test_hunt_finds_a_key_among_arguments(stack):
    key = new_key("argument")
    hunt = Hunt({"argument": key})
    process = stack.start("sh", ["sh", "-c", f"sleep 0.5; : {key}"])
    with ProcessWatch(hunt, [process.pid]):
        process.wait(10)
    assert {name for name, _ in hunt.found} == {"argument"}
    assert forms(key) and hunt.looked_at > 0


# --- the run ----------------------------------------------------------------

def ask_media_service(secured: Secured, hunt: Hunt) -> dict[str, int]:
    """Every route, with the key, with a wrong one, with none, and broken."""
    url, key = secured.media_url, secured.keys["api"]
    ways = ["/", "/health", "/health/live", "/health/ready", "/metrics",
            "/v1/streams", f"/v1/streams/{STREAM}", "/v1/config",
            f"/v1/streams/{STREAM}/events", "/v1/events",
            f"/v1/streams/{STREAM}/history", "/openapi.json", "/docs",
            "/nope", "/v1/streams/no-such-stream"]
    statuses = {}
    for way in ways:
        for token in (key, new_key("wrong"), ""):
            for accept in ("text/html", "application/json"):
                status, answer = ask(url + way, token=token, timeout_s=1.5,
                                     Accept=accept)
                hunt.look(f"answer to GET {way}", answer)
                if token == key:
                    statuses[way] = status
    hook = url + "/v1/mediamtx/events/ready"
    secret = urllib.parse.quote(secured.keys["encoder"], safe="")
    for path in (f"live/{STREAM}/out", "live/../in", f"live/{secret}/in/x"):
        body = {"path": path, "sourceType": "rtmpConn", "sourceId": "x",
                "query": f"user=encoder&pass={secret}"}
        status, answer = ask(hook, "POST", json.dumps(body).encode(),
                             token=secured.keys["hook"])
        statuses[path] = status
        if secret not in path:
            hunt.look("answer to a hook", answer)
    for body in (b"{", b"[]", b"x" * 20000, b'{"destinations": 7}'):
        hunt.look("answer to a broken POST", ask(
            url + "/v1/streams", "POST", body, token=key)[1])
    return statuses


def ask_sts(secured: Secured, hunt: Hunt) -> dict[str, int]:
    url, statuses = secured.sts.url, {}
    for way in ("/health", "/health/ready", "/metrics", "/nope",
                "/socket.io/?EIO=4&transport=polling"):
        for token in (secured.keys["sts"], new_key("wrong"), ""):
            statuses[way, bool(token)], answer = ask(url + way, token=token)
            hunt.look(f"sts-service's answer to GET {way}", answer)
    for body in (b"{", b"{}", b'{"fragment_id": 1}'):
        hunt.look("sts-service's answer to a POST", ask(
            url + "/api/v1/sts/process", "POST", body,
            token=secured.keys["sts"])[1])
    return statuses


def give_destinations(secured: Secured, hunt: Hunt,
                      server: RtmpServer) -> dict[str, int]:
    """By the API, while the stream runs: one that takes, one that refuses,
    one that is not there, one whose key is a passphrase."""
    key = hunt.keys["destination"]
    server.refuse.add(f"refused/{key}")
    urls = {"taken": server.url(f"taken/{key}"),
            "refused": server.url(f"refused/{key}"),
            "absent": f"rtmp://127.0.0.1:9/p/{key}?token={key}",
            "srt": f"srt://127.0.0.1:9?streamid=publish:a&passphrase={key}"}
    url, token = f"{secured.media_url}/v1/streams", secured.keys["api"]
    good = {"destinations": [{"name": n, "url": u} for n, u in urls.items()]}
    broken = [{"destinations": [{"name": n, "url": u, "key": 1}]}
              for n, u in (("a b", urls["taken"]), ("a", "ftp://h/" + key))]
    statuses = {}
    for number, body in enumerate([good, *broken]):
        statuses[f"destinations {number}"], answer = ask(
            f"{url}/{STREAM}", "PATCH", json.dumps(body).encode(),
            token=token)
        hunt.look("answer to PATCH with destinations", answer)
    statuses["made"], answer = ask(url, "POST", json.dumps(
        {"stream_id": "made", "start": False, **good}).encode(), token=token)
    hunt.look("answer to POST with destinations", answer)
    wait_for(lambda: server.recordings.get(f"taken/{key}"), 30,
             "the destination that takes")
    return statuses


def run_push(stack: Stack, server: RtmpServer, key: str) -> None:
    """A worker whose destination's key is the last part of its path, first
    refused, then nowhere."""
    clip = clips.make(clips.Clip("short", seconds=16, sound="music"))
    server.sources["app/in"] = read_flv(clip)
    server.refuse.add(f"push/{key}")
    for target in (server.url(f"push/{key}"), f"rtmp://127.0.0.1:9/p/{key}"):
        stack.worker("push", input_url=server.url("app/in"),
                     output_url=target, ORCH_GRACE_PERIOD="2s",
                     OUTPUT_DELAY_MS="3000", SOURCE_LOSS="close").wait(60)


def start_all(secured: Secured, deepl: NosyDeepl) -> list[int]:
    folder = secured.stack.folder
    secured.start_mediamtx()
    secured.start_sts(deepl.url, DEBUG_ARTIFACTS="true",
                      ARTIFACTS_DIR=str(folder / "artifacts"))
    secured.start_service(
        CAPTURE="media", CAPTURE_DIR=str(folder / "runs"),
        WORKER_SOURCE_LANGUAGE="es", OUTPUT_DELAY_MS="6000",
        ORCH_GRACE_PERIOD="2s")
    return [p.pid for p in secured.stack.processes
            if any(name in p.name for name in OURS)]


@pytest.mark.slow
def test_no_key_in_anything_that_a_run_leaves(stack, tmp_path):
    secured = Secured(stack, tmp_path / "keys")
    hunt = Hunt(secured.keys, ("dubbing", "encoder", "viewer", "monitor"))
    # Without what URLs escape: our RTMP server takes a path as it is.
    push_key = hunt.keys["push"] = new_key("push").replace("+", "-")
    hunt.keys["destination"] = new_key("destination").replace("+", "-")
    clip = clips.make(clips.Clip("locked", seconds=SECONDS,
                                 sound="speech+breath", speech="lv_es.mp3"))
    with NosyDeepl() as deepl, RtmpServer() as server:
        watch = ProcessWatch(hunt, start_all(secured, deepl), "media-worker")
        with watch:
            publish(stack, clip, secured.url(f"live/{STREAM}/in", "encoder",
                                             "&to=en"), loop=True)
            wait_for(lambda: len(deepl.keys) > 3, 60, "fragments that are"
                     " translated")
            deepl.refuses = True
            orders = give_destinations(secured, hunt, server)
            statuses = {**orders, **ask_media_service(secured, hunt)}
            sts_statuses = ask_sts(secured, hunt)
            run_push(stack, server, push_key)
            time.sleep(3)
        assert any(k.endswith(secured.keys["deepl"]) for k in deepl.keys)
    stack.close()
    check_that_it_ran(stack, watch, statuses, sts_statuses)
    # The publisher's own log and the server's hashes are not ours.
    hunt.look_below(stack.folder, skip=tuple(
        p.name for p in stack.folder.glob("*publisher*")))
    assert hunt.bytes_seen > 100_000
    assert not hunt.found, sorted(hunt.found)


def check_that_it_ran(stack, watch, statuses, sts_statuses) -> None:
    """What was searched is what it should be."""
    assert {"media-service", "media-worker", "sts-service",
            "mediamtx"} <= watch.names(), watch.names()
    assert watch.environments
    assert statuses["/v1/streams"] == statuses["/metrics"] == 200
    assert statuses["destinations 0"] == 200 and statuses["made"] == 201
    assert statuses["destinations 1"] == statuses["destinations 2"] == 422
    assert statuses["/nope"] == 404 and statuses["live/../in"] == 422
    assert sts_statuses["/metrics", False] == 401
    logs = {p.name: p.read_text("utf-8", "replace")
            for p in stack.folder.glob("*.log")}
    assert any("mtx-hook: ready of" in log for log in logs.values())
    assert any('"level":"debug"' in log for log in logs.values())
    for name in ("taken", "refused", "absent", "srt"):
        assert any(f"destination {name}" in log for log in logs.values())
    assert any("403" in log for name, log in logs.items() if "sts" in name)
    assert list((stack.folder / "runs").rglob("*.json"))


# --- who is let in ----------------------------------------------------------

def can_publish(stack: Stack, url: str) -> bool:
    """ffmpeg's word is worth nothing: it has sent before it is refused."""
    clip = clips.make(clips.Clip("short", seconds=16, sound="music"))
    server = next(p for p in stack.processes if "mediamtx" in p.name)
    before = server.output().count("is publishing to path")
    publisher = publish(stack, clip, url)
    try:
        wait_for(lambda: not publisher.is_running
                 or server.output().count("is publishing") > before, 15,
                 "an answer to the publisher")
    finally:
        publisher.stop()
    return server.output().count("is publishing to path") > before


def test_a_stranger_is_let_in_nowhere(stack, tmp_path):
    """MediaMTX as mediamtx.production.yml has it: each user does what it is
    for, and nothing else."""
    secured = Secured(stack, tmp_path / "keys")
    server = secured.start_mediamtx()
    keys = secured.keys
    root = f"rtmp://127.0.0.1:{stack.rtmp_port}"
    for url in (f"{root}/live/a/in", f"{root}/live/a/in?user=encoder",
                f"{root}/live/a/in?user=encoder&pass=wrong",
                secured.url("live/a/in", "viewer"),
                secured.url("live/a/in", "dubbing"),
                secured.url("live/a/in", "operator"),
                secured.url("live/a/out", "operator"),
                secured.url("live/a/out", "encoder"),
                secured.url("other/a", "encoder")):
        assert not can_publish(stack, url), url
    assert can_publish(stack, secured.url("live/a/in", "encoder"))
    metrics = f"http://127.0.0.1:{secured.metrics_port}/metrics"
    for url, user in ((server.url + "/v3/paths/list", "dubbing"),
                      (metrics, "monitor")):
        assert ask(url)[0] == 401
        for name in USERS:
            status = ask(url, Authorization=basic(name, keys[name]))[0]
            assert status == (200 if name == user else 401), (url, name)
            assert ask(url, Authorization=basic(name, ""))[0] == 401


def test_dub_goes_through_locked_doors(stack, tmp_path):
    """What the viewer takes is the programme; without a key there is none."""
    secured = Secured(stack, tmp_path / "keys")
    secured.start_mediamtx()
    secured.sts = stack.sts("echo", STS_API_KEY=secured.keys["sts"])
    secured.start_service(OUTPUT_DELAY_MS="4500", ORCH_GRACE_PERIOD="2s")
    clip = clips.make(clips.Clip("short", seconds=16, sound="music"))
    publish(stack, clip, secured.url("live/a/in", "encoder"), loop=True)
    out = tmp_path / "out.flv"
    wait_for(lambda: "live/a/out" in _ready(secured), 40, "live/a/out")
    viewer = stack.start("viewer", [
        "ffmpeg", "-hide_banner", "-loglevel", "warning", "-nostdin", "-i",
        secured.url("live/a/out", "viewer"), "-c", "copy", "-t", "4", "-y",
        str(out)])
    assert viewer.wait(40) == 0, viewer.output()
    recording = read_flv(out)
    assert len(recording.units()) > 50 and len(recording.sound()) > 100
    assert _reads_nothing(stack, f"rtmp://127.0.0.1:{stack.rtmp_port}"
                          "/live/a/out", tmp_path / "none.flv")
    assert ask(secured.media_url + "/v1/streams")[0] == 401


def _ready(secured: Secured) -> str:
    found = secured.paths(f"http://127.0.0.1:{secured.stack.api_port}")
    items = json.loads(found["body"].partition(b"\n\n")[2])["items"]
    return " ".join(i["name"] for i in items if i["ready"])


def _reads_nothing(stack: Stack, url: str, path) -> bool:
    reader = stack.start("stranger", [
        "ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-i", url,
        "-c", "copy", "-t", "2", "-y", str(path)])
    reader.wait(30)
    return not path.exists() or path.stat().st_size == 0
