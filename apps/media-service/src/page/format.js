// SPDX-License-Identifier: Apache-2.0
// Figures as people read them: always with as many places, so that nothing
// moves when they change. What is not known is a dash.

const NONE = '–';
const isNumber = (value) => typeof value === 'number' && Number.isFinite(value);

export const ms = (value) => (isNumber(value) ? `${Math.round(value)} ms` : NONE);
export const seconds = (value) => (isNumber(value) ? `${(value / 1000).toFixed(2)} s` : NONE);
export const percent = (value) => (isNumber(value) ? `${Math.round(value * 100)} %` : NONE);
export const count = (value) => (isNumber(value) ? String(Math.round(value)) : NONE);

export function signedMs(value) {
  if (!isNumber(value)) return NONE;
  const rounded = Math.round(value);
  const sign = rounded > 0 ? '+' : rounded < 0 ? '−' : '±';
  return `${sign}${Math.abs(rounded)} ms`;
}

export function bytes(value) {
  if (!isNumber(value)) return NONE;
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let i = 0;
  while (value >= 1000 && i < units.length - 1) {
    value /= 1000;
    i += 1;
  }
  return `${i ? value.toFixed(1) : value} ${units[i]}`;
}

export function clock(date) {
  const two = (n) => String(n).padStart(2, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** Since when, in the two largest units. */
export function age(unix_s, now_s) {
  if (!isNumber(unix_s) || unix_s <= 0) return NONE;
  const s = Math.max(0, Math.floor(now_s - unix_s));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor(s / 60) % 60} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor(s / 3600) % 24} h`;
}
