# SPDX-License-Identifier: Apache-2.0
"""Getting one archive or file from one place, verified.

Every function here ends with a complete file whose size and SHA-256 are those
of the manifest, or raises FetchError. Downloads by URL resume where they
stopped; packages come through their registries' ordinary clients, which have
caches of their own.
"""

import contextlib
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

from .errors import FetchError

# Long enough for a slow server's answer, short enough that a machine without
# a route to the first place goes on to the next one.
TIMEOUT_S = 15
CLIENT_TIMEOUT_S = 1800
BLOCK = 1 << 18


def sha256_of(path):
    return hash_of(path, hashlib.sha256())


def sha1_of(path):
    return hash_of(path, hashlib.sha1())


def hash_of(path, digest):
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def mebibytes(size):
    return f"{size / (1 << 20):.1f} MiB"


class Progress:
    """One line that is rewritten on a terminal, a line a quarter elsewhere."""

    def __init__(self, label, total, out=None):
        self.label = label
        self.total = max(total, 1)
        self.out = out or sys.stderr
        self.live = self.out.isatty()
        self.shown = -1
        self.started = time.monotonic()

    def at(self, done):
        percent = min(100, done * 100 // self.total)
        step = percent if self.live else percent // 25 * 25
        if step <= self.shown:
            return
        self.shown = step
        text = f"  {self.label}: {step} % of {mebibytes(self.total)}"
        if self.live:
            rate = done / max(time.monotonic() - self.started, 1e-3) / (1 << 20)
            print(f"\r{text}, {rate:.1f} MiB/s ", end="", file=self.out)
            self.out.flush()
        else:
            print(text, file=self.out, flush=True)

    def end(self):
        if self.live and self.shown >= 0:
            print(file=self.out, flush=True)


def verify(path, spec):
    size = os.path.getsize(path)
    if spec.size is not None and size != spec.size:
        raise FetchError(f"{spec.place}: {size} bytes came, {spec.size} expected")
    for name, expected, of in (
        ("SHA-256", spec.sha256, sha256_of),
        ("SHA-1", spec.sha1, sha1_of),
    ):
        found = of(path) if expected else ""
        if found != expected:
            raise FetchError(
                f"{spec.place}: wrong {name} {found}, {expected} expected; "
                "nothing was kept"
            )


def _open_url(spec, have):
    request = urllib.request.Request(
        spec.place, headers={"User-Agent": "live-broadcast-dubbing-fetch"}
    )
    if have:
        request.add_header("Range", f"bytes={have}-")
    return urllib.request.urlopen(request, timeout=TIMEOUT_S)


def _resumes(answer, have):
    """A server may ignore the range, or answer with another one."""
    span = answer.headers.get("Content-Range", "")
    return answer.status == 206 and span.startswith(f"bytes {have}-")


def _copy(answer, file, spec, done):
    progress = Progress(os.path.basename(spec.place), _total(answer, spec, done))
    try:
        while block := answer.read(BLOCK):
            done += len(block)
            if done > spec.limit:
                raise FetchError(
                    f"{spec.place}: more than {spec.limit} bytes came"
                )
            file.write(block)
            progress.at(done)
    finally:
        progress.end()


def _total(answer, spec, done):
    """What the server says, where nobody else does."""
    length = answer.headers.get("Content-Length", "")
    if spec.size is None and length.isdecimal():
        return min(done + int(length), spec.limit)
    return spec.limit


def _transfer(spec, part):
    have = os.path.getsize(part) if os.path.exists(part) else 0
    if have == spec.size:
        return
    # Nothing would tell a piece of another file from this one's.
    if have > spec.limit or not spec.is_hashed:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(part)
        have = 0
    try:
        with _open_url(spec, have) as answer:
            resumed = bool(have) and _resumes(answer, have)
            with open(part, "ab" if resumed else "wb") as file:
                _copy(answer, file, spec, have if resumed else 0)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise FetchError(f"{spec.place}: {reason}") from error


def from_url(spec, path):
    """Downloads to PATH.part, going on where an earlier run was stopped."""
    part = path + ".part"
    resumed = os.path.exists(part)
    is_whole = False
    try:
        _transfer(spec, part)
        is_whole = spec.size is None
        verify(part, spec)
    except FetchError:
        short = os.path.exists(part) and not is_whole and (
            os.path.getsize(part) < spec.limit
        )
        if not short and os.path.exists(part):
            os.unlink(part)
        if short or not resumed:
            raise
        # The first piece may have been of another file: once more, whole.
        _transfer(spec, part)
        try:
            verify(part, spec)
        except FetchError:
            os.unlink(part)
            raise
    os.replace(part, path)


def _bytes_below(folder):
    total = 0
    for base, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.path.getsize(os.path.join(base, name))
            except OSError:
                pass
    return total


def _watch(child, progress, folder):
    """A client's progress is what it has written below its folder."""
    until = time.monotonic() + CLIENT_TIMEOUT_S
    while True:
        try:
            return child.communicate(timeout=0.3)[0]
        except subprocess.TimeoutExpired:
            if time.monotonic() > until:
                child.kill()
                child.communicate()
                raise
            # Not 100 before the client says so: it may keep a copy besides.
            progress.at(min(_bytes_below(folder), progress.total * 99 // 100))


def _run(command, spec, folder):
    """Runs a registry's client, with FOLDER for its temporary files."""
    progress = Progress(spec.place, spec.size)
    progress.at(0)
    try:
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "TMPDIR": folder},
        ) as child:
            output = _watch(child, progress, folder)
    except (OSError, subprocess.TimeoutExpired) as error:
        progress.end()
        raise FetchError(f"{spec.place}: {error}") from error
    if child.returncode == 0:
        progress.at(progress.total)
    progress.end()
    if child.returncode != 0:
        tail = "\n    ".join(output.strip().splitlines()[-4:])
        raise FetchError(f"{spec.place}: {command[0]} failed\n    {tail}")


def _pip():
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    here = os.path.dirname(os.path.abspath(__file__))
    venv = os.path.join(here, "..", "..", ".venv", "bin", "python")
    if os.access(venv, os.X_OK):
        return [venv, "-m", "pip"]
    raise FetchError("pip is not installed: apt-get install python3-pip")


def _wheel_tags(archive):
    """A wheel of one Python is wanted by any, since only a library is taken
    out of it."""
    python, abi, machine = archive.removesuffix(".whl").split("-")[-3:]
    if not python.startswith("cp"):
        return []
    return ["--python-version", python[2:], "--abi", abi, "--platform", machine]


def pip_command(spec, requirements, folder):
    """pip checks the hash too, before it looks into a source archive."""
    name = spec.place.split("==")[0]
    command = _pip() + ["--disable-pip-version-check", "download", "--no-deps"]
    command += ["--quiet", "--require-hashes", "--dest", folder]
    if spec.archive.endswith(".tar.gz"):
        command += ["--no-binary", name]
    else:
        command += ["--only-binary", ":all:"] + _wheel_tags(spec.archive)
    return command + ["--requirement", requirements]


def from_pip(spec, path):
    with tempfile.TemporaryDirectory(dir=os.path.dirname(path)) as folder:
        requirements = os.path.join(folder, "requirements.txt")
        with open(requirements, "w", encoding="utf-8") as file:
            file.write(f"{spec.place} --hash=sha256:{spec.sha256}\n")
        _run(pip_command(spec, requirements, folder), spec, folder)
        _take(spec, os.path.join(folder, spec.archive), path)


def from_npm(spec, path):
    npm = shutil.which("npm")
    if npm is None:
        raise FetchError("npm is not installed: scripts/node, or apt-get install npm")
    with tempfile.TemporaryDirectory(dir=os.path.dirname(path)) as folder:
        command = [npm, "pack", "--silent", "--pack-destination", folder]
        _run(command + [spec.place], spec, folder)
        _take(spec, os.path.join(folder, spec.archive), path)


def _take(spec, found, path):
    if not os.path.exists(found):
        raise FetchError(f"{spec.place}: {spec.archive} did not come")
    verify(found, spec)
    os.replace(found, path)


GETTERS = {"url": from_url, "pip": from_pip, "npm": from_npm}


def get(spec, path):
    """The archive or file of one input, complete and verified, at path."""
    if os.path.exists(path):
        try:
            return verify(path, spec)
        except FetchError:
            os.unlink(path)
    return GETTERS[spec.kind](spec, path)
