// SPDX-License-Identifier: Apache-2.0
// Keeps the page connected: asks for what is there, then listens; when that
// ends, from whatever cause, says so and tries again.

import { ApiError, getConfig, listStreams, readEvents } from './api.js';

const WAITS_S = [1, 2, 3, 5];
// A comment comes each 15 s, so nothing for so long means that nobody is there.
const SILENCE_MS = 35000;

/**
 * on.config(config), on.list(streams), on.event(name, data): what was told.
 * on.state(state, detail): connecting, connected, lost (detail: {error,
 * retry_s}), token (the token was refused or is missing).
 */
export class Link {
  constructor(on) {
    this.on = on;
    this.tries = 0;
    this.lastId = '';
    this.heard = 0;
    setInterval(() => this.watch(), 1000);
  }

  watch() {
    if (this.abort && this.heard && Date.now() - this.heard > SILENCE_MS) {
      this.abort.abort(new Error('media-service says nothing'));
    }
  }

  /** Now, whatever was waited for. */
  start() {
    clearTimeout(this.timer);
    this.abort?.abort(new Error('begun again'));
    this.run();
  }

  /** Until start () is called. */
  stop() {
    clearTimeout(this.timer);
    const abort = this.abort;
    this.abort = null;
    abort?.abort(new Error('stopped'));
  }

  async run() {
    const abort = new AbortController();
    this.abort = abort;
    this.heard = 0;
    this.on.state('connecting');
    try {
      this.on.config(await getConfig());
      this.on.list((await listStreams()).streams);
      if (this.abort !== abort) return;
      this.heard = Date.now();
      await readEvents(this.lastId, abort.signal, () => this.connected(),
        (event) => this.take(event));
    } catch (error) {
      if (this.abort === abort) this.fail(error);
    }
  }

  take({ id, event, data }) {
    this.heard = Date.now();
    if (id) this.lastId = id;
    if (event !== 'ping') this.on.event(event, JSON.parse(data));
  }

  connected() {
    this.heard = Date.now();
    this.tries = 0;
    this.on.state('connected');
  }

  fail(error) {
    this.abort = null;
    if (error instanceof ApiError && error.status === 401) {
      this.on.state('token', { error });
      return;
    }
    const retry_s = WAITS_S[Math.min(this.tries, WAITS_S.length - 1)];
    this.tries += 1;
    this.on.state('lost', { error, retry_s });
    this.timer = setTimeout(() => this.run(), retry_s * 1000);
  }
}
