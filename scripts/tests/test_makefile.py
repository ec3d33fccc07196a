# SPDX-License-Identifier: Apache-2.0
"""The Makefile lists its verbs, each once."""

import re
import subprocess
from pathlib import Path

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
