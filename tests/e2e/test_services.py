# SPDX-License-Identifier: Apache-2.0
"""P1: the services as `make e2e-up` starts them answer to those who ask."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from helpers import metrics_parser, tools
from helpers.processes import get
from helpers.socketio_monitor import SocketIOMonitor

pytestmark = [pytest.mark.e2e, pytest.mark.p1, pytest.mark.stack]


@pytest.mark.parametrize("name, path", [
    ("api", "/v3/paths/list"), ("media", "/health"),
    ("media", "/health/ready"), ("sts", "/health/ready")])
def test_each_service_is_healthy(services, name, path):
    status, body = get(services.http_url(name, path))
    assert status == 200, body
    assert json.loads(body)


@pytest.mark.parametrize("name, metric", [
    ("media", "media_service_"), ("sts", "sts_"), ("metrics", "")])
def test_each_service_has_metrics(services, name, metric):
    status, body = get(services.http_url(name, "/metrics"))
    assert status == 200
    assert [s for s in metrics_parser.parse(body)
            if s.name.startswith(metric)]


def test_the_speech_service_takes_a_stream(services):
    with SocketIOMonitor(services.http_url("sts"),
                         f"greeting-{os.getpid()}") as monitor:
        assert monitor.init("es", "en")["max_inflight"] >= 1
        assert monitor.end()


def test_ps_shows_them_all(services):
    if services.services.folder != tools.ROOT / "build" / "run" / "e2e":
        pytest.skip("the services of this run are its own")
    done = subprocess.run([tools.ROOT / "scripts" / "services", "e2e", "ps"],
                          capture_output=True, text=True, check=True)
    assert all(name in done.stdout
               for name in services.services.stack.services)
    assert done.stdout.count("healthy") >= 3
