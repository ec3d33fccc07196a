# SPDX-License-Identifier: Apache-2.0
"""P1: an operator with `dub start|status|events|stop` and nothing else, against
media-service as a stranger-proof host runs it: with a token. The workers only
pretend."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from helpers import tools
from helpers.processes import Process, Stack, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.p1]

FAKE_WORKER = (tools.BUILD / "apps" / "media-service" / "tests" /
               "integration" / "fake-worker")
TOKEN = "a-token-of-this-test"  # pragma: allowlist secret
KEY = "streamkey-51c0"
USAGE, UNAVAILABLE, CONFIG = 64, 69, 78


class Operator:
    def __init__(self, url: str, token: str = TOKEN):
        self.env = {**os.environ, "ORCHESTRATOR_URL": url, "API_TOKEN": token}

    def dub(self, *words: str) -> subprocess.CompletedProcess:
        return subprocess.run([tools.need("dub"), *words], env=self.env,
                              capture_output=True, text=True, timeout=20,
                              check=False)

    def stream(self, name: str) -> dict:
        said = json.loads(self.dub("status", "--json").stdout)
        return next((s for s in said["streams"] if s["stream_id"] == name), {})

    def wait_state(self, name: str, state: str) -> dict:
        wait_for(lambda: self.stream(name).get("state") == state, 10,
                 f"{name} {state}")
        return self.stream(name)


@pytest.fixture(scope="module", name="site")
def _site():
    with Stack("dub-streams") as stack:
        service = stack.media_service(
            "http://127.0.0.1:9", ORCH_WORKER_COMMAND=str(FAKE_WORKER),
            MEDIAMTX_RTMP_PORT="1", API_TOKEN=TOKEN,
            ORCH_HTTP_ADDR="127.0.0.1", ORCH_GRACE_PERIOD="1s")
        yield stack, service


@pytest.fixture(name="operator")
def _operator(site):
    return Operator(site[1].url)


def test_a_stream_is_made_changed_stopped_and_started(site, operator):
    stack, _ = site
    watch = Process("events", [tools.need("dub"), "events"], stack.folder,
                    operator.env)
    made = operator.dub("start", "one", "--to", "es,de", "--output",
                        f"srt://127.0.0.1:1?streamid=publish:a/{KEY}")
    assert (made.returncode, made.stdout) == (0, "one: made and started\n")
    stream = operator.wait_state("one", "running")
    assert stream["settings"]["target_languages"] == ["es", "de"]
    assert KEY not in json.dumps(stream)
    again = operator.dub("start", "one", "--to", "fr")
    assert (again.returncode, again.stdout) == (0, "one: started\n")
    assert operator.stream("one")["target_language"] == "fr"
    listed = operator.dub("status")
    assert listed.returncode == 0 and "one" in listed.stdout
    stopped = operator.dub("stop", "one")
    assert (stopped.returncode, stopped.stdout) == (0, "one: stopped\n")
    operator.wait_state("one", "stopped")
    wait_for(lambda: "stopped" in watch.log.read_text(), 10, "an event of it")
    assert "running" in watch.log.read_text()
    watch.stop()
    assert KEY not in watch.log.read_text() + listed.stdout


@pytest.mark.parametrize("words, says", [
    (("start",), "no stream"),
    (("start", "a/b"), "a/b"),
    (("start", "two", "--to", "es", "--output",
      "srt://127.0.0.1:1?streamid=x", "--to", "es,fr"), "target_languages"),
    (("start", "two", "--input", "file:///etc/passwd"), "MEDIA_ROOT"),
    (("start", "two", "--input", "ftp://h/a"), "(allowed: rtmp"),
    (("stop", "nobody"), "there is no such stream"),
])
def test_what_is_wrong_is_named(operator, words, says):
    done = operator.dub(*words)
    assert done.returncode in (USAGE, CONFIG), done.stderr
    assert says in done.stderr and done.stdout == ""
    assert operator.stream("two") == {}


def test_a_known_stream_keeps_its_places(operator):
    """They are said when it is made; what cannot be done is not kept quiet."""
    assert operator.dub("start", "three").returncode == 0
    done = operator.dub("start", "three", "--input", "rtmp://127.0.0.1:1/a/b")
    assert done.returncode == USAGE
    assert "three" in done.stderr and "--input" in done.stderr
    assert "input_url" not in operator.stream("three")


@pytest.mark.parametrize("verb", ["status", "start", "stop", "events"])
def test_without_the_token_nothing_is_told(site, verb):
    words = [verb] if verb in ("status", "events") else [verb, "one"]
    done = Operator(site[1].url, "another-token").dub(*words)
    assert done.returncode == UNAVAILABLE, done.stdout
    assert "oken" in done.stderr or "401" in done.stderr, done.stderr


@pytest.mark.parametrize("verb", ["status", "start", "stop", "events"])
def test_nobody_there_is_said(verb):
    words = [verb] if verb in ("status", "events") else [verb, "one"]
    done = Operator("http://127.0.0.1:9").dub(*words)
    assert done.returncode == UNAVAILABLE, done.stdout
    assert "127.0.0.1:9" in done.stderr
