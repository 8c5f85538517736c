// Networks that carry less than the picture wants, or lose packets: the picture adapts and goes on.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { Daemon, PROBE, browser, probeLog, scratch, until } from './harness.mjs';
import { Link } from './link.mjs';
import { Viewer } from './page.mjs';

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function moving(t, shape) {
  const log = join(scratch(t), 'probe.jsonl');
  const daemon = await Daemon.start(t, { args: ['--size', '1280x720'], command: [PROBE, '--motion', '--log', log] });
  await until('the probe to be focused', () => probeLog(log).some((each) => each.event === 'focus'));
  const link = new Link(t, shape);
  const viewer = await Viewer.open(t, await browser(t), daemon, { query: '?transport=webrtc', prepare: link.prepare, script: Link.script });
  const decoded = async () => (await viewer.peers())[0].framesDecoded;
  /** What happens within some seconds. */
  const watch = async (seconds) => {
    const before = { frames: await decoded(), sent: link.down.sent, dropped: link.down.dropped, bytes: link.down.bytes };
    await pause(seconds * 1000);
    const packets = link.down.sent - before.sent;
    const dropped = link.down.dropped - before.dropped;
    return { fps: ((await decoded()) - before.frames) / seconds, lost: dropped / (packets + dropped), kbps: ((link.down.bytes - before.bytes) * 8) / 1000 / seconds };
  };
  return { viewer, watch };
}

test('a link of 2.5 Mbit/s is not flooded, and the picture keeps moving', async (t) => {
  const { viewer, watch } = await moving(t, { kbps: 2500, queueMs: 300, delayMs: 10 });
  // Without control most packets would go on being dropped, and nearly every picture with them.
  const calm = await until('the encoder to adapt', async () => {
    const now = await watch(3);
    if (now.lost < 0.03 && now.fps > 2) return now;
    throw new Error(JSON.stringify(now));
  });
  assert.ok(calm.kbps < 2600, JSON.stringify(calm));
  t.diagnostic(JSON.stringify({ first: calm, then: await watch(5) }));
  // What the person does gets through meanwhile.
  await viewer.setMode('interact');
});

test('losses of 5 % are repaired and slow nothing down', async (t) => {
  const { watch } = await moving(t, { loss: 0.05, delayMs: 20 });
  const seen = await until('a moving picture', async () => {
    const now = await watch(4);
    if (now.fps > 2) return now;
    throw new Error(JSON.stringify(now));
  });
  assert.ok(seen.lost > 0.02, 'packets were lost');
  t.diagnostic(JSON.stringify({ first: seen, then: await watch(5) }));
});
