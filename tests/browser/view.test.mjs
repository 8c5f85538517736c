// Watching: the picture is the right one, and a watcher changes nothing.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { Daemon, OUT, PROBE, browser, probeLog, scratch, until } from './harness.mjs';
import { Viewer } from './page.mjs';
import { Raw, frame, keyDown, keyUp, mouseDown, mouseMove, mouseUp } from './raw.mjs';

/** Middles of the eight fields of the probe's card at 1280x720, and their colours. */
const CARD = [
  [160, 100, [200, 48, 48]], [480, 180, [48, 170, 48]], [800, 180, [48, 80, 200]], [1120, 180, [220, 220, 220]],
  [160, 540, [220, 200, 40]], [480, 540, [190, 60, 190]], [800, 540, [60, 190, 200]], [1120, 540, [70, 70, 70]],
];

async function desktop(t, options = {}) {
  const log = join(scratch(t), 'probe.jsonl');
  const daemon = await Daemon.start(t, { args: ['--size', '1280x720'], command: [PROBE, '--log', log], ...options });
  await until('the probe to be focused', () => probeLog(log).some((each) => each.event === 'focus'));
  return { daemon, log, inputs: () => probeLog(log).filter((each) => ['key', 'button', 'axis', 'touch', 'motion'].includes(each.event)) };
}

async function showsTheCard(viewer) {
  await until('the card in its colours', async () => {
    const seen = await viewer.pixels(CARD.map(([x, y]) => [x, y]));
    seen.forEach((colour, field) => {
      const wanted = CARD[field][2];
      const off = Math.max(...colour.map((value, part) => Math.abs(value - wanted[part])));
      if (off > 10) throw new Error(`field ${field}: wanted ${wanted}, saw ${colour}`);
    });
    return true;
  });
}

test('video arrives as H264 over WebRTC and shows what the program drew', async (t) => {
  const { daemon } = await desktop(t);
  const viewer = await Viewer.open(t, await browser(t), daemon);
  assert.equal(await viewer.hook('transport'), 'webrtc');
  await showsTheCard(viewer);
  const [peer, ...others] = await viewer.peers();
  assert.equal(others.length, 0, 'one peer connection');
  assert.equal(peer.codec, 'video/H264');
  assert.ok(peer.framesDecoded > 0);
  assert.equal(new URL(viewer.page.url()).hash, '', 'the token left the address bar');
  mkdirSync(OUT, { recursive: true });
  await viewer.screenshot(join(OUT, 'view.png'));
  assert.deepEqual(viewer.console.filter((line) => line.startsWith('error') || line.startsWith('pageerror')), []);
});

test('in View keys and clicks of the page do nothing', async (t) => {
  const { daemon, inputs } = await desktop(t);
  const viewer = await Viewer.open(t, await browser(t), daemon);
  assert.equal(await viewer.hook('mode'), 'view');
  await viewer.moveTo(600, 300);
  await viewer.page.mouse.down();
  await viewer.page.mouse.up();
  await viewer.page.keyboard.type('nothing');
  // What the desktop gets next is the first thing it gets at all.
  await viewer.setMode('interact');
  await viewer.page.keyboard.press('x');
  const keys = () => inputs().filter((each) => each.event === 'key');
  await until('the key typed after Interact', () => keys().length >= 2);
  assert.deepEqual(keys(), [{ event: 'key', code: 45, down: true }, { event: 'key', code: 45, down: false }]);
  assert.deepEqual(inputs().filter((each) => each.event === 'button'), []);
});

test('in View a client that forges channels and frames changes nothing', async (t) => {
  const { daemon, inputs } = await desktop(t);
  const raw = await Raw.join(t, daemon);
  const forged = (pointer, button) => {
    raw.send(mouseMove(pointer, 10, 10));
    raw.send(mouseDown(button, 10, 10, 0));
    raw.send(mouseUp(button, 10, 10, 0));
    raw.send(keyDown(button, 'q', 'KeyQ'));
    raw.send(keyUp(button, 'q', 'KeyQ'));
    raw.send(frame(button, 0x17, 'forged'));
    raw.send(frame(0, 0x86, { text: 'forged' }));
  };
  // First on channels that were never opened, then on real ones, still in View.
  forged(1, 2);
  const pointer = await raw.channel('pointer', { reliable: false, ordered: false, maxRetransmits: 0 });
  const button = await raw.channel('button');
  forged(pointer, button);
  raw.send(frame(0, 0x81, { mode: 'interact' }));
  await raw.next('the granted mode', 0, 0x91, (state) => state.mode === 'interact');
  raw.send(keyDown(button, 'x', 'KeyX'));
  raw.send(keyUp(button, 'x', 'KeyX'));
  await until('the key sent after Interact', () => inputs().length >= 2);
  assert.deepEqual(inputs(), [{ event: 'key', code: 45, down: true }, { event: 'key', code: 45, down: false }]);
});

test('the picture follows a resize of the desktop', async (t) => {
  const { daemon, log } = await desktop(t);
  const raw = await Raw.join(t, daemon);
  raw.send(frame(0, 0x81, { mode: 'interact' }));
  await raw.next('the granted mode', 0, 0x91, (state) => state.mode === 'interact');
  const viewer = await Viewer.open(t, await browser(t), daemon);
  raw.send(frame(0, 0x82, { width: 1000, height: 600 }));
  await until('the page to know the size', async () => (await viewer.hook('viewport')).width === 1000);
  assert.deepEqual(await viewer.hook('viewport'), { width: 1000, height: 600 });
  await until('the program to be told', () => probeLog(log).some((each) => each.width === 1000 && each.height === 600));
  await until('the card at its new size', async () => {
    const [first, last] = await viewer.pixels([[125, 150], [875, 450]]);
    return first[0] > 180 && first[1] < 70 && Math.max(...last) < 90;
  });
});
