# SPDX-License-Identifier: Apache-2.0
"""deploy/: promtool judges rules and configuration; the dashboard is whole."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from conftest import SCRIPTS

DEPLOY = SCRIPTS.parent / "deploy"
PROMETHEUS = DEPLOY / "prometheus"
TOOLS = Path(os.environ.get("TOOLS_PREFIX", SCRIPTS.parent / "build" / "tools"))


def promtool(*args, cwd=PROMETHEUS):
    program = shutil.which("promtool") or TOOLS / "promtool"
    if not Path(program).exists():
        pytest.skip("promtool is not there: make setup")
    return subprocess.run(
        [program, *args], cwd=cwd, capture_output=True, text=True, timeout=120
    )


def alerts():
    text = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())
    return [rule for group in text["groups"] for rule in group["rules"]]


def test_rules_are_valid():
    done = promtool("check", "rules", "--lint-fatal", "alerts.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_configuration_is_valid():
    done = promtool("check", "config", "prometheus.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_rules_raise_and_are_quiet():
    done = promtool("test", "rules", "alerts_test.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_rule_that_does_not_raise_is_seen(tmp_path):
    """Each threshold out of reach: every test of a rule must fail."""
    text = (PROMETHEUS / "alerts.yml").read_text()
    rules = yaml.safe_load(text)
    for group in rules["groups"]:
        for rule in group["rules"]:
            rule["expr"] = f"({rule['expr']}) unless vector(1) < 2 unless on() vector(1)"
    (tmp_path / "alerts.yml").write_text(yaml.safe_dump(rules))
    shutil.copy(PROMETHEUS / "alerts_test.yml", tmp_path)
    done = promtool("test", "rules", "alerts_test.yml", cwd=tmp_path)
    assert done.returncode != 0
    for rule in alerts():
        assert rule["alert"] in done.stdout + done.stderr


def test_each_alert_has_both_cases():
    tests = yaml.safe_load((PROMETHEUS / "alerts_test.yml").read_text())["tests"]
    cases = {}
    for test in tests:
        for case in test["promql_expr_test"]:
            name = re.search(r'alertname="(\w+)"', case["expr"])[1]
            cases.setdefault(name, set()).add(bool(case["exp_samples"]))
    assert cases == {rule["alert"]: {True, False} for rule in alerts()}


@pytest.mark.parametrize("rule", alerts(), ids=lambda r: r["alert"])
def test_each_alert_says_how_bad_and_what(rule):
    assert rule["labels"]["severity"] in ("warning", "critical")
    assert rule["annotations"]["summary"]


def test_dashboard_is_whole():
    board = json.loads((DEPLOY / "grafana" / "live-dubbing.json").read_text())
    panels = board["panels"]
    assert len({p["id"] for p in panels}) == len(panels)
    places = {(p["gridPos"]["x"], p["gridPos"]["y"]) for p in panels}
    assert len(places) == len(panels)
    for panel in panels:
        box = panel["gridPos"]
        assert box["x"] + box["w"] <= 24
        for target in panel.get("targets", []):
            assert target["expr"]
            assert target["datasource"]["uid"] == "${datasource}"
    names = {v["name"] for v in board["templating"]["list"]}
    assert set(re.findall(r"\$(\w+)", json.dumps([p.get("targets") for p in panels]))) \
        - {"__rate_interval"} <= names
