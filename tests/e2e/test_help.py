# SPDX-License-Identifier: Apache-2.0
"""P1: every program says how it is used, and refuses what it does not know.

Nothing is started: each ends at once, whatever the machine has.
"""

from __future__ import annotations

import subprocess

import pytest

from helpers import tools

pytestmark = [pytest.mark.e2e, pytest.mark.p1]

# What is typed, and the words that go with it.
PROGRAMS = {
    "media-service": "",
    "media-worker": "",
    "sts-service": "",
    "sts-service transcribe": "FILE",
    "sts-service fragment": "FILE...",
    "sts-service say": "TEXT...",
    "sts-service measure": "",
    "dub file": "INPUT -o OUTPUT",
    "dub live": "INPUT_URL OUTPUT_URL",
    "dub status": "",
    "dub start": "STREAM",
    "dub stop": "STREAM",
    "dub events": "[STREAM]",
    "dub chain": "",
    "dub doctor": "",
}


def run(line: str, *more: str) -> subprocess.CompletedProcess:
    program, *words = line.split()
    return subprocess.run([tools.need(program), *words, *more],
                          capture_output=True, text=True, timeout=20,
                          stdin=subprocess.DEVNULL, check=False)


@pytest.mark.parametrize("flag", ["--help", "-h"])
@pytest.mark.parametrize("line", PROGRAMS)
def test_help(line, flag):
    done = run(line, flag)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    usage = f"Usage: {line} {PROGRAMS[line]}".rstrip()
    assert done.stdout.splitlines()[0] == f"{usage} [OPTION]..."
    assert max(map(len, done.stdout.splitlines())) <= 100


@pytest.mark.parametrize("line", PROGRAMS)
def test_unknown_option_is_named(line):
    done = run(line, "--no-such-option=1")
    assert done.returncode == 78
    assert "--no-such-option" in done.stderr and "--help" in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


@pytest.mark.parametrize("line", [
    "dub", "dub fly", "dub live", "dub live rtmp://127.0.0.1/a", "dub file",
    "dub start", "dub stop", "dub status now", "dub chain es en",
    "sts-service fly", "sts-service echo fly", "sts-service transcribe",
    "sts-service transcribe a b", "sts-service fragment", "sts-service say",
    "sts-service measure fast", "media-service fly", "media-worker fly"])
def test_wrong_words(line):
    """A command line that says too little, too much, or what is no verb."""
    done = run(line)
    assert done.returncode in (64, 78), done.stderr
    assert done.stderr != "" and done.stdout == ""


@pytest.mark.parametrize("program", ["dub", "media-service", "media-worker",
                                     "sts-service"])
def test_version(program):
    done = run(program, "--version")
    assert done.returncode == 0
    assert done.stdout.startswith(f"{program} 0.")


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_hook_help(flag):
    done = run("mtx-hook", flag)
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: mtx-hook ready|not-ready\n")
    assert "ORCHESTRATOR_URL" in done.stdout
