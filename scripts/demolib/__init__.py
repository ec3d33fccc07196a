# SPDX-License-Identifier: Apache-2.0
"""What scripts/demo is made of."""
