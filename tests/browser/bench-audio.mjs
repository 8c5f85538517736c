// Sound both ways for a long time: how late it is, whether that changes, and how far it is from the picture.
// node bench-audio.mjs [--minutes 10]; nothing in it passes or fails.

import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { FLASH, Recorder, apart, clock, lendVoice, median, watchForFlashes, watchForSound } from './audio.mjs';
import { Daemon, browser, cpuSeconds, until } from './harness.mjs';
import { Viewer } from './page.mjs';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' } } });
const minutes = Number(values.minutes);

/** Ends what was started, the last first. */
const ends = [];
const t = { after: (end) => ends.unshift(end) };

/** What one minute measured. */
async function measure(viewer, recorder) {
  await viewer.page.evaluate(() => (window.testBeeps.length = window.testFlashes.length = 0));
  const inward = [];
  const ending = clock() + 60_000;
  while (clock() < ending) {
    // At times that have nothing to do with the blocks of either side.
    await pause(300 + Math.random() * 200);
    const began = await viewer.page.evaluate(() => {
      window.testVoice.loud.gain.value = 0.25;
      return performance.timeOrigin + performance.now();
    });
    inward.push((await until('the word', () => recorder.heardAfter(began), 5_000)) - began);
    await viewer.page.evaluate(() => (window.testVoice.loud.gain.value = 0));
    await until('silence', () => recorder.level() < 0.001, 5_000);
    recorder.blocks.splice(0, recorder.blocks.length - 100);
  }
  const [beeps, flashes] = await viewer.page.evaluate(() => [window.testBeeps, window.testFlashes]);
  return { inward, offsets: apart(flashes, beeps), beeps };
}

const spread = (times) => {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))].toFixed(1).padStart(7);
  return `${at(0)}${at(0.5)}${at(0.95)}`;
};

try {
  const daemon = await Daemon.start(t, { args: ['--size', '640x400'], command: FLASH });
  const viewer = await Viewer.open(t, await browser(t), daemon, { script: lendVoice, context: { bypassCSP: true } });
  await viewer.setMode('interact');
  await viewer.page.locator('vroom-microphone').getByRole('button').click();
  await until('a voice', async () => (await viewer.page.locator('vroom-microphone').getAttribute('data-state')) === 'live');
  await viewer.page.evaluate(watchForSound);
  await viewer.page.evaluate(watchForFlashes);
  const recorder = Recorder.start(t, daemon);
  await until('both', () => viewer.page.evaluate(() => window.testBeeps.length > 2 && window.testFlashes.length > 2));
  console.log('        page to program, ms    heard after seen, ms   beeps apart');
  console.log('minute    min    p50    p95       min    p50    p95   ms, wanted 500   vroomd');
  const all = [];
  for (let minute = 1; minute <= minutes; minute++) {
    const cpu = cpuSeconds(daemon.pid);
    const measured = await measure(viewer, recorder);
    all.push(measured);
    const { beeps, inward, offsets } = measured;
    const every = (beeps.at(-1) - beeps[0]) / Math.round((beeps.at(-1) - beeps[0]) / 500);
    console.log(`${String(minute).padStart(6)}${spread(inward)}   ${spread(offsets)}   ${every.toFixed(3).padStart(14)}   ${((cpuSeconds(daemon.pid) - cpu) / 0.6).toFixed(1)} %`);
  }
  const drift = (of) => (median(of(all.at(-1))) - median(of(all[0]))).toFixed(1);
  console.log(`drift from the first minute to the last: in ${drift((each) => each.inward)} ms, out against the picture ${drift((each) => each.offsets)} ms`);
} finally {
  for (const end of ends) await end();
}
