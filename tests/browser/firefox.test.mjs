// Debian's Firefox: it has no H264 in WebRTC, so pictures come over WebSocket, to WebCodecs or as JPEG.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { firefoxBrowser } from './firefox.mjs';
import { Daemon, OUT, PROBE, probeLog, scratch, until } from './harness.mjs';
import { Viewer } from './page.mjs';
import { breakable, livesThrough } from './switching.mjs';

/** Middles of the probe's fields at 1280x720 and their colours, below what the barcode covers. */
const CARD = [
  [160, 100, [200, 48, 48]], [480, 180, [48, 170, 48]], [800, 180, [48, 80, 200]], [1120, 180, [220, 220, 220]],
  [160, 540, [220, 200, 40]], [480, 540, [190, 60, 190]], [800, 540, [60, 190, 200]], [1120, 540, [70, 70, 70]],
];

async function start(t, query, options = {}) {
  const log = join(scratch(t), 'probe.jsonl');
  const daemon = await Daemon.start(t, { args: ['--size', '1280x720'], command: [PROBE, '--log', log] });
  await until('the probe to be focused', () => probeLog(log).some((each) => each.event === 'focus'));
  const viewer = await Viewer.open(t, await firefoxBrowser(t), daemon, { query, ...options });
  const events = (kind) => probeLog(log).filter((each) => each.event === kind);
  return { log, viewer, events };
}

async function showsTheCard(viewer) {
  await until('the card in its colours', async () => {
    const seen = await viewer.pixels(CARD.map(([x, y]) => [x, y]));
    seen.forEach((colour, field) => {
      const wanted = CARD[field][2];
      const off = Math.max(...colour.map((value, part) => Math.abs(value - wanted[part])));
      if (off > 12) throw new Error(`field ${field}: wanted ${wanted}, saw ${colour}`);
    });
    return true;
  });
}

for (const [name, query, codec] of [['H264 to WebCodecs', '', /^H264 avc1/], ['JPEG', '?video=jpeg', /^JPEG$/]]) {
  test(`Firefox shows the desktop by ${name}, and keys, mouse and terminals work`, async (t) => {
    const { viewer, events } = await start(t, query);
    assert.equal(await viewer.hook('transport'), 'websocket');
    await showsTheCard(viewer);
    await until('the codec', async () => codec.test((await viewer.hook('stats'))?.codec));
    await viewer.setMode('interact');
    const before = await until('a barcode', async () => ({ number: (await viewer.barcode()) ?? (await Promise.reject(new Error('no barcode'))) }));
    await viewer.page.keyboard.type('hey');
    await until('all keys in the program', () => events('key').length === 6);
    assert.deepEqual(events('key').map(({ code, down }) => [code, down]), [[35, true], [35, false], [18, true], [18, false], [21, true], [21, false]]);
    await until('the keys in the picture', async () => (await viewer.barcode()) >= before.number + 6);
    await viewer.moveTo(700, 400);
    await viewer.page.mouse.down();
    await viewer.page.mouse.up();
    await viewer.page.mouse.wheel(0, 120);
    await until('the click', () => events('button').length === 2);
    const moved = events('motion').at(-1);
    assert.ok(Math.abs(moved.x - 700) <= 1 && Math.abs(moved.y - 400) <= 1, JSON.stringify(moved));
    await until('the wheel', () => events('axis').length > 0);
    await until('all of that in the picture', async () => {
      const inputs = ['key', 'button', 'axis', 'axis120', 'motion', 'touch'].reduce((sum, kind) => sum + events(kind).length, 0);
      const seen = await viewer.barcode();
      if (seen === inputs) return true;
      throw new Error(`the picture shows ${seen} inputs of ${inputs}`);
    });
    const terminal = await viewer.openTerminal();
    await terminal.type('echo still-$((20+3))\n');
    await terminal.shows('still-23');
    const complaints = viewer.console.filter((line) => line.startsWith('error') || line.startsWith('pageerror'));
    assert.deepEqual(complaints, []);
    mkdirSync(OUT, { recursive: true });
    await viewer.screenshot(join(OUT, `firefox-${name === 'JPEG' ? 'jpeg' : 'h264'}.png`));
  });
}

test('in Firefox a lost socket and a broken decoder lose no key and no terminal', async (t) => {
  const { viewer, log } = await start(t, '', { script: breakable });
  await livesThrough(viewer, log);
});
