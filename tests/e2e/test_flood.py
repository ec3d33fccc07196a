# SPDX-License-Identifier: Apache-2.0
"""P1: floods. Whatever strangers do, both services answer who asks properly,
and their memory stays what it was.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time

import pytest

from helpers import tools
from helpers.processes import Process, free_port, wait_for
from helpers.secret_hunt import ask

pytestmark = [pytest.mark.e2e, pytest.mark.p1]

IDLE = 1000
MORE_KIB = 24 << 10  # what a flood may cost in memory, while it lasts


def rss_kib(process: Process) -> int:
    with open(f"/proc/{process.pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") // 1024


@pytest.fixture(name="service", params=["media-service", "sts-service"])
def _service(request, stack):
    port = free_port()
    args = ["echo"] if request.param == "sts-service" else []
    process = stack.start(request.param, [tools.need(request.param)] + args,
                          env={"PORT": str(port), "ECHO_PORT": str(port),
                               "RUNTIME_DIR": stack.runtime(),
                               "ORCH_WORKER_COMMAND": "/bin/true",
                               "MEDIAMTX_RTMP_PORT": "1",
                               "LOG_LEVEL": "warning"})
    process.url = f"http://127.0.0.1:{port}"
    stack.healthy(process, process.url + "/health")
    return process


def visit(service: Process, data: bytes = b"") -> socket.socket:
    port = int(service.url.rpartition(":")[2])
    sock = socket.create_connection(("127.0.0.1", port), 5)
    if data:
        sock.sendall(data)
    return sock


def answers(service: Process, within_s: float = 2.0) -> None:
    began = time.monotonic()
    status, body = ask(service.url + "/health", timeout_s=within_s)
    assert status == 200, body
    assert time.monotonic() - began < within_s


def test_a_thousand_who_say_nothing(service):
    before = rss_kib(service)
    idle = [visit(service) for _ in range(IDLE)]
    try:
        answers(service)
        assert rss_kib(service) - before < MORE_KIB
        assert len(os.listdir(f"/proc/{service.pid}/fd")) < 700
    finally:
        for sock in idle:
            sock.close()
    wait_for(lambda: len(os.listdir(f"/proc/{service.pid}/fd")) < 60, 15,
             "the connections' end")
    answers(service)


def test_who_is_slow_is_cut(service):
    """10 s for a header, however steadily it drips."""
    port_says = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-"
    sock = visit(service, port_says)
    sock.settimeout(1)
    began = time.monotonic()
    while time.monotonic() - began < 20:
        try:
            sock.sendall(b"x")
            if sock.recv(100) == b"":
                break
        except TimeoutError:
            continue
        except OSError:
            break
    assert 8 < time.monotonic() - began < 15
    answers(service)


def pour(service: Process, head: bytes, size: int) -> int:
    """Sends so much after the head, or as much as is taken."""
    sock = visit(service, head)
    sock.settimeout(5)
    sent, part = 0, b"x" * 65536
    try:
        while sent < size:
            sock.sendall(part)
            sent += len(part)
        sock.recv(100)
    except OSError:
        pass
    sock.close()
    return sent


@pytest.mark.parametrize("what", ["header", "body", "chunks"])
def test_what_has_no_end_is_not_kept(service, what):
    host = b"Host: 127.0.0.1\r\n"
    size = 64 << 20
    head = {
        "header": b"GET /health HTTP/1.1\r\n" + host + b"X-Long: ",
        "body": b"POST /v1/mediamtx/events/ready HTTP/1.1\r\n" + host
                + b"Content-Length: %d\r\n\r\n" % size,
        "chunks": b"POST /health HTTP/1.1\r\n" + host
                  + b"Transfer-Encoding: chunked\r\n\r\n4000000\r\n",
    }[what]
    before = rss_kib(service)
    most = [before]
    watching = threading.Event()

    def watch():
        while not watching.wait(0.02):
            most.append(rss_kib(service))

    thread = threading.Thread(target=watch)
    thread.start()
    pour(service, head, size)
    watching.set()
    thread.join()
    assert max(most) - before < MORE_KIB, (before, max(most))
    answers(service)


def test_sessions_beyond_the_limit_are_refused(stack):
    """Those that never say who they are make room after 10 s."""
    sts = stack.sts("echo", WS_MAX_CONNECTIONS="5", STS_API_KEY="k" * 16)
    way = "/socket.io/?EIO=4&transport=polling"
    statuses = [ask(sts.url + way)[0] for _ in range(8)]
    assert statuses == [200] * 5 + [503] * 3
    answers(sts)
    wait_for(lambda: ask(sts.url + way)[0] == 200, 25, "room for a session",
             1.0)


def test_a_storm_of_events(stack):
    """2000 events of 50 streams, in four threads: each is answered, with 200,
    or 429 where the limit of workers or of requests is met."""
    stack.rtmp_port = 1
    service = stack.media_service("http://127.0.0.1:9",
                                  ORCH_WORKER_COMMAND="/bin/true",
                                  ORCH_MAX_WORKERS="20", LOG_LEVEL="warning",
                                  ORCH_GRACE_PERIOD="0s")
    before = rss_kib(service)
    statuses: list[int] = []
    times: list[float] = []

    def storm(number: int) -> None:
        for n in range(500):
            kind = ("ready", "not-ready")[(n + number) % 2]
            body = {"path": f"live/s{n % 50}/in", "sourceType": "rtmpConn",
                    "sourceId": f"{number}-{n // 2}", "query": "to=en"}
            began = time.monotonic()
            statuses.append(ask(
                f"{service.url}/v1/mediamtx/events/{kind}", "POST",
                json.dumps(body).encode())[0])
            times.append(time.monotonic() - began)

    threads = [threading.Thread(target=storm, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(statuses) == 2000 and set(statuses) <= {200, 429}, \
        {s: statuses.count(s) for s in set(statuses)}
    print(f"p99 {sorted(times)[1980] * 1000:.0f} ms,"
          f" {statuses.count(429)} refused")
    assert rss_kib(service) - before < MORE_KIB
    answers(service)
