// SPDX-License-Identifier: Apache-2.0
// The chosen stream: pictures, charts, lines, outputs, facts.

import { getViewer } from './api.js';
import { Charts } from './chart.js';
import { askViewer } from './dialogs.js';
import { $, el, icon, setData, setOptions, setText } from './dom.js';
import * as format from './format.js';
import { Lines } from './lines.js';
import { isRunning, languagesOf, notesOf, stateOf } from './model.js';
import { Player } from './player.js';

const WAY = 'dubbing-player-way';

const mayAct = (stream) => ({
  'do-start': !isRunning(stream) || stream.degraded,
  'do-stop': stream.state !== 'stopped' && stream.state !== 'idle' && stream.state !== 'stopping',
  'do-restart': isRunning(stream),
  'do-settings': true,
  'do-remove': stream.state === 'stopped' || stream.state === 'idle',
});

function outRow(kind, name, language, url, state, level) {
  return el('li', {},
    el('span', { class: 'out-name' }, kind ? `${kind} ` : '', name),
    el('span', { class: 'lang' }, language || ''),
    el('code', { class: 'out-url' }, url || ''),
    el('span', { class: 'out-state', 'data-level': level }, level ? `! ${state}` : state));
}

function destinationState(d) {
  const parts = [d.state, format.bytes(d.bytes)];
  if (d.connections > 1) parts.push(`tried ${d.connections} times`);
  if (d.last_error) parts.push(d.last_error);
  return parts.join(', ');
}

export class Detail {
  constructor(media) {
    this.media = media;
    this.lines = new Lines();
    this.charts = new Charts($('charts'), $('chart-time'));
    const way = () => $('player-way').value;
    const onSound = (loud) => [this.in, this.out].forEach((p) => p !== loud && p.setSound(false));
    const asks = { way, onSound, unlock: (was) => this.unlock(was) };
    this.in = new Player($('player-in'), 'Original', asks);
    this.out = new Player($('player-out'), 'Dub', asks);
    $('player-way').value = localStorage.getItem(WAY) || 'auto';
    $('player-way').addEventListener('change', () => {
      localStorage.setItem(WAY, $('player-way').value);
      [this.in, this.out].forEach((p) => p.again());
    });
    $('out-language').addEventListener('change', () => this.choosePaths());
    this.lines.onChange = () => this.lines.render(this.shownLines ?? []);
  }

  /** One question for both players, whoever comes first; who comes later finds
   * that it was answered. */
  async unlock(was) {
    if (getViewer() !== was) return true;
    this.asking ??= askViewer(was ? 'Name or password were refused.' : '').finally(() => { this.asking = null; });
    return this.asking;
  }

  hide() {
    this.stream = null;
    $('detail').hidden = true;
    this.in.stop();
    this.out.stop();
  }

  setMedia(media) {
    this.media = media;
    if (this.stream) this.choosePaths();
  }

  choosePaths() {
    const { stream, media } = this;
    const outputs = stream.outputs ?? [];
    const wanted = $('out-language').value;
    const out = outputs.find((o) => o.language === wanted) ?? outputs.find((o) => o.is_default) ?? outputs[0];
    this.in.choose(`live/${stream.stream_id}/in`, media);
    this.out.choose(out?.path ?? `live/${stream.stream_id}/out`, media);
  }

  render(stream, lines, history, now_s) {
    const isOther = this.stream?.stream_id !== stream.stream_id;
    this.stream = stream;
    this.shownLines = lines;
    $('detail').hidden = false;
    const languages = languagesOf(stream).to;
    this.renderHead(stream);
    setOptions($('out-language'), languages);
    $('out-label').hidden = languages.length < 2;
    if (isOther) $('out-language').selectedIndex = 0;
    this.choosePaths();
    this.lines.choose(stream.stream_id, languages);
    this.lines.render(lines);
    this.charts.render(stream, history, now_s);
    this.renderOuts(stream);
    this.renderFacts(stream, now_s);
  }

  renderHead(stream) {
    setText($('detail-title'), stream.stream_id);
    const { kind, word } = stateOf(stream);
    const text = [word, ...notesOf(stream).map((n) => n.text)].join('; ');
    const node = $('detail-state');
    if (node.dataset.kind !== kind || node.lastChild?.textContent !== text) {
      node.replaceChildren(icon(kind), el('span', {}, text));
      setData(node, 'kind', kind);
    }
    for (const [id, may] of Object.entries(mayAct(stream))) $(id).disabled = !may;
  }

  renderOuts(stream) {
    const rows = [];
    for (const o of stream.outputs ?? []) rows.push(['', o.path, o.language, o.url, isRunning(stream) ? stream.state : 'stopped', '']);
    for (const d of stream.destinations ?? []) {
      const level = isRunning(stream) && d.state !== 'running' ? 'warn' : '';
      rows.push(['to', d.name, d.language, d.url, destinationState(d), level]);
    }
    const key = JSON.stringify(rows);
    if ($('outs').dataset.key === key) return;
    $('outs').dataset.key = key;
    $('outs').replaceChildren(...rows.map((row) => outRow(...row)));
  }

  renderFacts(stream, now_s) {
    const s = stream.settings ?? {};
    const f = stream.figures ?? {};
    const facts = [
      ['State since', format.age(stream.since, now_s)],
      ['Started by', stream.origin],
      ['Worker', stream.worker_pid ? `${stream.worker_state ?? ''} (process ${stream.worker_pid})` : 'none'],
      ['Reason', stream.worker_reason],
      ['Run', stream.run_id],
      ['Pictures in / out', `${format.count(f.video_frames_in)} / ${format.count(f.video_frames_out)}`],
      ['Fragments sent', format.count(f.fragments_sent)],
      ['Originals kept', format.count(f.fallbacks)],
      ['Voice', s.voice_profile],
      ['Delay set', format.seconds(s.output_delay_ms)],
      ['Original under the dub', s.duck_db === undefined ? '–' : `${String(s.duck_db).replace('-', '−')} dB`],
      ['Mix', s.mix_mode],
      ['When there is no dub', s.fallback_mode],
    ].filter(([, value]) => value !== undefined && value !== null && value !== '');
    const box = $('facts');
    const names = facts.map(([name]) => name).join('|');
    if (box.dataset.names !== names) {
      box.dataset.names = names;
      box.replaceChildren(...facts.map(([name]) => el('div', {}, el('dt', {}, name), el('dd'))));
    }
    facts.forEach(([, value], i) => setText(box.children[i].lastChild, String(value)));
  }
}
