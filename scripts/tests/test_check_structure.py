# SPDX-License-Identifier: Apache-2.0
"""The tree against its contract, and trees that break it."""

import importlib.machinery
import importlib.util
import json
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def load():
    path = str(ROOT / "scripts" / "check-structure")
    loader = importlib.machinery.SourceFileLoader("check_structure", path)
    spec = importlib.util.spec_from_loader("check_structure", loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


check = load()
CONTRACT = json.loads((ROOT / check.CONTRACT).read_text(encoding="utf-8"))
FILES = set(subprocess.run(["git", "ls-files"], cwd=ROOT, check=True,
                           capture_output=True, text=True).stdout.splitlines())


def test_the_repository_fits():
    assert list(check.problems(FILES, CONTRACT)) == []


@pytest.mark.parametrize("added, removed, named", [
    ("libs/stuff/src/a.c", None, "libs/stuff/"),
    ("src/main.c", None, "src/"),
    ("apps/media-service/pipelines/a.c", None, "pipelines/"),
    ("libs/common/src/segmentBuffer.c", None, "segmentBuffer.c"),
    ("libs/common/tests/queue_test.c", None, "queue_test.c"),
    (None, "libs/common/README.md", "libs/common/README.md is missing"),
    (None, "Makefile", "Makefile is missing"),
])
def test_error_is_named(added, removed, named):
    files = (FILES | ({added} if added else set())) - {removed}
    found = list(check.problems(files, CONTRACT))
    assert found and all(named in problem for problem in found), found
