// What is recorded is what was seen and heard, everybody sees that it is, and nothing is lost with the server.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import test from 'node:test';
import { Daemon, OUT, PROBE, browser, probeLog, scratch, until } from './harness.mjs';
import { Viewer } from './page.mjs';
import { Raw, frame, keyDown, keyUp } from './raw.mjs';

const RATE = 48_000;
/** Samples that the sound server hands over at once. */
const BLOCK = 480;
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** A desktop that may be recorded. */
async function desktop(t, rules = '', options = {}) {
  const log = join(scratch(t), 'probe.jsonl');
  const folder = join(scratch(t), 'kept');
  const config = `[recording]\nallowed = "owner"\ndirectory = "${folder}"\n${rules}`;
  const daemon = await Daemon.start(t, { args: ['--size', '1280x720', ...(options.args ?? [])], command: [PROBE, '--log', log], config: options.config?.(folder) ?? config });
  await until('the probe to be focused', () => probeLog(log).some((each) => each.event === 'focus'));
  return { daemon, folder, keys: () => probeLog(log).filter((each) => each.event === 'key' && each.down) };
}

const sign = (viewer) => viewer.page.locator('vroom-recording');
const isSigned = async (viewer) => sign(viewer).isVisible();

/** Begins a recording as a person does. */
async function record(viewer) {
  await viewer.page.getByRole('button', { name: 'Settings and help' }).click();
  await viewer.page.getByRole('button', { name: 'Record the session' }).click();
  await viewer.page.getByRole('dialog').getByRole('button', { name: 'Record', exact: true }).click();
  await until('the sign', () => isSigned(viewer));
}

async function stop(viewer) {
  await sign(viewer).getByRole('button').first().click();
  await viewer.page.getByRole('button', { name: 'Stop recording' }).click();
  await until('no sign', async () => !(await isSigned(viewer)));
}

const get = (daemon, path, token = daemon.token) => fetch(`${daemon.origin}${path}`, { headers: token ? { authorization: `Bearer ${token}` } : {} });

/** The files of the newest recording, by name. */
async function fetchAll(daemon) {
  const { recordings } = await (await get(daemon, '/recordings')).json();
  const [{ id, files }] = recordings;
  const contents = {};
  for (const { name, bytes } of files) {
    const answer = await get(daemon, `/recordings/${id}/${name}`);
    assert.equal(answer.status, 200, name);
    contents[name] = Buffer.from(await answer.arrayBuffer());
    assert.equal(contents[name].length, bytes, name);
  }
  return { recordings, contents };
}

/** A driver whose input takes no way through a page. */
async function driver(t, daemon) {
  const raw = await Raw.join(t, daemon);
  raw.send(frame(0, 0x81, { mode: 'interact', take: true }));
  await raw.next('the floor', 0, 0x94, (share) => share.driver === share.self);
  return { raw, button: await raw.channel('button') };
}

function press({ raw, button }) {
  raw.send(keyDown(button, 'a', 'KeyA'));
  raw.send(keyUp(button, 'a', 'KeyA'));
}

/** Plays a movie in a page of its own; runs `look` there with the address of the movie. */
async function inPlayer(t, instance, movie, look) {
  const server = createServer((request, response) => {
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    if (request.url === '/') return response.setHeader('content-type', 'text/html').end('<!doctype html><title>player</title>');
    const [from, to] = range ? [Number(range[1]), Number(range[2] || movie.length - 1)] : [0, movie.length - 1];
    response.writeHead(range ? 206 : 200, { 'content-type': 'video/mp4', 'accept-ranges': 'bytes', 'content-length': to - from + 1, ...(range ? { 'content-range': `bytes ${from}-${to}/${movie.length}` } : {}) });
    return response.end(movie.subarray(from, to + 1));
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => server.close());
  const context = await instance.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  return page.evaluate(look, '/movie.mp4');
}

/** Runs in the player: when which barcode is shown, by the times of the movie, as it plays from beginning to end. */
async function watch(source) {
  const video = document.createElement('video');
  video.muted = true;
  video.src = source;
  document.body.append(video);
  const failed = () => new Error(`${video.error?.code} ${video.error?.message}`);
  await new Promise((done, fail) => {
    video.onloadedmetadata = done;
    video.onerror = () => fail(failed());
  });
  const duration = video.duration;
  const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  const read = () => {
    context.drawImage(video, 0, 0);
    const row = context.getImageData(0, 8, 24 * 16, 1).data;
    const bits = Array.from({ length: 24 }, (_, bit) => (row[(bit * 16 + 8) * 4] + row[(bit * 16 + 8) * 4 + 1] + row[(bit * 16 + 8) * 4 + 2] > 384 ? 1 : 0));
    const number = bits.slice(0, 16).reduce((value, bit) => value * 2 + bit, 0);
    const proof = bits.slice(16).reduce((value, bit) => value * 2 + bit, 0);
    return proof === ((number ^ (number >> 8) ^ 0x5a) & 0xff) ? number : null;
  };
  const codes = [];
  const onFrame = (_, { mediaTime }) => {
    const code = read();
    if (code !== null && codes.at(-1)?.code !== code) codes.push({ code, at: mediaTime });
    video.requestVideoFrameCallback(onFrame);
  };
  video.requestVideoFrameCallback(onFrame);
  const ended = new Promise((done, fail) => {
    video.onended = done;
    video.onerror = () => fail(failed());
  });
  await video.play();
  await ended;
  return { duration, ended: video.currentTime, width: video.videoWidth, height: video.videoHeight, codes };
}

/** Runs in the player: when what is heard begins after silence, in seconds of the movie. */
async function hear(source) {
  const context = new OfflineAudioContext(2, 48000, 48000);
  const audio = await context.decodeAudioData(await (await fetch(source)).arrayBuffer());
  const samples = audio.getChannelData(0);
  const begins = [];
  let quiet = Infinity;
  samples.forEach((value, n) => {
    const loud = Math.abs(value) > 0.05;
    // Within a beep, blocks may have come late.
    if (loud && quiet > 14_400) begins.push(n / 48000);
    quiet = loud ? 0 : quiet + 1;
  });
  return { seconds: audio.duration, begins };
}

const lines = (buffer) => buffer.toString().trimEnd().split('\n').map((line) => JSON.parse(line));

/** Runs asciinema as people do; what it writes. */
function asciinema(t, ...args) {
  if (spawnSync('which', ['asciinema']).status !== 0) throw new Error('asciinema is missing: install asciinema');
  // It plays on terminals only.
  const command = ['asciinema', ...args].map((word) => `'${word}'`).join(' ');
  const result = spawnSync('script', ['-qec', command, '/dev/null'], { encoding: 'utf8', input: '', env: { ...process.env, HOME: scratch(t), LC_ALL: 'C.UTF-8', TERM: 'xterm-256color' } });
  if (result.error) throw result.error;
  assert.equal(result.status, 0, result.stdout);
  return result.stdout;
}

test('a desktop with two terminals plays in a browser and in asciinema, with its sound in step', async (t) => {
  const { daemon, folder, keys } = await desktop(t);
  const instance = await browser(t);
  const viewer = await Viewer.open(t, instance, daemon);
  const before = await Viewer.open(t, instance, daemon);
  const first = await viewer.openTerminal();
  await first.type('echo before-$((1+1))\n');
  await first.shows('before-2');
  await record(viewer);
  await until('the sign in the other page', () => isSigned(before));
  mkdirSync(OUT, { recursive: true });
  await viewer.screenshot(join(OUT, 'recording.png'));
  assert.match(await sign(before).getByRole('button').first().getAttribute('aria-label'), /records this session since/);
  const late = await Viewer.open(t, instance, daemon);
  await until('the sign for who comes late', () => isSigned(late));
  const old = await Raw.join(t, daemon);
  await old.next('words for an old client', 0, 0x92, (told) => / records this session$/.test(told.text));
  await late.context.close();

  await first.type('echo -e "\\e[1;31mr\\u00f6t\\e[0m-$((40+2))"\n');
  await first.shows('röt-42');
  const second = await viewer.openTerminal();
  await second.type('for n in 1 2 3; do echo second-$n; done; tput cup 3 20; echo there\n');
  await second.shows('there');

  // Key and beep at one moment, as a program does it that shows what it plays.
  const drives = await driver(t, daemon);
  const [pipe] = readdirSync(join(daemon.dir, 'run'), { recursive: true }).filter((path) => path.endsWith('sound/played'));
  const sound = await open(join(daemon.dir, 'run', pipe), 'w');
  t.after(() => sound.close());
  let at = performance.now();
  const send = async (amplitude) => {
    const block = Buffer.alloc(BLOCK * 4);
    for (let n = 0; n < BLOCK * 2; n++) block.writeInt16LE(Math.round(32767 * amplitude * Math.sin((2 * Math.PI * 1000 * (n >> 1)) / RATE)), n * 2);
    await sound.write(block);
    at += (BLOCK / RATE) * 1000;
    await pause(Math.max(0, at - performance.now()));
  };
  const struck = keys().length;
  const BEEPS = 8;
  for (let beep = 0; beep < BEEPS; beep++) {
    press(drives);
    for (let block = 0; block < 10; block++) await send(0.25);
    // Noise that nobody hears, and after half of the beeps real silence, in which nothing is sent.
    for (let block = 0; block < 40; block++) await send(beep % 2 ? 0 : 0.001);
    if (beep % 2) await pause(700);
    at = performance.now();
  }
  await until('all keys', () => keys().length === struck + BEEPS);
  const texts = [await first.text(), await second.text()];
  await stop(viewer);
  await until('no sign in the other page', async () => !(await isSigned(before)));

  const { recordings, contents } = await fetchAll(daemon);
  assert.equal(recordings.length, 1);
  assert.deepEqual(Object.keys(contents), ['desktop.mp4', 'terminal-1.cast', 'terminal-2.cast', 'timeline.jsonl']);
  const kept = join(folder, recordings[0].id);
  assert.equal(statSync(kept).mode & 0o777, 0o700);
  for (const name of readdirSync(kept)) assert.equal(statSync(join(kept, name)).mode & 0o777, 0o600, name);

  // The timeline.
  const timeline = lines(contents['timeline.jsonl']);
  const events = (event) => timeline.filter((line) => line.event === event);
  assert.equal(timeline[0].event, 'start');
  assert.equal(timeline.at(-1).event, 'end');
  assert.equal(timeline[0].by, recordings[0].by);
  assert.deepEqual(events('terminal').map(({ file }) => file), ['terminal-1.cast', 'terminal-2.cast']);
  assert.deepEqual(events('desktop'), [{ event: 'desktop', file: 'desktop.mp4', width: 1280, height: 720, t: 0 }]);
  const floor = events('floor').at(-1);
  const joined = events('join').find(({ id }) => id === floor.id);
  assert.ok(joined.t > 0 && joined.t <= floor.t, 'who drove had come before');
  assert.ok(events('leave').some(({ id }) => !joined || id !== joined.id), 'who came late and left');
  assert.equal(events('terminal-floor').length, 2);
  const seconds = timeline.at(-1).t;

  // The picture.
  const movie = contents['desktop.mp4'];
  const seen = await inPlayer(t, instance, movie, watch);
  t.diagnostic(`${seconds} s recorded, ${seen.duration} s long, ${movie.length} bytes`);
  assert.deepEqual([seen.width, seen.height], [1280, 720]);
  assert.ok(Math.abs(seen.duration - seconds) < 0.5, `${seen.duration} of ${seconds} s`);
  assert.ok(seen.ended > seconds - 1, `it plays to ${seen.ended} of ${seconds} s`);

  // The sound, and both together: a key changes the barcode twice, down and up.
  const heard = await inPlayer(t, instance, movie, hear);
  assert.equal(heard.begins.length, BEEPS, `${heard.begins}`);
  assert.ok(Math.abs(heard.seconds - seconds) < 0.5, `${heard.seconds} s of sound`);
  const off = heard.begins.map((begin) => {
    const shown = seen.codes.filter(({ code }) => code > 0).map((each) => each.at);
    return Math.min(...shown.map((each) => each - begin).filter((each) => each > -0.2).map(Math.abs));
  });
  off.sort((a, b) => a - b);
  t.diagnostic(`picture and sound are ${off.map((each) => (each * 1000).toFixed(0)).join(', ')} ms apart`);
  assert.ok(off[BEEPS / 2] <= 0.04, `${off}`);

  // The terminals.
  for (const [place, name] of ['terminal-1.cast', 'terminal-2.cast'].entries()) {
    const [header, ...shown] = lines(contents[name]);
    assert.equal(header.version, 2);
    const begins = events('terminal')[place].t;
    assert.ok(shown.every(([time]) => time >= begins - 0.05 && time <= seconds), 'the same clock');
    const path = join(kept, name);
    asciinema(t, 'play', '-s', '50', '-i', '0.05', path);
    const all = asciinema(t, 'cat', path);
    assert.ok(all.includes(place === 0 ? 'before-2' : 'second-3'));
    // Played in a terminal of the same size it shows what was shown.
    const replay = await viewer.openTerminal();
    await replay.type(`clear; LC_ALL=C.UTF-8 asciinema cat '${path}'\n`);
    await until('the same screen', async () => {
      const text = (await replay.text()).trimEnd();
      const wanted = texts[place].trimEnd();
      if (text.startsWith(wanted)) return true;
      throw new Error(`${text}\n--- instead of\n${wanted}`);
    });
  }

  // The list in the page.
  await viewer.page.getByRole('button', { name: 'Settings and help' }).click();
  await viewer.page.getByRole('button', { name: 'Recordings', exact: true }).click();
  await viewer.page.locator('.recordinglist').waitFor();
  await viewer.screenshot(join(OUT, 'recordings.png'));
  const [download] = await Promise.all([
    viewer.page.waitForEvent('download'),
    viewer.page.getByRole('button', { name: /^Download terminal-1.cast/ }).click(),
  ]);
  assert.deepEqual(readFileSync(await download.path()), contents['terminal-1.cast']);
});

test('a server that is killed leaves what it recorded', async (t) => {
  const { daemon, folder } = await desktop(t);
  const instance = await browser(t);
  const viewer = await Viewer.open(t, instance, daemon);
  const terminal = await viewer.openTerminal();
  await record(viewer);
  await terminal.type('echo kept-$((40+2))\n');
  await terminal.shows('kept-42');
  const drives = await driver(t, daemon);
  for (let n = 0; n < 5; n++) {
    press(drives);
    await pause(400);
  }
  const [id] = readdirSync(folder);
  const movie = join(folder, id, 'desktop.mp4');
  const written = statSync(movie).size;
  await until('more of the movie', () => statSync(movie).size > written);
  daemon.process.kill('SIGKILL');
  await daemon.exited;
  const seen = await inPlayer(t, instance, readFileSync(movie), watch);
  t.diagnostic(`${seen.duration} s, barcodes ${seen.codes.map(({ code }) => code)}`);
  assert.ok(seen.codes.at(-1).code >= 6, `${seen.codes.at(-1).code}`);
  assert.ok(seen.duration > 1.2, `${seen.duration} s`);
  assert.match(asciinema(t, 'cat', join(folder, id, 'terminal-1.cast')), /kept-42/);
  assert.equal(lines(readFileSync(join(folder, id, 'timeline.jsonl')))[0].event, 'start');
});

test('another size begins another movie', async (t) => {
  const { daemon } = await desktop(t);
  const instance = await browser(t);
  const drives = await driver(t, daemon);
  drives.raw.send(frame(0, 0x8e, { action: 'start' }));
  const viewer = await Viewer.open(t, instance, daemon);
  await until('the sign', () => isSigned(viewer));
  press(drives);
  await until('a movie', async () => (await (await get(daemon, '/recordings')).json()).recordings[0]?.files.some(({ name }) => name === 'desktop.mp4'));
  drives.raw.send(frame(0, 0x82, { width: 1024, height: 768 }));
  await until('the size', async () => (await viewer.hook('viewport')).width === 1024);
  press(drives);
  await until('the second movie', async () => (await (await get(daemon, '/recordings')).json()).recordings[0].files.some(({ name }) => name === 'desktop-2.mp4'));
  press(drives);
  await stop(viewer);
  const { contents } = await fetchAll(daemon);
  const movies = lines(contents['timeline.jsonl']).filter((line) => line.event === 'desktop');
  assert.deepEqual(movies.map(({ width, height }) => [width, height]), [[1280, 720], [1024, 768]]);
  for (const { file, width, height } of movies) {
    const seen = await inPlayer(t, instance, contents[file], watch);
    assert.deepEqual([seen.width, seen.height], [width, height], file);
  }
});

test('a recording ends with its room, says so, and keeps what is there', async (t) => {
  const { daemon, folder } = await desktop(t, 'size_mib_max = 1\n');
  const instance = await browser(t);
  const viewer = await Viewer.open(t, instance, daemon);
  const other = await Viewer.open(t, instance, daemon);
  const terminal = await viewer.openTerminal();
  await record(viewer);
  await terminal.type('head -c 3000000 /dev/urandom | base64\n');
  await other.page.locator('.notice').getByText('the recording ended: it has its largest size, 1 MiB').waitFor();
  await until('no sign', async () => !(await isSigned(viewer)) && !(await isSigned(other)));
  const { contents } = await fetchAll(daemon);
  const bytes = Object.values(contents).reduce((sum, { length }) => sum + length, 0);
  assert.ok(bytes < 1.1 * 1024 * 1024, `${bytes} bytes`);
  assert.match(lines(contents['timeline.jsonl']).at(-1).reason, /largest size/);
  const [id] = readdirSync(folder);
  asciinema(t, 'cat', join(folder, id, 'terminal-1.cast'));
  const seen = await inPlayer(t, instance, contents['desktop.mp4'], watch);
  assert.equal(seen.width, 1280);
});

test('a disk without room is no place for a recording, and that is said', async (t) => {
  const { daemon, folder } = await desktop(t, 'free_mib_min = 1000000000\n');
  const viewer = await Viewer.open(t, await browser(t), daemon);
  await viewer.page.getByRole('button', { name: 'Settings and help' }).click();
  await viewer.page.getByRole('button', { name: 'Record the session' }).click();
  await viewer.page.getByRole('dialog').getByRole('button', { name: 'Record', exact: true }).click();
  await viewer.page.locator('.notice').getByText(/nothing is recorded: less than .* are free/).waitFor();
  assert.equal(await isSigned(viewer), false);
  assert.deepEqual(readdirSync(folder).flatMap((id) => readdirSync(join(folder, id))), []);
});

test('nobody records where that is not allowed, and nobody fetches', async (t) => {
  const { daemon, folder } = await desktop(t, '', { config: (folder) => `[recording]\ndirectory = "${folder}"\n` });
  const viewer = await Viewer.open(t, await browser(t), daemon);
  await viewer.page.getByRole('button', { name: 'Settings and help' }).click();
  assert.equal(await viewer.page.getByRole('button', { name: 'Record the session' }).count(), 0);
  assert.equal(await viewer.page.getByRole('button', { name: 'Save a picture of the desktop' }).count(), 1);
  const raw = await Raw.join(t, daemon, { capabilities: ['recording'] });
  assert.deepEqual(await raw.next('what is allowed', 0, 0x8e), { allowed: false });
  raw.send(frame(0, 0x8e, { id: 'r1', action: 'start' }));
  await raw.next('the refusal', 0, 0xf0, ({ code }) => code === 4110);
  await raw.next('the reason', 0, 0x92, ({ ref, text }) => ref === 'r1' && /does not let you record/.test(text));
  assert.equal((await get(daemon, '/recordings')).status, 403);
  assert.equal((await get(daemon, '/recordings/a/timeline.jsonl')).status, 403);
  assert.equal((await get(daemon, '/recordings', null)).status, 401);
  assert.throws(() => readdirSync(folder), /ENOENT/);
});

test('a recording that begins with the server shows to everybody, also at a terminal alone', async (t) => {
  const { daemon, folder } = await desktop(t, '', { config: (folder) => `[recording]\nautostart = true\ndirectory = "${folder}"\n` });
  const instance = await browser(t);
  const viewer = await Viewer.open(t, instance, daemon);
  await until('the sign', () => isSigned(viewer));
  assert.match(await sign(viewer).getByRole('button').first().getAttribute('aria-label'), /^the server records/);
  await sign(viewer).getByRole('button').first().click();
  assert.equal(await viewer.page.getByRole('button', { name: 'Stop recording' }).isVisible(), false, 'nobody may');
  await viewer.page.keyboard.press('Escape');
  const terminal = await viewer.openTerminal();
  await viewer.page.getByRole('button', { name: /^Share/ }).click();
  await viewer.page.getByRole('button', { name: /link/i }).first().click();
  const link = await until('a link', async () => {
    const text = await viewer.page.locator('.sheet').first().innerHTML();
    return /#share=[\w-]+/.exec(text)?.[0] ?? viewer.page.locator('.sheet input').first().inputValue().then((value) => /#share=[\w-]+/.exec(value)?.[0]);
  });
  await viewer.page.keyboard.press('Escape');
  const context = await instance.newContext();
  t.after(() => context.close());
  const guest = await context.newPage();
  await guest.goto(`${daemon.origin}/${link}`);
  await guest.locator('vroom-recording button').first().waitFor();
  await guest.screenshot({ path: join(OUT, 'recording-guest.png') });
  await terminal.type('echo over-$((1+1))\n');
  await terminal.shows('over-2');
  await daemon.stop();
  const [id] = readdirSync(folder);
  const timeline = lines(readFileSync(join(folder, id, 'timeline.jsonl')));
  assert.deepEqual([timeline.at(-1).event, timeline.at(-1).reason], ['end', 'the server ended']);
  assert.match(readFileSync(join(folder, id, 'terminal-1.cast'), 'utf8'), /over-2/);
});

test('a picture of the desktop is exact, for whoever may see it', async (t) => {
  const { daemon } = await desktop(t);
  const answer = await get(daemon, '/screenshot');
  assert.equal(answer.headers.get('content-type'), 'image/png');
  const viewer = await Viewer.open(t, await browser(t), daemon);
  const [download] = await Promise.all([viewer.page.waitForEvent('download'), viewer.page.keyboard.press('Control+Alt+Shift+KeyP')]);
  assert.match(download.suggestedFilename(), /^desktop-.*\.png$/);
  const colours = async (png) => viewer.page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (each) => each.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
    context.drawImage(bitmap, 0, 0);
    return [[bitmap.width, bitmap.height], ...[[160, 540], [480, 180], [800, 540], [1120, 180]].map(([x, y]) => [...context.getImageData(x, y, 1, 1).data.slice(0, 3)])];
  }, png.toString('base64'));
  const [size, ...exact] = await colours(Buffer.from(await answer.arrayBuffer()));
  assert.deepEqual(size, [1280, 720]);
  assert.deepEqual([size, ...exact], await colours(readFileSync(await download.path())));
  // What keeps still is exact in the page, too.
  await until('exact colours in the page', async () => {
    const shown = await viewer.pixels([[160, 540], [480, 180], [800, 540], [1120, 180]]);
    if (JSON.stringify(shown) === JSON.stringify(exact)) return true;
    throw new Error(`${JSON.stringify(shown)} is not ${JSON.stringify(exact)}`);
  });
  assert.equal((await get(daemon, '/screenshot', null)).status, 401);
});
