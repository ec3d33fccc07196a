# SPDX-License-Identifier: Apache-2.0
"""P1: `dub live` beside a real MediaMTX, as a person at a terminal sees it.

What the programme stands between is told as it comes and goes, by name and
with the reason; the exit status says how it ended; nothing stays behind.
"""

from __future__ import annotations

import http.server
import os
import signal
import threading
import time

import pytest

from helpers import clips, stream_analyzer as sa, tools
from helpers.processes import Process, Stack, free_port, wait_for
from helpers.scenarios import SCENARIOS
from helpers.stream_publisher import publish

pytestmark = [pytest.mark.e2e, pytest.mark.p1]

IN, OUT = "live/dub/in", "live/dub/out"
# The speech clip of the echo runs: its fixture is made once.
CLIP = SCENARIOS["echo-25"].clip
DELAY_S = 4.5


@pytest.fixture(name="echo", scope="module")
def _echo():
    with Stack("dub-live-echo") as stack:
        yield stack.sts("echo").url


def dub_live(stack: Stack, source: str, target: str, sts_url: str,
             *words: str, **env: str) -> Process:
    """Its temporary files are below the stack's folder, to be looked for."""
    scratch = stack.folder / "tmp"
    scratch.mkdir(exist_ok=True)
    return stack.start(
        "dub", [tools.need("dub"), "live", source, target, "--from", "es",
                "--to", "en", f"--output-delay-ms={DELAY_S * 1000:.0f}",
                f"--sts-service-url={sts_url}", *words],
        env={"TMPDIR": str(scratch), **env})


def says(process: Process, text: str, timeout_s: float = 20) -> None:
    try:
        wait_for(lambda: text in process.output(), timeout_s, text)
    except TimeoutError:
        pytest.fail(f"it never says {text!r}:\n{process.output()}")


def nothing_is_left(process: Process, children: list[int], stack) -> None:
    alive = [pid for pid in children if os.path.exists(f"/proc/{pid}")]
    assert alive == []
    assert list((stack.folder / "tmp").iterdir()) == []


def test_says_what_comes_and_goes(echo, tmp_path):
    with Stack("dub-live", tmp_path) as stack:
        stack.mediamtx()
        dub = dub_live(stack, stack.rtmp_url(IN), stack.rtmp_url(OUT), echo)
        says(dub, "input  is not there yet")
        encoder = publish(stack, clips.make(CLIP), stack.rtmp_url(IN))
        says(dub, "input  is there")
        says(dub, "output is on air")
        says(dub, "] said ", 30)
        record(stack, 6)
        encoder.stop()
        says(dub, "input  is lost")
        publish(stack, clips.make(CLIP), stack.rtmp_url(IN))
        wait_for(lambda: dub.output().count("input  is there") == 2, 20,
                 "the input's return")
        children = dub.children()
        assert children
        dub.signal(signal.SIGINT)
        assert dub.wait(20) == 0
        nothing_is_left(dub, children, stack)
        told = dub.output().splitlines()
    assert not any("stream_id=" in line for line in told), told


def record(stack: Stack, seconds: float) -> None:
    """What comes out has both tracks and decodes whole."""
    path = stack.folder / "out.mkv"
    tools.ffmpeg("-i", stack.rtmp_url(OUT), "-t", str(seconds), "-c", "copy",
                 path)
    assert tools.run("ffmpeg", "-v", "error", "-i", path, "-f", "null",
                     "-").stderr == b""
    assert {s["codec_type"] for s in sa.probe(path)["streams"]} == {
        "video", "audio"}


@pytest.mark.parametrize("source, target, status, cause", [
    ("rtmp://127.0.0.1:{dead}/a/b", "rtmp://127.0.0.1:{rtmp}/live/x/out", 69,
     "refused"),
    ("rtmp://127.0.0.1:{rtmp}/live/nobody/in",
     "rtmp://127.0.0.1:{rtmp}/live/x/out", 69, "no such stream"),
    ("http://127.0.0.1/a", "rtmp://127.0.0.1/b", 78, "known scheme"),
    ("rtmp://127.0.0.1/a", "ftp://127.0.0.1/b", 78, "known scheme"),
    ("nonsense", "rtmp://127.0.0.1/b", 78, "known scheme"),
])
def test_error_names_the_url_and_why(echo, tmp_path, source, target, status,
                                     cause):
    with Stack("dub-live-error", tmp_path) as stack:
        stack.mediamtx()
        urls = [url.format(dead=free_port(), rtmp=stack.rtmp_port)
                for url in (source, target)]
        dub = dub_live(stack, *urls, echo, ORCH_GRACE_PERIOD="2s")
        assert dub.wait(30) == status, dub.output()
        last = dub.output().splitlines()[-1]
        assert last.startswith("dub live: "), dub.output()
        assert cause in last.lower()
        bad = urls[1] if "ftp" in target else urls[0]
        assert bad.partition("://")[2][:14] in last
        nothing_is_left(dub, [], stack)


def test_error_output_refuses(echo, tmp_path):
    """By password, as most platforms do; the key is not shown."""
    refusing = """authInternalUsers:
- user: any
  permissions:
  - action: read
  - action: api
  - action: publish
    path: live/dub/in
"""
    with Stack("dub-live-refused", tmp_path) as stack:
        stack.mediamtx(extra=refusing)
        publish(stack, clips.make(CLIP), stack.rtmp_url(IN), loop=True)
        stack.wait_path(IN)
        dub = dub_live(stack, stack.rtmp_url(IN),
                       stack.rtmp_url("live/k3y-of-mine"), echo,
                       ORCH_GRACE_PERIOD="2s")
        says(dub, "output is away", 30)
        assert dub.wait(60) == 69, dub.output()
        last = dub.output().splitlines()[-1]
        assert last.startswith("dub live: cannot publish to rtmp://127.0.0.1")
        assert "is the key, user or password wrong" in last
        assert "k3y-of-mine" not in dub.output()
        nothing_is_left(dub, [], stack)


class Stranger(http.server.BaseHTTPRequestHandler):
    """A web page that answers whatever it is asked."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>dashboard</title>")

    def log_message(self, *_):
        pass


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stranger_on_the_port_is_told_and_start_can_be_ended(number,
                                                             tmp_path):
    """Engines may be measured or loading: they end with it."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stranger)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    try:
        with Stack("dub-live-stranger", tmp_path) as stack:
            dub = dub_live(stack, f"rtmp://127.0.0.1:{free_port()}/a/b",
                           f"rtmp://127.0.0.1:{free_port()}/a/c", url)
            says(dub, f"{url}: another program answers there")
            children = wait_for(dub.children, 20, "a child")
            dub.signal(number)
            dub.wait(20)
            wait_for(lambda: not any(os.path.exists(f"/proc/{pid}")
                                     for pid in children), 5, "its end")
            time.sleep(0.1)
            assert list((stack.folder / "tmp").iterdir()) == []
    finally:
        server.shutdown()
