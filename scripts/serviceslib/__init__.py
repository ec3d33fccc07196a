# SPDX-License-Identifier: Apache-2.0
"""What scripts/services is made of."""
