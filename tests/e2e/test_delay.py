# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from helpers import delay
from helpers.flv import AccessUnit

pytestmark = pytest.mark.helper


def units(times: list[float]) -> list[AccessUnit]:
    """A clip of 100 pictures, looped."""
    return [AccessUnit(0, 0, False, b"x" * 50 + bytes([n % 100]), t)
            for n, t in enumerate(times)]


def test_constant_delay():
    came = [n * 0.04 for n in range(500)]
    pairs = delay.pair(units(came), units([t + 8 for t in came]), 8)
    assert len(pairs) == 500
    assert delay.by_second(pairs) == pytest.approx([8000] * 18)


def test_error_growing_delay_is_seen():
    came = [n * 0.04 for n in range(500)]
    pairs = delay.pair(units(came), units([t * 1.01 + 8 for t in came]), 8)
    medians = delay.by_second(pairs)
    assert medians[-1] - medians[0] > 150


def test_pictures_that_never_left_are_not_paired():
    came = [n * 0.04 for n in range(50)]
    pairs = delay.pair(units(came), units([t + 8 for t in came])[:20], 8)
    assert len(pairs) == 20
