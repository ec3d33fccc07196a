# SPDX-License-Identifier: Apache-2.0
"""P1: TLS on every way, with an authority of the test's own.

rtmps in and out through the real MediaMTX, wss to sts-service, https to
media-service. A certificate for another host, one that has expired and one
that nobody signed are refused, by an error that says which and why.
"""

from __future__ import annotations

import ssl
import urllib.request

import pytest

from helpers import clips, tools
from helpers.certificates import Certificates
from helpers.processes import Process, Stack, free_port, wait_for
from helpers.stream_publisher import publish

pytestmark = [pytest.mark.e2e, pytest.mark.p1]

CONFIG = """\
logDestinations: [stdout]
api: yes
apiAddress: 127.0.0.1:{api}
rtsp: no
hls: no
webrtc: no
srt: no
rtmp: yes
rtmpEncryption: optional
rtmpAddress: 127.0.0.1:{rtmp}
rtmpsAddress: 127.0.0.1:{rtmps}
rtmpServerKey: {key}
rtmpServerCert: {certificate}
paths:
  all_others:
"""
BAD = {"other": "localhost is for another host",
       "expired": "localhost has expired",
       "self": "localhost is of no authority that is trusted here"}


@pytest.fixture(scope="module", name="certificates")
def _certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("tls"))


class SecureServer:
    """MediaMTX with rtmps beside rtmp."""

    def __init__(self, stack: Stack, certificates: Certificates, name: str):
        stack.rtmp_port, stack.api_port = free_port(), free_port()
        self.port = free_port()
        (stack.folder / "mediamtx.yml").write_text(CONFIG.format(
            api=stack.api_port, rtmp=stack.rtmp_port, rtmps=self.port,
            key=certificates.path(f"{name}.key"),
            certificate=certificates.path(f"{name}.crt")))
        stack.restart_mediamtx()

    def url(self, path: str) -> str:
        return f"rtmps://localhost:{self.port}/{path}"


def secure_sts(stack: Stack, certificates: Certificates,
               name: str) -> tuple[Process, str]:
    port = free_port()
    process = stack.start("sts-echo", [tools.need("sts-service"), "echo"], env={
        "PORT": str(port), "ECHO_PORT": str(port), "LOG_LEVEL": "debug",
        "TLS_CERT_FILE": certificates.path(f"{name}.crt"),
        "TLS_KEY_FILE": certificates.path(f"{name}.key")})
    return process, f"wss://localhost:{port}"


def open_https(url: str, authority: str | None = None) -> bytes:
    context = ssl.create_default_context(cafile=authority)
    with urllib.request.urlopen(url, timeout=5, context=context) as answer:
        return answer.read()


def said(process: Process, text: str, timeout_s: float = 30) -> None:
    try:
        wait_for(lambda: text in process.output(), timeout_s, text)
    except TimeoutError as error:
        raise AssertionError(f"{text} is not in:\n"
                             + process.output()[-3000:]) from error


def test_programme_by_tls_on_every_way(stack, certificates):
    server = SecureServer(stack, certificates, "good")
    sts, sts_url = secure_sts(stack, certificates, "good")
    said(sts, "listening on https://")
    clip = clips.make(clips.Clip("locked", seconds=20, sound="speech+breath",
                                 speech="lv_es.mp3"))
    publish(stack, clip, stack.rtmp_url("live/a/in"), loop=True)
    stack.wait_path("live/a/in")
    worker = stack.worker("a", sts_url=sts_url,
                          input_url=server.url("live/a/in"),
                          output_url=server.url("live/a/out"),
                          TLS_CA_FILE=certificates.authority,
                          OUTPUT_DELAY_MS="6000")
    path = stack.wait_path("live/a/out", 40)
    assert path["source"]["type"] == "rtmpsConn"
    wait_for(lambda: '"fragment_id"' in worker.output()
             or not worker.is_running, 30, "a fragment that was sent")
    assert worker.is_running and "certificate" not in worker.output()


@pytest.mark.parametrize("name", sorted(BAD))
def test_bad_certificate_is_refused(stack, certificates, name):
    """By the worker, as a source, as a destination and as a speech service;
    the programme goes on without the last."""
    server = SecureServer(stack, certificates, name)
    clip = clips.make(clips.Clip("short", seconds=16, sound="music"))
    publish(stack, clip, stack.rtmp_url("live/a/in"), loop=True)
    stack.wait_path("live/a/in")
    tls = {"TLS_CA_FILE": certificates.authority, "ORCH_GRACE_PERIOD": "2s",
           "OUTPUT_DELAY_MS": "4500"}
    source = stack.worker("source", input_url=server.url("live/a/in"),
                          output_url=stack.rtmp_url("live/s/out"), **tls)
    target = stack.worker("target", input_url=stack.rtmp_url("live/a/in"),
                          output_url=server.url("live/t/out"), **tls)
    said(source, BAD[name])
    said(target, BAD[name])
    assert source.wait(40) != 0 and target.wait(40) != 0
    assert "live/t/out" not in stack.paths()


def test_bad_speech_service_costs_the_dub_alone(stack, certificates):
    stack.mediamtx()
    clip = clips.make(clips.Clip("short", seconds=16, sound="music"))
    publish(stack, clip, stack.rtmp_url("live/a/in"), loop=True)
    stack.wait_path("live/a/in")
    _, sts_url = secure_sts(stack, certificates, "self")
    worker = stack.worker("a", sts_url=sts_url, OUTPUT_DELAY_MS="4500",
                          TLS_CA_FILE=certificates.authority)
    said(worker, BAD["self"])
    stack.wait_path("live/a/out", 40)
    assert worker.is_running


def test_services_show_their_certificate(stack, certificates):
    """And say why they do not start with one that is no good."""
    port = free_port()
    env = {"PORT": str(port), "RUNTIME_DIR": stack.runtime(),
           "MEDIAMTX_RTMP_PORT": "1",
           "TLS_CERT_FILE": certificates.path("good.crt"),
           "TLS_KEY_FILE": certificates.path("good.key")}
    service = stack.start("media-service", [tools.need("media-service")],
                          env=env)
    said(service, "listens on https://127.0.0.1")
    url = f"https://localhost:{port}/health"
    assert b"media-service" in open_https(url, certificates.authority)
    with pytest.raises(OSError, match="(?i)certificate"):
        open_https(url)
    expired = stack.start("expired", [tools.need("media-service")], env={
        **env, "TLS_CERT_FILE": certificates.path("expired.crt"),
        "TLS_KEY_FILE": certificates.path("expired.key")})
    assert expired.wait(10) != 0
    assert "TLS_CERT_FILE: the certificate has expired" in expired.output()
    for command in (["sts-service", "echo"], ["media-service"]):
        mixed = stack.start(f"mixed-{command[0]}",
                            [tools.need(command[0])] + command[1:], env={
            **env, "TLS_KEY_FILE": certificates.path("other.key"),
            "PORT": "0"})
        assert mixed.wait(10) not in (0, None)
        assert "TLS_CERT_FILE, TLS_KEY_FILE: certificate and private key do" \
            " not belong together" in mixed.output()
