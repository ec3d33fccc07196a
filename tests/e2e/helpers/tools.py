# SPDX-License-Identifier: Apache-2.0
"""Where the programs and the folders are.

Everything can be overridden from the environment; the defaults are those of
the Makefile.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BUILD = Path(os.environ.get("BUILD_DIR", ROOT / "build" / "native"))
FIXTURES = Path(os.environ.get("E2E_FIXTURES", ROOT / "build" / "fixtures"))
ARTIFACTS = Path(os.environ.get("E2E_ARTIFACTS", ROOT / ".artifacts" / "e2e"))
MEDIA = Path(os.environ.get("TEST_MEDIA", ROOT / "tests" / "media"))

TOOLS = Path(os.environ.get("TOOLS_PREFIX", ROOT / "build" / "tools"))

PROGRAMS = {
    "media-worker": BUILD / "apps" / "media-service" / "media-worker",
    "media-service": BUILD / "apps" / "media-service" / "media-service",
    "sts-service": BUILD / "apps" / "sts-service" / "sts-service",
    "mtx-hook": BUILD / "apps" / "media-service" / "mtx-hook",
    "mediamtx": TOOLS / "mediamtx",
    "promtool": TOOLS / "promtool",
}


def find(name: str) -> str | None:
    """A program's path: from NAME in the environment, the build, PATH."""
    override = os.environ.get(name.upper().replace("-", "_"))
    if override:
        return override
    if name in PROGRAMS and PROGRAMS[name].exists():
        return str(PROGRAMS[name])
    if name not in ("mediamtx", "ffmpeg", "ffprobe"):
        for path in sorted(BUILD.glob(f"apps/**/{name}")):
            if path.is_file() and os.access(path, os.X_OK):
                return str(path)
    return shutil.which(name)


def need(name: str) -> str:
    path = find(name)
    if path is None:
        raise FileNotFoundError(
            f"{name} is not built: run `make build`, or name it in "
            f"{name.upper().replace('-', '_')}")
    return path


def run(*args, timeout_s: float = 300, text: bool = False,
        **kwargs) -> subprocess.CompletedProcess:
    """A command that must succeed; its errors become ours."""
    done = subprocess.run([str(a) for a in args], capture_output=True,
                          timeout=timeout_s, text=text,
                          stdin=subprocess.DEVNULL, **kwargs)
    if done.returncode != 0:
        errors = done.stderr if text else done.stderr.decode("utf-8",
                                                             "replace")
        raise RuntimeError(f"{args[0]} ended with {done.returncode}: "
                           f"{errors[-2000:]}")
    return done


def ffmpeg(*args, timeout_s: float = 300) -> bytes:
    return run("ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin",
               "-y", *args, timeout_s=timeout_s).stdout
