// Which encoder is used: hardware that works, the next one when it does not, and always a reason.
//
// The hardware is none: a plugin for GStreamer has its names and its manners, see tests/encoder.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { Daemon, PROBE, VROOMD, browser, probeLog, scratch, until } from './harness.mjs';
import { Viewer } from './page.mjs';

const PLUGIN = join(dirname(VROOMD), 'libvroom_fake_encoder.so');

/** An environment in which GStreamer finds these encoders. */
function hardware(t, encoders) {
  if (!existsSync(PLUGIN)) throw new Error(`${PLUGIN} is missing: cargo build --release -p vroom-fake-encoder`);
  const dir = scratch(t);
  const plugins = join(dir, 'plugins');
  mkdirSync(plugins);
  copyFileSync(PLUGIN, join(plugins, 'libvroomfakeencoder.so'));
  return { VROOM_FAKE_ENCODERS: encoders, GST_PLUGIN_PATH: plugins, GST_REGISTRY: join(dir, 'registry') };
}

async function desktop(t, encoders, options = {}) {
  const log = join(scratch(t), 'probe.jsonl');
  const env = hardware(t, encoders);
  const daemon = await Daemon.start(t, { args: ['--size', '1280x720'], command: [PROBE, '--log', log], env, ...options });
  await until('the probe to be focused', () => probeLog(log).some((each) => each.event === 'focus'));
  return { daemon, inputs: () => probeLog(log).filter((each) => each.event === 'key').length };
}

/** Types until `look` is true; each key changes the picture. */
async function typeUntil(viewer, what, look) {
  return until(what, async () => {
    await viewer.page.keyboard.press('a');
    return look();
  });
}

const encoder = async (viewer) => (await viewer.hook('stats'))?.encoder;

/** The newest key that was typed is seen: the picture is not an old one. */
async function followsKeys(viewer) {
  const before = await until('a barcode', () => viewer.barcode());
  await viewer.page.keyboard.press('b');
  await until('the picture after a key', async () => (await viewer.barcode()) > before);
}

test('hardware that passes its trial encodes the picture', async (t) => {
  const { daemon } = await desktop(t, 'vah264enc');
  const viewer = await Viewer.open(t, await browser(t), daemon);
  await viewer.setMode('interact');
  await typeUntil(viewer, 'the name of the encoder', async () => (await encoder(viewer)) === 'vah264enc');
  await followsKeys(viewer);
  const { declined } = await viewer.hook('stats');
  assert.match(declined.join('\n'), /vah264lpenc: /, 'the one before it is named');
  assert.doesNotMatch(declined.join('\n'), /x264enc/, 'those behind it need no excuse');
  await viewer.page.keyboard.press('Control+Alt+Shift+KeyS');
  await viewer.page.getByRole('cell', { name: 'vah264enc', exact: true }).waitFor();
});

test('drivers that crash or refuse at the start are passed over, and the reason is told', async (t) => {
  const { daemon } = await desktop(t, 'vah264lpenc:crash vah264enc:refuse nvh264enc');
  const viewer = await Viewer.open(t, await browser(t), daemon, { query: '?transport=websocket' });
  await viewer.setMode('interact');
  await typeUntil(viewer, 'the third encoder', async () => (await encoder(viewer)) === 'nvh264enc');
  await followsKeys(viewer);
  const declined = (await viewer.hook('stats')).declined.join('\n');
  assert.match(declined, /vah264lpenc: .*signal/);
  assert.match(declined, /vah264enc: vah264enc failed: it does not start/);
  assert.match(daemon.stderr, /encoder vah264lpenc: not used: .*signal/);
  assert.match(daemon.stderr, /encoder nvh264enc: used/);
  assert.match(daemon.stderr, /encoder x264enc: in reserve/);
});

for (const [how, reason] of [['after=12', /the device is gone/], ['silent=12', /in time/]]) {
  test(`a device that fails in mid-stream (${how}) is replaced, and the picture goes on`, async (t) => {
    const { daemon } = await desktop(t, `vah264enc:${how}`);
    const viewer = await Viewer.open(t, await browser(t), daemon);
    await viewer.setMode('interact');
    await typeUntil(viewer, 'the software encoder', async () => (await encoder(viewer)) === 'x264enc');
    await followsKeys(viewer);
    assert.match((await viewer.hook('stats')).declined.join('\n'), reason);
    assert.equal((await viewer.peers()).length, 1, 'over the same connection');
    assert.match(daemon.stderr, reason);
  });
}

test('doctor says what is missing and what is used instead', (t) => {
  const bare = execFileSync(VROOMD, ['doctor'], { encoding: 'utf8', env: { ...process.env, XDG_CONFIG_HOME: scratch(t) } });
  const picture = bare.split('\n').filter((line) => !line.startsWith('sound'));
  assert.deepEqual(picture, [
    'desktop: headless',
    'picture: x264enc encodes',
    '  vah264lpenc: no /dev/dri/renderD*',
    '  vah264enc: no /dev/dri/renderD*',
    '  nvcudah264enc: no /dev/nvidia*',
    '  nvautogpuh264enc: no /dev/nvidia*',
    '  nvh264enc: no /dev/nvidia*',
    '  v4l2h264enc: no /dev/video*',
    '  vaapih264enc: no /dev/dri/renderD*',
    '  x264enc: used',
    '  openh264enc: in reserve',
    'notifications: by a D-Bus that is started with each desktop',
    'addresses: opened with xdg-open',
    '',
  ], 'on a machine without a GPU');
  const full = execFileSync(VROOMD, ['doctor'], {
    encoding: 'utf8',
    env: { ...process.env, ...hardware(t, 'vah264enc nvh264enc:crash'), XDG_CONFIG_HOME: scratch(t) },
  });
  assert.match(full, /^picture: vah264enc encodes$/m);
  assert.match(full, /^ {2}nvh264enc: .*signal/m);
  assert.match(full, /^ {2}x264enc: in reserve$/m);
});
