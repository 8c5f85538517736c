// Networks that lose packets, or everything for a while: the picture goes on.

import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from './harness.mjs';
import { alone, pause } from './moving.mjs';

const LOSSES = [0, 0.01, 0.05, 0.2];

test('losses up to 5 % are repaired and slow nothing down, and with 20 % there still is a picture', async (t) => {
  const { link, watch } = await alone(t, { delayMs: 20 });
  const rows = [];
  for (const loss of LOSSES) {
    link.shape = { loss, delayMs: 20 };
    await pause(2000);
    rows.push(await watch(8));
    t.diagnostic(JSON.stringify({ loss, ...rows.at(-1) }));
  }
  const [free, one, five, twenty] = rows;
  // On a machine without the time for 30 pictures a second, losses are not to take any more of them.
  const enough = Math.min(25, free.fps * 0.8);
  assert.ok(one.fps >= enough && five.fps >= enough, JSON.stringify(rows));
  assert.ok(five.lost > 0.03 && twenty.lost > 0.15, 'packets were lost');
  assert.ok(twenty.fps > 2, JSON.stringify(twenty));
});

test('after 30 s of darkness the picture is back within a second', async (t) => {
  const { link, viewer, watch } = await alone(t, { delayMs: 20 });
  // One that was lost sooner is not hoped for in the same way.
  await watch(12);
  const frames = () => viewer.hook('frames');
  link.shape = { loss: 1 };
  await pause(30_000);
  const before = await frames();
  link.shape = { delayMs: 20 };
  const back = performance.now();
  await until('a new picture', async () => ![0, before].includes(await frames()), 60_000);
  const took = performance.now() - back;
  t.diagnostic(`a new picture after ${took.toFixed(0)} ms`);
  assert.ok(took <= 1000 + 250, `${took} ms`);
});
