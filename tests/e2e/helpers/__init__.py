# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests and the benches use to judge the system."""
