// SPDX-License-Identifier: Apache-2.0
// Small charts of fifteen minutes, drawn as SVG; no library. A gap is where
// nothing was known. All share one pointer, to compare what happened when.

import { el, setText, svg } from './dom.js';
import * as format from './format.js';
import { BREAKER, HISTORY_S } from './model.js';

const W = 300;
const H = 84;
// A pause of more than three steps is a gap.
const GAP_S = 16;

const breakerWord = (value) => BREAKER[Math.round(value)] ?? '–';

// lowest and highest: what the axis shows at least.
const CHARTS = [
  { name: 'delay_ms', title: 'Delay', text: format.seconds, span: 400, target: (s) => s.settings?.output_delay_ms },
  { name: 'coverage', title: 'Dubbed', text: format.percent, low: 0, high: 1 },
  { name: 'av_sync_ms', title: 'A/V sync', text: format.signedMs, low: -60, high: 60, target: () => 0 },
  { name: 'sts_rtt_ms', title: 'STS trip', text: format.seconds, low: 0, span: 1000 },
  { name: 'inflight', title: 'In flight', text: format.count, low: 0, high: 3, step: true },
  { name: 'breaker', title: 'Breaker', text: breakerWord, low: 0, high: 2, step: true },
];

function rangeOf(spec, values, target) {
  let low = Math.min(spec.low ?? Infinity, ...values, target ?? Infinity);
  let high = Math.max(spec.high ?? -Infinity, ...values, target ?? -Infinity);
  if (!Number.isFinite(low)) low = 0;
  if (!Number.isFinite(high)) high = low;
  const span = spec.span ?? 0;
  if (high - low < span) {
    const middle = (high + low) / 2;
    low = spec.low ?? middle - span / 2;
    high = Math.max(high, low + span);
  }
  return high > low ? [low, high] : [low, low + 1];
}

/** The path of a series; pieces where nothing is missing. */
function pathOf(rows, name, x, y, isStep) {
  let path = '';
  let before = null;
  for (const row of rows) {
    const value = row[name];
    if (value === null) {
      before = null;
      continue;
    }
    const point = `${x(row.t).toFixed(1)} ${y(value).toFixed(1)}`;
    if (!before || row.t - before.t > GAP_S) path += `M${point}h.1`;
    else if (isStep) path += `H${x(row.t).toFixed(1)}V${y(value).toFixed(1)}`;
    else path += `L${point}`;
    before = row;
  }
  return path;
}

class Chart {
  constructor(spec, onPoint) {
    this.spec = spec;
    this.area = svg('path', { class: 'area' });
    this.line = svg('path', { class: 'series' });
    this.target = svg('line', { class: 'target', x1: 0, x2: W, y1: -9, y2: -9 });
    this.pointer = svg('line', { class: 'pointer', x1: -9, x2: -9, y1: 0, y2: H });
    this.picture = svg('svg', { viewBox: `0 0 ${W} ${H}`, preserveAspectRatio: 'none', role: 'img' },
      this.target, this.line, this.pointer);
    this.now = el('span', { class: 'now' });
    this.high = el('span', { class: 'high' });
    this.low = el('span', { class: 'low' });
    this.node = el('figure', { class: 'chart' },
      el('figcaption', {}, el('span', {}, spec.title), this.now),
      el('div', { class: 'plot' }, this.picture, this.high, this.low));
    this.picture.addEventListener('pointermove', (event) => {
      const box = this.picture.getBoundingClientRect();
      onPoint((event.clientX - box.left) / box.width);
    });
    this.picture.addEventListener('pointerleave', () => onPoint(null));
  }

  render(stream, rows, now_s, share) {
    const { name, text, title, step } = this.spec;
    const values = rows.map((r) => r[name]).filter((v) => v !== null);
    const target = this.spec.target?.(stream) ?? null;
    const [low, high] = rangeOf(this.spec, values, target);
    const x = (t) => (1 - (now_s - t) / HISTORY_S) * W;
    const y = (v) => H - 3 - ((v - low) / (high - low)) * (H - 6);
    this.line.setAttribute('d', pathOf(rows, name, x, y, step));
    const at = target === null ? -9 : y(target);
    this.target.setAttribute('y1', at);
    this.target.setAttribute('y2', at);
    setText(this.high, text(high));
    setText(this.low, text(low));
    const last = rows.at(-1)?.[name] ?? null;
    const shown = share === null ? last : valueAt(rows, name, now_s - (1 - share) * HISTORY_S);
    setText(this.now, text(shown));
    const px = share === null ? -9 : share * W;
    this.pointer.setAttribute('x1', px);
    this.pointer.setAttribute('x2', px);
    if (share !== null) return;
    this.picture.setAttribute('aria-label', values.length
      ? `${title} over the last 15 minutes: now ${text(last)}, from ${text(Math.min(...values))} to ${text(Math.max(...values))}`
      : `${title}: nothing known yet`);
  }
}

function valueAt(rows, name, t) {
  let best = null;
  for (const row of rows) {
    if (Math.abs(row.t - t) <= GAP_S && (!best || Math.abs(row.t - t) < Math.abs(best.t - t))) best = row;
  }
  return best?.[name] ?? null;
}

export class Charts {
  constructor(box, time) {
    this.time = time;
    this.share = null;
    this.charts = CHARTS.map((spec) => new Chart(spec, (share) => this.point(share)));
    box.append(...this.charts.map((chart) => chart.node));
  }

  point(share) {
    this.share = share;
    this.render(this.stream, this.history, this.now_s);
  }

  render(stream, history, now_s) {
    Object.assign(this, { stream, history, now_s });
    if (!stream) return;
    for (const chart of this.charts) chart.render(stream, history.rows, now_s, this.share);
    const back_s = this.share === null ? null : (1 - this.share) * HISTORY_S;
    setText(this.time, back_s === null ? '\u00a0'
      : `at ${format.clock(new Date((now_s - back_s) * 1000))}`);
  }
}
