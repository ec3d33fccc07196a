// SPDX-License-Identifier: Apache-2.0
// HLS by hls.js, where the program was built with it: in any browser with Media
// Source Extensions, and with a name and a password, which a video cannot say.

import { getViewer } from './api.js';

const LIBRARY = './hls.min.js';

/** The library's class; null where it is not there or the browser cannot. */
export async function getHls() {
  try {
    await import(LIBRARY);
    return globalThis.Hls?.isSupported() ? globalThis.Hls : null;
  } catch {
    return null;
  }
}

/** The viewer's word goes to the media server alone, whatever other address a
 * playlist may name. */
function authorize(request, url, origin) {
  const viewer = getViewer();
  if (request.readyState === XMLHttpRequest.UNSENT) request.open('GET', url, true);
  if (viewer && new URL(url, document.baseURI).origin === origin) {
    request.setRequestHeader('Authorization', viewer);
  }
}

/** Plays into the video until destroy (); onEnd (what): it cannot go on. */
export function playHls(Hls, index, video, onEnd) {
  const { origin } = new URL(index, document.baseURI);
  const player = new Hls({
    enableWorker: false,
    maxLiveSyncPlaybackRate: 1.5,
    xhrSetup: (request, url) => authorize(request, url, origin),
  });
  player.on(Hls.Events.ERROR, (_, data) => {
    if (data.fatal) onEnd(new Error(`HLS: ${data.details}`));
  });
  player.loadSource(index);
  player.attachMedia(video);
  return player;
}
