# SPDX-License-Identifier: Apache-2.0
"""The page of a chaos run: its faults against delay, sync, coverage, memory.

One file without scripts, fonts or images of another host. Points are strokes
of a path, so that an hour stays far below a megabyte.
"""

from __future__ import annotations

import html
from collections import Counter
from datetime import datetime, timezone
from pathlib import Path

WIDTH, LEFT, ROW, CHART = 1100, 130, 15, 84
COLOURS = {"source": "#e6842a", "server": "#b5532e",
           "destination": "#8a6bbe", "speech": "#3d8ec9",
           "worker": "#3f9f5f", "kept worker": "#277a3f",
           "media-service": "#8a8f29"}

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Chaos run: {title}</title>
<style>
body {{ font: 14px/1.5 sans-serif; margin: 2em auto; max-width: 1120px;
  padding: 0 1em; color: #222; background: #fff }}
svg {{ display: block; width: 100%; height: auto; margin: .3em 0 }}
text {{ font: 12px sans-serif; fill: #222 }}
td, th {{ padding: 0 1.2em 0 0; text-align: left }}
.sum td {{ font-weight: bold }}
.p {{ stroke: #222; stroke-width: 2; stroke-linecap: round; fill: none }}
</style>
<h1>Chaos run: {title}</h1>
<p>{when}. One worker by itself between proxies, one kept by media-service, both
on one MediaMTX that is killed too; what left is judged as a whole.</p>
<table class="sum">{summary}</table>
<p>Each fault stands where it was; its colour goes through the charts below it.
What a fault of source, destination or worker explains is not judged and not
drawn; a fault of the speech service or of media-service explains nothing.</p>
{lanes}
{charts}
<h2>Breaches</h2>
<ul>{breaches}</ul>
<h2>Faults</h2>
<table>{table}</table>
</html>
"""


class Axis:
    """Wall clock to a place on the page."""

    def __init__(self, start_s: float, end_s: float):
        self.start_s, self.end_s = start_s, end_s
        self.scale = (WIDTH - LEFT) / max(1.0, end_s - start_s)

    def x(self, at_s: float) -> float:
        return LEFT + (at_s - self.start_s) * self.scale

    def bar(self, fault, top: float, height: float, extra: str = "") -> str:
        width = max(1.5, (fault.end_s - fault.start_s) * self.scale)
        return (f'<rect x="{self.x(fault.start_s):.1f}" y="{top}" '
                f'width="{width:.1f}" height="{height}" '
                f'fill="{COLOURS[fault.part]}"{extra}/>')

    def minutes(self, y: float) -> str:
        """One label each tenth of the run, at whole minutes."""
        step = max(1, round((self.end_s - self.start_s) / 600)) * 60
        count = int((self.end_s - self.start_s) / step) + 1
        return "".join(
            f'<text x="{self.x(self.start_s + n * step):.0f}" y="{y}">'
            f'{n * step // 60} min</text>' for n in range(count))


def _svg(height: float, body: str) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {height}">{body}</svg>'


def _lanes(axis: Axis, faults: list) -> str:
    body = ""
    for row, part in enumerate(COLOURS):
        body += f'<text x="0" y="{row * ROW + 11}">{part}</text>'
        body += "".join(axis.bar(f, row * ROW + 2, ROW - 4)
                        for f in faults if f.part == part)
    bottom = len(COLOURS) * ROW
    return _svg(bottom + 18, body + axis.minutes(bottom + 13))


def _chart(axis: Axis, faults: list, name: str, points: list, unit: str,
           limits: tuple | None) -> str:
    """points: (time, value). limits: what is allowed, as two lines."""
    values = [v for _, v in points]
    low, high = min(values, default=0.0), max(values, default=1.0)
    bottom, top = (min(low, limits[0]), max(high, limits[1])) \
        if limits else (low, high)
    room = max(top - bottom, 1e-6)

    def y(value: float) -> float:
        return 5 + (top - value) / room * (CHART - 10)
    body = "".join(axis.bar(f, 0, CHART, ' opacity=".25"') for f in faults)
    for value in limits or ():
        body += (f'<path d="M{LEFT} {y(value):.1f}H{WIDTH}" stroke="#b00" '
                 'stroke-dasharray="4 4"/>')
    dots = "".join(f"M{axis.x(t):.1f} {y(v):.1f}h0" for t, v in points)
    body += f'<path class="p" d="{dots}"/>'
    for line, text in enumerate([name, f"{low:.1f} to {high:.1f} {unit}"]
                                + ([f"allowed {limits[0]:g} to "
                                    f"{limits[1]:g}"] if limits else [])):
        body += f'<text x="0" y="{16 + 18 * line}">{text}</text>'
    return _svg(CHART, body)


def _summary(run, slope: float) -> str:
    kinds = Counter((f.part, f.kind) for f in run.faults)
    rows = [("faults", f"{len(run.faults)} of {len(kinds)} kinds"),
            ("undeclared breaches", len(run.breaches)),
            ("seconds of delay judged",
             len(run.delays) + len(run.kept_delays)),
            ("flashes judged", len(run.syncs)),
            ("resident memory", f"{slope:+.2f} MB an hour")]
    return "".join(f"<tr><th>{a}<td>{b}" for a, b in rows)


def write_report(path: Path, run, title: str, slope: float) -> None:
    times = [t for t, _ in run.rss] or [0.0, 1.0]
    axis = Axis(times[0], times[-1])
    charts = "".join(
        _chart(axis, run.faults, *row) for row in (
            ("delay error", run.delays, "ms", (-100, 100)),
            ("the kept one's", run.kept_delays, "ms", (-100, 100)),
            ("beep - flash", run.syncs, "ms", (-60, 40)),
            ("dub coverage", run.coverage, "", None),
            ("memory", run.rss, "MB", None),
            ("descriptors", run.files, "", None)))
    table = "".join(f"<tr><td>{f.start_s - times[0]:.1f} s<td>{f.part}"
                    f"<td>{f.kind}<td>{f.end_s - f.start_s:.1f} s"
                    for f in run.faults)
    now = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    path.write_text(PAGE.format(
        title=html.escape(title), when=now, summary=_summary(run, slope),
        lanes=_lanes(axis, run.faults), charts=charts, table=table,
        breaches="".join(f"<li>{html.escape(b)}" for b in run.breaches)
        or "<li>none"), "utf-8")
