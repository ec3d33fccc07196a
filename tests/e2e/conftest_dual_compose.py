# SPDX-License-Identifier: Apache-2.0
"""Fixtures over the services of tests/e2e/docker-compose.yml, media and
speech together: those that `make e2e-up` started, else own ones."""

from __future__ import annotations

import shutil

import pytest

from helpers import tools
from helpers.docker_compose_manager import NotRunning, running_or_own


@pytest.fixture(scope="session", name="services")
def _services():
    folder = tools.ARTIFACTS / "services"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        with running_or_own(folder) as manager:
            yield manager
    except NotRunning as error:
        pytest.exit(str(error), returncode=1)
