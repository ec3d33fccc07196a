# SPDX-License-Identifier: Apache-2.0
"""The Makefile lists its verbs, each once."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VERBS = """setup build fmt lint typecheck test media-test-unit
media-test-integration media-test sts-test sts-test-unit e2e-test-p1 demo
sts-echo bench-worker bench-delay bench-sts asan fuzz clean clean-artifacts
help""".split()


def test_help_lists_every_verb_once():
    done = subprocess.run(
        ["make", "-C", ROOT, "--no-print-directory", "help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    listed = re.findall(r"^  make (\S+)", done.stdout, re.MULTILINE)
    assert len(listed) == len(set(listed))
    assert set(VERBS) <= set(listed)


def dry_run(*goals):
    """What make would run."""
    done = subprocess.run(
        ["make", "-C", ROOT, "--no-print-directory", "-n", *goals],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin"},
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize("goals", [
    ("media-test-unit", "-k", "audio"),
    ("media-test-unit", "-k", "sound store"),
    ("-k", "test-unit", "timeline"),
    ("e2e-test-p1", "-k", "full_pipeline"),
    ("sts-test", "K=fit"),
])
def test_words_reach_the_tests(goals):
    words = goals[-1].removeprefix("K=")
    status, text = dry_run(*goals)
    assert status == 0
    assert f'-k "{words}"' in text


@pytest.mark.parametrize("goals", [
    ("-k", "test"),
    ("-k", "test", "lint"),
    ("test",),
])
def test_keep_going_alone_picks_nothing(goals):
    status, text = dry_run(*goals)
    assert status == 0
    assert "run-tests" in text
    assert "-k " not in text


def test_error_unknown_verb():
    assert dry_run("-k", "lnit")[0] != 0
    assert dry_run("tset")[0] != 0
