# SPDX-License-Identifier: Apache-2.0
"""check-commits, check-includes and the totals of run-tests."""

import subprocess

import pytest
from conftest import load_script

commits = load_script("check-commits")
includes = load_script("check-includes")
run_tests = load_script("run-tests")


@pytest.mark.parametrize(
    "message",
    [
        "feat(timeline): keep the original under a dub",
        "fix: count a late answer once\n\nIt was counted twice.",
        "refactor(sts-link)!: drop the old spelling",
    ],
)
def test_good_commits(message):
    assert commits.problems(message) == []


@pytest.mark.parametrize(
    "message,what",
    [
        ("wip", "type(scope)"),
        ("feat:no space", "type(scope)"),
        ("unknown(x): thing", "type(scope)"),
        ("fix: " + "x" * 68, "73 of 72"),
        ("fix: ends so.", "full stop"),
        ("fix: one\ntwo", "empty line"),
    ],
)
def test_bad_commits(message, what):
    assert what in " ".join(commits.problems(message))


CASES = [
    # (file, include, part of the message or None when it is allowed)
    ("libs/common/src/a.c", "<glib.h>", None),
    ("libs/common/src/a.c", '"dubbing_common/x.h"', None),
    ("libs/common/src/a.c", "<gst/gst.h>", "must not use GStreamer"),
    ("libs/common/src/a.c", "<dubbing_contracts/x.h>", "must not know library"),
    ("libs/contracts/src/a.c", "<dubbing_common/x.h>", None),
    ("libs/socketio/src/a.c", "<dubbing_contracts/x.h>", "must not know"),
    ("libs/contracts/src/a.c", "<media_service/v.h>", "must not know appl"),
    ("apps/media-service/src/ingest/a.c", "<media_service/v.h>", None),
    ("apps/media-service/src/ingest/a.c", "<dubbing_common/x.h>", None),
    ("apps/media-service/src/ingest/a.c", '"../sts/s.h"', "stage ingest"),
    ("apps/media-service/src/ingest/a.c", '"sts/s.h"', "stage ingest"),
    ("apps/media-service/src/worker/a.c", '"sts/s.h"', None),
    ("apps/media-service/src/main.c", '"sts/s.h"', None),
    ("apps/media-service/tests/unit/a.c", '"sts/s.h"', None),
    ("apps/sts-service/src/asr/a.c", "<media_service/v.h>", "must not know"),
    ("apps/media-service/src/sts/a.c", '"secret.h"', None),
]


@pytest.fixture
def tree(tmp_path):
    """A repository with one header in each place."""
    headers = [
        "libs/common/include/dubbing_common/x.h",
        "libs/contracts/include/dubbing_contracts/x.h",
        "apps/media-service/include/media_service/v.h",
        "apps/media-service/src/sts/s.h",
        "apps/media-service/src/sts/secret.h",
    ]
    for header in headers:
        (tmp_path / header).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / header).write_text("#pragma once\n")
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    return tmp_path


@pytest.mark.parametrize("path,include,what", CASES)
def test_includes(tree, path, include, what, capsys):
    (tree / path).parent.mkdir(parents=True, exist_ok=True)
    (tree / path).write_text(f"/* a */\n#include {include}\n")
    subprocess.run(["git", "-C", tree, "add", "."], check=True)
    status = includes.main([str(tree)])
    errors = capsys.readouterr().err
    assert status == (1 if what else 0), errors
    if what:
        assert what in errors and f"{path}:2:" in errors


@pytest.mark.parametrize(
    "name,words,picked",
    [
        ("media-segment-buffer", ["segment"], True),
        ("media-segment-buffer", ["segment", "buffer"], True),
        ("media-segment-buffer", ["segment", "queue"], False),
        ("media-sound-store", ["audio"], True),
        ("media-departure-clock", ["audio"], False),
        ("media-avcc", ["video"], True),
    ],
)
def test_words_pick_a_test(name, words, picked):
    assert run_tests.is_picked(name, words) is picked


@pytest.mark.parametrize(
    "text,expression",
    [
        ("full_pipeline", "full_pipeline"),
        ("full pipeline", "full and pipeline"),
        ("echo and not slow", "echo and not slow"),
    ],
)
def test_words_as_pytest_takes_them(text, expression):
    assert run_tests.pytest_words(text) == expression


TAP_OUT = """TAP version 13
ok 1 /a/b
not ok 2 /a/c - wrong
ok 3 /a/d # SKIP no model
1..3
"""


@pytest.mark.parametrize(
    "result,stdout,line",
    [
        ("FAIL", TAP_OUT, "1 passed, 1 failed, 1 skipped"),
        ("OK", "ok 1 /a\nok 2 /b\n", "2 passed, 0 failed"),
        ("OK", "", "1 passed, 0 failed"),
        ("SKIP", "", "0 passed, 0 failed, 1 skipped"),
        # Ended by a signal after a good case: that is one failure.
        ("FAIL", "ok 1 /a\n", "1 passed, 1 failed"),
        ("TIMEOUT", "", "0 passed, 1 failed"),
    ],
)
def test_totals_of_a_meson_test(result, stdout, line):
    total = run_tests.Total()
    test = {"name": "t", "result": result, "stdout": stdout}
    run_tests.count_tap(test, total)
    assert total.line() == line
