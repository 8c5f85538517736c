// What the engine proves to be able to do is offered, and what was offered works.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { openDesk } from './desk.mjs';
import { FarSide } from './far-side.mjs';
import { OUT, until } from './harness.mjs';

async function open(t, options) {
  const desk = await openDesk(t, options);
  const far = await FarSide.start(t, desk.terminal);
  await far.write('\x1b[2J\x1b[Hready');
  await desk.terminal.shows('ready');
  await desk.terminal.select();
  far.take();
  return { ...desk, far };
}

/** A record of the control channel by its type, among frames of the mux. */
function record(frames, type) {
  for (const frame of frames) {
    for (let at = 6; at + 8 <= frame.length; at += 1) {
      if (frame.readUInt32BE(at) !== type) continue;
      const length = frame.readUInt32BE(at + 4);
      if (length < 2 || at + 8 + length > frame.length || frame[at + 8] !== 0x7b) continue;
      return JSON.parse(frame.subarray(at + 8, at + 8 + length).toString());
    }
  }
  return null;
}

test('the offer holds what the engine answered, and nothing is selected beyond it', async (t) => {
  const { network, viewer } = await openDesk(t);
  await viewer.page.reload();
  // A terminal that is joined again says everything in JSON at once.
  const offered = await until('an offer', () => record(network.sent, 0x02));
  assert.deepEqual(offered.kitty.keyboard.supported_levels, [1, 2, 3]);
  assert.equal(offered.kitty.graphics, true);
  assert.equal(offered.kitty.sixel, true);
  assert.equal(offered.kitty.synchronized_output, true);
  assert.equal(offered.terminal.truecolor, true);
  assert.ok(offered.mouse.includes('sgr'));
  for (const feature of ['bracketed_paste', 'focus_reporting', 'hyperlinks', 'osc52_clipboard', 'progress_indicator']) assert.ok(offered.features.includes(feature), feature);
  assert.equal(offered.extensions.zstd_compression, true);
});

test('kitty keyboard: each level reports what it promises', async (t) => {
  const { viewer, far } = await open(t);
  const pressed = async (flags, key, wanted) => {
    await far.write(`\x1b[>${flags}u\x1b[?u`);
    await far.reads(`\x1b[?${flags}u`, { atEnd: true });
    far.take();
    await viewer.page.keyboard.press(key);
    await far.reads(wanted);
    await far.write('\x1b[<u\x1b[?u');
    await far.reads('\x1b[?0u', { atEnd: true });
    far.take();
  };
  await pressed(1, 'Control+i', '\x1b[105;5u');
  await pressed(1, 'Escape', '\x1b[27u');
  await pressed(3, 'F5', '\x1b[15;1:3~');
  await pressed(15, 'a', '\x1b[97;1:3u');
  await viewer.page.keyboard.press('Control+i');
  await far.reads('\t', { atEnd: true });
});

/** The colour in the middle of a cell, as it is drawn. */
async function colourAt(viewer, terminal, row, col) {
  const at = await terminal.cell(row, col);
  const picture = await viewer.page.screenshot({ clip: { x: Math.round(at.x), y: Math.round(at.y), width: 1, height: 1 } });
  return viewer.page.evaluate(async (encoded) => {
    const bytes = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
    const canvas = new OffscreenCanvas(1, 1).getContext('2d');
    canvas.drawImage(image, 0, 0);
    return [...canvas.getImageData(0, 0, 1, 1).data.slice(0, 3)];
  }, picture.toString('base64'));
}

const near = (seen, wanted) => seen.every((part, place) => Math.abs(part - wanted[place]) < 24);

test('sixel and kitty images are drawn in their colours, and come back with a reload', async (t) => {
  const { viewer, terminal, far } = await open(t);
  const square = Buffer.alloc(60 * 60 * 3);
  for (let pixel = 0; pixel < 60 * 60; pixel += 1) square.set([0, 160, 0], pixel * 3);
  const sixel = `\x1bP0;1;0q"1;1;60;60#1;2;80;0;0#1${'!60~-'.repeat(10)}\x1b\\`;
  // In pieces, as programs send it.
  const pieces = square.toString('base64').match(/.{1,4096}/g);
  const kitty = pieces.map((piece, place) => `\x1b_G${place === 0 ? 'a=T,f=24,s=60,v=60,i=7,q=2,' : ''}m=${place === pieces.length - 1 ? 0 : 1};${piece}\x1b\\`);
  await far.write(`\x1b[2J\x1b[3;3H${sixel}\x1b[3;30H${kitty.join('')}`);
  await far.write('\x1b[20;1Hboth');
  await terminal.shows('both');
  const drawn = async (view, at) => {
    const [red, green] = [await colourAt(view, at, 3, 4), await colourAt(view, at, 3, 31)];
    if (near(red, [204, 0, 0]) && near(green, [0, 160, 0])) return true;
    throw new Error(`${red} and ${green}`);
  };
  await until('a red and a green square', () => drawn(viewer, terminal));
  mkdirSync(OUT, { recursive: true });
  await viewer.screenshot(join(OUT, 'images.png'));
  await viewer.page.reload();
  const again = await until('the terminal again', async () => {
    const [only] = (await viewer.hook('terminals')) ?? [];
    return only?.state === 'running' && viewer.terminal(only.id);
  });
  await again.shows('both');
  await until('both squares again', () => drawn(viewer, again));
});

test('synchronized output shows a frame as a whole', async (t) => {
  const { terminal, far } = await open(t);
  await far.write('\x1b[?2026h\x1b[5;1Hhalf of it');
  await far.write('\x1b[?2026$p');
  await far.reads('\x1b[?2026;1$y');
  assert.doesNotMatch(await terminal.text(), /half of it/);
  await far.write(' and the rest\x1b[?2026l');
  await terminal.shows('half of it and the rest');
});

test('progress, title and bell are seen on the tab', async (t) => {
  const { viewer, terminal, far } = await open(t);
  await far.write('\x1b]2;building\x07\x1b]9;4;1;40\x07');
  await until('a title and 40 %', async () => /building/.test(await terminal.tab.textContent()) && /40%/.test(await terminal.tab.textContent()));
  await viewer.screenshot(join(OUT, 'progress.png'));
  await far.write('\x1b]9;4;0\x07');
  await until('no progress', async () => !/40%/.test(await terminal.tab.textContent()));
  await viewer.page.getByRole('button', { name: 'New terminal' }).click();
  await until('another tab', async () => (await viewer.hook('terminals')).length === 2);
  await far.write('\x07');
  await until('the bell', async () => /rang/.test(await terminal.tab.textContent()));
});

test('mouse, focus and brackets are told to programs that ask', async (t) => {
  const { viewer, terminal, far } = await open(t);
  await far.write('\x1b[?1000h\x1b[?1006h\x1b[?1004h\x1b[5n');
  await far.reads('\x1b[0n');
  far.take();
  const at = await terminal.cell(4, 9);
  await viewer.page.mouse.click(at.x, at.y);
  await far.reads('\x1b[<0;10;5M\x1b[<0;10;5m');
  await viewer.page.getByRole('button', { name: 'Search', exact: true }).focus();
  await far.reads('\x1b[O', { atEnd: true });
});

test('what was concealed is not copied', async (t) => {
  const { viewer, terminal, far } = await open(t);
  await far.write('\x1b[2J\x1b[HABCD\x1b[8mhidden\x1b[28mEFGH\r\nnext\x1b[1;1H');
  await terminal.shows('next');
  const [from, to] = [await terminal.cell(0, 0), await terminal.cell(1, 6)];
  await viewer.page.mouse.move(from.x - 3, from.y);
  await viewer.page.mouse.down();
  await viewer.page.mouse.move(to.x, to.y, { steps: 4 });
  await viewer.page.mouse.up();
  for (const key of ['Control+Shift+C', 'Control+Insert']) {
    await viewer.page.evaluate(() => navigator.clipboard.writeText('nothing yet'));
    if (key === 'Control+Insert') await viewer.page.evaluate(() => document.execCommand('copy'));
    else await viewer.page.keyboard.press(key);
    await until(`${key} copies what is seen`, async () => {
      const copied = await viewer.page.evaluate(() => navigator.clipboard.readText());
      if (copied === 'ABCDEFGH\nnext') return true;
      throw new Error(JSON.stringify(copied));
    });
  }
});
