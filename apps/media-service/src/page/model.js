// SPDX-License-Identifier: Apache-2.0
// What is known of the streams, and what it means. No document in here.

const MAX_LINES = 120;
export const HISTORY_S = 15 * 60;
const STEP_S = 5;
// EBU R37: sound at most 40 ms early and 60 ms late.
const SYNC_EARLY_MS = -40;
const SYNC_LATE_MS = 60;
const DELAY_SLACK_MS = 100;

export const SERIES = ['delay_ms', 'coverage', 'av_sync_ms', 'sts_rtt_ms', 'inflight', 'breaker'];
export const BREAKER = ['closed', 'half-open', 'open'];
const breakerLevel = (value) => (typeof value === 'number' ? value : BREAKER.indexOf(value));

/** The figures of one second as one row of the history. */
const rowOf = (f) => ({
  delay_ms: f.output_delay_ms,
  coverage: f.coverage,
  av_sync_ms: f.av_sync_ms,
  sts_rtt_ms: f.sts_rtt_ms,
  inflight: f.inflight,
  breaker: breakerLevel(f.breaker),
});

// A delay of 0 is that of a worker from which nothing has left yet.
const known = (name, value) => (name === 'delay_ms' && value === 0 ? null : number(value));

const number = (value) => (typeof value === 'number' && Number.isFinite(value) ? value : null);

/** Rows of fifteen minutes, one for each five seconds. */
export class History {
  constructor() {
    this.rows = [];
  }

  /** From the API: {step_s, from, series}. What came meanwhile is kept. */
  load(answer) {
    const step = answer.step_s || STEP_S;
    const newer = this.rows;
    const length = Math.max(0, ...SERIES.map((name) => answer.series?.[name]?.length ?? 0));
    this.rows = [];
    for (let i = 0; i < length; i += 1) {
      const row = { t: answer.from + i * step };
      for (const name of SERIES) {
        const value = answer.series?.[name]?.[i];
        row[name] = name === 'breaker' && typeof value === 'string'
          ? breakerLevel(value) : known(name, value);
      }
      this.rows.push(row);
    }
    const last = length ? this.rows[length - 1].t : -Infinity;
    this.rows.push(...newer.filter((row) => row.t > last + step / 2));
    this.trim(this.rows.at(-1)?.t ?? 0);
  }

  add(figures, now_s) {
    const values = rowOf(figures);
    const last = this.rows.at(-1);
    const row = last && now_s - last.t < STEP_S ? last : { t: now_s };
    for (const name of SERIES) row[name] = known(name, values[name]);
    if (row !== last) this.rows.push(row);
    this.trim(now_s);
  }

  trim(now_s) {
    const first = this.rows.findIndex((row) => row.t >= now_s - HISTORY_S);
    if (first > 0) this.rows.splice(0, first);
  }
}

export class Model {
  constructor() {
    this.streams = new Map();
    this.lines = new Map();
    this.histories = new Map();
  }

  sorted() {
    return [...this.streams.values()].sort(
      (a, b) => a.stream_id.localeCompare(b.stream_id, 'en', { numeric: true }));
  }

  /** The list is the truth: what is not in it is gone. */
  replace(list) {
    const before = this.streams;
    this.streams = new Map();
    for (const stream of list) {
      const figures = stream.figures ?? before.get(stream.stream_id)?.figures ?? null;
      this.streams.set(stream.stream_id, { ...stream, figures });
    }
    for (const id of before.keys()) if (!this.streams.has(id)) this.remove(id);
  }

  set(stream) {
    const before = this.streams.get(stream.stream_id);
    const figures = stream.figures === undefined ? before?.figures ?? null : stream.figures;
    this.streams.set(stream.stream_id, { ...stream, figures });
  }

  remove(id) {
    this.streams.delete(id);
    this.lines.delete(id);
    this.histories.delete(id);
  }

  history(id) {
    if (!this.histories.has(id)) this.histories.set(id, new History());
    return this.histories.get(id);
  }

  figures(id, figures, now_s) {
    const stream = this.streams.get(id);
    if (!stream) return;
    stream.figures = figures;
    this.history(id).add(figures, now_s);
  }

  /** Heard, said and kept of one fragment in one language are one line. */
  segment(part, date) {
    if (!this.lines.has(part.stream_id)) this.lines.set(part.stream_id, []);
    const lines = this.lines.get(part.stream_id);
    const language = part.language || '';
    let line = lines.findLast(
      (l) => l.fragment_id === part.fragment_id && l.language === language);
    if (!line) {
      line = { fragment_id: part.fragment_id, language, date, heard: '', said: '', phase: '', reason: '', version: 0 };
      lines.push(line);
      if (lines.length > MAX_LINES) lines.shift();
    }
    line.phase = part.phase;
    line.heard = part.transcript || line.heard;
    line.said = part.translated_text || line.said;
    line.reason = part.reason || line.reason;
    line.lag_ms = number(part.lag_ms) ?? line.lag_ms;
    line.version += 1;
  }
}

const STATES = {
  idle: 'idle',
  starting: 'busy',
  running: 'on',
  stopping: 'busy',
  stopped: 'off',
};

const isActive = (stream) => stream.state === 'running' || stream.state === 'starting';

/** What an operator should look at, the worst first: [{level, text}]. */
export function notesOf(stream) {
  const notes = [];
  const say = (level, text) => notes.push({ level, text });
  const f = stream.figures;
  if (stream.degraded) say('bad', 'died too often: tried each minute');
  if (isActive(stream) && stream.worker_state === 'source_lost') say('bad', 'source lost');
  if (f && isActive(stream)) figureNotes(stream, f, say);
  for (const d of stream.destinations ?? []) {
    if (isActive(stream) && d.state !== 'running') say('warn', `destination ${d.name} ${d.state}`);
  }
  if (stream.in_grace) say('warn', 'publisher gone, waited for');
  if (stream.state === 'starting') say('warn', 'waits for media');
  return notes.sort((a, b) => (a.level === b.level ? 0 : a.level === 'bad' ? -1 : 1));
}

function figureNotes(stream, f, say) {
  if (f.breaker === 'open') say('bad', 'breaker open: original plays');
  if (f.breaker === 'half-open') say('warn', 'breaker tries again');
  if (syncLevel(f.av_sync_ms)) say('bad', 'sound off the picture');
  if (delayLevel(stream)) say('warn', 'delay off its setting');
}

export const syncLevel = (value) => (number(value) !== null
  && (value < SYNC_EARLY_MS || value > SYNC_LATE_MS) ? 'bad' : '');

export function delayLevel(stream) {
  const is = number(stream.figures?.output_delay_ms);
  const wanted = number(stream.settings?.output_delay_ms);
  return is !== null && is > 0 && wanted !== null && Math.abs(is - wanted) > DELAY_SLACK_MS ? 'warn' : '';
}

export const breakerOf = (stream) => ({ open: 'bad', 'half-open': 'warn' }[stream.figures?.breaker] ?? '');

/** The shape and the word for a stream's state. */
export function stateOf(stream) {
  const worst = notesOf(stream)[0]?.level;
  const word = stream.degraded ? `${stream.state}, degraded` : stream.state;
  if (stream.state === 'running' && worst) return { kind: worst, word };
  if (stream.degraded) return { kind: 'bad', word };
  return { kind: STATES[stream.state] ?? 'idle', word };
}

export const isRunning = (stream) => isActive(stream);

export function languagesOf(stream) {
  const s = stream.settings ?? {};
  const from = s.source_language ?? stream.source_language ?? 'auto';
  const to = s.target_languages ?? (stream.target_language ? [stream.target_language] : []);
  return { from, to };
}

export function summaryOf(streams) {
  const running = streams.filter((s) => s.state === 'running').length;
  const attention = streams.filter((s) => notesOf(s).length > 0).length;
  return { total: streams.length, running, attention };
}
