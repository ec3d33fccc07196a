# SPDX-License-Identifier: Apache-2.0
"""The one kind of failure that a user should read."""


class FetchError(Exception):
    """Says what failed and, where there is one, what to do about it."""
