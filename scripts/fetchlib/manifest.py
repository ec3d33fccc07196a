# SPDX-License-Identifier: Apache-2.0
"""The manifest as values.

An item has one or more ways to make it. A way takes inputs (a URL, an archive
from a package registry, or a file of another item), and makes files whose
sizes and SHA-256 are known beforehand. Whatever came from outside is checked
by its hash before anything is done with it.
"""

import json
import re
from dataclasses import dataclass, field

from .errors import FetchError

MAKERS = ("copy", "whisper", "piper", "kokoro")
KINDS = ("url", "pip", "npm", "item")


@dataclass(frozen=True)
class Input:
    """One thing to get: place says where, kind says by which client."""

    kind: str
    place: str
    size: int
    sha256: str
    archive: str | None = None
    member: str | None = None


@dataclass(frozen=True)
class File:
    """A file in the cache, by its path below the cache folder."""

    path: str
    size: int
    sha256: str


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


def _checked_hash(value):
    if not re.fullmatch(r"[0-9a-f]{64}", value):
        raise FetchError(f"the manifest has a bad SHA-256: {value!r}")
    return value


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
    return Input(
        kind,
        entry[kind],
        entry["size"],
        _checked_hash(entry["sha256"]),
        entry.get("archive"),
        entry.get("member"),
    )


def _file(path, entry):
    return File(_checked_path(path), entry["size"], _checked_hash(entry["sha256"]))


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
