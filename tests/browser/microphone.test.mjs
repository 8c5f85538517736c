// What a person says is recorded by programs of the desktop, as long as they may be heard, and only then.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { RATE, Recorder, analyse, clock, lendVoice, median, need, soundEnv } from './audio.mjs';
import { Daemon, OUT, PROBE, browser, cpuSeconds, scratch, until } from './harness.mjs';
import { Viewer } from './page.mjs';

const HZ = 700;
const AMPLITUDE = 0.25;

async function desktop(t, options = {}) {
  return Daemon.start(t, { args: ['--size', '1280x720'], command: [PROBE], ...options });
}

async function open(t, daemon, options = {}) {
  return Viewer.open(t, await browser(t), daemon, { script: lendVoice, ...options });
}

const control = (viewer) => viewer.page.locator('vroom-microphone');
const press = (viewer) => control(viewer).getByRole('button').click();
const state = (viewer, wanted) => until(`the microphone to be ${wanted}`, async () => (await control(viewer).getAttribute('data-state')) === wanted);
const say = (viewer, level = AMPLITUDE) => viewer.page.evaluate((gain) => (window.testVoice.loud.gain.value = gain), level);
const asked = (viewer) => viewer.page.evaluate(() => window.testAsked);

/** Turns the microphone on as a person does, and speaks. */
async function speak(viewer) {
  await press(viewer);
  await state(viewer, 'live');
  await say(viewer);
}

/** Packets of the voice that the page sent. */
const sent = (viewer) => viewer.page.evaluate(async () => {
  const stats = [...(await window.testPeers.at(-1).getStats()).values()];
  return stats.find((each) => each.type === 'outbound-rtp' && each.kind === 'audio')?.packetsSent ?? 0;
});

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

test('what the driver says is recorded by programs as it was said, and nothing else is', async (t) => {
  const daemon = await desktop(t);
  const viewer = await open(t, daemon);
  const recorder = Recorder.start(t, daemon);
  await until('something recorded', () => recorder.length > RATE / 2);
  assert.equal(recorder.level(), 0, 'silence while nobody speaks');

  // Who looks on is told why not, and the browser is not asked at all.
  await press(viewer);
  await viewer.page.getByText('only whoever drives may speak into the desktop').first().waitFor();
  await state(viewer, 'off');
  assert.equal(await asked(viewer), 0);

  await viewer.setMode('interact');
  await speak(viewer);
  assert.equal(await asked(viewer), 1);
  const wanted = AMPLITUDE / Math.SQRT2;
  const heard = await until('the tone', () => {
    const found = analyse(recorder.last(RATE / 2));
    if (Math.abs(found.hz - HZ) <= 1 && Math.abs(20 * Math.log10(found.rms / wanted)) <= 1) return found;
    throw new Error(JSON.stringify(found));
  });
  t.diagnostic(`recorded ${heard.hz.toFixed(1)} Hz at ${heard.rms.toFixed(4)}; said ${HZ} Hz at ${wanted.toFixed(4)}`);
  const level = await control(viewer).locator('meter').evaluate((meter) => meter.value);
  assert.ok(level > 0.5 && level < 1, `the page shows how loud it is: ${level}`);
  mkdirSync(OUT, { recursive: true });
  await viewer.screenshot(join(OUT, 'microphone.png'));

  await press(viewer);
  await state(viewer, 'off');
  await until('silence', () => recorder.level() === 0);
  assert.equal(await viewer.page.evaluate(() => window.testVoice.track.readyState), 'ended', 'the browser records no more');
  const before = await sent(viewer);
  await pause(500);
  assert.equal(await sent(viewer), before, 'nothing is sent');
});

test('who does not drive any more is heard no more, whatever their page does', async (t) => {
  const daemon = await desktop(t);
  const viewer = await open(t, daemon);
  const recorder = Recorder.start(t, daemon);
  await viewer.setMode('interact');
  await speak(viewer);
  await until('a voice', () => recorder.level() > 0.1);
  await viewer.setMode('view');
  await state(viewer, 'off');
  await until('silence', () => recorder.level() === 0);

  // A page that goes on sending is not heard either.
  await viewer.setMode('interact');
  await pause(300);
  assert.equal(await asked(viewer), 1, 'it does not turn itself on again');
  const before = await sent(viewer);
  await viewer.page.evaluate(async () => {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    window.testVoice.loud.gain.value = 0.5;
    const sender = window.testPeers.at(-1).getTransceivers().find((each) => each.receiver.track.kind === 'audio').sender;
    await sender.replaceTrack(stream.getAudioTracks()[0]);
  });
  await until('packets', async () => (await sent(viewer)) > before + 50);
  assert.equal(recorder.heardAfter(clock() - 500), null);
  // Another viewer takes the floor from one who speaks.
  await viewer.page.evaluate(() => window.testPeers.at(-1).getTransceivers().find((each) => each.receiver.track.kind === 'audio').sender.replaceTrack(null));
  await speak(viewer);
  await until('a voice', () => recorder.level() > 0.1);
  const other = await open(t, daemon);
  await other.page.locator('vroom-segments [data-value="interact"]').click();
  await other.page.getByRole('button', { name: 'Take control' }).click();
  await other.becomes('driving', true);
  await state(viewer, 'off');
  await until('silence', () => recorder.level() === 0);
  await speak(other);
  await until('the other voice', () => recorder.level() > 0.1);
  // Who goes away is silent at once.
  await other.context.close();
  await until('silence again', () => recorder.level() === 0);
});

test('what is said is recorded soon, and what nobody recorded is not recorded later', async (t) => {
  const daemon = await desktop(t);
  const viewer = await open(t, daemon);
  await viewer.setMode('interact');
  await speak(viewer);
  // Nobody records meanwhile.
  await pause(1000);
  await press(viewer);
  await state(viewer, 'off');
  await pause(200);
  const recorder = Recorder.start(t, daemon);
  await until('something recorded', () => recorder.length > RATE / 2);
  assert.equal(recorder.heardAfter(0, 0), null, 'words of before');
  await press(viewer);
  await state(viewer, 'live');
  const times = [];
  for (let word = 0; word < 14; word++) {
    const began = await viewer.page.evaluate((gain) => {
      window.testVoice.loud.gain.value = gain;
      return performance.timeOrigin + performance.now();
    }, AMPLITUDE);
    const heard = await until('the word', () => recorder.heardAfter(began));
    times.push(heard - began);
    await pause(60);
    await say(viewer, 0);
    await until('silence', () => recorder.level() < 0.001);
  }
  times.sort((a, b) => a - b);
  t.diagnostic(`from the page into a program: best ${times[0].toFixed(1)} ms, median ${median(times).toFixed(1)} ms, worst ${times.at(-1).toFixed(1)} ms of ${times.length}`);
  // Half of them, since others may have waited for this machine.
  assert.ok(median(times) <= 120, `${times.map((each) => each.toFixed(0))}`);
});

test('programs find the microphone by its name, and where nobody may speak they find none', async (t) => {
  need('pactl', 'pulseaudio-utils');
  need('pw-record', 'pipewire-bin');
  const sources = (daemon) => spawnSync('pactl', ['list', 'short', 'sources'], { env: soundEnv(daemon), encoding: 'utf8' }).stdout;
  const daemon = await desktop(t);
  await until('the microphone', () => /vroom-microphone/.test(sources(daemon)));
  const described = spawnSync('pactl', ['list', 'sources'], { env: soundEnv(daemon), encoding: 'utf8' }).stdout;
  assert.match(described, /Description: VROOM microphone/);

  // What speaks PipeWire's own protocol records it as well.
  const viewer = await open(t, daemon);
  await viewer.setMode('interact');
  await speak(viewer);
  const file = join(scratch(t), 'said.wav');
  spawnSync('timeout', ['--signal=INT', '3', 'pw-record', '--rate', `${RATE}`, '--channels', '1', '--format', 's16', '--latency', '10ms', file], { env: soundEnv(daemon) });
  const wav = readFileSync(file);
  const samples = Array.from({ length: RATE }, (_, n) => wav.readInt16LE(wav.length - (RATE - n) * 2 - RATE) / 32768);
  const { hz } = analyse(samples);
  assert.ok(Math.abs(hz - HZ) <= 1, `pw-record has ${hz} Hz`);

  const silent = await desktop(t, { config: '[sound]\nmicrophone = "nobody"\n' });
  const other = await open(t, silent);
  assert.equal(await control(other).isVisible(), false);
  assert.doesNotMatch(sources(silent), /vroom-microphone/);
});

test('a microphone that nobody uses costs nothing, and over a WebSocket the page says what it needs', async (t) => {
  const daemon = await desktop(t);
  const viewer = await open(t, daemon);
  await viewer.setMode('interact');
  await speak(viewer);
  await press(viewer);
  await state(viewer, 'off');
  const before = { cpu: cpuSeconds(daemon.pid), sent: await sent(viewer) };
  await pause(2000);
  assert.equal(await sent(viewer), before.sent);
  t.diagnostic(`${(((cpuSeconds(daemon.pid) - before.cpu) / 2) * 100).toFixed(2)} % of a core`);

  const fallback = await open(t, daemon, { query: 'transport=websocket' });
  const button = control(fallback).getByRole('button', { name: 'The microphone needs a WebRTC connection' });
  await button.waitFor();
  assert.equal(await button.isDisabled(), true);
});
