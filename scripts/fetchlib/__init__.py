# SPDX-License-Identifier: Apache-2.0
"""What scripts/fetch is made of; only the standard library is needed."""
