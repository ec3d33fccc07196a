# SPDX-License-Identifier: Apache-2.0
"""The cache folder: what is there, and how a new thing gets in.

A file appears under its name only complete, verified and on the disk (written
aside, fsync, rename). A stamp remembers which file was verified when, so that
a second look costs a stat and not a hash. One process at a time writes.
"""

import contextlib
import fcntl
import json
import os
import shutil
import sys
import tempfile

from . import archives, convert_moonshine, convert_onnx, convert_whisper, places
from .errors import FetchError


def cache_folder(env=None):
    env = os.environ if env is None else env
    if env.get("DUBBING_CACHE_DIR"):
        return env["DUBBING_CACHE_DIR"]
    base = env.get("XDG_CACHE_HOME") or os.path.join(
        os.path.expanduser("~"), ".cache"
    )
    return os.path.join(base, "live-broadcast-dubbing")


class Store:
    def __init__(self, root, items):
        self.root = root
        self.items = items

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    @contextlib.contextmanager
    def locked(self):
        """Waits for another fetch, and says so."""
        os.makedirs(self.root, exist_ok=True)
        with open(self.path(".lock"), "w", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print("another fetch is at work, waiting for it", file=sys.stderr)
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    # -- what is there ------------------------------------------------------

    def _stamps(self, item):
        try:
            with open(self.path("stamps", item.name), encoding="utf-8") as file:
                return json.load(file)
        except (OSError, ValueError):
            return {}

    def _mark(self, path):
        info = os.stat(self.path(path))
        return [info.st_size, info.st_mtime_ns]

    def _is_file(self, spec, stamps):
        path = self.path(spec.path)
        if not os.path.isfile(path):
            return False
        if spec.size is not None and os.path.getsize(path) != spec.size:
            return False
        if stamps.get(spec.path) == self._mark(spec.path) + [spec.sha256 or spec.sha1]:
            return True
        if spec.sha256:
            return places.sha256_of(path) == spec.sha256
        return not spec.sha1 or places.sha1_of(path) == spec.sha1

    def _stamp(self, item, way):
        marks = {
            f.path: self._mark(f.path) + [f.sha256 or f.sha1] for f in way.files
        }
        os.makedirs(self.path("stamps"), exist_ok=True)
        temporary = self.path("stamps", f".{item.name}.{os.getpid()}")
        with open(temporary, "w", encoding="utf-8") as file:
            json.dump(marks, file)
        os.replace(temporary, self.path("stamps", item.name))

    def present(self, item, again=False):
        """The way whose files are all there, or None. AGAIN: hash them all."""
        stamps = {} if again else self._stamps(item)
        for way in item.ways:
            if all(self._is_file(f, stamps) for f in way.files):
                with contextlib.suppress(OSError):
                    self._stamp(item, way)
                return way
        return None

    # -- how a new thing gets in --------------------------------------------

    def _input(self, spec, folder, index):
        """The path of one input, got, verified and taken out."""
        if spec.kind == "item":
            other = self.items[spec.place]
            archive = self.path(self.fetch(other).files[0].path)
        else:
            os.makedirs(self.path("downloads"), exist_ok=True)
            archive = self.path("downloads", spec.key)
            places.get(spec, archive)
        if spec.member is None:
            return archive
        target = os.path.join(folder, f"input-{index}")
        archives.extract(archive, spec.member, target)
        return target

    def _make(self, way, inputs, folder):
        """Makes the way's files inside FOLDER, in the order of way.files."""
        outs = [os.path.join(folder, f"file-{i}") for i in range(len(way.files))]
        if way.make == "copy":
            shutil.copyfile(inputs[0], outs[0])
        elif way.make == "whisper":
            weights = _joined(way, inputs[:-1], folder)
            convert_whisper.convert(weights, inputs[-1], outs[0])
        elif way.make == "piper":
            convert_onnx.convert_piper(*inputs, *outs)
        elif way.make == "kokoro":
            model = _joined(way, inputs[:-2], folder)
            convert_onnx.convert_kokoro(model, *inputs[-2:], outs)
        elif way.make == "moonshine":
            convert_moonshine.convert(*inputs, outs)
        return outs

    def _place(self, way, outs):
        for spec, out in zip(way.files, outs):
            if not spec.sha256:
                continue  # its inputs were all that could be checked
            size, found = os.path.getsize(out), places.sha256_of(out)
            if size != spec.size or found != spec.sha256:
                raise FetchError(
                    f"{spec.path}: made {size} bytes with SHA-256 {found}, "
                    f"{spec.size} and {spec.sha256} expected"
                )
        for spec, out in zip(way.files, outs):
            _publish(out, self.path(spec.path))

    def _take(self, item, way):
        os.makedirs(self.root, exist_ok=True)
        folder = tempfile.mkdtemp(prefix=".making-", dir=self.root)
        try:
            inputs = [self._input(s, folder, i) for i, s in enumerate(way.inputs)]
            self._place(way, self._make(way, inputs, folder))
            self._stamp(item, way)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        for spec in way.inputs:
            if spec.kind != "item":
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(self.path("downloads", spec.key))

    def fetch(self, item):
        """Makes the item be there; returns the way that made it."""
        way = self.present(item)
        if way is not None:
            return way
        if not item.ways:
            raise FetchError(f"{item.name}: there is none for this machine")
        failures = []
        for way in item.ways:
            try:
                self._take(item, way)
                return way
            except (FetchError, OSError) as error:
                failures.append(str(error))
                if way is not item.ways[-1]:
                    print(f"  {error}\n  trying the next place", file=sys.stderr)
        tried = "\n  ".join(failures)
        raise FetchError(f"{item.name} could not be fetched:\n  {tried}")


def _read(path):
    with open(path, "rb") as file:
        return file.read()


def _joined(way, parts, folder):
    """The joined parts must be the publisher's own file, whoever sent them."""
    data = b"".join(_read(path) for path in parts)
    if way.payload is None:
        return data
    path = os.path.join(folder, "payload")
    with open(path, "wb") as file:
        file.write(data)
    if len(data) != way.payload.size or (
        places.sha256_of(path) != way.payload.sha256
    ):
        raise FetchError("the joined parts are not the published file")
    os.unlink(path)
    return data


def _publish(source, target):
    folder = os.path.dirname(target)
    os.makedirs(folder, exist_ok=True)
    os.chmod(source, 0o644)
    with open(source, "rb+") as file:
        os.fsync(file.fileno())
    os.replace(source, target)
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
