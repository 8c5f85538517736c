// Several people: one drives, the others see the same.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { Daemon, PROBE, browser, probeLog, scratch, until } from './harness.mjs';
import { Viewer } from './page.mjs';
import { Raw, frame, keyDown, keyUp } from './raw.mjs';

async function desktop(t) {
  const log = join(scratch(t), 'probe.jsonl');
  const daemon = await Daemon.start(t, { args: ['--size', '1280x720'], command: [PROBE, '--log', log] });
  await until('the probe to be focused', () => probeLog(log).some((each) => each.event === 'focus'));
  return { daemon, keys: () => probeLog(log).filter((each) => each.event === 'key') };
}

test('a second viewer joins in View and sees the same picture', async (t) => {
  const { daemon } = await desktop(t);
  const instance = await browser(t);
  const first = await Viewer.open(t, instance, daemon);
  await first.setMode('interact');
  await first.page.keyboard.press('a');
  const count = await until('the first to see its key', async () => { const code = await first.barcode(); return code >= 2 && { code }; });
  const second = await Viewer.open(t, instance, daemon);
  assert.equal(await second.hook('mode'), 'view');
  assert.equal(await second.hook('driver'), await first.hook('self'), 'it knows who drives');
  await until('the same barcode', async () => (await second.barcode()) === (await first.barcode()) && (await second.barcode()) >= count.code);
  const points = [[160, 540], [480, 180], [800, 540], [1120, 180]];
  await until('the same colours', async () => {
    const [ours, theirs] = [await first.pixels(points), await second.pixels(points)];
    return ours.every((colour, place) => colour.every((value, part) => Math.abs(value - theirs[place][part]) <= 6));
  });
  const [peer] = await second.peers();
  assert.equal(peer.codec, 'video/H264');
});

test('the floor passes by one message, and what the loser held is released', async (t) => {
  const { daemon, keys } = await desktop(t);
  const [first, second] = [await Raw.join(t, daemon), await Raw.join(t, daemon)];
  first.send(frame(0, 0x81, { mode: 'interact' }));
  const before = await first.next('the floor', 0, 0x94, (share) => share.driver === share.self);
  const button = await first.channel('button');
  first.send(keyDown(button, 'a', 'KeyA'));
  await until('a held key', () => keys().length === 1);
  first.forget();

  second.send(frame(0, 0x81, { mode: 'interact', take: true }));

  const after = await second.next('the floor', 0, 0x94, (share) => share.driver === share.self);
  assert.notEqual(after.driver, before.driver);
  const told = await first.next('the loss', 0, 0x94, (share) => share.driver === after.driver);
  assert.equal(told.driver, after.driver);
  const closed = await first.next('the closed channel', 0, 0x05, (message) => message.id === button);
  assert.equal(closed.reason, 'driver changed');
  await until('the held key to be released', () => keys().length === 2);
  assert.deepEqual(keys()[1], { event: 'key', code: 30, down: false });

  // Only the new driver is obeyed.
  first.send(keyDown(button, 'q', 'KeyQ'));
  const theirs = await second.channel('button');
  second.send(keyDown(theirs, 'x', 'KeyX'));
  second.send(keyUp(theirs, 'x', 'KeyX'));
  await until('the key of the new driver', () => keys().length === 4);
  assert.deepEqual(keys().slice(2).map((key) => key.code), [45, 45]);
});

test('taking over in the page asks first, and the other page says so', async (t) => {
  const { daemon } = await desktop(t);
  const instance = await browser(t);
  const first = await Viewer.open(t, instance, daemon);
  await first.setMode('interact');
  const second = await Viewer.open(t, instance, daemon);
  await second.page.locator('vroom-segments [data-value="interact"]').click();
  const dialog = second.page.getByRole('dialog');
  await dialog.waitFor();
  assert.equal(await first.hook('driving'), true, 'nothing happens before the answer');
  await dialog.getByRole('button', { name: /take/i }).click();
  await second.becomes('driving', true);
  await first.becomes('driving', false);
  await first.becomes('mode', 'view');
});
