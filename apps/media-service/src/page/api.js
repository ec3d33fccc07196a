// SPDX-License-Identifier: Apache-2.0
// All that the page asks of media-service, relative to where it was loaded
// from, so that it also works below a prefix of a proxy.

const TOKEN = 'dubbing-token';

export class ApiError extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || `HTTP ${status}`);
    this.status = status;
    this.code = problem.code || '';
    this.errors = Array.isArray(problem.errors) ? problem.errors : [];
  }
}

export const getToken = () => sessionStorage.getItem(TOKEN) || '';

export function setToken(token) {
  if (token) sessionStorage.setItem(TOKEN, token);
  else sessionStorage.removeItem(TOKEN);
}

/** What a viewer says to the media server: "Basic ...", '' where nobody was
 * asked. media-service never sees it. */
const VIEWER = 'dubbing-viewer';

export const getViewer = () => sessionStorage.getItem(VIEWER) || '';

export function setViewer(name, password) {
  const bytes = new TextEncoder().encode(`${name}:${password}`);
  sessionStorage.setItem(VIEWER, `Basic ${btoa(String.fromCharCode(...bytes))}`);
}

const address = (path) => new URL(path, document.baseURI).href;

function headers(more) {
  const token = getToken();
  return token ? { ...more, Authorization: `Bearer ${token}` } : more;
}

async function problemOf(answer) {
  try {
    return await answer.json();
  } catch {
    return { detail: `media-service answered ${answer.status}` };
  }
}

/** The answer's JSON, null where it has none; an ApiError says what is wrong.
 * A TypeError or AbortError: nobody answered within ten seconds. */
export async function call(method, path, body) {
  const answer = await fetch(address(path), {
    method,
    headers: headers({
      Accept: 'application/json',
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    }),
    body: body === undefined ? undefined : JSON.stringify(body),
    cache: 'no-store',
    credentials: 'omit',
    redirect: 'error',
    signal: AbortSignal.timeout(10000),
  });
  if (!answer.ok) throw new ApiError(answer.status, await problemOf(answer));
  const text = await answer.text();
  return text ? JSON.parse(text) : null;
}

const stream = (id) => `v1/streams/${encodeURIComponent(id)}`;

export const getConfig = () => call('GET', 'v1/config');
export const listStreams = () => call('GET', 'v1/streams');
export const getHistory = (id) => call('GET', `${stream(id)}/history`);
export const createStream = (body) => call('POST', 'v1/streams', body);
export const changeStream = (id, body) => call('PATCH', stream(id), body);
export const removeStream = (id) => call('DELETE', stream(id));
export const act = (id, action) => call('POST', `${stream(id)}/${action}`);

/**
 * Reads server-sent events until they end; EventSource cannot send a token.
 * open () once it is known that they come, on({id, event, data}) for each; ends
 * with an error that says why.
 */
export async function readEvents(lastId, signal, open, on) {
  const answer = await fetch(address('v1/events'), {
    headers: headers({
      Accept: 'text/event-stream',
      ...(lastId ? { 'Last-Event-ID': lastId } : {}),
    }),
    cache: 'no-store',
    credentials: 'omit',
    redirect: 'error',
    signal,
  });
  if (!answer.ok) throw new ApiError(answer.status, await problemOf(answer));
  open();
  const parser = new EventParser(on);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new Error('media-service closed the connection');
    parser.push(value);
  }
}

const MAX_BUFFER = 1 << 20;

/** The text of an event stream, in pieces of any size, as events. A comment is
 * given as the event "ping". */
export class EventParser {
  constructor(on) {
    this.on = on;
    this.rest = '';
    this.clear();
  }

  clear() {
    this.event = 'message';
    this.data = [];
  }

  push(text) {
    const lines = (this.rest + text).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop();
    if (this.rest.length > MAX_BUFFER) throw new Error('an event is too long');
    lines.forEach((line) => this.line(line));
  }

  line(line) {
    if (line === '') {
      if (this.data.length) this.on({ id: this.id, event: this.event, data: this.data.join('\n') });
      this.clear();
      return;
    }
    if (line.startsWith(':')) {
      this.on({ id: this.id, event: 'ping', data: '' });
      return;
    }
    const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line);
    if (field === 'event') this.event = value;
    else if (field === 'data') this.data.push(value);
    else if (field === 'id') this.id = value;
  }
}
