# SPDX-License-Identifier: Apache-2.0
"""Fixtures: recorded runs, and a stack of processes for each test."""

from __future__ import annotations

import shutil

import pytest

from helpers import tools
from helpers.processes import Stack
from helpers.scenarios import Run, run_batch

pytest_plugins = ["conftest_dual_compose"]


def pytest_collection_modifyitems(items):
    """Judges first, then what shares the batch, then what takes long."""
    def order(item):
        if item.get_closest_marker("helper"):
            return 0
        if item.get_closest_marker("scenario") is None:
            return 1
        return 2
    items.sort(key=order)


def pytest_sessionfinish(session, exitstatus):
    """A failed session leaves its logs and media; a good one nothing."""
    ran = any(i.get_closest_marker("e2e") for i in session.items)
    if exitstatus == 0 and ran \
            and not session.config.getoption("--keep-media"):
        shutil.rmtree(tools.ARTIFACTS, ignore_errors=True)


def pytest_addoption(parser):
    parser.addoption("--keep-media", action="store_true",
                     help="keep logs and recordings of a good run too")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure says where its bundle is."""
    outcome = yield
    report = outcome.get_result()
    if report.failed and item.get_closest_marker("e2e"):
        report.sections.append(("bundle", str(tools.ARTIFACTS)))


def _scenario_of(item) -> str | None:
    """From the marker, or from the parameter `scenario`."""
    spec = getattr(item, "callspec", None)
    if spec and "scenario" in spec.params:
        return spec.params["scenario"]
    marker = item.get_closest_marker("scenario")
    return marker.args[0] if marker and marker.args else None


@pytest.fixture(scope="session", name="runs")
def _runs(request) -> dict[str, Run]:
    """Every run that the chosen tests ask for, recorded side by side."""
    names = {_scenario_of(i) for i in request.session.items}
    wanted = sorted(n for n in names if n)
    shutil.rmtree(tools.ARTIFACTS / "batch", ignore_errors=True)
    with Stack("batch") as stack:
        return run_batch(wanted, stack)


@pytest.fixture(name="run")
def _run(request, runs) -> Run:
    run = runs[_scenario_of(request.node)]
    if run.error:
        pytest.fail(f"the run {run.scenario.name} failed: {run.error}")
    return run


@pytest.fixture(name="stack")
def _stack(request):
    name = request.node.name.replace("[", "-").replace("]", "")
    shutil.rmtree(tools.ARTIFACTS / name, ignore_errors=True)
    with Stack(name) as stack:
        yield stack
