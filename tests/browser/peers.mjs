// `make bench-peers`: this server and others, seen by the same browser, doing the same work.
//
// Every product runs the same Wayland program, vroom-probe, full-screen (its X11 twin where there is only X11), and is
// read the same way: what the page shows is copied and its barcode decoded. Nothing here passes or fails. It has to run as root in a network
// namespace of its own, so that the bytes on its loopback interface are those of one product; `make` does that.

import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { Daemon, OUT, PROBE, PROBE_X11, ROOT, browser, probeLog, until } from './harness.mjs';
import { Viewer } from './page.mjs';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    rows: { type: 'string', default: 'latency,idle,scroll,motion,text' },
    size: { type: 'string', default: '1280x720' },
    samples: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '3' },
  },
});
const [WIDTH, HEIGHT] = options.size.split('x').map(Number);
const SAMPLES = Number(options.samples);
const SECONDS = Number(options.seconds);
const ROUNDS = Number(options.rounds);
const SELKIES = process.env.SELKIES ?? join(ROOT, 'target/peers/bin/selkies');
/** Keys that are pressed while everything moves. */
const LOADED_SAMPLES = 30;
const NOVNC = '/usr/share/novnc';
const dir = mkdtempSync(join(os.tmpdir(), 'vroom-peers-'));

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
let port = 9830;

/** Stands in for a test: runs what is registered when the block ends. */
async function scope(body) {
  const ends = [];
  try {
    return await body({ after: (end) => ends.push(end) });
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

/** Starts a program that ends with the scope. */
function start(t, command, args, { env = {}, plain = false } = {}) {
  const [program, rest] = plain ? ['setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', command, ...args]] : [command, args];
  const child = spawn(program, rest, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  child.said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (child.said = (child.said + data).slice(-4000)));
  const ended = new Promise((done) => child.on('exit', done));
  t.after(async () => {
    try {
      // The group of a child of ours, and nobody else's.
      process.kill(-child.pid, 'SIGTERM');
      setTimeout(() => child.exitCode === null && child.signalCode === null && process.kill(-child.pid, 'SIGKILL'), 3000).unref();
    } catch {
      // It has ended already.
    }
    await ended;
  });
  return child;
}

/** A process and all that it started, by number. */
function tree(root) {
  const parents = new Map();
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
      parents.set(Number(entry), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // It has just ended.
    }
  }
  const found = [root];
  for (const pid of found) for (const [child, parent] of parents) if (parent === pid) found.push(child);
  // The program that is shown is no part of any product.
  return found.filter((pid) => {
    try {
      return !basename(readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0]).startsWith('vroom-probe');
    } catch {
      return false;
    }
  });
}

/** CPU seconds and memory (PSS, MiB) of a product. */
function usage(roots) {
  let [cpu, memory] = [0, 0];
  for (const pid of new Set(roots.flatMap(tree))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      cpu += (Number(fields[11]) + Number(fields[12])) / 100;
      memory += Number(/Pss:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]) / 1024;
    } catch {
      // It has just ended.
    }
  }
  return { cpu, memory };
}

/** What came over the loopback of this network so far; /sys shows that of another one. */
const wireBytes = () => Number(/lo:\s*(\d+)/.exec(readFileSync('/proc/net/dev', 'utf8'))[1]);

/** Runs in every page: what is shown, and how soon after a key. */
function instrument() {
  const BARS = 24;
  const strip = new OffscreenCanvas(BARS * 16, 16).getContext('2d', { willReadFrequently: true });
  const largest = () => {
    const shown = [...document.querySelectorAll('video, canvas')].filter((each) => {
      const box = each.getBoundingClientRect();
      return box.width > 300 && box.height > 200 && getComputedStyle(each).visibility !== 'hidden' && !each.matches('.patches');
    });
    return shown.sort((a, b) => (b.videoWidth || b.width) - (a.videoWidth || a.width)).find((each) => (each.videoWidth || each.width) > 300) ?? null;
  };
  const barcode = () => {
    const picture = largest();
    if (!picture) return null;
    const read = () => strip.getImageData(0, 8, BARS * 16, 1).data;
    strip.clearRect(0, 0, BARS * 16, 16);
    const patches = document.querySelector('.patches:not([hidden])');
    if (patches) strip.drawImage(patches, 0, 0, BARS * 16, 16, 0, 0, BARS * 16, 16);
    let data = read();
    // Reading a video takes milliseconds, and what lies under an exact picture is not seen.
    if (data.some((value, at) => at % 4 === 3 && value < 255)) {
      strip.drawImage(picture, 0, 0, BARS * 16, 16, 0, 0, BARS * 16, 16);
      if (patches) strip.drawImage(patches, 0, 0, BARS * 16, 16, 0, 0, BARS * 16, 16);
      data = read();
    }
    let code = 0;
    for (let bit = 0; bit < BARS; bit++) code = code * 2 + (data[(bit * 16 + 8) * 4 + 1] > 127 ? 1 : 0);
    const number = code >> 8;
    return (code & 0xff) === ((number ^ (number >> 8) ^ 0x5a) & 0xff) ? number : null;
  };
  window.peerBarcode = barcode;
  window.peerKeyAt = 0;
  window.addEventListener('keydown', () => (window.peerKeyAt = performance.now()), { capture: true });
  const turn = new MessageChannel();
  /** Begins to wait for the next key and for the first picture that counts it. */
  window.peerArm = () => {
    const before = barcode() ?? -1;
    window.peerKeyAt = 0;
    window.peerTook = new Promise((done) => {
      const began = performance.now();
      turn.port1.onmessage = () => {
        const number = window.peerKeyAt > 0 ? barcode() : null;
        if (number !== null && number !== before) return done(performance.now() - window.peerKeyAt);
        if (performance.now() - began > 2000) return done(null);
        setTimeout(() => turn.port2.postMessage(0), 1);
      };
      turn.port2.postMessage(0);
    });
  };
  /** Pictures per second that differ, as they are shown. */
  window.peerRate = (seconds, height) => new Promise((done) => {
    const spot = new OffscreenCanvas(64, 64).getContext('2d', { willReadFrequently: true });
    let [shown, last, began] = [0, '', performance.now()];
    const look = () => {
      spot.drawImage(largest(), 300, height * 0.7, 64, 64, 0, 0, 64, 64);
      const patches = document.querySelector('.patches:not([hidden])');
      if (patches) spot.drawImage(patches, 300, height * 0.7, 64, 64, 0, 0, 64, 64);
      const now = spot.getImageData(0, 0, 64, 64).data.join();
      if (now !== last) shown += 1;
      last = now;
      if (performance.now() - began < seconds * 1000) requestAnimationFrame(look);
      else done(shown / seconds);
    };
    requestAnimationFrame(look);
  });
  /** The share of the pixels of the text that are exact; as in exact.test.mjs. */
  window.peerExact = (events) => {
    const picture = largest();
    const [width, height] = [picture.videoWidth || picture.width, picture.videoHeight || picture.height];
    const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
    context.drawImage(picture, 0, 0);
    const patches = document.querySelector('.patches:not([hidden])');
    if (patches) context.drawImage(patches, 0, 0);
    const { data } = context.getImageData(0, 0, width, height);
    const mix = (a, b, c) => {
      let mixed = Math.imul(a, 73856093) ^ Math.imul(b, 19349663) ^ Math.imul(c, 83492791);
      mixed = Math.imul(mixed ^ (mixed >>> 13), 0x5bd1e995);
      return (mixed ^ (mixed >>> 15)) >>> 0;
    };
    const colours = [[255, 80, 80], [90, 230, 90], [60, 150, 255], [255, 220, 60], [235, 90, 235], [240, 240, 240]];
    let [same, all] = [0, 0];
    for (let y = 16; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const [column, line, inX, inY] = [x >> 3, y >> 4, x & 7, y & 15];
        const ink = inX >= 1 && inX < 7 && inY >= 2 && inY < 14 && ((mix(column, line, inY + events * 64) >>> inX) & 1) === 1;
        const want = ink ? colours[mix(column, line, 0x1000 + events) % colours.length] : [24, 26, 32];
        const at = (y * width + x) * 4;
        if (data[at] === want[0] && data[at + 1] === want[1] && data[at + 2] === want[2]) same += 1;
        all += 1;
      }
    }
    return same / all;
  };
}

/** A desktop of sway, shown by wayvnc. */
function sway(t, probe) {
  const home = mkdtempSync(join(dir, 'sway-'));
  execFileSync('chown', ['-R', '65534:65534', home]);
  execFileSync('chmod', ['700', home]);
  execFileSync('chmod', ['755', dir]);
  const config = join(home, 'config');
  writeFileSync(config, `output HEADLESS-1 mode ${WIDTH}x${HEIGHT}@60Hz\ndefault_border none\nseat * hide_cursor 1\nexec ${PROBE} ${probe.join(' ')}\n`);
  const env = { HOME: home, XDG_RUNTIME_DIR: home, XDG_CONFIG_HOME: home, WLR_BACKENDS: 'headless', WLR_LIBINPUT_NO_DEVICES: '1', WLR_RENDERER: 'pixman', WAYLAND_DISPLAY: '' };
  const desktop = start(t, 'sway', ['-c', config], { env, plain: true });
  return { desktop, env: { ...env, WAYLAND_DISPLAY: 'wayland-1' }, home };
}

/** Each product: starts with this program, gives its processes and opens its page. */
const PRODUCTS = {
  vroom: (t, probe) => vroom(t, probe, ''),
  'vroom, WebSocket': (t, probe) => vroom(t, probe, '?transport=websocket'),
  selkies: (t, probe) => selkies(t, probe, []),
  'selkies, WebRTC': (t, probe) => selkies(t, probe, ['--mode', 'webrtc']),
  'noVNC on wayvnc': async (t, probe) => {
    const { desktop, env, home } = sway(t, probe);
    await until('sway', () => existsSync(join(home, 'wayland-1')));
    const [vnc, web] = [port++, port++];
    const server = start(t, 'wayvnc', ['-f', '60', '127.0.0.1', String(vnc)], { env, plain: true });
    const proxy = start(t, 'websockify', ['--web', NOVNC, `127.0.0.1:${web}`, `127.0.0.1:${vnc}`]);
    await until('websockify', async () => (await fetch(`http://127.0.0.1:${web}/vnc_lite.html`)).ok);
    return { roots: [desktop.pid, server.pid, proxy.pid], url: `http://127.0.0.1:${web}/vnc_lite.html?scale=false`, ready: (page) => page.locator('canvas').click() };
  },
  'noVNC on x11vnc': async (t, probe) => {
    const { server: screen, display } = await xvfb(t, probe);
    const [vnc, web] = [port++, port++];
    // As quick as it can be told to be; by itself it looks 50 times a second at most.
    const server = start(t, 'x11vnc', ['-display', display, '-localhost', '-rfbport', String(vnc), '-forever', '-nopw', '-quiet', '-noxrecord', '-wait', '8', '-defer', '4', '-nowait_bog']);
    const proxy = start(t, 'websockify', ['--web', NOVNC, `127.0.0.1:${web}`, `127.0.0.1:${vnc}`]);
    await until('websockify', async () => (await fetch(`http://127.0.0.1:${web}/vnc_lite.html`)).ok);
    return { roots: [screen.pid, server.pid, proxy.pid], url: `http://127.0.0.1:${web}/vnc_lite.html?scale=false`, ready: (page) => page.locator('canvas').click() };
  },
};

/** An X server without a screen, and the display it answers for. */
async function xvfb(t, probe) {
  const display = `:${90 + (port % 100)}`;
  const server = start(t, 'Xvfb', [display, '-screen', '0', `${WIDTH}x${HEIGHT}x24`, '-nolisten', 'tcp']);
  await until('Xvfb', () => existsSync(`/tmp/.X11-unix/X${display.slice(1)}`));
  start(t, PROBE_X11, probe, { env: { DISPLAY: display } });
  return { server, display };
}

async function vroom(t, probe, query) {
  const daemon = await Daemon.start(t, { args: ['--size', `${WIDTH}x${HEIGHT}`], command: [PROBE, ...probe] });
  return {
    roots: [daemon.pid],
    open: async (instance) => {
      const viewer = await Viewer.open(t, instance, daemon, { query, size: { width: WIDTH + 120, height: HEIGHT + 140 }, connected: false, script: instrument });
      return { page: viewer.page, ready: async () => viewer.setMode('interact') };
    },
  };
}

async function selkies(t, probe, args) {
  const home = mkdtempSync(join(dir, 'selkies-'));
  const web = port++;
  const env = { HOME: home, XDG_RUNTIME_DIR: home };
  const server = start(t, SELKIES, [
    '--wayland', 'true', '--addr', '127.0.0.1', '--port', String(web), '--enable-basic-auth', 'false', '--audio-enabled', 'false', '--microphone-enabled', 'false',
    '--gamepad-enabled', 'false', '--framerate', '60-60', '--manual-resolution', 'true', '--manual-width', String(WIDTH), '--manual-height', String(HEIGHT),
    '--video-streaming-mode', 'false', '--stun-host', '', ...args,
  ], { env });
  await until('selkies', async () => (await fetch(`http://127.0.0.1:${web}/`)).ok && existsSync(join(home, 'wayland-1')));
  start(t, PROBE, probe, { env: { ...env, WAYLAND_DISPLAY: 'wayland-1' } });
  return { roots: [server.pid], url: `http://127.0.0.1:${web}/`, ready: (page) => page.mouse.click(WIDTH / 2, HEIGHT / 2) };
}

/** Opens a product's page in a browser of its own, and waits for the first picture. */
async function see(t, product, probe) {
  const log = join(dir, `probe-${Math.random()}.jsonl`);
  writeFileSync(log, '');
  execFileSync('chmod', ['666', log]);
  const shown = await PRODUCTS[product](t, [...probe, '--log', log]);
  await until('the probe', () => probeLog(log).some((each) => each.event === 'configure'));
  await pause(500);
  const instance = await browser(t);
  const began = performance.now();
  let { page, ready } = shown;
  if (shown.open) ({ page, ready } = await shown.open(instance));
  else {
    const context = await instance.newContext({ viewport: { width: WIDTH, height: HEIGHT } });
    t.after(() => context.close());
    page = await context.newPage();
    await page.addInitScript(instrument);
    await page.goto(shown.url);
  }
  await until(`a picture of ${product}`, () => page.evaluate(() => window.peerBarcode?.() ?? null) .then((number) => number !== null));
  const first = performance.now() - began;
  await ready(page);
  await pause(1500);
  const inputs = () => probeLog(log).filter((each) => ['key', 'button', 'axis', 'motion', 'touch'].includes(each.event)).length;
  return { page, first, roots: shown.roots, inputs };
}

/** What is measured of one product in one round. */
const ROWS = {
  latency: (product) => scope(async (t) => {
    const { page, first, roots } = await see(t, product, []);
    const times = await keys(page, SAMPLES);
    const at = (part) => times[Math.floor((times.length - 1) * part)] ?? NaN;
    return { 'key to picture p50, ms': at(0.5), 'key to picture p95, ms': at(0.95), 'keys seen': times.length, 'first picture, ms': first, 'memory, MiB': usage(roots).memory };
  }),
  idle: (product) => scope(async (t) => {
    const { roots } = await see(t, product, []);
    await pause(3000);
    const before = { ...usage(roots), bytes: wireBytes() };
    await pause(SECONDS * 1000);
    const after = { ...usage(roots), bytes: wireBytes() };
    return { 'idle, CPU s': after.cpu - before.cpu, 'idle, MB': (after.bytes - before.bytes) / 1e6 };
  }),
  scroll: (product) => load(product, 'scroll', ['--scroll-text']),
  motion: (product) => load(product, 'motion', ['--motion']),
  text: (product) => scope(async (t) => {
    const { page, inputs } = await see(t, product, ['--text']);
    await page.keyboard.press('b');
    await until('the last key', async () => (await page.evaluate(() => window.peerBarcode())) === inputs());
    const events = inputs();
    await pause(1000);
    const one = await page.evaluate((number) => window.peerExact(number), events);
    await pause(1000);
    const two = await page.evaluate((number) => window.peerExact(number), events);
    return { 'exact text after 1 s, %': one * 100, 'exact text after 2 s, %': two * 100 };
  }),
};

/** The times from `samples` keys to their pictures in ms, sorted; the first keys are for warming up. */
async function keys(page, samples) {
  const cdp = await page.context().newCDPSession(page);
  const times = [];
  for (let sample = 0; sample < samples + 5; sample++) {
    await pause(60 + Math.random() * 60);
    await page.evaluate(() => window.peerArm());
    await cdp.send('Input.dispatchKeyEvent', { type: 'rawKeyDown', code: 'KeyA', key: 'a', windowsVirtualKeyCode: 65 });
    const took = await page.evaluate(() => window.peerTook);
    await cdp.send('Input.dispatchKeyEvent', { type: 'keyUp', code: 'KeyA', key: 'a', windowsVirtualKeyCode: 65 });
    if (sample >= 5 && took !== null) times.push(took);
  }
  return times.sort((a, b) => a - b);
}

function load(product, name, probe) {
  return scope(async (t) => {
    const { page, roots } = await see(t, product, probe);
    await pause(2000);
    const before = { ...usage(roots), bytes: wireBytes() };
    const fps = await page.evaluate(([seconds, height]) => window.peerRate(seconds, height), [SECONDS, HEIGHT]);
    const after = { ...usage(roots), bytes: wireBytes() };
    const times = await keys(page, LOADED_SAMPLES);
    return {
      [`${name}, CPU s`]: after.cpu - before.cpu,
      [`${name}, MB`]: (after.bytes - before.bytes) / 1e6,
      [`${name}, fps`]: fps,
      [`${name}, key to picture p50, ms`]: times[Math.floor((times.length - 1) / 2)] ?? NaN,
    };
  });
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)];

const found = {};
const products = Object.keys(PRODUCTS).filter((name) => options.only === '' || options.only.split(',').some((each) => name.includes(each.trim())));
const cpu = os.cpus();
console.log(`machine: ${cpu.length} x ${cpu[0].model}, Linux ${os.release()}, load ${os.loadavg().map((each) => each.toFixed(1)).join(' ')}; ${options.size}, ${SECONDS} s each, ${ROUNDS} rounds by turns\n`);
try {
  for (let round = 0; round < ROUNDS; round++) {
    for (const row of options.rows.split(',')) {
      for (const product of products) {
        try {
          const results = await ROWS[row](product);
          for (const [what, value] of Object.entries(results)) ((found[what] ??= {})[product] ??= []).push(value);
          console.error(`${round + 1} ${product}: ${Object.entries(results).map(([what, value]) => `${what} ${value.toFixed(2)}`).join('; ')}`);
        } catch (error) {
          console.error(`${round + 1} ${product}: ${row}: ${error.message}`);
        }
      }
    }
  }
} finally {
  rmSync(dir, { recursive: true, force: true });
}
const width = Math.max(...Object.keys(found).map((each) => each.length));
console.log(`${''.padEnd(width)}  ${products.map((each) => each.padStart(18)).join('')}`);
for (const [what, values] of Object.entries(found)) {
  const cells = products.map((product) => (values[product] ? median(values[product]).toFixed(2) : '–').padStart(18));
  console.log(`${what.padEnd(width)}  ${cells.join('')}`);
}
mkdirSync(OUT, { recursive: true });
writeFileSync(join(OUT, 'bench-peers.json'), JSON.stringify({ options, found }, null, 1));
process.exit(0);
