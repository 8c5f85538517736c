// Clipboards, both ways: what is pasted presses no keys, and what output asks of the clipboard is refused.

import assert from 'node:assert/strict';
import test from 'node:test';
import { CANARY, pastes } from './corpus.mjs';
import { FarSide } from './far-side.mjs';
import { Daemon, browser, until } from './harness.mjs';
import { Viewer } from './page.mjs';
import { Watch, observe } from './watch.mjs';

const CASES = 200;
const SEED = 201;
const MIB = 1024 * 1024;

async function open(t) {
  const daemon = await Daemon.start(t, { args: ['--desktop', 'none'] });
  const viewer = await Viewer.open(t, await browser(t), daemon, { connected: false, script: observe });
  await viewer.becomes('state', 'connected');
  const terminal = await viewer.openTerminal();
  const far = await FarSide.start(t, terminal);
  await asked(far);
  return { viewer, terminal, far, watch: await Watch.start(viewer) };
}

/** Asks something, so that everything before has been worked through when the answer is there. */
async function asked(far) {
  await far.write('\x1b[5n');
  await far.reads('\x1b[0n', { atEnd: true });
  return far.take();
}

/** Pastes as the browser does: an event with the text on what has the focus. Agrees when the page asks. */
async function paste(viewer, text) {
  await viewer.page.evaluate((text) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData('text/plain', text);
    document.activeElement.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
  }, text);
  await viewer.page.evaluate(() => document.querySelector('dialog[open] .primary')?.click());
}

async function pasteCorpus(t, bracketed) {
  const { viewer, far, watch, terminal } = await open(t);
  await terminal.select();
  await far.write(`\x1b[?2004${bracketed ? 'h' : 'l'}`);
  await asked(far);
  await viewer.page.locator('.xterm-helper-textarea').last().focus();
  for (const [number, hostile] of pastes(CASES, SEED).entries()) {
    const text = `begin${hostile}end-${number}.`;
    await paste(viewer, text);
    const last = `end-${number}.${bracketed ? '\x1b[201~' : ''}`;
    await far.reads(last, { atEnd: true });
    const typed = far.take().toString('utf8');
    const what = `paste ${number}, ${JSON.stringify(text.slice(0, 200))}, became ${JSON.stringify(typed.slice(0, 200))}`;
    if (bracketed) assert.ok(typed.startsWith('\x1b[200~') && typed.endsWith('\x1b[201~'), what);
    const inner = bracketed ? typed.slice(6, -6) : typed;
    assert.doesNotMatch(inner, /[\x00-\x08\x0a-\x0c\x0e-\x1f\x7f-\x9f]/, what);
    assert.ok(inner.startsWith('begin') && inner.endsWith(`end-${number}.`), what);
    assert.equal(inner.split(CANARY).length, text.split(CANARY).length, `${what}: text was lost`);
  }
  await watch.check('pastes');
}

test('no control character leaves with a bracketed paste', (t) => pasteCorpus(t, true));

test('no control character leaves with a plain paste', (t) => pasteCorpus(t, false));

test('a large paste arrives whole and one of ten megabytes is refused whole', async (t) => {
  const { viewer, far, terminal } = await open(t);
  await terminal.select();
  await far.write('\x1b[?2004h');
  await asked(far);
  await viewer.page.locator('.xterm-helper-textarea').last().focus();
  const line = `${'0123456789abcdef'.repeat(8)}\n`;
  const text = (bytes) => line.repeat(Math.floor(bytes / line.length));

  const large = text(1_000_000);
  await paste(viewer, `${large}\x1b[201~done.`);
  await far.reads('done.\x1b[201~', { atEnd: true });
  const typed = far.take().toString('latin1');
  assert.equal(typed.length, large.length + '\x1b[200~[201~done.\x1b[201~'.length);
  assert.equal(typed.slice(6, -6 - '[201~done.'.length), large.replaceAll('\n', '\r'));

  await paste(viewer, `${text(10 * MIB)}\x1b[201~done.`);
  await until('words about it', async () => (await viewer.page.evaluate(() => document.body.innerText)).includes('too much waits to be sent'));
  assert.equal((await asked(far)).toString('latin1'), '\x1b[0n', 'none of it was sent');
  await paste(viewer, 'still here.');
  await far.reads('still here.\x1b[201~', { atEnd: true });
});

test('the clipboard cannot be read by output', async (t) => {
  const { far, watch } = await open(t);
  for (const selection of ['c', 'p', 'q', 's', '0', '1', '7', 'cs', '']) {
    for (const end of ['\x07', '\x1b\\', '\u009c']) await far.write(`\x1b]52;${selection};?${end}`);
  }
  const typed = await asked(far);
  assert.equal(typed.toString('latin1'), '\x1b[0n', 'nothing but the answer was typed');
  await watch.check('reads');
});

test('output sets the clipboard visibly, up to a mebibyte', async (t) => {
  const { viewer, far, watch } = await open(t);
  const writes = () => viewer.page.evaluate(() => window.testSeen.writes);
  const set = (bytes) => far.write(`\x1b]52;c;${Buffer.from(bytes).toString('base64')}\x07`);
  let expected = 0;
  for (const size of [1, 1000, MIB]) {
    await set('x'.repeat(size));
    expected += 1;
    await until(`${size} bytes on the clipboard`, async () => (await writes()).length === expected);
    assert.equal((await writes()).at(-1).length, size);
    await until('a notice', async () => (await viewer.page.evaluate(() => document.body.innerText)).includes(`${size} characters`));
  }
  for (const size of [MIB + 1, 10 * MIB]) {
    await set('y'.repeat(size));
    await asked(far);
    assert.equal((await writes()).length, expected, `${size} bytes are too many`);
  }
  assert.equal((await asked(far)).toString('latin1'), '\x1b[0n', 'nothing was typed');
  await watch.check('writes');
});
