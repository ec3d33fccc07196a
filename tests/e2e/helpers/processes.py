# SPDX-License-Identifier: Apache-2.0
"""The programs under test as plain processes on free loopback ports.

    with Stack("echo", artifacts) as stack:
        server = stack.mediamtx()
        sts = stack.sts("echo")
        worker = stack.worker("a", sts_url=sts.url)

Each process writes to a log of its own in the stack's folder; the folder is
the bundle that a failed test leaves behind. A stack ends what it started, by
process id, last started first.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from . import tools

MEDIAMTX_CONFIG = """\
logLevel: info
logDestinations: [stdout]
api: yes
apiAddress: 127.0.0.1:{api}
metrics: no
pprof: no
playback: no
rtsp: {rtsp_on}
rtspAddress: 127.0.0.1:{rtsp}
rtspTransports: [tcp]
hls: {hls_on}
hlsAddress: 127.0.0.1:{hls}
hlsVariant: fmp4
webrtc: {hls_on}
webrtcAddress: 127.0.0.1:{webrtc}
webrtcLocalUDPAddress: 127.0.0.1:{webrtc_udp}
webrtcIPsFromInterfaces: no
webrtcAdditionalHosts: [127.0.0.1]
srt: no
rtmp: yes
rtmpAddress: 127.0.0.1:{rtmp}
paths:
{paths}
  all_others:
"""

HOOKED_PATH = """\
  "~^live/[A-Za-z0-9_-]+/in$":
    runOnReady: "{hook} ready"
    runOnNotReady: "{hook} not-ready"
"""


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def get(url: str, timeout_s: float = 3.0) -> tuple[int, str]:
    """(status, body); status 0 when nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=timeout_s) as answer:
            return answer.status, answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode("utf-8", "replace")
    except OSError as error:
        return 0, str(error)


def wait_for(check, timeout_s: float, what: str, step_s: float = 0.1):
    """The first true value of check(); an error that says what was missing."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {timeout_s:.0f} s")
        time.sleep(step_s)


class Process:
    """One child in a process group of its own."""

    def __init__(self, name: str, args: list, folder: Path,
                 env: dict | None = None, stdin: bytes | None = None):
        self.name, self.log = name, folder / f"{name}.log"
        folder.mkdir(parents=True, exist_ok=True)
        with open(self.log, "ab") as log:
            self.popen = subprocess.Popen(
                [str(a) for a in args], stdout=log, stderr=log,
                stdin=subprocess.PIPE if stdin is not None
                else subprocess.DEVNULL,
                env={**os.environ, **(env or {})}, start_new_session=True)
        if stdin is not None:
            self.popen.stdin.write(stdin)
            self.popen.stdin.close()
        self.url = ""

    @property
    def pid(self) -> int:
        return self.popen.pid

    @property
    def is_running(self) -> bool:
        return self.popen.poll() is None

    def output(self) -> str:
        return self.log.read_text("utf-8", "replace")

    def signal(self, number: int) -> None:
        if self.is_running:
            self.popen.send_signal(number)

    def wait(self, timeout_s: float) -> int:
        return self.popen.wait(timeout_s)

    def stop(self, timeout_s: float = 8.0) -> int | None:
        """SIGTERM, then SIGKILL to its group. Gives the exit code."""
        self.signal(signal.SIGTERM)
        try:
            self.popen.wait(timeout_s)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        return self.popen.wait(5)

    def children(self) -> list[int]:
        return children_of(self.pid)

    def cpu_s(self) -> float:
        """User and system time of this process, without its children."""
        return cpu_of(self.pid)

    def uss_kib(self) -> int:
        return uss_of(self.pid)


def children_of(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(c) for c in task.read_text().split()]
        except OSError:
            pass
    return found


def cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def uss_of(pid: int) -> int:
    total = 0
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(("Private_Clean:", "Private_Dirty:")):
            total += int(line.split()[1])
    return total


def rss_of(pid: int) -> float:
    """Resident memory in MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / (1 << 20)


def descriptors_of(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


class Stack:
    """What one scenario has started, and its folder."""

    def __init__(self, name: str, root: Path | None = None):
        self.folder = (root or tools.ARTIFACTS) / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.processes: list[Process] = []
        self.rtmp_port = self.api_port = self.rtsp_port = 0
        self.hls_port = self.webrtc_port = 0
        self.runtime_dir = ""
        self.counter = 0
        self.server: Process | None = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self) -> None:
        while self.processes:
            self.processes.pop().stop()
        if self.runtime_dir:
            shutil.rmtree(self.runtime_dir, ignore_errors=True)

    def start(self, name: str, args: list, **kwargs) -> Process:
        self.counter += 1
        process = Process(f"{self.counter:02d}-{name}", args, self.folder,
                          **kwargs)
        self.processes.append(process)
        return process

    # --- the media server ---

    def mediamtx(self, hook: str = "", orchestrator_url: str = "",
                 rtsp: bool = False, browsers: bool = False) -> Process:
        """browsers: with HLS and WebRTC."""
        self.rtmp_port, self.api_port = free_port(), free_port()
        self.rtsp_port = free_port()
        self.hls_port, self.webrtc_port = free_port(), free_port()
        config = self.folder / "mediamtx.yml"
        config.write_text(MEDIAMTX_CONFIG.format(
            api=self.api_port, rtmp=self.rtmp_port, rtsp=self.rtsp_port,
            rtsp_on="yes" if rtsp else "no",
            hls_on="yes" if browsers else "no", hls=self.hls_port,
            webrtc=self.webrtc_port, webrtc_udp=free_udp_port(),
            paths=HOOKED_PATH.format(hook=hook) if hook else ""))
        return self.restart_mediamtx(orchestrator_url)

    def restart_mediamtx(self, orchestrator_url: str = "") -> Process:
        server = self.start("mediamtx", [tools.need("mediamtx"),
                                         self.folder / "mediamtx.yml"],
                            env={"ORCHESTRATOR_URL": orchestrator_url}
                            if orchestrator_url else None)
        server.url = f"http://127.0.0.1:{self.api_port}"
        self.healthy(server, server.url + "/v3/paths/list")
        self.server = server
        return server

    def rtmp_url(self, path: str) -> str:
        return f"rtmp://127.0.0.1:{self.rtmp_port}/{path}"

    def paths(self) -> dict[str, dict]:
        """What the media server has, by path."""
        status, body = get(f"http://127.0.0.1:{self.api_port}/v3/paths/list"
                           "?itemsPerPage=1000")
        if status != 200:
            return {}
        return {i["name"]: i for i in json.loads(body)["items"]}

    def wait_path(self, path: str, timeout_s: float = 30.0) -> dict:
        return wait_for(
            lambda: (p := self.paths().get(path)) and p["ready"] and p,
            timeout_s, f"{path} on the media server")

    # --- ours ---

    def sts(self, mode: str = "", timeout_s: float = 60.0,
            **env: str) -> Process:
        """sts-service (mode "") or its echo."""
        port = free_port()
        process = self.start(
            f"sts-{mode or 'full'}",
            [tools.need("sts-service")] + ([mode] if mode else []),
            env={"PORT": str(port), "ECHO_PORT": str(port),
                 "HOST": "127.0.0.1", "ECHO_HOST": "127.0.0.1",
                 "LOG_LEVEL": "debug", **env})
        process.url = f"http://127.0.0.1:{port}"
        self.healthy(process, process.url + "/health/ready", timeout_s)
        return process

    def runtime(self) -> str:
        """Where the workers' control sockets are. Short: a Unix socket's
        path has 108 bytes."""
        if not self.runtime_dir:
            self.runtime_dir = tempfile.mkdtemp(prefix="dub-e2e-")
        return self.runtime_dir

    def runtime_socket(self, stream: str) -> str:
        return f"{self.runtime()}/{stream}.sock"

    def worker(self, stream: str, *, sts_url: str = "", input_url: str = "",
               output_url: str = "", name: str = "worker",
               env: dict | None = None, prefix: tuple = (),
               **settings: str) -> Process:
        """A media-worker of its own, settings by standard input. prefix: a
        command that becomes it."""
        values = {
            "STREAM_ID": stream, "RUN_ID": "e2e",
            "INPUT_URL": input_url or self.rtmp_url(f"live/{stream}/in"),
            "OUTPUT_URL": output_url or self.rtmp_url(f"live/{stream}/out"),
            "RUNTIME_DIR": self.runtime(),
            "LOG_LEVEL": "debug",
            **({"STS_SERVICE_URL": sts_url} if sts_url
               else {"SKIP_STS_CONNECTION": "true"}), **settings}
        return self.start(f"{name}-{stream}",
                          [*prefix, tools.need("media-worker")],
                          env={"SETTINGS_STDIN": "true", **(env or {})},
                          stdin=json.dumps(values).encode() + b"\n")

    def media_service(self, sts_url: str, port: int = 0,
                      **env: str) -> Process:
        port = port or free_port()
        process = self.start(
            "media-service", [tools.need("media-service")],
            env={"PORT": str(port), "MEDIAMTX_HOST": "127.0.0.1",
                 "MEDIAMTX_RTMP_PORT": str(self.rtmp_port),
                 "STS_SERVICE_URL": sts_url, "LOG_LEVEL": "debug",
                 "RUNTIME_DIR": self.runtime(), **env})
        process.url = f"http://127.0.0.1:{port}"
        self.healthy(process, process.url + "/health")
        return process

    def healthy(self, process: Process, url: str,
                timeout_s: float = 20.0) -> None:
        def check():
            if not process.is_running:
                raise RuntimeError(f"{process.name} ended with "
                                   f"{process.popen.returncode}:\n"
                                   + process.output()[-3000:])
            return get(url)[0] == 200
        wait_for(check, timeout_s, f"{process.name} at {url}")
