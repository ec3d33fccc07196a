# SPDX-License-Identifier: Apache-2.0
"""Walks what a contributor expects here by name: make targets, files, tests,
markers. Each is there, or docs/decisions.md says what stands in its place."""

import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIST = json.loads((ROOT / "specs/001-monorepo-setup/contracts/guidelines.json")
                  .read_text(encoding="utf-8"))
AWAITED = set(LIST["awaited"])


def run(*command):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True,
                          check=True).stdout


FILES = run("git", "ls-files").splitlines()
HELP = dict(re.findall(r"^  make (\S+) +(\S.*)$",
                       run("make", "--no-print-directory", "help"),
                       re.MULTILINE))


def names_table():
    """{name elsewhere: name here} of docs/decisions.md, under Names."""
    text = (ROOT / "docs/decisions.md").read_text(encoding="utf-8")
    part = text.split("\n## Names\n", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\| (`.*?) \| (.*?) \| (.*?) \|$", part, re.MULTILINE)
    return {name: (here, why) for names, here, why in rows
            for name in re.findall(r"`([^`]+)`", names)}


def is_there(path):
    if path.endswith("/"):
        return any(name.startswith(path) for name in FILES)
    return path in FILES


def awaits(name, found):
    if name in AWAITED and not found:
        pytest.skip(f"{name} is awaited")
    return found


@pytest.mark.parametrize("target", LIST["targets"])
def test_target_is_in_make_help(target):
    assert awaits(target, target in HELP)


def test_each_target_has_its_own_description():
    assert len(set(HELP.values())) == len(HELP)


@pytest.mark.parametrize("path", LIST["files"])
def test_file_is_there(path):
    assert awaits(path, is_there(path))


@pytest.mark.parametrize("path", [
    f"{folder}/test_{name}.c"
    for folder, names in LIST["tests"].items() for name in names])
def test_test_is_there_and_runs(path):
    assert awaits(path, is_there(path))
    name = Path(path).stem.removeprefix("test_")
    built = (Path(path).parent / "meson.build")
    text = (ROOT / built).read_text(encoding="utf-8")
    assert re.search(rf"'{name}'|'test_{name}\.c'", text), f"not in {built}"


@pytest.mark.parametrize("path, name", LIST["functions"].items())
def test_function_is_there(path, name):
    text = (ROOT / path).read_text(encoding="utf-8")
    assert f"def {name}(" in text


def test_markers_are_registered():
    text = (ROOT / "tests/e2e/pytest.ini").read_text(encoding="utf-8")
    assert set(LIST["markers"]) <= set(re.findall(r"^    (\w+)\b", text,
                                                  re.MULTILINE))


@pytest.mark.parametrize("path", LIST["ignored"])
def test_ignored_by_git(path):
    assert run("git", "check-ignore", "--no-index", path).strip() == path


@pytest.mark.parametrize("name", LIST["names_elsewhere"])
def test_name_elsewhere_has_its_place_here(name):
    here, why = names_table()[name]
    assert here and why
    for path in re.findall(r"`([^` ]*/[^` ]*)`", here):
        if "*" not in path and path not in AWAITED:
            assert is_there(path), f"{name} → {path}, which is not here"
