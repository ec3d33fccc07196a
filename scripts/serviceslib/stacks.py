# SPDX-License-Identifier: Apache-2.0
"""The stacks by value: which programs, which ports, which settings.

Ports are the ones that the compose files have; each can be moved by its
variable, in both. Everything listens on this machine only.
"""

import os
import socket
from dataclasses import dataclass, field

from demolib import programs


class ServiceError(Exception):
    """What went wrong, for the person who sees it."""


@dataclass(frozen=True)
class Port:
    name: str
    variable: str
    number: int
    kind: int = socket.SOCK_STREAM


PORTS = (
    Port("rtmp", "MEDIAMTX_RTMP_PORT", 1935),
    Port("rtsp", "MEDIAMTX_RTSP_PORT", 8554),
    Port("api", "MEDIAMTX_API_PORT", 9997),
    Port("metrics", "MEDIAMTX_METRICS_PORT", 9998),
    Port("hls", "MEDIAMTX_HLS_PORT", 8888),
    Port("srt", "MEDIAMTX_SRT_PORT", 8890, socket.SOCK_DGRAM),
    # Not 8889, which is the API's in the e2e stack.
    Port("webrtc", "MEDIAMTX_WEBRTC_PORT", 8891),
    Port("webrtclocaludp", "MEDIAMTX_WEBRTC_UDP_PORT", 8189, socket.SOCK_DGRAM),
    Port("media", "MEDIA_SERVICE_PORT", 8080),
    Port("sts", "STS_PORT", 3000),
)
BY_NAME = {port.name: port for port in PORTS}
MEDIA_SERVER_PORTS = (
    "rtmp",
    "rtsp",
    "api",
    "metrics",
    "hls",
    "srt",
    "webrtc",
    "webrtclocaludp",
)


@dataclass(frozen=True)
class Stack:
    """compose: its file, from the top of the repository; its folder names
    the project, as for those who run `docker compose` there themselves."""

    name: str
    services: tuple
    compose: str
    up: str
    down: str
    ports: dict = field(default_factory=dict)


STACKS = {
    "e2e": Stack(
        "e2e",
        ("mediamtx", "sts-service", "media-service"),
        "tests/e2e/docker-compose.yml",
        "make e2e-up",
        "make e2e-down",
        {"api": 8889},
    ),
    "media": Stack(
        "media",
        ("mediamtx", "media-service"),
        "apps/media-service/docker-compose.yml",
        "make media-dev",
        "make media-down",
    ),
}


def ports_of(stack, env):
    """By name; a variable moves its port."""
    found = {}
    for port in PORTS:
        text = env.get(port.variable) or str(
            stack.ports.get(port.name, port.number)
        )
        if not text.isdigit() or not 1 <= int(text) <= 65535:
            raise ServiceError(f"{port.variable}={text}: must be 1 to 65535")
        found[port.name] = int(text)
    return found


def http(ports, name, path=""):
    return f"http://127.0.0.1:{ports[name]}{path}"


@dataclass(frozen=True)
class Service:
    """One program as it is started, and how it tells that it is ready."""

    name: str
    args: tuple
    env: dict
    ready_url: str
    ready_s: float
    ports: tuple


def service(name, ports, runtime_dir, env):
    make = {
        "mediamtx": _mediamtx,
        "sts-service": _sts_service,
        "media-service": _media_service,
    }[name]
    try:
        return make(ports, runtime_dir, env)
    except programs.DemoError as error:
        raise ServiceError(str(error)) from None


def _mediamtx(ports, _runtime_dir, env):
    hooks = programs.find("mtx-hook").parent
    settings = {
        f"MTX_{name.upper()}ADDRESS": f"127.0.0.1:{ports[name]}"
        for name in MEDIA_SERVER_PORTS
    }
    settings["ORCHESTRATOR_URL"] = http(ports, "media")
    settings["PATH"] = f"{hooks}{os.pathsep}{env.get('PATH', '')}"
    config = programs.ROOT / "apps/media-service/deploy/mediamtx/mediamtx.yml"
    return Service(
        "mediamtx",
        (str(programs.media_server()), str(config)),
        settings,
        http(ports, "api", "/v3/paths/list"),
        15,
        MEDIA_SERVER_PORTS,
    )


def _sts_service(ports, _runtime_dir, env):
    mode = env.get("STS_MODE") or ""
    if mode not in ("", "echo"):
        raise ServiceError(f"STS_MODE={mode}: must be echo or nothing")
    return Service(
        "sts-service",
        (str(programs.find("sts-service")),) + ((mode,) if mode else ()),
        {"HOST": "127.0.0.1", "PORT": str(ports["sts"]), "ECHO_PORT": "0"},
        http(ports, "sts", "/health/ready"),
        180,
        ("sts",),
    )


def _media_service(ports, runtime_dir, env):
    settings = {
        "PORT": str(ports["media"]),
        "MEDIAMTX_HOST": "127.0.0.1",
        "MEDIAMTX_RTMP_PORT": str(ports["rtmp"]),
        "MEDIAMTX_API_URL": http(ports, "api"),
        "MEDIAMTX_HLS_URL": http(ports, "hls"),
        "MEDIAMTX_WEBRTC_URL": http(ports, "webrtc"),
        "STS_SERVICE_URL": env.get("STS_SERVICE_URL") or http(ports, "sts"),
        "ORCH_WORKER_COMMAND": str(programs.find("media-worker")),
        "RUNTIME_DIR": runtime_dir,
    }
    return Service(
        "media-service",
        (str(programs.find("media-service")),),
        settings,
        http(ports, "media", "/health"),
        15,
        ("media",),
    )
