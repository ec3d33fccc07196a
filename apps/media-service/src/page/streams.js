// SPDX-License-Identifier: Apache-2.0
// The list of streams: one row each, kept in place and only rewritten where it
// differs, so that focus and eye stay where they are.

import { $, el, icon, setData, setText } from './dom.js';
import * as format from './format.js';
import { breakerOf, delayLevel, languagesOf, notesOf, stateOf, syncLevel } from './model.js';

const cell = (name, label, kind = '') => el('td', { role: 'cell', class: `${name} ${kind}`.trim(), 'data-label': label });

function makeRow(id, onChoose) {
  const row = el('tr', { role: 'row', 'data-id': id });
  const name = el('button', { type: 'button', class: 'name' }, id);
  const head = el('th', { role: 'rowheader', scope: 'row', class: 'c-name' }, name);
  const cells = {
    state: cell('c-state', 'State'),
    langs: cell('c-langs', 'Languages'),
    delay: cell('n', 'Delay'),
    coverage: cell('n', 'Dubbed'),
    sync: cell('n', 'A/V sync'),
    rtt: cell('n', 'STS trip'),
    breaker: cell('c-breaker', 'Breaker'),
    inflight: cell('n', 'In flight'),
    restarts: cell('n', 'Restarts'),
    notes: cell('c-notes', 'Notes'),
  };
  cells.word = el('span');
  row.append(head, cells.state, cells.langs, cells.delay, cells.coverage, cells.sync,
    cells.rtt, cells.breaker, cells.inflight, cells.restarts, cells.notes);
  row.addEventListener('click', () => onChoose(id));
  row.cells_ = { ...cells, name };
  return row;
}

function setState(cells, stream) {
  const { kind, word } = stateOf(stream);
  if (cells.state.dataset.kind !== kind) {
    cells.state.replaceChildren(icon(kind), cells.word);
    cells.state.dataset.kind = kind;
  }
  setText(cells.word, word);
}

/** A figure, with a mark beside the colour where it is off. */
function setFigure(node, text, level) {
  setData(node, 'level', level);
  setText(node, level ? `! ${text}` : text);
}

function update(row, stream, isChosen) {
  const cells = row.cells_;
  const f = stream.figures ?? {};
  const { from, to } = languagesOf(stream);
  const notes = notesOf(stream);
  setState(cells, stream);
  setText(cells.langs, `${from} → ${to.join(', ') || '–'}`);
  setFigure(cells.delay, format.seconds(f.output_delay_ms), delayLevel(stream));
  setText(cells.coverage, format.percent(f.coverage));
  setFigure(cells.sync, format.signedMs(f.av_sync_ms), syncLevel(f.av_sync_ms));
  setText(cells.rtt, format.seconds(f.sts_rtt_ms));
  setFigure(cells.breaker, f.breaker ?? '–', breakerOf(stream));
  setText(cells.inflight, format.count(f.inflight));
  setText(cells.restarts, format.count(stream.restarts));
  setData(cells.notes, 'level', notes[0]?.level ?? '');
  setText(cells.notes, notes.map((n) => n.text).join('; '));
  cells.notes.title = cells.notes.textContent;
  row.classList.toggle('chosen', isChosen);
  if (isChosen) cells.name.setAttribute('aria-current', 'true');
  else cells.name.removeAttribute('aria-current');
}

/** Up and down go from stream to stream, as in any list. */
function onKey(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const buttons = [...$('rows').querySelectorAll('button.name')];
  const at = buttons.indexOf(document.activeElement);
  if (!step || at < 0) return;
  event.preventDefault();
  buttons[Math.min(buttons.length - 1, Math.max(0, at + step))].focus();
}

export class StreamList {
  constructor(onChoose) {
    this.onChoose = onChoose;
    this.rows = new Map();
    $('rows').addEventListener('keydown', onKey);
  }

  render(streams, chosen) {
    const body = $('rows');
    const ids = new Set(streams.map((s) => s.stream_id));
    for (const [id, row] of this.rows) {
      if (ids.has(id)) continue;
      row.remove();
      this.rows.delete(id);
    }
    streams.forEach((stream, i) => {
      const id = stream.stream_id;
      if (!this.rows.has(id)) this.rows.set(id, makeRow(id, this.onChoose));
      const row = this.rows.get(id);
      if (body.children[i] !== row) body.insertBefore(row, body.children[i] ?? null);
      update(row, stream, id === chosen);
    });
    $('empty').hidden = streams.length > 0;
  }
}
