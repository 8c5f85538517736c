// Without WebRTC: the same desktop, the same input and the same terminals over WebSocket.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { Daemon, PROBE, VROOMD, browser, probeLog, scratch, until } from './harness.mjs';
import { Viewer } from './page.mjs';
import { breakable, livesThrough } from './switching.mjs';

async function worksWhole(viewer, log) {
  await viewer.setMode('interact');
  const before = await until('a barcode', async () => ({ code: (await viewer.barcode()) ?? (await Promise.reject(new Error('no barcode'))) }));
  await viewer.page.keyboard.press('k');
  await until('the key in the program', () => probeLog(log).some((each) => each.event === 'key' && each.code === 37));
  await until('and in the picture', async () => (await viewer.barcode()) >= before.code + 2);
  const terminal = await viewer.openTerminal();
  await terminal.type('echo still-$((20+3))\n');
  await terminal.shows('still-23');
}

for (const [name, query, codec] of [['H264 to WebCodecs', '?transport=websocket', /h264/i], ['JPEG', '?transport=websocket&video=jpeg', /jpeg/i]]) {
  test(`WebSocket with ${name} carries picture, input and terminals`, async (t) => {
    const log = join(scratch(t), 'probe.jsonl');
    const daemon = await Daemon.start(t, { args: ['--size', '1280x720'], command: [PROBE, '--log', log] });
    const viewer = await Viewer.open(t, await browser(t), daemon, { query });
    assert.equal(await viewer.hook('transport'), 'websocket');
    assert.equal((await viewer.peers()).length, 0, 'no peer connection');
    await until('the codec', async () => codec.test(JSON.stringify(await viewer.hook('stats'))));
    await worksWhole(viewer, log);
  });
}

test('a lost socket and a broken decoder lose no key and no terminal', async (t) => {
  const log = join(scratch(t), 'probe.jsonl');
  const daemon = await Daemon.start(t, { args: ['--size', '1280x720'], command: [PROBE, '--log', log] });
  const viewer = await Viewer.open(t, await browser(t), daemon, { query: '?transport=websocket', script: breakable });
  await livesThrough(viewer, log);
});

test('a server without WebRTC is reached over WebSocket by itself', async (t) => {
  const log = join(scratch(t), 'probe.jsonl');
  const daemon = await Daemon.start(t, { args: ['--size', '1280x720', '--no-webrtc'], command: [PROBE, '--log', log] });
  const viewer = await Viewer.open(t, await browser(t), daemon);
  assert.equal(await viewer.hook('transport'), 'websocket');
  await worksWhole(viewer, log);
});

test('when UDP dies the session moves to WebSocket', async (t) => {
  const dir = scratch(t);
  const log = join(dir, 'probe.jsonl');
  const network = Network.start(t);
  // Both the daemon and the browser live in a network of their own, where UDP can be cut.
  const wrapped = join(dir, 'vroomd');
  writeFileSync(wrapped, `#!/bin/sh\nexec ${network.enter.join(' ')} ${VROOMD} "$@"\n`);
  const chromiumWrapped = join(dir, 'chromium');
  writeFileSync(chromiumWrapped, `#!/bin/sh\nexec ${network.enter.join(' ')} ${process.env.CHROMIUM ?? '/usr/bin/chromium'} "$@"\n`);
  chmodSync(wrapped, 0o755);
  chmodSync(chromiumWrapped, 0o755);
  const daemon = await Daemon.start(t, { binary: wrapped, args: ['--size', '1280x720'], command: [PROBE, '--log', log] });
  const instance = await browser(t, { executablePath: chromiumWrapped });
  const viewer = await Viewer.open(t, instance, daemon);
  assert.equal(await viewer.hook('transport'), 'webrtc');
  network.run('nft add table inet test; nft add chain inet test in "{ type filter hook input priority 0; }"; nft add rule inet test in meta l4proto udp drop');
  await viewer.becomes('transport', 'websocket', 60_000);
  await viewer.connected();
  await worksWhole(viewer, log);
});

/** A network namespace of the test's own: loopback, and one address for ICE, which passes over loopback. */
class Network {
  static start(t) {
    const network = new Network();
    const flags = process.getuid() === 0 ? ['--net'] : ['--user', '--map-root-user', '--net'];
    network.holder = spawn('unshare', [...flags, 'sh', '-c', 'ip link set lo up && ip link add one type veth peer name two && ip addr add 10.99.0.1/24 dev one && ip link set one up && ip link set two up && exec sleep 600'], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => network.holder.kill('SIGKILL'));
    network.enter = ['nsenter', '--target', String(network.holder.pid), '--net', ...(process.getuid() === 0 ? [] : ['--user', '--preserve-credentials'])];
    const found = spawnSync('sh', ['-c', `for i in $(seq 200); do ${network.enter.join(' ')} ip -br link show one 2>/dev/null | grep -q UP,LOWER_UP && exit 0; sleep 0.05; done; exit 1`]);
    if (found.status !== 0) throw new Error('no network namespace could be made: unshare --net is needed');
    return network;
  }

  run(command) {
    const result = spawnSync(this.enter[0], [...this.enter.slice(1), 'sh', '-c', command], { encoding: 'utf8' });
    assert.equal(result.status, 0, result.stderr);
  }
}
