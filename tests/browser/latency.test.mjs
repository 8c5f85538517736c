// The figures of the statistics are true: they agree with what a program drew, and when, and when the page showed it.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { firefoxBrowser } from './firefox.mjs';
import { Daemon, OUT, PROBE, browser, probeLog, scratch, until } from './harness.mjs';
import { Viewer } from './page.mjs';

/** Pictures that are compared, as many as the overlay's figures are of; the program draws one every `PACE_MS`. */
const PICTURES = 240;
const PACE_MS = 50;
/**
 * What two measurements of the same may differ by: 3 ms. On a machine that is busy with other things, where everything
 * takes several times as long, whoever waits for a processor is counted by one of them and not by the other.
 */
const agrees = (one, other) => Math.abs(one - other) <= Math.max(3, other / 5);

const STAGES = ['capture', 'convert', 'encode', 'packetise', 'network', 'decode', 'present'];

/** Runs in the page: reads the barcode in each frame of the page, and tells when each number was first there. */
function watch(pictures) {
  const [bars, side] = [24, 16];
  const context = new OffscreenCanvas(bars * side, side).getContext('2d', { willReadFrequently: true });
  const seen = new Map();
  let newest = -1;
  /** The number that 24 bright or dark bars say, `light` tells how bright each is. */
  const decode = (light) => {
    let code = 0;
    for (let bit = 0; bit < bars; bit++) code = code * 2 + (light(bit) > 127 ? 1 : 0);
    const number = code >> 8;
    return (code & 0xff) === ((number ^ (number >> 8) ^ 0x5a) & 0xff) ? number : null;
  };
  const ofCanvas = (canvas) => {
    context.drawImage(canvas, 0, 0, bars * side, side, 0, 0, bars * side, side);
    const { data } = context.getImageData(0, side / 2, bars * side, 1);
    return decode((bit) => data[(bit * side + side / 2) * 4 + 1]);
  };
  // Its planes, and only this part: painting it would cost a browser without a GPU half of a frame's time.
  const ofVideo = async (video) => {
    const frame = new VideoFrame(video);
    const rect = { x: 0, y: 0, width: bars * side, height: side };
    const bytes = new Uint8Array(frame.allocationSize({ rect }));
    const [{ offset, stride }] = await frame.copyTo(bytes, { rect });
    frame.close();
    return decode((bit) => bytes[offset + (side / 2) * stride + bit * side + side / 2]);
  };
  const picture = [...document.querySelectorAll('vroom-desktop .picture')].find((each) => !each.hidden);
  const read = picture instanceof HTMLVideoElement ? ofVideo : ofCanvas;
  return new Promise((done, failed) => {
    const look = async () => {
      // It was there before it was read.
      const at = performance.now();
      const number = await read(picture);
      if (number !== null && number > newest) seen.set((newest = number), at);
      if (seen.size < pictures) requestAnimationFrame(() => look().catch(failed));
      else done([...seen]);
    };
    look().catch(failed);
  });
}

/** How far the page's clock is ahead of this one, in ms: from the questions that were answered soonest. */
async function clockAhead(page) {
  let best = { rtt: Infinity, ahead: 0 };
  for (let n = 0; n < 40; n++) {
    const asked = performance.now();
    const theirs = await page.evaluate(() => performance.now());
    const rtt = performance.now() - asked;
    if (rtt < best.rtt) best = { rtt, ahead: theirs - (performance.timeOrigin + asked + rtt / 2) };
  }
  return best;
}

/** The page of metrics: sums and counts of the histograms of what was shown. */
async function histograms(daemon) {
  const answer = await fetch(`${daemon.origin}/metrics`, { headers: { Authorization: `Bearer ${daemon.token}` } });
  const text = await answer.text();
  const of = (name, stage) => Number(new RegExp(`^vroom_shown_seconds_${name}\\{stage="${stage}"\\} (.*)$`, 'm').exec(text)[1]);
  const all = {};
  for (const stage of [...STAGES, 'total']) all[stage] = { sum: of('sum', stage) * 1000, count: of('count', stage) };
  const buckets = [...text.matchAll(/^vroom_shown_seconds_bucket\{stage="total",le="(.*)"\} (.*)$/gm)].map(([, le, count]) => [le === '+Inf' ? Infinity : Number(le) * 1000, Number(count)]);
  return { all, buckets };
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)];
const mean = (values) => values.reduce((sum, each) => sum + each, 0) / values.length;

/** Measures both ways at the same time, again where something else on the machine came between a picture and its log. */
async function round(t, { viewer, daemon, log }, left = 3) {
  const before = await histograms(daemon);
  const ahead = await clockAhead(viewer.page);
  const seen = await viewer.page.evaluate(watch, PICTURES);
  const counted = await until('pictures to be counted', async () => {
    const now = await histograms(daemon);
    return now.all.total.count - before.all.total.count >= PICTURES / 2 && now;
  });
  const drawn = new Map(probeLog(log).filter((each) => each.event === 'drawn').map(({ number, at_us }) => [number, at_us / 1000]));
  // The first one may have been there for a while.
  const independent = seen.slice(1).filter(([number]) => drawn.has(number)).map(([number, at]) => at - ahead.ahead - drawn.get(number));
  assert.ok(independent.length >= PICTURES - 2, `${independent.length} pictures are compared`);
  const { stages } = await viewer.hook('stats');
  const since = (stage) => (counted.all[stage].sum - before.all[stage].sum) / (counted.all[stage].count - before.all[stage].count);
  const sum = STAGES.reduce((all, stage) => all + since(stage), 0);
  assert.ok(Math.abs(sum - since('total')) < 0.01, `the stages add up: ${sum} and ${since('total')}`);
  const figures = { independent: { p50: median(independent), mean: mean(independent) }, overlay: stages.total, histogram: since('total') };
  const told = JSON.stringify(figures, (_, value) => (typeof value === 'number' ? Math.round(value * 10) / 10 : value));
  t.diagnostic(`${told}, clocks to ${(ahead.rtt / 2).toFixed(1)} ms, ${STAGES.map((stage) => `${stage} ${since(stage).toFixed(1)}`).join(', ')}`);
  if (agrees(stages.total[0], figures.independent.p50) && agrees(figures.histogram, figures.independent.mean)) return { figures, stages, counted };
  if (left === 1) assert.fail(`overlay and histograms do not agree with the barcode: ${told}`);
  return round(t, { viewer, daemon, log }, left - 1);
}

for (const [name, start, query] of [
  ['WebRTC in Chromium', browser, '?transport=webrtc'],
  ['WebSocket in Chromium', browser, '?transport=websocket'],
  ['WebSocket in Firefox', firefoxBrowser, ''],
]) {
  test(`the time of the whole way is what a barcode says, over ${name}`, async (t) => {
    const log = join(scratch(t), 'probe.jsonl');
    // All of it moves, so that each picture is video.
    const command = [PROBE, '--log', log, '--motion', '--pace', String(PACE_MS)];
    const daemon = await Daemon.start(t, { args: ['--size', '1280x720'], command });
    const viewer = await Viewer.open(t, await start(t), daemon, { query });
    await viewer.page.keyboard.press('Control+Alt+Shift+KeyS');
    // The clocks are compared, and what the start cost has left the figures of the last pictures.
    await until('pictures that were counted', async () => (await histograms(daemon)).all.total.count > 10);
    const { figures, stages, counted } = await round(t, { viewer, daemon, log });
    for (const stage of STAGES) assert.ok(stages[stage], `${stage} is in the overlay`);
    const [total] = counted.buckets.slice(-1);
    assert.deepEqual(total, [Infinity, counted.all.total.count], 'the last bucket holds all');
    const half = counted.buckets.find(([, count]) => count * 2 >= counted.all.total.count)[0];
    const below = counted.buckets.filter(([le]) => le < half).at(-1)?.[0] ?? 0;
    const { p50 } = figures.independent;
    assert.ok((p50 >= below && p50 <= half) || agrees(below, p50) || agrees(half, p50), `half are in the bucket ${below} to ${half}`);
    await viewer.page.getByText('packetise').waitFor();
    mkdirSync(OUT, { recursive: true });
    await viewer.screenshot(join(OUT, `latency-${name.toLowerCase().replaceAll(' ', '-')}.png`));
  });
}
