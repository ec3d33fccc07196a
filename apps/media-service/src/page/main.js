// SPDX-License-Identifier: Apache-2.0
// Where the parts of the page meet: what the service tells goes into the model,
// what the operator does goes to the service, and the page shows the model.

import * as api from './api.js';
import { Detail } from './detail.js';
import { askToken, confirm, editSettings, isDialogOpen } from './dialogs.js';
import { $, setData, setText } from './dom.js';
import * as format from './format.js';
import { Link } from './link.js';
import { Model, notesOf, stateOf, summaryOf } from './model.js';
import { StreamList } from './streams.js';

const model = new Model();
const list = new StreamList((id) => choose(id));
let media = {};
const detail = new Detail(media);
let config = null;
const HASH = '#stream=';
const chosenByHash = () => (location.hash.startsWith(HASH)
  ? decodeURIComponent(location.hash.slice(HASH.length)) : '');
let chosen = chosenByHash();
let isLost = false;
let lostAt = null;
let spoken = new Map();

const now_s = () => Date.now() / 1000;

// --- showing ---

let isAsked = false;

/** At most once a picture, however much was told. */
function show() {
  if (isAsked) return;
  isAsked = true;
  requestAnimationFrame(() => {
    isAsked = false;
    render();
  });
}

function render() {
  const streams = model.sorted();
  if (!model.streams.has(chosen) && streams.length && !chosenByHash()) chosen = streams[0].stream_id;
  list.render(streams, chosen);
  renderSummary(streams);
  const stream = model.streams.get(chosen);
  if (!stream) {
    detail.hide();
    return;
  }
  detail.render(stream, model.lines.get(chosen) ?? [], model.history(chosen), now_s());
}

function renderSummary(streams) {
  const { total, running, attention } = summaryOf(streams);
  setText($('summary'), config === null ? ''
    : `${running} of ${total} running${attention ? `, ${attention} to look at` : ''}`);
  setData($('summary'), 'level', attention ? 'warn' : '');
  const mark = isLost ? '(lost) ' : attention ? `(${attention}) ` : '';
  if (document.title !== `${mark}Live dubbing`) document.title = `${mark}Live dubbing`;
}

function say(text) {
  setText($('says'), text);
}

let toastTimer = 0;

function toast(text, level = '') {
  setText($('toast'), text);
  setData($('toast'), 'level', level);
  $('toast').hidden = false;
  say(text);
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { $('toast').hidden = true; }, 6000);
}

/** What a listener is told: a state that has changed, never a figure. */
function speak(stream) {
  const id = stream.stream_id;
  const text = [stateOf(stream).word, ...notesOf(stream).map((n) => n.text)].join(', ');
  const before = spoken.get(id);
  spoken.set(id, text);
  if (before !== undefined && before !== text) say(`${id}: ${text}`);
}

// --- what the service tells ---

function onConfig(answer) {
  // A page of another version must not go on with this one's answers.
  if (config && config.version !== answer.version && !isDialogOpen()) location.reload();
  config = answer;
  media = answer.mediamtx ?? {};
  detail.setMedia(media);
  $('token-button').hidden = !answer.needs_token;
}

function onList(streams) {
  model.replace(streams);
  for (const stream of streams) speak(stream);
  loadHistory();
  show();
}

async function loadHistory() {
  const id = chosen || model.sorted()[0]?.stream_id;
  if (!model.streams.has(id)) return;
  try {
    model.history(id).load(await api.getHistory(id));
    show();
  } catch (error) {
    if (!(error instanceof api.ApiError)) return;
    console.info(`no history of ${id}: ${error.message}`);
  }
}

let told = 0; // states, so far

const EVENTS = {
  state(stream) {
    told += 1;
    model.set(stream);
    speak(stream);
  },
  figures({ stream_id, ...rest }) {
    model.figures(stream_id, rest.figures ?? rest, now_s());
  },
  segment(part) {
    model.segment(part, new Date());
  },
  gone({ stream_id }) {
    model.remove(stream_id);
    spoken.delete(stream_id);
    say(`${stream_id} is gone`);
  },
};

function onEvent(name, data) {
  EVENTS[name]?.(data);
  show();
}

const LINK_WORDS = { connecting: 'Connecting', connected: 'Connected', lost: 'Disconnected', token: 'Token needed' };

function setLink(state) {
  setData($('link'), 'link', state);
  setText($('link-text'), LINK_WORDS[state]);
}

function onState(state, info) {
  if (state === 'connecting' && isLost) return;
  setLink(state);
  if (state === 'connected') {
    if (isLost) say('Connected again');
    isLost = false;
    lostAt = null;
    $('lost').hidden = true;
    document.body.classList.remove('stale');
  }
  if (state === 'lost') onLost(info);
  if (state === 'token') needToken(info.error);
  show();
}

function onLost({ error }) {
  lostAt ??= new Date();
  isLost = true;
  document.body.classList.add('stale');
  const isAnswer = error instanceof api.ApiError;
  const text = `Disconnected from media-service since ${format.clock(lostAt)}: the figures below are as they were then. `
    + `${isAnswer ? `It answered: ${error.message}. ` : ''}Trying again by itself; the programme goes on without this page.`;
  setText($('lost'), text);
  $('lost').hidden = false;
}

async function needToken(error) {
  const had = api.getToken() !== '';
  api.setToken('');
  const token = await askToken(had ? `The token was refused: ${error.message}` : '');
  $('token-button').hidden = false;
  if (!token) return;
  api.setToken(token);
  link.start();
}

// --- what the operator does ---

const narrow = matchMedia('(max-width: 1150px)');

function choose(id) {
  chosen = id;
  // Where rows are cards, the stream is far below its row.
  if (narrow.matches) requestAnimationFrame(() => $('detail').scrollIntoView());
  history.replaceState(null, '', `${HASH}${encodeURIComponent(id)}`);
  loadHistory();
  show();
}

/** What is told while a request is under way is newer than its answer. */
async function ask(work) {
  const before = told;
  const answer = await work();
  if (answer?.stream_id && told === before) model.set(answer);
  return answer;
}

async function carryOut(doing, work) {
  try {
    await ask(work);
    toast(doing);
  } catch (error) {
    if (error.status === 401) needToken(error);
    toast(`${doing}: failed. ${error.message}`, 'bad');
  }
  show();
}

const DELAY_NOTE = 'It comes back after the delay.';

const ACTIONS = {
  'do-start': (id) => carryOut(`${id}: started`, () => api.act(id, 'start')),
  'do-stop': async (id) => {
    if (await confirm(`Stop ${id}?`, 'Its output ends at once. It stays stopped until it is started here or a publisher comes.', 'Stop it')) {
      await carryOut(`${id}: stopped`, () => api.act(id, 'stop'));
    }
  },
  'do-restart': async (id) => {
    if (await confirm(`Restart ${id}?`, `Its output ends and a new worker takes over. ${DELAY_NOTE}`, 'Restart it')) {
      await carryOut(`${id}: restarted`, () => api.act(id, 'restart'));
    }
  },
  'do-remove': async (id) => {
    if (await confirm(`Remove ${id}?`, 'It leaves the list, with the settings made here.', 'Remove it')) {
      await carryOut(`${id}: removed`, async () => {
        await api.removeStream(id);
        EVENTS.gone({ stream_id: id });
      });
    }
  },
  'do-settings': (id) => settings(id),
};

async function settings(id) {
  const answer = await editSettings(model.streams.get(id), {}, config?.languages ?? [],
    (body) => ask(() => api.changeStream(id, body)));
  if (!answer) return;
  if (answer.unchanged) toast('Nothing was changed');
  else if (answer.applied === 'restart') toast(`${id}: settings saved; a new worker takes over. ${DELAY_NOTE}`);
  else toast(`${id}: settings saved`);
  show();
}

async function addStream() {
  const answer = await editSettings(null, config?.defaults ?? {}, config?.languages ?? [],
    (body) => ask(() => api.createStream(body)));
  if (!answer) return;
  choose(answer.stream_id);
  toast(`${answer.stream_id}: added`);
}

for (const [id, action] of Object.entries(ACTIONS)) {
  $(id).addEventListener('click', () => action(chosen));
}
$('add-button').addEventListener('click', addStream);
$('token-button').addEventListener('click', async () => {
  const token = await askToken('');
  if (!token) return;
  api.setToken(token);
  link.start();
});
window.addEventListener('hashchange', () => {
  if (!chosenByHash()) return;
  chosen = chosenByHash();
  loadHistory();
  show();
});

const link = new Link({ config: onConfig, list: onList, event: onEvent, state: onState });

// A page that the browser keeps for its back button would keep its connection,
// and a browser has six for each host.
window.addEventListener('pagehide', () => link.stop());
window.addEventListener('pageshow', (event) => {
  if (event.persisted) link.start();
});

setInterval(() => {
  setText($('clock'), format.clock(new Date()));
  show();
}, 1000);
setText($('clock'), format.clock(new Date()));
link.start();
