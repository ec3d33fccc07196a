# SPDX-License-Identifier: Apache-2.0
"""media-service is held to its own OpenAPI file by schemathesis: bodies and
paths by the hundred, good and bad, and no answer that the file does not
describe, least of all a 500. The workers only pretend: streams that are made
here have nowhere to come from.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import tools
from helpers.processes import get

pytestmark = [pytest.mark.e2e, pytest.mark.p1]

FAKE_WORKER = (tools.BUILD / "apps" / "media-service" / "tests" /
               "integration" / "fake-worker")
SCHEMATHESIS = Path(sys.executable).parent / "schemathesis"
CHECKS = ("not_a_server_error,status_code_conformance,"
          "content_type_conformance,response_schema_conformance")
ENDLESS = "/events$"  # answers that do not end; tests of their own


@pytest.fixture(name="service")
def _service(stack):
    if not FAKE_WORKER.exists():
        pytest.skip("the fake worker is not built")
    return stack.media_service(
        "http://127.0.0.1:9", ORCH_WORKER_COMMAND=str(FAKE_WORKER),
        MEDIAMTX_RTMP_PORT="1", API_RATE_LIMIT="0", LOG_LEVEL="info")


def test_every_answer_is_described(service, tmp_path):
    ran = subprocess.run(
        [SCHEMATHESIS, "run", service.url + "/openapi.json",
         "--checks", CHECKS, "--exclude-path-regex", ENDLESS,
         "--max-examples", "10", "--seed", "7", "--phases",
         "examples,coverage,fuzzing", "--suppress-health-check", "all",
         "--no-color"],
        capture_output=True, text=True, timeout=240, check=False,
        cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]
    assert service.is_running
    assert get(service.url + "/health")[0] == 200


def test_every_route_is_described(service):
    """What the file says is there, and nothing is kept from it."""
    _, text = get(service.url + "/openapi.json")
    paths = json.loads(text)["paths"]
    source = (tools.ROOT / "apps" / "media-service" / "src" / "api" /
              "server.c").read_text()
    for line in source.splitlines():
        parts = line.split('"')
        if not line.startswith('    {"/') or len(parts) < 3:
            continue
        path = parts[1]
        if path.startswith(("/page/", "/docs", "/openapi.json")):
            continue
        assert path in paths, path
        if len(parts) > 4:
            assert parts[3].lower() in paths[path], line
