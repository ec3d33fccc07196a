// SPDX-License-Identifier: Apache-2.0
// The dialogs: token, "are you sure", settings. All are the browser's own
// modal ones, which keep the focus, end with Escape and give the focus back.

import { setViewer } from './api.js';
import { $, el, setOptions, setText } from './dom.js';

for (const dialog of document.querySelectorAll('dialog')) {
  dialog.addEventListener('click', (event) => {
    if (event.target.closest('[data-close]')) dialog.close('');
  });
}

export const isDialogOpen = () => document.querySelector('dialog[open]') !== null;

/** A promise of the token, or of '' when none was given. */
export function askToken(error) {
  const dialog = $('token-dialog');
  const input = $('token-input');
  setText($('token-error'), error);
  input.value = '';
  if (!dialog.open) dialog.showModal();
  input.focus();
  return new Promise((resolve) => {
    $('token-form').onsubmit = (event) => {
      event.preventDefault();
      if (input.value.trim() === '') setText($('token-error'), 'A token is needed.');
      else dialog.close(input.value.trim());
    };
    dialog.onclose = () => {
      const token = dialog.returnValue;
      dialog.returnValue = '';
      input.value = '';
      resolve(token);
    };
  });
}

/** A promise of whether name and password for the media server were given. */
export function askViewer(error) {
  const dialog = $('viewer-dialog');
  const form = $('viewer-form');
  setText($('viewer-error'), error);
  form.reset();
  if (!dialog.open) dialog.showModal();
  $('viewer-name').focus();
  return new Promise((resolve) => {
    form.onsubmit = (event) => {
      event.preventDefault();
      if ($('viewer-name').value === '') {
        setText($('viewer-error'), 'A name is needed.');
        return;
      }
      setViewer($('viewer-name').value, $('viewer-password').value);
      dialog.close('yes');
    };
    dialog.onclose = () => {
      const isGiven = dialog.returnValue === 'yes';
      dialog.returnValue = '';
      form.reset();
      resolve(isGiven);
    };
  });
}

/** A promise of whether it was meant. */
export function confirm(title, text, yes) {
  const dialog = $('confirm-dialog');
  setText($('confirm-title'), title);
  setText($('confirm-text'), text);
  setText($('confirm-yes'), yes);
  dialog.returnValue = '';
  dialog.showModal();
  dialog.querySelector('[data-close]').focus();
  return new Promise((resolve) => {
    $('confirm-form').onsubmit = (event) => {
      event.preventDefault();
      dialog.close('yes');
    };
    dialog.onclose = () => resolve(dialog.returnValue === 'yes');
  });
}

const MIXES = { lower: 'lower the original', remove: 'remove the original' };
const FALLBACKS = {
  'pass-through': 'the original plays',
  'ducked-original': 'the original plays, lowered',
  silence: 'silence',
};

/** A select that shows a value even when this page does not know it. */
function fillChoice(select, names, value) {
  const values = Object.keys(names);
  if (value && !values.includes(value)) values.push(value);
  setOptions(select, values, values.map((v) => names[v] ?? v));
  select.value = value || values[0];
}

const listOf = (text) => text.split(/[\s,]+/).filter(Boolean);

function destinationRow(given) {
  const name = el('input', { name: 'd_name', 'aria-label': 'Name', placeholder: 'name', maxlength: 32, autocomplete: 'off', spellcheck: 'false' });
  const url = el('input', { name: 'd_url', 'aria-label': 'Address', placeholder: 'rtmps://host/app/key', maxlength: 2048, autocomplete: 'off', spellcheck: 'false' });
  const language = el('input', { name: 'd_language', 'aria-label': 'Language', placeholder: 'language', maxlength: 16, autocomplete: 'off', spellcheck: 'false' });
  name.value = given.name ?? '';
  url.value = given.url ?? '';
  language.value = given.language ?? '';
  const row = el('li', {}, name, url, language, el('button', {
    type: 'button',
    onclick: () => {
      const next = row.nextElementSibling?.querySelector('button') ?? $('add-destination');
      row.remove();
      next.focus();
    },
  }, 'Remove'));
  return row;
}

/** An address lacks its key as it is shown; the service knows it again by the
 * name, and keeps its own. */
function destinationOf(row) {
  const value = (name) => row.querySelector(`[name=${name}]`).value.trim();
  const language = value('d_language');
  return { name: value('d_name'), url: value('d_url'), ...(language ? { language } : {}) };
}

function read(form) {
  const value = (name) => form.elements[name].value.trim();
  const figure = (name) => (value(name) === '' ? null : Number(value(name)));
  return {
    source_language: value('source_language'),
    target_languages: listOf(value('target_languages')),
    voice_profile: value('voice_profile'),
    output_delay_ms: figure('output_delay_ms'),
    duck_db: figure('duck_db'),
    mix_mode: form.elements.mix_mode.value,
    fallback_mode: form.elements.fallback_mode.value,
    destinations: [...$('destinations').children].map(destinationOf),
  };
}

function fill(form, settings) {
  const set = (name, value) => { form.elements[name].value = value ?? ''; };
  set('source_language', settings.source_language);
  set('target_languages', (settings.target_languages ?? []).join(', '));
  set('voice_profile', settings.voice_profile);
  set('output_delay_ms', settings.output_delay_ms);
  set('duck_db', settings.duck_db);
  fillChoice(form.elements.mix_mode, MIXES, settings.mix_mode);
  fillChoice(form.elements.fallback_mode, FALLBACKS, settings.fallback_mode);
  $('destinations').replaceChildren(...(settings.destinations ?? []).map(destinationRow));
}

/** Only what was changed is sent; so what a file or a publisher sets stays
 * theirs where nobody touched it. */
function changes(before, now) {
  const changed = {};
  for (const [name, value] of Object.entries(now)) {
    if (value === '' || value === null) continue;
    if (JSON.stringify(value) !== JSON.stringify(before[name])) changed[name] = value;
  }
  return changed;
}

/** What the browser itself finds wrong, in words that name the field. */
function browserErrors(form) {
  return [...form.elements]
    .filter((field) => field.willValidate && !field.validity.valid)
    .map((field) => ({ name: field.name, detail: field.validationMessage }));
}

function show(form, text, errors) {
  const labels = errors.map(({ name, pointer, detail }) => {
    const field = form.elements[name ?? String(pointer ?? '').split('/')[1]];
    field?.setAttribute?.('aria-invalid', 'true');
    const label = field?.closest?.('label')?.firstChild.textContent.trim();
    return label ? `${label}: ${detail}` : detail;
  });
  setText($('settings-error'), [text, ...labels].filter(Boolean).join(' · '));
  form.querySelector('[aria-invalid]')?.focus();
}

/**
 * The form of a stream, or of a new one (stream null, defaults of an other).
 * save (body) does it and may fail with an ApiError, which is shown. A promise
 * of what save gave, or of null.
 */
export function editSettings(stream, defaults, languages, save) {
  const dialog = $('settings-dialog');
  const form = $('settings-form');
  form.reset();
  $('language-list').replaceChildren(...['auto', ...languages].map((value) => el('option', { value })));
  $('new-fields').hidden = stream !== null;
  form.elements.stream_id.required = stream === null;
  setText($('settings-title'), stream ? `Settings of ${stream.stream_id}` : 'Add a stream');
  setText($('settings-save'), stream ? 'Save' : 'Add and start');
  fill(form, stream?.settings ?? defaults);
  const before = stream ? read(form) : {};
  show(form, '', []);
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => {
    let result = null;
    $('add-destination').onclick = () => {
      const row = destinationRow({});
      $('destinations').append(row);
      row.querySelector('input').focus();
    };
    form.onsubmit = async (event) => {
      event.preventDefault();
      form.querySelectorAll('[aria-invalid]').forEach((f) => f.removeAttribute('aria-invalid'));
      const errors = browserErrors(form);
      if (errors.length) {
        show(form, '', errors);
        return;
      }
      const body = changes(before, read(form));
      if (!stream) {
        for (const name of ['stream_id', 'input_url', 'output_url']) {
          if (form.elements[name].value.trim()) body[name] = form.elements[name].value.trim();
        }
      }
      $('settings-save').disabled = true;
      try {
        result = stream && Object.keys(body).length === 0 ? { unchanged: true } : await save(body);
        dialog.close('');
      } catch (error) {
        show(form, error.message, error.errors ?? []);
      } finally {
        $('settings-save').disabled = false;
      }
    };
    dialog.onclose = () => {
      resolve(result);
    };
  });
}
