# SPDX-License-Identifier: Apache-2.0
"""How fast media-service answers hooks, and how fast a stream starts.

The real MediaMTX runs mtx-hook for a real publisher, and a worker takes the
stream in; STARTS times. All its pictures are key frames, so that no part of the
time is the wait for one. Then EVENTS events are posted, one connection each,
while that stream runs.

    EVENTS=1000  STARTS=5

hook_p50_ms, hook_p99_ms  from the first byte of the connection to the answer,
                          less what the client waited for a core meanwhile, by
                          the kernel's count: a hook program's wait is none of
                          media-service's
hook_seen_p99_ms          the same with that wait
hook_slow_else            answers over 5 ms that neither the client's nor
                          media-service's wait for a core brings below it
hook_within_5_ms          share that media-service answered so fast, by its own
                          clock: without the client's and the wait for a core
start_s                   worst: from the moment that MediaMTX says the path is
                          ready to that at which the worker says media comes in
start_median_s            the median of the same
"""

from __future__ import annotations

import http.client
import json
import re
import time
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from benchlib import figure, fresh_stack, header, load, number, percentile, say

from helpers import tools
from helpers.processes import free_port, get, wait_for

POLL_S = 0.01
GOAL_MS = 5.0


@dataclass
class Answer:
    """All in ms: as it was seen, and how long who waited for a core in it."""

    seen: float
    client_waited: float
    service_waited: float

    @property
    def served(self) -> float:
        return self.seen - self.client_waited


def publisher(stack, stream: str):
    """Key frames only, with sound."""
    return stack.start("publisher", [
        "ffmpeg", "-hide_banner", "-loglevel", "error", "-re",
        "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25",
        "-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000",
        "-c:v", "libx264", "-preset", "ultrafast", "-g", "1", "-bf", "0",
        "-c:a", "aac", "-f", "flv", stack.rtmp_url(f"live/{stream}/in")])


def state_of(service, stream: str) -> str:
    status, body = get(f"{service.url}/v1/streams/{stream}")
    return json.loads(body).get("worker_state", "") if status == 200 else ""


def ready_at(stack, stream: str) -> float:
    """As the media server says it, in unix time."""
    text = stack.wait_path(f"live/{stream}/in")["readyTime"]
    head, _, rest = text.replace("Z", "+00:00").partition(".")
    digits = rest[:-6][:6] if rest else "0"
    zone = rest[-6:] if rest else ""
    return datetime.fromisoformat(f"{head}.{digits:<06}{zone}").timestamp()


def one_start(stack, service, number_: int) -> float:
    stream = f"start{number_}"
    source = publisher(stack, stream)
    wait_for(lambda: state_of(service, stream) == "running", 30,
             f"{stream} taken in", POLL_S)
    now = time.time()
    came = ready_at(stack, stream)
    if number_ > 0:
        source.stop()
    return now - came


def waited_ms(process: str) -> float:
    """How long its first thread has been ready to run without a core."""
    with open(f"/proc/{process}/schedstat", encoding="ascii") as file:
        return int(file.read().split()[1]) / 1e6


def post(service, body: str, event: str) -> Answer:
    port = int(service.url.rpartition(":")[2])
    service_before = waited_ms(str(service.pid))
    client_before = waited_ms("thread-self")
    start = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("POST", f"/v1/mediamtx/events/{event}", body,
                       {"Content-Type": "application/json"})
    answer = connection.getresponse()
    answer.read()
    seen = (time.perf_counter() - start) * 1000
    client = waited_ms("thread-self") - client_before
    served = waited_ms(str(service.pid)) - service_before
    connection.close()
    assert answer.status == 200, answer.status
    return Answer(seen, min(client, seen), served)


def hooks(service, events: int) -> list[Answer]:
    """A ready that changes nothing, one of an output, and a late not-ready:
    nothing that starts a process, which the answer does not wait for anyway."""
    kinds = [("start0", "in", "ready"), ("start0", "out", "ready"),
             ("none", "in", "not-ready")]
    times = []
    for n in range(events):
        stream, way, event = kinds[n % len(kinds)]
        body = json.dumps({"path": f"live/{stream}/{way}",
                           "sourceType": "rtmpConn", "sourceId": "bench"})
        times.append(post(service, body, event))
    return times


def within_5_ms(service) -> float:
    """Of all events, by media-service's own histogram."""
    _, text = get(f"{service.url}/metrics")
    counts = {float(le): float(n) for le, n in re.findall(
        r'^media_service_hook_seconds_bucket{le="([^"]+)"} (\S+)$', text,
        re.MULTILINE)}
    return counts[0.005] / counts[float("inf")]


def main() -> None:
    events, starts = int(number("EVENTS", 1000)), int(number("STARTS", 5))
    header("bench-hooks", f"{events} events, {starts} starts")
    with fresh_stack("hooks") as stack:
        port = free_port()
        stack.mediamtx(hook=str(tools.need("mtx-hook")),
                       orchestrator_url=f"http://127.0.0.1:{port}")
        service = stack.media_service("http://127.0.0.1:9", port=port,
                                      SKIP_STS_CONNECTION="true")
        times = [one_start(stack, service, n) for n in range(starts)]
        answers = hooks(service, events)
        share = within_5_ms(service)
    say(f"{load()}")
    served = [a.served for a in answers]
    slow = [a for a in answers if a.seen > GOAL_MS]
    by_client = [a for a in slow if a.served <= GOAL_MS]
    other = [a for a in slow if a.served - a.service_waited > GOAL_MS]
    say(f"{len(slow)} of {len(answers)} over {GOAL_MS:.0f} ms: "
        f"{len(by_client)} by the client's wait for a core, "
        f"{len(slow) - len(by_client) - len(other)} by media-service's, "
        f"{len(other)} by something else")
    figure("hook_p50_ms", percentile(served, 0.5), 2)
    figure("hook_p99_ms", percentile(served, 0.99), 2)
    figure("hook_seen_p99_ms", percentile([a.seen for a in answers], 0.99), 2)
    figure("hook_slow_else", len(other), 0)
    figure("hook_within_5_ms", share, 3)
    figure("start_s", max(times), 2)
    figure("start_median_s", median(times), 2)


if __name__ == "__main__":
    main()
