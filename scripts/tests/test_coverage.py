# SPDX-License-Identifier: Apache-2.0
"""check-coverage: with made reports, and with a real program half of which
runs."""

import json
import shutil
import subprocess

import pytest
from conftest import SCRIPTS, load_script

coverage = load_script("check-coverage")
TABLE = {
    "apps": {"media": ["service", "tracker"]},
    "parts": {
        "service": {"least": 80, "paths": ["apps/"]},
        "tracker": {"least": 95, "paths": ["apps/tracker."]},
    },
}


def report(**files):
    """A report in which the first `ran` of `lines` lines of each file ran."""
    return {"files": [
        {"file": f"apps/{name}.c",
         "lines": [{"line_number": i + 1, "count": int(i < ran),
                    "gcovr/noncode": False} for i in range(lines)]}
        for name, (ran, lines) in files.items()]}


@pytest.mark.parametrize("files, good", [
    ({"tracker": (19, 20), "other": (61, 80)}, True),  # 80 of 100
    ({"tracker": (19, 20), "other": (60, 80)}, False),
    ({"tracker": (18, 20), "other": (80, 80)}, False),
])
def test_limits_are_exact(files, good):
    assert coverage.check(report(**files), "media", TABLE) is good


def test_error_names_file_and_figure(capsys):
    files = {"tracker": (20, 20), "bad": (10, 80), "fine": (9, 10)}
    assert not coverage.check(report(**files), "media", TABLE)
    text = capsys.readouterr().out
    assert "FAIL  service: 35.5 % of lines, 80 wanted" in text
    assert "apps/bad.c: 12.5 %, 70 lines did not run" in text
    assert "fine.c" not in text


def test_error_part_without_lines(capsys):
    assert not coverage.check(report(other=(9, 10)), "media", TABLE)
    assert "tracker: no line of it was measured" in capsys.readouterr().out


def test_error_lines_that_are_no_code_do_not_count():
    made = report(tracker=(20, 20), other=(10, 20))
    for line in made["files"][1]["lines"][10:]:
        line["gcovr/noncode"] = True
    assert coverage.check(made, "media", TABLE)


def test_table_knows_its_parts():
    table = json.loads((SCRIPTS / "coverage.json").read_text())
    for parts in table["apps"].values():
        assert set(parts) <= set(table["parts"])
    for name in ("tracker", "timeline", "reconnection", "contracts"):
        assert table["parts"][name]["least"] >= 95
    assert all(part["least"] >= 80 for part in table["parts"].values())


PROGRAM = """int main (int argc, char **argv)
{
  if (argc > 1) {
    argc++;
    argc += 2;
    argc += 3;
  }
  return 0;
}
"""


@pytest.mark.skipif(shutil.which("gcovr") is None, reason="no gcovr")
@pytest.mark.parametrize("arguments, good", [((), False), (("more",), True)])
def test_gate_on_a_real_program(tmp_path, arguments, good):
    (tmp_path / "tiny.c").write_text(PROGRAM)
    (tmp_path / "table.json").write_text(json.dumps({
        "apps": {"media": ["tiny"]},
        "parts": {"tiny": {"least": 80, "paths": ["tiny.c"]}}}))
    subprocess.run(["gcc", "--coverage", "-O0", "-o", "tiny", "tiny.c"],
                   cwd=tmp_path, check=True)
    subprocess.run(["./tiny", *arguments], cwd=tmp_path, check=True)
    subprocess.run(["gcovr", "--root", ".", "--json", "report.json"],
                   cwd=tmp_path, check=True, capture_output=True)
    done = subprocess.run(
        [SCRIPTS / "check-coverage", "report.json", "media", "table.json"],
        cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) is good, done.stdout
    assert ("tiny.c: 50.0 %" in done.stdout) is not good
