// SPDX-License-Identifier: Apache-2.0
// The few things that every part of the page does to the document. Text comes
// from outside (transcripts, names), so it is only ever set as text.

export const $ = (id) => document.getElementById(id);

/** An element with attributes and children; strings become text. */
export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? '' : String(value));
  }
  node.append(...children);
  return node;
}

const SVG = 'http://www.w3.org/2000/svg';

export function svg(name, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) {
    node.setAttribute(key, String(value));
  }
  node.append(...children);
  return node;
}

/** Writes only what differs: a page that runs all day should not work. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function setData(node, key, value) {
  if (node.dataset[key] !== value) node.dataset[key] = value;
}

/** Fills a select; keeps what was chosen where it is still there. */
export function setOptions(select, values, names = values) {
  const key = JSON.stringify([values, names]);
  if (select.dataset.values === key) return;
  const chosen = select.value;
  select.replaceChildren(...values.map(
    (value, i) => el('option', { value }, names[i])));
  select.dataset.values = key;
  if (values.includes(chosen)) select.value = chosen;
}

// One shape for each state, so that colour is never alone.
const SHAPES = {
  on: () => svg('circle', { cx: 6, cy: 6, r: 5 }),
  busy: () => svg('path', { d: 'M6 1a5 5 0 1 1-5 5h2.2A2.8 2.8 0 1 0 6 3.2Z' }),
  warn: () => svg('path', { d: 'M6 .8 11.6 11H.4ZM5.3 4.4v3.2h1.4V4.4Zm0 4v1.4h1.4V8.4Z', 'fill-rule': 'evenodd' }),
  bad: () => svg('path', { d: 'M3.5.5h5l3 3v5l-3 3h-5l-3-3v-5ZM5.3 2.8v4h1.4v-4Zm0 5v1.5h1.4V7.8Z', 'fill-rule': 'evenodd' }),
  off: () => svg('rect', { x: 1.5, y: 1.5, width: 9, height: 9, rx: 1 }),
  idle: () => svg('circle', { cx: 6, cy: 6, r: 4.2, fill: 'none', stroke: 'currentColor', 'stroke-width': 1.6 }),
};

export function icon(kind) {
  return svg('svg', { viewBox: '0 0 12 12', class: `icon i-${kind}`, 'aria-hidden': 'true', focusable: 'false' },
    SHAPES[kind]());
}
