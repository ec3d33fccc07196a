# SPDX-License-Identifier: Apache-2.0
"""What our Socket.IO server costs beside Node's and Python's.

The same client sends 64 KiB of bytes to each, which come back in the
acknowledgement: one connection with one message under way, then fifty. Each
server runs alone, one after the other, in several rounds; a server's figure is
the middle one of its rounds.

    MESSAGES=4000  a round of one server    ROUNDS=3    SIZE=65536

vs_node, vs_python  CPU of our server per message over that of the other: the
                    larger ratio of one and of fifty clients
*_cpu_us            CPU per message, with one and with fifty clients
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchlib import ROOT, figure, header, load, number, say

BUILD = Path(os.environ.get("BUILD_DIR") or ROOT / "build" / "native")
TESTS = BUILD / "libs" / "socketio" / "tests"
INTEROP = ROOT / "libs" / "socketio" / "tests" / "interop"
CLIENTS = (1, 50)
COMMON = ["--port", "0", "--watch-stdin", "--ping-interval", "25000",
          "--ping-timeout", "20000", "--max-payload", "20000000"]
SERVERS = {
    "ours": [str(TESTS / "socketio-conformance-server")],
    "node": ["node", str(INTEROP / "echo_server.mjs")],
    "python": [sys.executable, str(ROOT / "bench" / "socketio_python.py")],
}


@dataclass
class Round:
    cpu_us: float
    per_second: float
    p95_ms: float


def cpu_us(pid: int) -> float:
    """Time on a CPU of all its threads, to the microsecond."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total / 1000


def read_line(process: subprocess.Popen[str], word: str) -> list[str]:
    words = (process.stdout.readline() or "nothing").split()
    if words[:1] != [word]:
        raise SystemExit(f"bench-socketio: {process.args[:2]} said {words}")
    return words[1:]


def popen(command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(command, text=True, stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE)


def one_round(name: str, clients: int, messages: int, size: int) -> Round:
    with popen(SERVERS[name] + COMMON) as server:
        try:
            port = read_line(server, "listening")[0]
            with popen([str(TESTS / "socketio-bench-client"),
                        f"http://127.0.0.1:{port}", str(clients),
                        str(messages), str(size)]) as client:
                read_line(client, "connected")
                before = cpu_us(server.pid)
                client.stdin.write("go\n")
                client.stdin.flush()
                done, seconds, _, p95 = read_line(client, "done")
                spent = cpu_us(server.pid) - before
        finally:
            server.stdin.close()
            server.wait(20)
    return Round(spent / int(done), int(done) / float(seconds),
                 float(p95) / 1000)


def measure(clients: int, messages: int, size: int,
            rounds: int) -> dict[str, float]:
    results: dict[str, list[Round]] = {name: [] for name in SERVERS}
    for _ in range(rounds):
        for name in SERVERS:
            results[name].append(one_round(name, clients, messages, size))
    say(f"{clients} clients        CPU us/message   messages/s   p95 ms")
    cost = {}
    for name, list_of in results.items():
        cost[name] = statistics.median(r.cpu_us for r in list_of)
        rate = statistics.median(r.per_second for r in list_of)
        p95 = statistics.median(r.p95_ms for r in list_of)
        say(f"  {name:8}{cost[name]:22.1f}{rate:13.0f}{p95:9.2f}")
    return cost


def main() -> int:
    messages, rounds = int(number("MESSAGES", 4000)), int(number("ROUNDS", 3))
    size = int(number("SIZE", 65536))
    header("bench-socketio", f"echo of {size} bytes with acknowledgement")
    costs = {n: measure(n, messages, size, rounds) for n in CLIENTS}
    say(load() + "\n")
    for n, cost in costs.items():
        for name, value in cost.items():
            figure(f"{name}_{n}_cpu_us", value, 1)
    for peer in ("node", "python"):
        figure(f"vs_{peer}", max(c["ours"] / c[peer] for c in costs.values()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
