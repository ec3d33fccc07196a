# SPDX-License-Identifier: Apache-2.0
"""The page of a chaos run: its faults against delay, sync, coverage, memory."""

from __future__ import annotations

import html
from pathlib import Path

WIDTH, HEIGHT, LEFT = 1000, 90, 120
COLOURS = {"speech": "#9ecae1", "source": "#fdae6b", "destination": "#c7b5e8"}

PAGE = """<!doctype html>
<meta charset="utf-8">
<title>Chaos run</title>
<style>
body {{ font: 14px sans-serif; margin: 2em; color: #222; background: #fff }}
svg {{ display: block; margin: .4em 0 }} td {{ padding: 0 1em 0 0 }}
</style>
<h1>Chaos: {title}</h1>
<p>{faults} faults, {breaches} breaches. Shaded: <span
style="background:#9ecae1">speech service</span>, <span
style="background:#fdae6b">source</span>, <span
style="background:#c7b5e8">destination</span>. What a fault of source or
destination explains is not judged and not drawn.</p>
{charts}
<h2>Breaches</h2>
<ul>{list}</ul>
<h2>Faults</h2>
<table>{table}</table>
"""


def _chart(name: str, points: list, unit: str, span: tuple,
           faults: list) -> str:
    """points: (time, value); nan and too few make an empty one."""
    start, end = span
    scale = (WIDTH - LEFT) / max(1.0, end - start)
    shades = "".join(
        f'<rect x="{LEFT + (f.start_s - start) * scale:.1f}" y="0" '
        f'width="{max(2.0, (f.end_s - f.start_s) * scale):.1f}" '
        f'height="{HEIGHT}" fill="{COLOURS[f.part]}"/>' for f in faults)
    low = min((v for _, v in points), default=0.0)
    high = max((v for _, v in points), default=1.0)
    room = max(high - low, 1e-6)
    dots = "".join(
        f'<circle cx="{LEFT + (t - start) * scale:.1f}" '
        f'cy="{5 + (high - v) / room * (HEIGHT - 10):.1f}" r="1.3"/>'
        for t, v in points)
    return (f'<svg width="{WIDTH}" height="{HEIGHT}">{shades}{dots}'
            f'<text x="0" y="20">{name}</text>'
            f'<text x="0" y="40">{low:.1f} to</text>'
            f'<text x="0" y="58">{high:.1f} {unit}</text></svg>')


def write_report(path: Path, run, title: str) -> None:
    times = [t for t, _ in run.rss] or [0.0, 1.0]
    span = (times[0], times[-1])
    charts = "".join(_chart(name, points, unit, span, run.faults)
                     for name, points, unit in (
                         ("delay error", run.delays, "ms"),
                         ("beep - flash", run.syncs, "ms"),
                         ("dub coverage", run.coverage, ""),
                         ("memory", run.rss, "MB")))
    table = "".join(f"<tr><td>{f.start_s - span[0]:.1f} s<td>{f.part}"
                    f"<td>{f.kind}<td>{f.end_s - f.start_s:.1f} s"
                    for f in run.faults)
    path.write_text(PAGE.format(
        title=html.escape(title), faults=len(run.faults),
        breaches=len(run.breaches), charts=charts, table=table,
        list="".join(f"<li>{html.escape(b)}" for b in run.breaches)
        or "<li>none"), "utf-8")
