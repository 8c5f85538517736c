// Files dragged from one's own computer onto a program of the desktop, and out of one.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'node:test';
import { Daemon, OUT, browser, probeLog, scratch, until } from './harness.mjs';
import { Viewer } from './page.mjs';

const PROGRAM = join(dirname(fileURLToPath(import.meta.url)), 'files.py');

/** A desktop with a GTK program that takes files and gives some, and a page on it. */
async function desk(t, { dragged = [], mode = 'interact' } = {}) {
  const own = scratch(t);
  const log = join(own, 'files.jsonl');
  const root = join(own, 'root');
  mkdirSync(root);
  const given = dragged.map((name) => {
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, randomBytes(70_000));
    return path;
  });
  const outside = join(own, 'not shared.txt');
  writeFileSync(outside, 'x');
  const daemon = await Daemon.start(t, {
    args: ['--size', '1280x720', '--files-root', root],
    command: ['/usr/bin/python3', PROGRAM, log, ...given, ...(dragged.length > 0 ? [outside] : [])],
  });
  const events = (name) => probeLog(log).filter((each) => each.event === name);
  await until('the program (packages python3-gi, gir1.2-gtk-4.0)', () => events('focus').length > 0);
  const viewer = await Viewer.open(t, await browser(t), daemon, { context: { acceptDownloads: true } });
  if (mode !== 'view') await viewer.setMode(mode);
  const cdp = await viewer.context.newCDPSession(viewer.page);
  const drag = async (type, at, files) => {
    const place = Array.isArray(at) ? await viewer.at(...at) : at;
    await cdp.send('Input.dispatchDragEvent', { type, ...place, data: { items: [], files, dragOperationsMask: 1 } });
  };
  return { daemon, viewer, root, given, events, drag };
}

/** Whether something happened at a place; a browser tells of drags in whole pixels of the page. */
const near = (x, y) => (event) => Math.abs(event.x - x) <= 2 && Math.abs(event.y - y) <= 2;

/** Files of the person's own. */
function files(t, ...names) {
  const folder = scratch(t);
  return names.map((name, place) => {
    const path = join(folder, name);
    writeFileSync(path, randomBytes(10 + place * 200_000));
    return path;
  });
}

test('files dropped on a program arrive byte for byte', async (t) => {
  const { viewer, root, events, drag } = await desk(t);
  const own = files(t, 'short.bin', 'ü #1 100%.txt');
  mkdirSync(join(root, 'Downloads'));
  writeFileSync(join(root, 'Downloads/short.bin'), 'another');
  await drag('dragEnter', [300, 200], own);
  await drag('dragOver', [300, 200], own);
  await until('the program to be entered', () => events('enter').length === 1);
  await drag('dragOver', [500, 400], own);
  await until('motion', () => events('motion').some(near(500, 400)));
  mkdirSync(OUT, { recursive: true });
  await viewer.screenshot(join(OUT, 'drag-over.png'));
  await drag('drop', [500, 400], own);
  const [dropped] = await until('the drop', () => events('drop').length > 0 && events('drop'));
  assert.ok(near(500, 400)(dropped), JSON.stringify([dropped.x, dropped.y]));
  assert.deepEqual(dropped.files, [
    { path: join(root, 'Downloads/short (2).bin'), hex: readFileSync(own[0]).toString('hex') },
    { path: join(root, 'Downloads/ü #1 100%.txt'), hex: readFileSync(own[1]).toString('hex') },
  ]);
  assert.equal(readFileSync(join(root, 'Downloads/short.bin'), 'utf8'), 'another', 'what was there stays');
  // The pointer and the keys are the program's again, and a second drag is like the first.
  await drag('dragEnter', [300, 200], own);
  await drag('dragOver', [310, 200], own);
  await until('the program to be entered again', () => events('enter').length === 2);
  const left = events('leave').length;
  await drag('dragOver', { x: 400, y: 10 }, own);
  await until('the program to be left', () => events('leave').length > left);
  assert.equal(events('drop').length, 1);
});

test('who only watches drops nothing, and is told so', async (t) => {
  const { viewer, root, events, drag } = await desk(t, { mode: 'view' });
  const own = files(t, 'mine.txt');
  await drag('dragEnter', [300, 200], own);
  await drag('dragOver', [310, 200], own);
  await viewer.page.locator('.notice').getByText('choose Interact').waitFor();
  await drag('drop', [310, 200], own);
  // What the desktop gets next is the first thing it gets at all.
  await viewer.setMode('interact');
  await drag('dragEnter', [400, 300], own);
  await drag('dragOver', [400, 300], own);
  await drag('dragOver', [401, 301], own);
  await until('a drag', () => events('motion').length > 0);
  assert.equal(events('enter').length, 1);
  assert.ok(events('motion').every(near(400, 300)));
  assert.deepEqual(readdirSync(root), [], 'nothing was uploaded');
  assert.equal(await viewer.hook('state'), 'connected', 'the page is still there');
});

test('files dragged out of a program are downloaded byte for byte', async (t) => {
  const { viewer, given, events } = await desk(t, { dragged: ['one.bin', 'sub/ü 2.txt'] });
  const { page } = viewer;
  const downloads = [];
  page.on('download', (download) => downloads.push(download));
  await viewer.moveTo(300, 200);
  await page.mouse.down();
  await viewer.moveTo(330, 220);
  await viewer.moveTo(360, 240);
  await until('the program to drag', () => events('begin').length === 1);
  await page.getByText('Let go outside of the picture to download').waitFor();
  await viewer.screenshot(join(OUT, 'drag-out.png'));
  await page.mouse.move(400, 10);
  await page.mouse.up();
  await until('both downloads', () => downloads.length === 2);
  for (const [place, download] of downloads.entries()) {
    assert.equal(download.suggestedFilename(), ['one.bin', 'ü 2.txt'][place]);
    assert.deepEqual(readFileSync(await download.path()), readFileSync(given[place]));
  }
  await page.locator('.notice').getByText('outside of the folder').waitFor();
  await until('the program to be told that it went nowhere', () => events('cancelled').length === 1);
  assert.equal(events('drop').length, 0, 'nothing was dropped inside');
  await until('the hint to go', async () => !(await page.getByText('Let go outside of the picture to download').isVisible()));
  // The button is up: the program can be dragged from again, and what is let go inside stays there.
  await viewer.moveTo(300, 200);
  await page.mouse.down();
  await viewer.moveTo(330, 220);
  await viewer.moveTo(360, 240);
  await until('the program to drag again', () => events('begin').length === 2);
  await page.mouse.up();
  await until('that drag to end', () => events('end').length === 2);
  assert.equal(downloads.length, 2);
});
