# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from helpers.words import normal, shared

pytestmark = pytest.mark.helper


@pytest.mark.parametrize("said, heard, share", [
    ("the cat sat", "the cat sat", 1.0),
    ("the cat sat", "The cat, it sat!", 1.0),
    ("don't go", "dont go", 1.0),
    ("one two three four", "two four", 0.5),
    ("one two three four", "four three two one", 0.25),
    ("one two", "", 0.0),
    ("", "one", 0.0),
])
def test_share_of_words(said, heard, share):
    assert shared(normal(said), normal(heard)) == share
