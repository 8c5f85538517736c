// The contract seen from outside: what a client in another language would rely on.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { Daemon, browser, scratch, until } from './harness.mjs';
import { Viewer } from './page.mjs';
import { Raw, frame } from './raw.mjs';

test('an offer is answered with sdp, candidates and a connection, and only to who may', async (t) => {
  const daemon = await Daemon.start(t, { args: ['--desktop', 'synthetic'] });
  const viewer = await Viewer.open(t, await browser(t), daemon);
  const offered = await viewer.page.evaluate(async () => {
    const peer = new RTCPeerConnection();
    peer.addTransceiver('video', { direction: 'recvonly' });
    peer.createDataChannel('omux/control', { negotiated: true, id: 0, protocol: 'xumux/0.1' });
    await peer.setLocalDescription();
    return peer.localDescription.sdp;
  });
  const post = (headers) => fetch(`${daemon.origin}/offer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ sdp: offered, type: 'offer', candidates: [] }),
  });
  const refused = await post({});
  assert.equal(refused.status, 401);
  assert.equal((await refused.json()).error.code, 4000);
  const answered = await post({ authorization: `Bearer ${daemon.token}` });
  assert.equal(answered.status, 200);
  const answer = await answered.json();
  assert.equal(answer.type, 'answer');
  assert.match(answer.sdp, /^v=0/);
  assert.match(answer.sdp, /H264\/90000/);
  assert.ok(Array.isArray(answer.candidates));
  assert.equal(typeof answer.connection, 'string');
});

test('data channels are opened with Interact, as reliable as they have to be, and closed with it', async (t) => {
  const daemon = await Daemon.start(t, { args: ['--desktop', 'synthetic'] });
  const viewer = await Viewer.open(t, await browser(t), daemon);
  const channels = () => viewer.page.evaluate(() => window.testChannels
    .filter((each) => each.readyState === 'open')
    .map(({ label, ordered, maxRetransmits, protocol, id, negotiated }) => ({ label, ordered, maxRetransmits, protocol, ...(negotiated && { id }) })));
  const control = { label: 'omux/control', ordered: true, maxRetransmits: null, protocol: 'xumux/0.1', id: 0 };
  // What keeps still comes on a channel of its own, in every mode.
  const patches = { label: 'omux/patches', ordered: true, maxRetransmits: null, protocol: 'xumux/0.1' };
  await until('the channel of what keeps still', async () => (await channels()).length > 1);
  assert.deepEqual(await channels(), [control, patches], 'in View there is nothing for input');
  await viewer.setMode('interact');
  await until('the channel of the clipboard', async () => (await channels()).length === 5);
  assert.deepEqual(await channels(), [
    control,
    patches,
    { label: 'omux/pointer', ordered: false, maxRetransmits: 0, protocol: 'xumux/0.1' },
    { label: 'omux/button', ordered: true, maxRetransmits: null, protocol: 'xumux/0.1' },
    // Opened once, for whoever may drive, and kept.
    { label: 'omux/clipboard', ordered: true, maxRetransmits: null, protocol: 'xumux/0.1' },
  ]);
  await viewer.setMode('view');
  await until('the channels of input to close', async () => (await channels()).length === 3);
});

test('without omux/control a peer connection is over', async (t) => {
  const daemon = await Daemon.start(t, { args: ['--desktop', 'synthetic'] });
  const viewer = await Viewer.open(t, await browser(t), daemon);
  const raw = await Raw.join(t, daemon);
  raw.send(frame(0, 0x81, { mode: 'view' }));
  const gone = await viewer.hook('self');
  await raw.next('the viewer among the participants', 0, 0x94, (share) => share.participants.some((each) => each.id === gone));
  raw.forget();
  await viewer.page.evaluate(() => window.testChannels.find((each) => each.label === 'omux/control').close());
  await raw.next('the participants without the viewer', 0, 0x94, (share) => !share.participants.some((each) => each.id === gone));
  await until('the peer connection to end', async () => viewer.page.evaluate(() => window.testPeers[0].connectionState === 'closed'));
});

test('CLIPBOARD types nothing, PASTE does', async (t) => {
  const file = join(scratch(t), 'typed');
  const daemon = await Daemon.start(t, { command: ['foot', 'sh', '-c', 'stty raw -echo; exec dd bs=1 status=none of="$0"', file] });
  await until('foot to run its program', () => existsSync(file));
  const raw = await Raw.join(t, daemon, { capabilities: ['pointer', 'keyboard', 'clipboard', 'text'] });
  raw.send(frame(0, 0x81, { mode: 'interact' }));
  await raw.next('the granted mode', 0, 0x91, (state) => state.mode === 'interact');
  raw.send(frame(0, 0x83, { direction: 'set', text: 'copied' }));
  raw.send(frame(0, 0x86, { text: 'pasted' }));
  await until('the pasted text', () => readFileSync(file, 'utf8').length >= 6);
  raw.send(frame(0, 0x83, { direction: 'get' }));
  const pushed = await raw.next('the clipboard', 0, 0x83, (clipboard) => clipboard.direction === 'push');
  assert.equal(pushed.text, 'copied');
  assert.equal(readFileSync(file, 'utf8'), 'pasted');
});

test('every COMMAND with an id is answered, known or not', async (t) => {
  const daemon = await Daemon.start(t, { args: ['--desktop', 'synthetic'] });
  const raw = await Raw.join(t, daemon);
  raw.send(frame(0, 0x81, { mode: 'voice' }));
  await raw.next('the granted mode', 0, 0x91, (state) => state.mode === 'voice');
  for (const [id, command] of [['known', { action: 'click', selector: 'text=OK' }], ['unknown', { action: 'dance' }]]) {
    raw.send(frame(0, 0x85, { id, ...command }));
    const notice = await raw.next(`the answer to ${id}`, 0, 0x92, (notification) => notification.ref === id);
    assert.equal(notice.type, 'error');
    assert.ok(notice.text.length > 0);
  }
});
