// SPDX-License-Identifier: Apache-2.0
// What was heard and what was said, the newest below, as in a log. It follows
// by itself unless somebody has scrolled up to read.

import { $, el, setOptions, setText } from './dom.js';
import * as format from './format.js';

const REASONS = {
  timeout: 'no answer in time',
  error: 'the speech service failed',
  overload: 'too much in flight',
  disconnected: 'speech service not connected',
  not_ready: 'speech service not ready',
  gone: 'the answer came too late',
  breaker_open: 'breaker open',
  lag: 'the dub would have been too late',
};

function makeLine(line) {
  const parts = {
    time: el('time', {}, format.clock(line.date)),
    language: el('span', { class: 'lang' }, line.language),
    heard: el('p', { class: 'heard' }),
    said: el('p', { class: 'said' }),
  };
  const node = el('div', { class: 'line' },
    el('p', { class: 'when' }, parts.time, parts.language), parts.heard, parts.said);
  return Object.assign(node, { parts_: parts });
}

function saidText(line) {
  if (line.phase === 'kept') {
    return `Original kept: ${REASONS[line.reason] ?? (line.reason || 'no dub')}`;
  }
  return line.said || (line.phase === 'heard' ? '…' : '(no text given)');
}

function updateLine(node, line) {
  if (node.version_ === line.version) return;
  node.version_ = line.version;
  node.dataset.phase = line.phase;
  setText(node.parts_.heard, line.heard || '(no text given)');
  setText(node.parts_.said, saidText(line));
}

export class Lines {
  constructor() {
    this.box = $('lines');
    this.nodes = new Map();
    $('lines-language').addEventListener('change', () => this.clear());
  }

  clear() {
    this.nodes.clear();
    this.box.replaceChildren();
    this.onChange?.();
  }

  choose(id, languages) {
    const many = languages.length > 1;
    $('lines-label').hidden = !many;
    setOptions($('lines-language'), ['', ...languages], ['all', ...languages]);
    if (this.id === id) return;
    this.id = id;
    $('lines-language').value = '';
    this.nodes.clear();
    this.box.replaceChildren();
  }

  render(lines) {
    const only = $('lines-language').value;
    const shown = lines.filter((l) => !only || !l.language || l.language === only);
    const follows = this.box.scrollHeight - this.box.scrollTop - this.box.clientHeight < 24;
    const keep = new Set(shown);
    for (const [line, node] of this.nodes) {
      if (keep.has(line)) continue;
      node.remove();
      this.nodes.delete(line);
    }
    for (const line of shown) {
      if (!this.nodes.has(line)) {
        if (this.nodes.size === 0) this.box.replaceChildren();
        this.nodes.set(line, makeLine(line));
        this.box.append(this.nodes.get(line));
      }
      updateLine(this.nodes.get(line), line);
    }
    if (shown.length === 0 && this.nodes.size === 0 && !this.box.firstChild) {
      this.box.append(el('p', { class: 'empty' }, 'Nothing was heard yet.'));
    }
    if (follows) this.box.scrollTop = this.box.scrollHeight;
  }
}
