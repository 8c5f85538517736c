// A desktop that moves all the time, seen over a link that the test shapes.

import { join } from 'node:path';
import { Daemon, PROBE, browser, probeLog, scratch, until } from './harness.mjs';
import { Link } from './link.mjs';
import { Viewer } from './page.mjs';

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** Starts the desktop; its pictures come 30 times a second at most. */
export async function moving(t) {
  const log = join(scratch(t), 'probe.jsonl');
  const daemon = await Daemon.start(t, {
    args: ['--size', '1280x720'],
    config: '[media]\nfps_max = 30\n',
    command: [PROBE, '--motion', '--log', log],
  });
  await until('the probe to be focused', () => probeLog(log).some((each) => each.event === 'focus'));
  return { daemon, log };
}

/** Opens a page that reaches the desktop by a link of this shape. */
export async function watching(t, daemon, instance, shape) {
  const link = new Link(t, shape);
  const viewer = await Viewer.open(t, instance, daemon, { query: '?transport=webrtc', prepare: link.prepare, script: Link.script });
  const looked = async () => {
    const [peer] = await viewer.peers();
    return { frames: peer.framesDecoded, sent: link.down.sent, dropped: link.down.dropped, bytes: link.down.bytes, at: performance.now() };
  };
  /** What happens within some seconds. */
  const watch = async (seconds) => {
    const before = await looked();
    await pause(seconds * 1000);
    const after = await looked();
    const took = (after.at - before.at) / 1000;
    const [packets, dropped] = [after.sent - before.sent, after.dropped - before.dropped];
    return { fps: (after.frames - before.frames) / took, lost: dropped / (packets + dropped || 1), kbps: ((after.bytes - before.bytes) * 8) / 1000 / took };
  };
  return { link, viewer, watch };
}

/** Opens the desktop and one page of it. */
export async function alone(t, shape) {
  const { daemon, log } = await moving(t);
  const instance = await browser(t);
  return { daemon, log, instance, ...(await watching(t, daemon, instance, shape)) };
}
