# SPDX-License-Identifier: Apache-2.0
"""scripts/services: small servers stand in for the programs."""

import json
import os
import socket
import subprocess
import sys
import threading

import pytest
from conftest import SCRIPTS, load_script
from serviceslib import compose, look, processes, stacks
from serviceslib.stacks import Service, ServiceError

services = load_script("services")

# Ready at once; ends on SIGTERM as any program does.
SERVER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
http.server.ThreadingHTTPServer(
    ("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
STACK = stacks.Stack("e2e", ("mediamtx", "media-service"), "", "make e2e-up",
                     "make e2e-down")
PORT_OF = {"mediamtx": "api", "media-service": "media"}


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@pytest.fixture(name="code")
def _code():
    """What each stand-in runs."""
    return {"mediamtx": SERVER, "media-service": SERVER}


@pytest.fixture(name="stack")
def _stack(tmp_path, monkeypatch, code):
    def stand_in(name, ports, runtime_dir, env):
        port = PORT_OF[name]
        return Service(name, (sys.executable, "-c", code[name],
                              str(ports[port])), {},
                       stacks.http(ports, port), 20, (port,))

    monkeypatch.setattr(stacks, "service", stand_in)
    env = {**os.environ, "MEDIAMTX_API_PORT": str(free_port()),
           "MEDIA_SERVICE_PORT": str(free_port())}

    def make(**more):
        return processes.Processes(STACK, {**env, **more}, tmp_path)

    yield make
    make().down()


def pids(stack):
    return [h.pid for h in stack.handles()]


def test_up_starts_all_and_down_ends_them(stack, capsys):
    assert stack().up() and stack().is_up()
    stack().ps()
    assert capsys.readouterr().out.count("healthy") == 2
    running = pids(stack())
    runtime_dir = stack().record["runtime_dir"]
    assert stack().down()
    assert [processes.began(p) for p in running] == [None, None]
    assert not os.path.exists(runtime_dir)
    assert not stack().down()


def test_a_second_up_changes_nothing(stack):
    stack().up()
    before = pids(stack())
    assert not stack().up()
    assert pids(stack()) == before


def test_up_starts_again_what_has_ended(stack):
    stack().up()
    first, second = stack().handles()
    second.stop()
    assert not stack().is_up()
    assert stack().up()
    assert pids(stack())[0] == first.pid


def test_a_taken_port_is_named_with_its_variable(stack):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = taken.getsockname()[1]
        message = f"port {port} is taken.*MEDIA_SERVICE_PORT"
        with pytest.raises(ServiceError, match=message):
            stack(MEDIA_SERVICE_PORT=str(port)).up()
    assert not any(h.is_running for h in stack().handles())


def test_what_ends_at_once_is_told_and_nothing_stays(stack, code):
    code["media-service"] = "import sys; sys.exit('no such model')"
    with pytest.raises(ServiceError, match="(?s)ended at once.*no such model"):
        stack().up()
    assert not any(h.is_running for h in stack().handles())
    assert stack().record == {}


def test_another_process_with_the_same_id_is_left_alone(stack):
    with subprocess.Popen(["sleep", "60"]) as other:
        try:
            stack().folder.mkdir(parents=True)
            (stack().folder / "mediamtx.pid").write_text(f"{other.pid} 1\n")
            assert not stack().down()
            assert other.poll() is None
        finally:
            other.kill()


def test_a_program_that_does_not_end_is_killed(stack, code, monkeypatch):
    code["media-service"] = (
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        + SERVER)
    monkeypatch.setattr(processes, "STOP_S", 0.3)
    stack().up()
    assert stack().down()
    assert not any(h.is_running for h in stack().handles())


def test_a_worker_left_over_is_asked_to_stop(tmp_path):
    path = tmp_path / "live.sock"
    asked = []
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen(1)

        def worker():
            client, _ = server.accept()
            with client:
                asked.append(client.recv(100))

        thread = threading.Thread(target=worker)
        thread.start()
        processes.stop_workers(tmp_path)
        thread.join(10)
    assert [json.loads(a) for a in asked] == [{"type": "stop"}]


@pytest.mark.parametrize("status", [0, 3])
def test_with_gives_the_commands_status_and_cleans_up(stack, status):
    command = [sys.executable, "-c", f"raise SystemExit({status})"]
    assert services.run_with(stack(), command) == status
    assert not stack().is_up() and stack().record == {}


def test_with_leaves_what_ran_before(stack):
    stack().up()
    assert services.run_with(stack(), ["true"]) == 0
    assert stack().is_up()


def test_logs_of_all(stack):
    stack().up()
    for handle in stack().handles():
        handle.log.write_text("".join(f"{n}\n" for n in range(300)))
    lines = logs_of(stack())
    assert lines.count("299") == 2 and lines.count("100") == 2
    assert "99" not in lines


def logs_of(stack):
    """In a child, since logs becomes tail."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.dup2(write, 1)
            stack.logs(follow=False)
        finally:
            os._exit(1)
    os.close(write)
    with os.fdopen(read) as text:
        lines = text.read().splitlines()
    assert os.waitpid(pid, 0)[1] == 0
    return lines


@pytest.mark.parametrize("text", ["0", "65536", "x", "-1"])
def test_error_a_port_out_of_range(text):
    with pytest.raises(ServiceError, match="STS_PORT="):
        stacks.ports_of(STACK, {"STS_PORT": text})


def test_the_ports_that_are_documented():
    ports = stacks.ports_of(stacks.STACKS["e2e"], {})
    wanted = {"rtmp": 1935, "rtsp": 8554, "api": 8889, "media": 8080,
              "sts": 3000}
    assert wanted.items() <= ports.items()
    assert len(set(ports.values())) == len(ports)
    assert stacks.ports_of(stacks.STACKS["media"], {})["api"] == 9997


# --- containers ---

FAKE_DOCKER = "#!/bin/bash\n" + """\
echo "$STS_PORT $MEDIAMTX_API_PORT $*" >>"$0.log"
case "$*" in
  *--status*) cat "$0.running" 2>/dev/null ;;
  *" up "*) printf 'mediamtx\\nsts-service\\nmedia-service\\n' >"$0.running" ;;
  *" down "*) rm -f "$0.running" ;;
esac
"""


@pytest.fixture(name="docker")
def _docker(tmp_path, monkeypatch):
    path = tmp_path / "docker"
    path.write_text(FAKE_DOCKER)
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return lambda: (tmp_path / "docker.log").read_text()


def test_containers_where_an_engine_answers(docker, tmp_path):
    command = compose.find_command()
    stack = compose.Compose(stacks.STACKS["e2e"], {"STS_PORT": "3001"},
                            command, tmp_path / "run")
    assert stack.up() and not stack.up()
    assert stack.is_up()
    record = json.loads((tmp_path / "run/e2e/stack.json").read_text())
    assert record["ports"]["sts"] == 3001
    assert stack.down() and not stack.down()
    assert "3001 8889 compose --file " in docker()
    assert "tests/e2e/docker-compose.yml up --detach --build --wait" \
        in docker()


def test_processes_where_no_engine_answers(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert compose.find_command() is None
    chosen = services.choose(stacks.STACKS["e2e"], {})
    assert chosen.engine == "processes"
    with pytest.raises(ServiceError, match="no Docker"):
        services.choose(stacks.STACKS["e2e"], {"SERVICES_ENGINE": "compose"})


# --- metrics and streams ---

def test_metrics_of_all_that_answers(server):
    server.files["/metrics"] = b"a 1\n"
    port = server.server_address[1]
    ports = {"media": port, "sts": free_port(), "metrics": free_port()}
    text = look.metrics([ports, ports], {})
    assert text == f"# http://127.0.0.1:{port}/metrics\na 1\n"
    ports["media"] = ports["sts"]
    with pytest.raises(ServiceError, match="make e2e-up"):
        look.metrics([ports], {})


def test_streams_as_a_table(server):
    listed = {"items": [
        {"name": "live/b/out", "ready": False, "source": None},
        {"name": "live/a/in", "ready": True,
         "readyTime": "2026-01-02T03:04:05.678Z",
         "source": {"type": "rtmpConn", "id": "1"},
         "tracks": ["H264", "MPEG-4 Audio"], "readers": [{}],
         "bytesReceived": 2048, "bytesSent": 3 << 20}]}
    server.files["/v3/paths/list?itemsPerPage=1000"] = \
        json.dumps(listed).encode()
    text = look.streams([{"api": server.server_address[1]}])
    lines = [line.split() for line in text.splitlines()[2:]]
    assert lines[0] == ("live/a/in ready 2026-01-02T03:04:05 rtmpConn H264, "
                        "MPEG-4 Audio 1 2 KiB 3 MiB").split()
    assert lines[1][:2] == ["live/b/out", "waiting"]


@pytest.mark.parametrize("args", [[], ["e2e"], ["e2e", "fly"], ["x", "up"]])
def test_error_usage(args):
    done = subprocess.run([SCRIPTS / "services", *args], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 64 and "services STACK up" in done.stdout
