# SPDX-License-Identifier: Apache-2.0
"""The commit hooks: the two scripts of ours by value, then a scratch repository
with the real configuration in which bad commits are refused."""

import os
import shutil
import subprocess

import pytest
from conftest import SCRIPTS, load_script

ROOT = SCRIPTS.parent
PRE_COMMIT = ROOT / ".venv" / "bin" / "pre-commit"
tests = load_script("check-test-with-change")
commits = load_script("check-commits")

MODULE = "apps/media-service/src/sts/tracker.c"


@pytest.mark.parametrize("changed, good", [
    ({MODULE}, False),
    ({MODULE, "apps/media-service/tests/unit/test_fragment_tracker.c"}, True),
    ({MODULE, "apps/media-service/fuzz/fuzz_control.c"}, True),
    ({MODULE, "tests/e2e/test_resilience.py"}, True),
    ({MODULE, "apps/sts-service/tests/unit/test_order.c"}, False),
    ({MODULE, "docs/testing.md"}, False),
    ({"apps/media-service/include/media_service/values.h"}, False),
    ({"libs/common/src/pcm.c", "libs/common/tests/test_pcm.c"}, True),
    ({"libs/common/src/pcm.c", "libs/contracts/tests/test_values.c"}, False),
    ({"scripts/lint"}, False),
    ({"scripts/fetchlib/store.py"}, False),
    ({"scripts/lint", "scripts/tests/test_checks.py"}, True),
    ({"docs/testing.md", "Makefile", "scripts/models.json"}, True),
    ({"apps/media-service/src/sts/meson.build"}, True),
])
def test_change_brings_its_test(changed, good):
    assert (list(tests.problems(changed, "fix: it")) == []) is good


@pytest.mark.parametrize("line, good", [
    ("No-test: moved to a file of its own", True),
    ("No-test:", False),
    ("No-test: because", False),
    ("No test: moved to a file of its own", False),
])
def test_way_out_needs_a_reason(line, good):
    message = f"refactor: move it\n\nWhy.\n\n{line}\n"
    assert (list(tests.problems({MODULE}, message)) == []) is good


def test_error_names_where_the_test_belongs():
    (problem,) = tests.problems({MODULE}, "fix: it")
    assert problem == (f"{MODULE}: no test comes with it, "
                       "as apps/media-service/tests/…/test_tracker")


@pytest.mark.parametrize("text, status", [
    ("feat: it works\n# Please enter the message\n", 0),
    ("# all of it\n\nfeat: it works\n", 0),
    ("wip\n", 1),
    ("fixup! feat: it works\n", 0),
    ("feat: it\n\nWhy.\n# ------------------------ >8 ---\ndiff\n", 0),
])
def test_message_as_the_hook_gets_it(tmp_path, text, status):
    (tmp_path / "message").write_text(text)
    assert commits.main([str(tmp_path / "message")]) == status


def git(repository, *args):
    done = subprocess.run(
        ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", *args],
        cwd=repository, capture_output=True, text=True, check=False,
        env={k: v for k, v in os.environ.items() if not k.startswith("GIT_")})
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """What git knows of this tree, in a repository of its own with the hooks.
    Each test commits, or is refused, on top of what is there."""
    if not PRE_COMMIT.exists() or not (ROOT / "build" / "typecheck").exists():
        pytest.skip("needs make setup and one make typecheck")
    folder = tmp_path_factory.mktemp("clone")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True,
                            capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    git(folder, "init", "-q", "-b", "main")
    for name in (".venv", "build", "scripts/node_modules"):
        (folder / name).symlink_to(ROOT / name)
        with open(folder / ".git/info/exclude", "a", encoding="utf-8") as file:
            file.write(f"{name}\n")
    git(folder, "add", "-A")
    status, text = git(folder, "commit", "-qm", "chore: begin")
    assert status == 0, text
    done = subprocess.run(
        [PRE_COMMIT, "install", "-t", "pre-commit", "-t", "commit-msg"],
        cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def commit(clone, message, **files):
    """Adds text to files and commits; takes all back when it was refused."""
    for name, text in files.items():
        with open(clone / name, "a", encoding="utf-8") as file:
            file.write(text)
    git(clone, "add", "-A")
    status, text = git(clone, "commit", "-m", message)
    git(clone, "reset", "-q", "--hard")
    return status, text


DOC = "docs/testing.md"


def test_error_bad_message_is_refused(clone):
    status, text = commit(clone, "did some things.", **{DOC: "\nMore.\n"})
    assert status != 0
    assert "is not `type(scope): what`" in text
    assert "ends with a full stop" in text


def test_error_key_is_refused(clone):
    key = "AKIA" + "IOSFODNN7" + "EXAMPLX"
    status, text = commit(clone, "docs: add it", **{DOC: f"\nkey {key}\n"})
    assert status != 0
    assert "AWS Access Key" in text


def test_error_module_without_test_is_refused(clone):
    change = {"libs/common/src/clock.c": "\n/* The end. */\n"}
    status, text = commit(clone, "feat(common): add it", **change)
    assert status != 0
    assert "libs/common/src/clock.c: no test comes with it" in text
    status, text = commit(
        clone, "docs(common): say it\n\nNo-test: a comment only", **change)
    assert status == 0, text


def test_error_unformatted_code_is_refused(clone):
    status, text = commit(clone, "feat(common): add it", **{
        "libs/common/src/clock.c": "\nint  dub_odd( void );\n",
        "libs/common/tests/test_clock.c": "\n/* The end. */\n"})
    assert status != 0
    assert "clang-format" in text


def test_good_commit_passes(clone):
    status, text = commit(clone, "docs: say more", **{DOC: "\nMore words.\n"})
    assert status == 0, text
