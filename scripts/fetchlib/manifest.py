# SPDX-License-Identifier: Apache-2.0
"""The manifest as values.

An item has one or more ways to make it. A way takes inputs (a URL, an archive
from a package registry, or a file of another item), and makes files whose
sizes and hashes are known beforehand. Whatever came from outside is checked
by its hash before anything is done with it: SHA-256, or SHA-1 where the
publisher gives no other. A file whose publisher gives none is fetched only
when the user says that it is trusted; then only its size is bounded.
"""

import hashlib
import json
import re
from dataclasses import dataclass, field

from .errors import FetchError

MAKERS = ("copy", "whisper", "piper", "kokoro", "moonshine")
KINDS = ("url", "pip", "npm", "item")


@dataclass(frozen=True)
class Input:
    """One thing to get: place says where, kind says by which client."""

    kind: str
    place: str
    size: int | None  # None: not published
    sha256: str
    archive: str | None = None
    member: str | None = None
    sha1: str = ""
    max_size: int = 0  # where the size is not known

    @property
    def limit(self):
        return self.size or self.max_size

    @property
    def is_hashed(self):
        return self.kind == "item" or bool(self.sha256 or self.sha1)

    @property
    def key(self):
        """A name for the download that another file cannot have."""
        return self.sha256 or self.sha1 or hashlib.sha256(
            self.place.encode()).hexdigest()


@dataclass(frozen=True)
class File:
    """A file in the cache, by its path below the cache folder. Without size
    and hash it is what a trusted input was made into."""

    path: str
    size: int | None = None
    sha256: str = ""
    sha1: str = ""


@dataclass(frozen=True)
class Way:
    make: str
    inputs: list
    files: list
    payload: File | None = None
    machine: str | None = None


@dataclass(frozen=True)
class Item:
    name: str
    about: str
    licence: str
    sets: list
    ways: list = field(default_factory=list)

    @property
    def needs_trust(self):
        return any(not i.is_hashed for way in self.ways for i in way.inputs)


def _checked_hash(entry, name, digits):
    value = entry.get(name, "")
    if value and not re.fullmatch(f"[0-9a-f]{{{digits}}}", value):
        raise FetchError(f"the manifest has a bad {name}: {value!r}")
    return value


def _hashes(entry):
    return _checked_hash(entry, "sha256", 64), _checked_hash(entry, "sha1", 40)


def _checked_path(path):
    if path.startswith("/") or ".." in path.split("/"):
        raise FetchError(f"the manifest has a path outside the cache: {path!r}")
    return path


def _input(entry):
    kind = next((k for k in KINDS if k in entry), None)
    if kind is None:
        raise FetchError(f"the manifest has an input without a place: {entry}")
    if kind == "item":
        return Input(kind, entry["item"], 0, "", None, entry.get("member"))
    sha256, sha1 = _hashes(entry)
    made = Input(
        kind,
        entry[kind],
        entry.get("size"),
        sha256,
        entry.get("archive"),
        entry.get("member"),
        sha1,
        entry.get("max_size", 0),
    )
    if not made.limit:
        raise FetchError(f"the manifest gives no size of {made.place}")
    return made


def _file(path, entry):
    return File(_checked_path(path), entry.get("size"), *_hashes(entry))


def _way(entry):
    if entry["make"] not in MAKERS:
        raise FetchError(f"the manifest names an unknown maker: {entry['make']}")
    payload = entry.get("payload")
    return Way(
        entry["make"],
        [_input(i) for i in entry["inputs"]],
        [_file(path, spec) for path, spec in entry["files"].items()],
        _file("payload", payload) if payload else None,
        entry.get("machine"),
    )


PIPER_NAME = re.compile(
    r"piper-([a-z]{2,3})_([A-Z]{2})-([a-z0-9_]{1,40})-(x_low|low|medium|high)"
)
PIPER_PLACE = (
    "https://huggingface.co/rhasspy/piper-voices/resolve/main/"
    "{0}/{0}_{1}/{2}/{3}/{0}_{1}-{2}-{3}.onnx"
)


def piper_voice(name):
    """Any voice of the publisher's collection by its name there, or None."""
    match = PIPER_NAME.fullmatch(name)
    if match is None:
        return None
    place = PIPER_PLACE.format(*match.groups())
    inputs = [
        Input("url", place, None, "", max_size=256 << 20),
        Input("url", place + ".json", None, "", max_size=1 << 20),
    ]
    files = ("model.onnx", "model.onnx.json", "tokens.txt")
    return Item(
        name,
        f"Piper voice {name.removeprefix('piper-')}",
        "see the voice's MODEL_CARD",
        [],
        [Way("piper", inputs, [File(f"models/{name}/{f}") for f in files])],
    )


def load(path, machine):
    """name -> Item, in the manifest's order, with this machine's ways only."""
    try:
        with open(path, encoding="utf-8") as file:
            entries = json.load(file)["items"]
        items = {}
        for entry in entries:
            ways = [_way(w) for w in entry["ways"]]
            items[entry["name"]] = Item(
                entry["name"],
                entry["about"],
                entry["licence"],
                entry["sets"],
                [w for w in ways if w.machine in (None, machine)],
            )
        return items
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise FetchError(f"cannot read the manifest {path}: {error!r}") from error
