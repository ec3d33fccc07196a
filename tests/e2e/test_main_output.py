# SPDX-License-Identifier: Apache-2.0
"""P3: a stream's own output by SRT, RTSP and RTSPS, at the real MediaMTX.

Read back from it: the source's own pictures, none changed or lost, from a key
frame on, with the sound.
"""

from __future__ import annotations

from fractions import Fraction

import pytest

from helpers import clips
from helpers.certificates import Certificates
from helpers.fault_run import FaultRun
from helpers.processes import Stack, free_port, wait_for
from helpers.rtmp import RtmpReader, RtmpServer

pytestmark = [pytest.mark.e2e, pytest.mark.p3, pytest.mark.slow]

CLIP = clips.Clip("main-output-25", Fraction(25), 24.0,
                  sound="music+breath+beeps")
PATH = "live/main/out"


def url_of(kind: str, stack: Stack, tls: int) -> str:
    return {"srt": f"srt://127.0.0.1:{stack.srt_port}?streamid=publish:{PATH}",
            "rtsp": f"rtsp://127.0.0.1:{stack.rtsp_port}/{PATH}",
            "rtsps": f"rtsps://localhost:{tls}/{PATH}"}[kind]


@pytest.mark.parametrize("kind", ["srt", "rtsp", "rtsps"])
def test_programme_arrives(kind, tmp_path):
    certificates = Certificates(tmp_path / "tls")
    tls = free_port()
    with Stack(f"main-{kind}") as stack, RtmpServer() as server:
        stack.mediamtx(rtsp=True, srt=True, extra=f"""rtspEncryption: optional
rtspsAddress: 127.0.0.1:{tls}
rtspServerKey: {certificates.path("good.key")}
rtspServerCert: {certificates.path("good.crt")}
""")
        reader = RtmpReader(stack.rtmp_url(PATH))
        run = FaultRun("main", stack, server, CLIP)
        run.start(output_url=url_of(kind, stack, tls),
                  TLS_CA_FILE=certificates.authority)
        wait_for(lambda: PATH in stack.paths(), 40, "the output")
        run.sleep_until(CLIP.seconds - 2)
        got = reader.stop()
        run.over.set()
        told = run.worker.output()
    # GStreamer's advice to who builds pipelines is nothing for an operator.
    assert "Pipeline construction is invalid" not in told
    assert len(got.units()) > 200
    assert got.units()[0].is_key
    own = [u.slice_digest for u in run.source.units()]
    mine = [u.slice_digest for u in got.units()]
    first = own.index(mine[0])
    assert own[first:first + len(mine)] == mine
    assert len(got.sound()) > 300
