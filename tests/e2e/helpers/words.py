# SPDX-License-Identifier: Apache-2.0
"""What was said against what is heard: by words, in order."""

from __future__ import annotations

import re


def normal(text: str) -> list[str]:
    """Lower case words; apostrophes joined ("don't" is one word)."""
    return re.findall(r"[^\W_]+", re.sub(r"['’]", "", text.lower()))


def shared(said: list[str], heard: list[str]) -> float:
    """Share of the words said that are heard, in the same order.

    The longest common subsequence, so a word heard elsewhere does not count.
    """
    if not said:
        return 0.0
    row = [0] * (len(heard) + 1)
    for word in said:
        last = 0
        for n, other in enumerate(heard, 1):
            here = row[n]
            row[n] = last + 1 if word == other else max(here, row[n - 1])
            last = here
    return row[-1] / len(said)
