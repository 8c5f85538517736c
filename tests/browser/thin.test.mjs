// Networks that carry less than the picture wants: the picture adapts, and drags nobody else down.

import assert from 'node:assert/strict';
import { watch as watchFile } from 'node:fs';
import test from 'node:test';
import { probeLog, until } from './harness.mjs';
import { alone, pause, watching } from './moving.mjs';

/** How many encodings the daemon makes. */
async function encodings(daemon) {
  const answer = await fetch(`${daemon.origin}/metrics`, { headers: { authorization: `Bearer ${daemon.token}` } });
  return Number(/^vroom_encodings (\d+)$/m.exec(await answer.text())?.[1]);
}

const THIN = { kbps: 2500, queueMs: 300, delayMs: 10 };

/** The times from keys being struck to the program having them, sorted. */
async function keys(viewer, log, count) {
  const times = [];
  const seen = () => probeLog(log).filter((each) => each.event === 'key' && each.down).length;
  for (let key = 0; key < count; key++) {
    const before = seen();
    const arrived = new Promise((done) => {
      const watcher = watchFile(log, () => {
        if (seen() <= before) return;
        watcher.close();
        done(performance.now());
      });
    });
    const struck = performance.now();
    await viewer.key('KeyA', 'a');
    times.push((await arrived) - struck);
    await pause(50);
  }
  return times.sort((a, b) => a - b);
}

test('a link of 2.5 Mbit/s is not flooded, and keys get through while the picture adapts', async (t) => {
  const { viewer, watch, log } = await alone(t, THIN);
  // What the person does gets through meanwhile.
  await viewer.setMode('interact');
  const times = await keys(viewer, log, 60);
  const p95 = times[Math.floor((times.length - 1) * 0.95)];
  t.diagnostic(`key to program: p50 ${times[times.length >> 1].toFixed(1)} ms, p95 ${p95.toFixed(1)} ms`);
  assert.ok(p95 <= 150, `${p95} ms`);
  // Without control most packets would go on being dropped, and nearly every picture with them.
  const calm = await until('the encoder to adapt', async () => {
    const now = await watch(3);
    if (now.lost < 0.03 && now.fps > 2) return now;
    throw new Error(JSON.stringify(now));
  });
  assert.ok(calm.kbps < 2600, JSON.stringify(calm));
  t.diagnostic(JSON.stringify({ first: calm, then: await watch(5) }));
});

test('a viewer on a thin link gets an encoding of its own, and the other one keeps its picture', async (t) => {
  const { daemon, instance, watch } = await alone(t, {});
  const before = await watch(5);
  const thin = await watching(t, daemon, instance, THIN);
  await until('a second encoding', async () => (await encodings(daemon)) === 2);
  const bits = (seen) => seen.kbps / seen.fps;
  // Again while the start of the second page and of its encoder takes a part of the two processors.
  const seen = await until('the other one to be thin alone', async () => {
    const [during, other] = [await watch(5), await thin.watch(5)];
    const figures = JSON.stringify({ before, during, thin: other });
    assert.ok(bits(during) > bits(before) * 0.7, `as sharp as before: ${figures}`);
    assert.ok(during.fps > before.fps * 0.4, `it keeps moving: ${figures}`);
    assert.ok(bits(during) > bits(other) * 2, `the other one has a picture of its own: ${figures}`);
    assert.ok(other.fps > 2 && other.kbps < 2600, `the other one sees it, too: ${figures}`);
    return figures;
  }, 60_000);
  t.diagnostic(seen);
  await thin.viewer.context.close();
  await until('one encoding again', async () => (await encodings(daemon)) === 1);
});
