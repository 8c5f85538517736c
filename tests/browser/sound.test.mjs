// A desktop without a sound server has a picture all the same.

import assert from 'node:assert/strict';
import test from 'node:test';
import { Daemon, PROBE, browser } from './harness.mjs';
import { Viewer } from './page.mjs';

test('without a sound server there is a picture and no control of the sound', async (t) => {
  const daemon = await Daemon.start(t, { args: ['--size', '1280x720'], command: [PROBE] });
  const viewer = await Viewer.open(t, await browser(t), daemon);
  assert.equal(await viewer.page.locator('vroom-sound').isVisible(), false);
});
