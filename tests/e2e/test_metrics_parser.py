# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import pytest

from helpers import metrics_parser as mp, promql

pytestmark = pytest.mark.helper

TEXT = r"""# HELP frames_total Frames.
# TYPE frames_total counter
frames_total{stream_id="a",kind="in"} 10
frames_total{stream_id="b",kind="in"} 5
state{stream_id="say \"hi\"\n, you"} 2
delay_bucket{le="0.5"} 2
delay_bucket{le="1"} 8
delay_bucket{le="+Inf"} 8
delay_sum 5.5
delay_count 8
up 1 1700000000000
"""


def test_values_by_name_and_label():
    samples = mp.parse(TEXT)
    assert mp.value(samples, "frames") == 15
    assert mp.value(samples, "frames_total", stream_id="b") == 5
    assert mp.value(samples, "state", stream_id='say "hi"\n, you') == 2
    assert mp.value(samples, "up") == 1
    assert mp.value(samples, "none") == 0
    assert not mp.has(samples, "none")


def test_quantile_of_a_histogram():
    samples = mp.parse(TEXT)
    assert mp.quantile(samples, "delay", 0.25) == pytest.approx(0.5)
    assert mp.quantile(samples, "delay", 0.625) == pytest.approx(0.75)
    assert math.isnan(mp.quantile(samples, "none", 0.5))


@pytest.mark.parametrize("line", ["no number", "a{b=c} 1", "1a 2", "a{ 1"])
def test_error_bad_line(line):
    with pytest.raises(ValueError):
        mp.parse(line)


@pytest.mark.parametrize("expr, wanted", [
    ("up", {"up"}),
    ('rate(a_total{x=~"b.+",y!="sum"}[5m]) > 0.1 and c offset 5m',
     {"a_total", "c"}),
    ("histogram_quantile(0.95, sum by (stream_id, le) (rate(h_bucket[2m])))",
     {"h_bucket"}),
    ("a / on(x) group_left(y) b unless c == bool 1e3 or vector(0)",
     {"a", "b", "c"}),
    ("max_over_time((d > 0)[10m:15s])", {"d"})])
def test_names_of_an_expression(expr, wanted):
    assert promql.names(expr) == wanted
