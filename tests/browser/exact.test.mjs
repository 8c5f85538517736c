// What keeps still is seen exactly as it was drawn, to the last pixel, on the screen of the browser.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { Daemon, OUT, PROBE, browser, probeLog, scratch, until } from './harness.mjs';
import { Viewer } from './page.mjs';

/** Runs in the page: the share of pixels of a screenshot that are those of the text after `events` inputs. */
async function compare({ png, events }) {
  const bytes = Uint8Array.from(atob(png), (each) => each.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }), { colorSpaceConversion: 'none' });
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  const mix = (a, b, c) => {
    let mixed = Math.imul(a, 73856093) ^ Math.imul(b, 19349663) ^ Math.imul(c, 83492791);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0x5bd1e995);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
  const colours = [[255, 80, 80], [90, 230, 90], [60, 150, 255], [255, 220, 60], [235, 90, 235], [240, 240, 240]];
  const paper = [24, 26, 32];
  let [same, all, squares] = [0, 0, 0];
  // The barcode lies above.
  for (let y = 16; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [column, line] = [x >> 3, y >> 4];
      const [inX, inY] = [x & 7, y & 15];
      const isInk = inX >= 1 && inX < 7 && inY >= 2 && inY < 14 && ((mix(column, line, inY + events * 64) >>> inX) & 1) === 1;
      const want = isInk ? colours[mix(column, line, 0x1000 + events) % colours.length] : paper;
      const at = (y * width + x) * 4;
      const off = [0, 1, 2].map((part) => data[at + part] - want[part]);
      squares += off[0] ** 2 + off[1] ** 2 + off[2] ** 2;
      same += off.every((each) => each === 0) ? 1 : 0;
      all += 1;
    }
  }
  return { width, height, exact: same / all, psnr: 10 * Math.log10((255 * 255 * 3) / (squares / all)) };
}

/** How exact the picture is that a person sees, at the size it was drawn in; the page's pointer lies over it. */
async function seen(viewer, events, without) {
  const show = (visibility) =>
    viewer.page.evaluate(
      ([selector, value]) => document.querySelectorAll(selector).forEach((each) => (each.style.visibility = value)),
      [without ? '.remote-cursor, .patches' : '.remote-cursor', visibility],
    );
  await show('hidden');
  const png = (await viewer.page.locator('vroom-desktop .surface').screenshot()).toString('base64');
  await show('');
  return viewer.page.evaluate(compare, { png, events });
}

for (const transport of ['webrtc', 'websocket']) {
  test(`settled text is exact to the pixel over ${transport}`, async (t) => {
    const log = join(scratch(t), 'probe.jsonl');
    const daemon = await Daemon.start(t, { args: ['--size', '1280x720'], command: [PROBE, '--text', '--log', log] });
    await until('the probe to be focused', () => probeLog(log).some((each) => each.event === 'focus'));
    const viewer = await Viewer.open(t, await browser(t), daemon, { query: `?transport=${transport}`, size: { width: 1400, height: 860 } });
    await viewer.page.evaluate(() => document.querySelector('vroom-desktop').setLayout('actual'));
    const first = await until('exact text', async () => {
      const now = await seen(viewer, 0);
      if (now.exact === 1) return now;
      throw new Error(JSON.stringify(now));
    });
    assert.deepEqual([first.width, first.height], [1280, 720], 'nothing is scaled');
    const video = await seen(viewer, 0, true);
    assert.ok(video.exact < 0.99, `the video alone is not exact: ${video.exact}`);
    t.diagnostic(`the video alone: ${(video.exact * 100).toFixed(1)} % exact, ${video.psnr.toFixed(1)} dB`);
    mkdirSync(OUT, { recursive: true });
    await viewer.screenshot(join(OUT, `exact-${transport}.png`));
    // All of it changes: nothing of the old text stays, and the new text becomes exact as well.
    await viewer.setMode('interact');
    for (let round = 0; round < 3; round++) {
      await viewer.page.keyboard.press('a');
      const inputs = () => probeLog(log).filter((each) => ['key', 'button', 'axis', 'motion', 'touch'].includes(each.event)).length;
      await until('the last input', async () => (await viewer.barcode()) === inputs());
      const began = performance.now();
      const after = await until('exact text again', async () => {
        // The release of the key may still be on its way.
        const now = await seen(viewer, inputs());
        if (now.exact === 1) return now;
        throw new Error(JSON.stringify(now));
      });
      t.diagnostic(`exact ${Math.round(performance.now() - began)} ms after it was seen, screenshots included (${after.psnr} dB)`);
    }
  });
}

/** Runs in the page: how far the text at this place was scrolled, if it lies there exactly; otherwise null. */
function scrolled([left, top, side]) {
  const patches = document.querySelector('vroom-desktop .patches:not([hidden])');
  if (!patches) return null;
  const { data } = patches.getContext('2d').getImageData(left, top, side, side);
  const mix = (a, b, c) => {
    let mixed = Math.imul(a, 73856093) ^ Math.imul(b, 19349663) ^ Math.imul(c, 83492791);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0x5bd1e995);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
  const colours = [[255, 80, 80], [90, 230, 90], [60, 150, 255], [255, 220, 60], [235, 90, 235], [240, 240, 240]];
  const is = (x, y, step) => {
    const [column, line, inX, inY] = [(left + x) >> 3, (top + y + step) >> 4, (left + x) & 7, (top + y + step) & 15];
    const isInk = inX >= 1 && inX < 7 && inY >= 2 && inY < 14 && ((mix(column, line, inY) >>> inX) & 1) === 1;
    const want = [...(isInk ? colours[mix(column, line, 0x1000) % colours.length] : [24, 26, 32]), 255];
    return want.every((each, part) => data[(y * side + x) * 4 + part] === each);
  };
  for (let step = 0; step < 0x10000; step++) {
    let same = true;
    for (let at = 0; same && at < side * side; at++) same = is(at % side, Math.floor(at / side), step);
    if (same) return step;
  }
  return null;
}

for (const transport of ['webrtc', 'websocket']) {
  test(`text is exact while it is scrolled over ${transport}`, async (t) => {
    const daemon = await Daemon.start(t, { args: ['--size', '1280x720'], command: [PROBE, '--scroll-text', '--log', join(scratch(t), 'probe.jsonl')] });
    const viewer = await Viewer.open(t, await browser(t), daemon, { query: `?transport=${transport}`, size: { width: 1400, height: 860 } });
    // It never rests, so that nothing of it is there because it kept still.
    const steps = new Set();
    await until('twenty pictures of the moving text, each exact', async () => {
      const step = await viewer.page.evaluate(scrolled, [304, 500, 64]);
      if (step !== null) steps.add(step);
      if (steps.size < 20) throw new Error(`${steps.size} so far`);
      return true;
    });
    mkdirSync(OUT, { recursive: true });
    await viewer.screenshot(join(OUT, `scrolled-${transport}.png`));
  });
}
