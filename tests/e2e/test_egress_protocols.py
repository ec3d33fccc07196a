# SPDX-License-Identifier: Apache-2.0
"""P3: destinations by SRT, RTSP and RTMPS, at the real MediaMTX.

Read back from it: every picture's slices and every frame of sound as in the
stream's own output. The server is killed and comes back; two destinations are
at servers that are not there, and one at a server whose certificate is for
another name.
"""

from __future__ import annotations

import json
import signal
import time
from fractions import Fraction
from pathlib import Path

import pytest

from helpers import clips, stream_analyzer as sa, tools
from helpers.fault_run import FaultRun, run_together
from helpers.egress_judge import sync_ms, unequal
from helpers.processes import Stack, free_port
from helpers.rtmp import RtmpReader, RtmpServer
from helpers.scenarios import DELAY_MS

pytestmark = [pytest.mark.e2e, pytest.mark.p3, pytest.mark.slow]

CLIP = clips.Clip("sync-protocols-25", Fraction(25), 40.0,
                  sound="music+breath+beeps")
KINDS = ["srt", "rtsp", "rtmps"]
PASSWORD = "p4ss-of-nobody"  # pragma: allowlist secret
LATER_S = DELAY_MS / 1000
KILLED_S = LATER_S + 16


class ProtocolRun(FaultRun):
    def told_of(self, name: str) -> list[dict]:
        return [d for line in self.listener.lines
                if line.message.get("type") == "destinations"
                for d in line.message["list"] if d["name"] == name]


def readers(stack: Stack) -> dict[str, RtmpReader]:
    return {kind: RtmpReader(stack.rtmp_url(f"live/protocols/{kind}"))
            for kind in KINDS}


def make_certificate(folder: Path) -> tuple[Path, Path]:
    key, certificate = folder / "server.key", folder / "server.crt"
    tools.run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
              "-keyout", key, "-out", certificate, "-days", "2",
              "-subj", "/CN=localhost",
              "-addext", "subjectAltName=DNS:localhost")
    return key, certificate


def play(run: ProtocolRun) -> None:
    stack = run.stack
    key, certificate = make_certificate(stack.folder)
    tls = free_port()
    mediamtx = stack.mediamtx(
        rtsp=True, srt=True, extra=f"""rtmpEncryption: optional
rtmpsAddress: 127.0.0.1:{tls}
rtmpServerKey: {key}
rtmpServerCert: {certificate}
""")
    run.before = readers(stack)
    at = "127.0.0.1"
    run.start(TLS_CA_FILE=str(certificate), EGRESS_DESTINATIONS=json.dumps([
        {"name": "rtmps",
         "url": f"rtmps://localhost:{tls}/live/protocols/rtmps"},
        {"name": "wrong-name", "url": f"rtmps://{at}:{tls}/live/x/wrong"},
        {"name": "srt", "url": f"srt://{at}:{stack.srt_port}"
         "?streamid=publish:live/protocols/srt"},
        {"name": "rtsp",
         "url": f"rtsp://{at}:{stack.rtsp_port}/live/protocols/rtsp"},
        {"name": "no-srt", "url": f"srt://{at}:{free_port()}"
         f"?streamid=publish:live/x/y:u:{PASSWORD}"},
        {"name": "no-rtsp",
         "url": f"rtsp://u:{PASSWORD}@{at}:{free_port()}/live/x/z"}]))
    run.sleep_until(KILLED_S)
    mediamtx.signal(signal.SIGKILL)
    mediamtx.wait(5)
    run.before = {k: r.stop() for k, r in run.before.items()}
    time.sleep(1)
    stack.restart_mediamtx()
    run.after = readers(stack)
    run.sleep_until(CLIP.seconds + LATER_S + 1)
    run.after = {k: r.stop() for k, r in run.after.items()}


@pytest.fixture(scope="module", name="run")
def _run():
    with Stack("protocols") as stack, RtmpServer() as server:
        run = ProtocolRun("protocols", stack, server, CLIP)
        run_together([run], [play])
        if run.error:
            pytest.fail(run.error)
        yield run


@pytest.mark.parametrize("kind", KINDS)
def test_packets_are_equal(run, kind):
    recording = run.before[kind]
    print(f"{kind}: {len(recording.units())} pictures, "
          f"{len(recording.sound())} frames of sound")
    assert len(recording.units()) > 200
    assert len(recording.sound()) > 400
    assert recording.units()[0].is_key
    assert unequal(run.recording, recording) == []


@pytest.mark.parametrize("kind,tolerance_ms",
                         [("srt", 2), ("rtmps", 2), ("rtsp", 10)])
def test_sound_stays_with_its_picture(run, kind, tolerance_ms):
    """As in the own output. MediaMTX lays the tracks of RTSP by when their
    first packets came: so they leave by the clock."""
    off_ms = sync_ms(run.recording, run.before[kind])
    print(f"{kind}: {off_ms} ms")
    assert abs(off_ms) <= tolerance_ms


@pytest.mark.parametrize("kind", KINDS)
def test_comes_back_with_the_server(run, kind):
    recording = run.after[kind]
    assert len(recording.units()) > 100
    assert recording.units()[0].is_key
    assert unequal(run.recording, recording) == []
    assert run.told_of(kind)[-1]["connections"] >= 2
    assert run.told_of(kind)[-1]["state"] == "running"


def test_own_output_feels_nothing(run):
    assert run.video_problems() == []
    assert sa.sound_time_problems(run.output) == []


@pytest.mark.parametrize("name", ["no-srt", "no-rtsp"])
def test_server_that_is_not_there(run, name):
    told = run.told_of(name)
    print(told[-1]["last_error"])
    assert {d["state"] for d in told} == {"waiting"}
    assert told[-1]["connections"] >= 3
    assert run.value("egress_forwarder_retry_total", destination=name,
                     prefix="") >= 2
    assert run.value("egress_forwarder_forwarding", destination=name,
                     prefix="") == 0


def test_certificate_of_another_name_is_refused(run):
    told = run.told_of("wrong-name")
    print(told[-1]["last_error"])
    assert {d["state"] for d in told} == {"waiting"}
    assert "certificate" in told[-1]["last_error"].lower()


def test_no_password_is_told(run):
    text = run.worker.output() + json.dumps(
        [line.message for line in run.listener.lines])
    assert PASSWORD not in text
