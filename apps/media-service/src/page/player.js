// SPDX-License-Identifier: Apache-2.0
// One picture of the media server: WebRTC by WHEP, which is the quickest, or
// HLS, which has the sound as well (WebRTC carries no AAC, and no B-frames).
// HLS is played by the browser itself where it can and nobody need say who
// watches, else by hls.js, else by the media server's own page in a frame, for
// which the browser asks who watches.

import { getViewer } from './api.js';
import { el, setText } from './dom.js';
import { getHls, playHls } from './hls.js';

const ICE_WAIT_MS = 1500;
const PICTURE_WAIT_MS = 6000;
/* A media server makes the first segments when somebody asks for them. */
const INDEX_WAIT_MS = 15000;
const HLS_TYPE = 'application/vnd.apple.mpegurl';

const delay = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

function gathered(connection) {
  if (connection.iceGatheringState === 'complete') return Promise.resolve();
  const done = new Promise((resolve) => {
    connection.addEventListener('icegatheringstatechange', () => {
      if (connection.iceGatheringState === 'complete') resolve();
    });
  });
  return Promise.race([done, delay(ICE_WAIT_MS)]);
}

/** Whether the answer has the stream's own sound. Where that is none that
 * WebRTC can carry, MediaMTX answers with an empty track of PCMU. */
function hasSound(sdp) {
  const part = sdp.split(/^m=/m).find((p) => p.startsWith('audio '));
  return part !== undefined && /^a=rtpmap:\d+ (multi)?(opus|G722|L16)\//im.test(part)
    && !/^a=inactive/m.test(part);
}

/** The media server wants to know who watches. */
class LockedError extends Error {}

async function whepError(answer) {
  const text = await answer.text();
  let said = `HTTP ${answer.status}`;
  try {
    said = JSON.parse(text).error || said;
  } catch {
    // No JSON: the status says it.
  }
  // MediaMTX refuses a session with 400, and says why in words.
  const isLocked = answer.status === 401 || /authentication failed/.test(said);
  return isLocked ? new LockedError(said) : new Error(said);
}

/** A video does not say why it failed: this does. TRUE: who watches must be
 * said, or is not believed. */
async function isHlsLocked(index) {
  const answer = await fetch(index, {
    headers: headers({}),
    credentials: 'omit',
    signal: AbortSignal.timeout(INDEX_WAIT_MS),
  });
  await answer.body?.cancel();
  if (answer.status === 401) return true;
  if (!answer.ok) throw new Error(`HLS: HTTP ${answer.status}`);
  return false;
}

/** With what the viewer said, if anybody was asked. */
function headers(more) {
  const viewer = getViewer();
  return viewer ? { ...more, Authorization: viewer } : more;
}

/** A session by WHEP; close () ends it at the server too. */
class Whep {
  constructor(url, video) {
    this.url = url;
    this.video = video;
  }

  async open() {
    const connection = new RTCPeerConnection();
    this.connection = connection;
    connection.addTransceiver('video', { direction: 'recvonly' });
    connection.addTransceiver('audio', { direction: 'recvonly' });
    const media = new MediaStream();
    connection.addEventListener('track', (event) => media.addTrack(event.track));
    this.video.srcObject = media;
    await connection.setLocalDescription(await connection.createOffer());
    await gathered(connection);
    const answer = await fetch(this.url, {
      method: 'POST',
      headers: headers({ 'Content-Type': 'application/sdp' }),
      body: connection.localDescription.sdp,
      credentials: 'omit',
      signal: AbortSignal.timeout(8000),
    });
    if (!answer.ok) throw await whepError(answer);
    this.session = new URL(answer.headers.get('Location') ?? '', answer.url).href;
    const sdp = await answer.text();
    await connection.setRemoteDescription({ type: 'answer', sdp });
    this.hasSound = hasSound(sdp);
  }

  close() {
    this.connection?.close();
    this.video.srcObject = null;
    if (this.session) fetch(this.session, { method: 'DELETE', headers: headers({}), credentials: 'omit', keepalive: true }).catch(() => {});
  }
}

function firstPicture(video, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no picture came')), PICTURE_WAIT_MS);
    const stop = () => {
      clearTimeout(timer);
      reject(new Error('ended'));
    };
    signal.addEventListener('abort', stop, { once: true });
    video.addEventListener('loadeddata', () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
}

export class Player {
  /** title: what it shows; asks.way (): auto, webrtc or hls; asks.onSound
   * (player): it has sound now; asks.unlock (was): who watches, a promise of
   * whether that was said; was: what was said before. */
  constructor(box, title, asks) {
    this.title = title;
    this.way = asks.way;
    this.onSound = asks.onSound;
    this.unlock = asks.unlock;
    this.path = '';
    this.media = null;
    this.says = el('p', { class: 'player-says', 'aria-live': 'off' });
    this.button = el('button', { type: 'button', onclick: () => this.toggle() }, 'Play');
    this.sound = el('button', { type: 'button', 'aria-pressed': 'false', disabled: true, onclick: () => this.setSound(this.video?.muted ?? false) }, 'Sound');
    this.screen = el('div', { class: 'screen' });
    this.caption = el('span', { class: 'player-title' }, title);
    box.append(this.screen, el('div', { class: 'player-bar' }, this.caption, this.button, this.sound), this.says);
    this.button.setAttribute('aria-label', `Play ${title}`);
    this.say('');
  }

  /** What to show; stops what was shown when it is another. */
  choose(path, media) {
    if (this.path === path && this.media === media) return;
    const wasWanted = this.isWanted;
    this.stop();
    this.path = path;
    this.media = media;
    if (wasWanted && path && media) this.play();
  }

  toggle() {
    if (this.isWanted) this.stop();
    else this.play();
  }

  say(text) {
    setText(this.says, text || '\u00a0');
  }

  async play() {
    this.close();
    this.isWanted = true;
    this.setButton();
    const abort = new AbortController();
    this.abort = abort;
    for (let tries = 0; !abort.signal.aborted; tries += 1) {
      try {
        await this.open(abort.signal);
        return;
      } catch (error) {
        if (abort.signal.aborted) return;
        this.clear();
        if (error instanceof LockedError) {
          if (await this.isLocked(abort.signal)) return;
          continue;
        }
        this.say(`No picture: ${error.message}. Trying again.`);
        await delay(Math.min(2000 * (tries + 1), 10000));
      }
    }
  }

  /** TRUE: nobody said who watches, so nothing is tried again. */
  async isLocked(signal) {
    this.say('The media server wants a name and a password.');
    const was = getViewer();
    if (await this.unlock(was) || signal.aborted) return signal.aborted;
    this.stop();
    this.say('No picture: the media server wants a name and a password.');
    return true;
  }

  async open(signal) {
    const way = this.way();
    if (way === 'hls' || !this.media.webrtc_url) {
      await this.openHls(signal, '');
      return;
    }
    try {
      await this.openWhep(signal, way === 'auto');
    } catch (error) {
      if (way !== 'auto' || signal.aborted || !this.media.hls_url || error instanceof LockedError) throw error;
      this.clear();
      await this.openHls(signal, error.message);
    }
  }

  makeVideo() {
    this.video = el('video', { playsinline: true, muted: true, 'aria-label': this.title });
    this.video.muted = true;
    this.video.autoplay = true;
    this.screen.replaceChildren(this.video);
    return this.video;
  }

  async openWhep(signal, wantsSound) {
    this.say('WebRTC: connecting');
    const video = this.makeVideo();
    this.whep = new Whep(`${this.media.webrtc_url}/${this.path}/whep`, video);
    const picture = firstPicture(video, signal);
    picture.catch(() => {});
    await this.whep.open();
    if (wantsSound && !this.whep.hasSound && this.media.hls_url) {
      throw new Error('WebRTC has no sound here');
    }
    await picture;
    const connection = this.whep.connection;
    connection.addEventListener('connectionstatechange', () => {
      if (['failed', 'disconnected'].includes(connection.connectionState)) this.again();
    });
    this.playing('WebRTC', this.whep.hasSound);
  }

  async openHls(signal, why) {
    if (!this.media.hls_url) throw new Error('the media server has no HLS');
    const page = `${this.media.hls_url}/${this.path}/`;
    const because = why ? ` (${why})` : '';
    this.say(`HLS: loading${because}`);
    const isLocked = await isHlsLocked(`${page}index.m3u8`);
    if (signal.aborted) return;
    const isOpen = !isLocked && !getViewer();
    const isNative = isOpen && document.createElement('video').canPlayType(HLS_TYPE);
    const Hls = isNative ? null : await getHls();
    if (signal.aborted) return;
    if (!isNative && !Hls) {
      this.openFrame(page, isOpen ? because : ', for which the browser asks who watches');
      return;
    }
    // Asked here only where what is said can be used.
    if (isLocked) throw new LockedError('HTTP 401');
    await this.openHlsVideo(signal, Hls, `${page}index.m3u8`);
    this.playing(`HLS${because}`, true);
  }

  openFrame(page, more) {
    this.screen.replaceChildren(el('iframe', { src: page, title: this.title, allow: 'autoplay; fullscreen', referrerpolicy: 'no-referrer' }));
    this.playing(`HLS, by the media server's page${more}`, false);
  }

  /** Hls: null: the browser plays it by itself. */
  async openHlsVideo(signal, Hls, index) {
    const video = this.makeVideo();
    const failed = new Promise((_, reject) => {
      video.addEventListener('error', () => reject(new Error(video.error?.message || 'HLS failed')), { once: true });
      if (Hls) this.hls = playHls(Hls, index, video, reject);
      else video.src = index;
    });
    failed.catch(() => {
      if (this.video === video && this.isPlaying) this.again();
    });
    await Promise.race([firstPicture(video, signal), failed]);
    video.addEventListener('ended', () => this.again());
  }

  playing(how, hasSound) {
    this.isPlaying = true;
    this.say(how + (hasSound || this.screen.querySelector('iframe') ? '' : ', no sound'));
    this.sound.disabled = !hasSound;
    this.video?.play().catch(() => this.say(`${how}: press play in the picture`));
    this.setSoundText();
  }

  /** What was played has ended by itself. */
  again() {
    if (this.isWanted) this.play();
  }

  setSound(isOn) {
    if (!this.video) return;
    this.video.muted = !isOn;
    if (isOn) this.onSound(this);
    this.setSoundText();
  }

  setSoundText() {
    const isOn = Boolean(this.video) && !this.video.muted;
    this.sound.setAttribute('aria-pressed', String(isOn));
    setText(this.sound, isOn ? 'Sound on' : 'Sound off');
    this.sound.setAttribute('aria-label', `${this.sound.textContent}, ${this.title}`);
  }

  setButton() {
    setText(this.button, this.isWanted ? 'Stop' : 'Play');
    this.button.setAttribute('aria-label', `${this.isWanted ? 'Stop' : 'Play'} ${this.title}`);
  }

  clear() {
    this.isPlaying = false;
    this.whep?.close();
    this.whep = null;
    this.hls?.destroy();
    this.hls = null;
    if (this.video) this.video.removeAttribute('src');
    this.video?.load?.();
    this.video = null;
    this.screen.replaceChildren();
    this.sound.disabled = true;
    this.setSoundText();
  }

  close() {
    this.abort?.abort();
    this.clear();
  }

  stop() {
    this.isWanted = false;
    this.close();
    this.setButton();
    this.say('');
  }
}
