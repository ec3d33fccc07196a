# SPDX-License-Identifier: Apache-2.0
"""The units of deploy/systemd: systemd takes every line of them, and by its own
count they leave little open."""

import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
ANALYZE = shutil.which("systemd-analyze")
# Of 10; a unit without a word about it has 9.6.
MOST_EXPOSED = 2.0

needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="no systemd here")


def analyze(*args):
    return subprocess.run([ANALYZE, *args], capture_output=True, text=True,
                          check=False)


def with_a_program(unit, folder):
    """The programs are not installed where this runs."""
    copy = folder / unit.name
    copy.write_text(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true",
                           unit.read_text()))
    return copy


def test_there_are_units():
    assert {u.stem for u in UNITS} == {"media-service", "mediamtx",
                                       "sts-service"}


@needs_systemd
@pytest.mark.parametrize("unit", UNITS, ids=lambda u: u.stem)
def test_systemd_takes_every_line(unit, tmp_path):
    done = analyze("verify", "--man=no", str(with_a_program(unit, tmp_path)))
    assert unit.name not in done.stderr, done.stderr


@needs_systemd
def test_a_wrong_line_is_found(tmp_path):
    copy = with_a_program(UNITS[0], tmp_path)
    copy.write_text(copy.read_text().replace("ProtectHome=yes",
                                             "ProtectHouse=yes"))
    done = analyze("verify", "--man=no", str(copy))
    assert "ProtectHouse" in done.stderr


@needs_systemd
@pytest.mark.parametrize("unit", UNITS, ids=lambda u: u.stem)
def test_little_is_left_open(unit):
    done = analyze("security", "--offline=yes", "--no-pager",
                   f"--threshold={int(MOST_EXPOSED * 10)}", str(unit))
    level = re.search(r"Overall exposure level.*?: ([\d.]+)", done.stdout)
    if level is None:
        pytest.skip("this systemd cannot judge a file: "
                    + done.stderr.strip()[:200])
    assert float(level[1]) <= MOST_EXPOSED, done.stdout[-2000:]


@pytest.mark.parametrize("unit", UNITS, ids=lambda u: u.stem)
def test_no_key_in_a_unit(unit):
    """Keys come as credentials, which no other user can see."""
    for line in unit.read_text().splitlines():
        name, _, value = line.partition("=")
        if name == "Environment":
            for word in value.split():
                variable = word.partition("=")[0]
                assert not re.search(r"TOKEN$|KEY$|PASS$", variable), line
        if "LoadCredential" in name:
            assert value.partition(":")[2].startswith(
                "/etc/live-broadcast-dubbing/")


def words(name):
    """The environment that a unit gives its program."""
    text = (ROOT / f"deploy/systemd/{name}.service").read_text()
    return dict(word.partition("=")[::2] for line in
                re.findall(r"(?m)^Environment=(.*)", text)
                for word in line.split())


def test_services_listen_on_this_machine():
    """A token alone would open them to all: an operator opens them."""
    assert words("media-service")["ORCH_HTTP_ADDR"] == "127.0.0.1"
    assert words("sts-service")["HOST"] == "127.0.0.1"


def test_the_units_find_each_other():
    """With no settings of the operator's: who is asked listens there."""
    def default(name):
        text = (ROOT / "apps/media-service/.env.example").read_text()
        return re.search(rf"(?m)^{name}=(.*)", text)[1]

    assert words("sts-service")["PORT"] in default("STS_SERVICE_URL")
    assert words("mediamtx")["ORCHESTRATOR_URL"].endswith(
        ":" + default("PORT"))


def test_workers_outlive_media_service():
    text = (ROOT / "deploy/systemd/media-service.service").read_text()
    assert "\nKillMode=process\n" in text
    assert "KEEP_WORKERS=true" in text
    assert "\nRuntimeDirectoryPreserve=yes\n" in text
