// `make bench`: how soon, how light. Prints a table; nothing here passes or fails.
//
// Latency is the whole way: an input event in the page, through the daemon and the compositor, to a
// program that draws, and back through the encoder to a decoded picture in the page's script.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { Daemon, PROBE, browser, cpuSeconds, probeLog, rssMib, until } from './harness.mjs';
import { Viewer } from './page.mjs';
import { Raw, frame, keyDown, keyUp } from './raw.mjs';

const SAMPLES = Number(process.env.SAMPLES ?? 200);
const dir = mkdtempSync(join(os.tmpdir(), 'vroom-bench-'));
const rows = [];
const row = (what, value) => {
  rows.push([what, value]);
  console.log(`${what.padEnd(64)} ${value}`);
};

/** Stands in for a test: runs what is registered when the block ends. */
async function scope(body) {
  const ends = [];
  try {
    return await body({ after: (end) => ends.push(end) });
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

function percentiles(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))].toFixed(1);
  return `p50 ${at(0.5)} ms, p95 ${at(0.95)} ms (n ${sorted.length})`;
}

async function start(t, probeArgs = [], args = []) {
  const log = join(dir, `probe-${Math.random()}.jsonl`);
  const daemon = await Daemon.start(t, { args: ['--size', '1280x720', ...args], command: [PROBE, '--log', log, ...probeArgs] });
  await until('the probe', () => probeLog(log).some((each) => each.event === 'focus'));
  return daemon;
}

/** Runs in the page: gives the time from each of `samples` mouse moves to its picture, in ms. */
async function measureInPage(samples) {
  const surface = document.querySelector('vroom-desktop .surface');
  const bars = 24;
  const strip = new OffscreenCanvas(bars * 16, 16).getContext('2d', { willReadFrequently: true });
  /** What the barcode says as it is seen: exact pictures lie over the video, and reading that takes milliseconds. */
  const read = () => {
    const picture = [...document.querySelectorAll('vroom-desktop .picture')].find((each) => !each.hidden);
    const patches = document.querySelector('vroom-desktop .patches:not([hidden])');
    const draw = (from) => from && strip.drawImage(from, 0, 0, bars * 16, 16, 0, 0, bars * 16, 16);
    strip.clearRect(0, 0, bars * 16, 16);
    draw(patches);
    let row = strip.getImageData(0, 8, bars * 16, 1).data;
    if (row.some((value, at) => at % 4 === 3 && value < 255)) {
      draw(picture);
      draw(patches);
      row = strip.getImageData(0, 8, bars * 16, 1).data;
    }
    let code = 0;
    for (let bit = 0; bit < bars; bit++) code = code * 2 + (row[(bit * 16 + 8) * 4 + 1] > 127 ? 1 : 0);
    const number = code >> 8;
    return (code & 0xff) === ((number ^ (number >> 8) ^ 0x5a) & 0xff) ? number : null;
  };
  // A timer that follows from a message is not held up.
  const turn = new MessageChannel();
  const soon = () => new Promise((done) => {
    turn.port1.onmessage = () => setTimeout(done, 1);
    turn.port2.postMessage(0);
  });
  let last = -1;
  const times = [];
  for (let sample = 0; sample < samples + 10; sample++) {
    await new Promise((done) => setTimeout(done, 60 + Math.random() * 60));
    last = Math.max(last, read() ?? -1);
    const box = surface.getBoundingClientRect();
    const began = performance.now();
    surface.dispatchEvent(new PointerEvent('pointerrawupdate', {
      bubbles: true, cancelable: true, pointerId: 1, pointerType: 'mouse', isPrimary: true,
      clientX: box.left + 100 + (sample % 200) * 2, clientY: box.top + 300 + (sample % 2),
    }));
    let number = null;
    while (number === null && performance.now() - began < 2000) {
      await soon();
      const shown = read();
      if (shown !== null && shown > last) number = shown;
    }
    if (number === null) continue;
    last = number;
    if (sample >= 10) times.push(performance.now() - began);
  }
  return times;
}

async function latency(query) {
  return scope(async (t) => {
    const daemon = await start(t);
    const viewer = await Viewer.open(t, await browser(t), daemon, { query });
    await viewer.setMode('interact');
    return viewer.page.evaluate(measureInPage, SAMPLES);
  });
}

async function main() {
  const cpu = os.cpus();
  console.log(`machine: ${cpu.length} x ${cpu[0].model}, ${Math.round(os.totalmem() / 2 ** 30)} GiB, Linux ${os.release()}, load ${os.loadavg().map((each) => each.toFixed(1)).join(' ')}`);
  console.log('desktop: 1280x720, software compositor, x264, headless Chromium on the same machine\n');

  await scope(async (t) => {
    const daemon = await start(t);
    row('RSS without a viewer', `${rssMib(daemon.pid).toFixed(1)} MiB`);
    const viewer = await Viewer.open(t, await browser(t), daemon);
    await pause(3000);
    const before = { cpu: cpuSeconds(daemon.pid), frames: (await viewer.peers())[0].framesDecoded };
    await pause(10_000);
    const after = { cpu: cpuSeconds(daemon.pid), frames: (await viewer.peers())[0].framesDecoded };
    row('idle desktop, one viewer, 10 s: frames', `${after.frames - before.frames}`);
    row('idle desktop, one viewer, 10 s: CPU', `${((after.cpu - before.cpu) / 10).toFixed(4)} core`);
    row('RSS with one viewer', `${rssMib(daemon.pid).toFixed(1)} MiB`);
  });

  const memory = {};
  for (const windows of [1, 11]) {
    await scope(async (t) => {
      const log = join(dir, `many-${windows}.jsonl`);
      const all = Array.from({ length: windows }, (_, number) => `'${PROBE}' --log '${log}.${number}' &`).join(' ');
      const daemon = await Daemon.start(t, { args: ['--size', '1280x720'], command: ['sh', '-c', `${all} wait`] });
      await until('all windows', () => [...Array(windows).keys()].every((number) => probeLog(`${log}.${number}`).some((each) => each.event === 'configure')));
      await rawViewer(t, daemon, false);
      const status = readFileSync(`/proc/${daemon.pid}/status`, 'utf8');
      const of = (name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)[1]) / 1024;
      memory[windows] = { own: of('RssAnon'), shared: of('RssShmem') + of('RssFile') };
    });
  }
  row('memory per further window of 640x400, of vroomd alone', `${((memory[11].own - memory[1].own) / 10).toFixed(2)} MiB`);
  row('the same, shared with the program', `${((memory[11].shared - memory[1].shared) / 10).toFixed(2)} MiB`);

  row('input -> new pixels in the page, WebRTC', percentiles(await latency('')));
  row('input -> new pixels in the page, WebSocket', percentiles(await latency('?transport=websocket')));

  await scope(async (t) => {
    const daemon = await start(t);
    const { raw, button, unit } = await rawViewer(t, daemon, true);
    const times = [];
    for (let sample = 0; sample < SAMPLES + 10; sample++) {
      await pause(60 + Math.random() * 60);
      const seen = unit();
      const began = performance.now();
      raw.send((sample % 2 ? keyUp : keyDown)(button, 'a', 'KeyA'));
      await seen;
      if (sample >= 10) times.push(performance.now() - began);
    }
    row('key -> encoded access unit at a raw client', percentiles(times));
  });

  await scope(async (t) => {
    const daemon = await start(t, ['--scroll']);
    const { count } = await rawViewer(t, daemon, false);
    await pause(2000);
    const before = { cpu: cpuSeconds(daemon.pid), units: count() };
    await pause(10_000);
    const after = { cpu: cpuSeconds(daemon.pid), units: count() };
    const units = after.units - before.units;
    row('half-screen scroll: frames per second', `${(units / 10).toFixed(1)}`);
    row('half-screen scroll: CPU of vroomd per encoded frame', `${(((after.cpu - before.cpu) * 1000) / units).toFixed(2)} ms`);
  });

  await scope(async (t) => {
    const daemon = await start(t, ['--scroll']);
    const instance = await browser(t);
    const load = async () => {
      await pause(2000);
      const before = cpuSeconds(daemon.pid);
      await pause(6000);
      return { cpu: (cpuSeconds(daemon.pid) - before) / 6, rss: rssMib(daemon.pid) };
    };
    await Viewer.open(t, instance, daemon, { size: { width: 640, height: 480 } });
    const one = await load();
    for (let more = 0; more < 3; more++) await Viewer.open(t, instance, daemon, { size: { width: 640, height: 480 } });
    const four = await load();
    row('each further viewer while scrolling: CPU', `${((four.cpu - one.cpu) / 3).toFixed(3)} core`);
    row('each further viewer while scrolling: memory', `${((four.rss - one.rss) / 3).toFixed(1)} MiB`);
  });
}

/** A viewer without a browser: H264 over WebSocket, acknowledged as it comes. */
async function rawViewer(t, daemon, drive) {
  const raw = await Raw.join(t, daemon, { capabilities: ['pointer', 'keyboard', 'video-h264'] });
  let button = null;
  if (drive) {
    raw.send(frame(0, 0x81, { mode: 'interact' }));
    await raw.next('interact', 0, 0x91, (state) => state.mode === 'interact');
    button = await raw.channel('button');
  }
  const video = await raw.channel('video');
  let units = 0;
  let waiting = [];
  raw.socket.on('message', (data) => {
    if (data[0] !== video || data[1] !== 0x03) return;
    // Of a fragmented unit the last piece counts.
    if (data[2] & 0x02 && !(data[2] & 0x04)) return;
    units += 1;
    const ack = Buffer.alloc(4);
    ack.writeUInt32BE(units);
    raw.send(frame(video, 0x10, ack));
    for (const done of waiting) done();
    waiting = [];
    raw.forget();
  });
  await until('the first unit', () => units > 0);
  await pause(1500);
  return { raw, button, count: () => units, unit: () => new Promise((done) => waiting.push(done)) };
}

try {
  await main();
} finally {
  rmSync(dir, { recursive: true, force: true });
}
