// Text: what a person types in the page arrives in a terminal program byte for byte.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { Daemon, browser, scratch, until } from './harness.mjs';
import { Viewer } from './page.mjs';

/** foot with a program that writes every byte it gets to a file. */
async function typingInto(t, { layout = 'us' } = {}) {
  const file = join(scratch(t), 'typed');
  const daemon = await Daemon.start(t, {
    args: ['--size', '1280x720', '--layout', layout],
    command: ['foot', 'sh', '-c', 'stty raw -echo; exec dd bs=1 status=none of="$0"', file],
  });
  await until('foot to run its program', () => existsSync(file));
  const viewer = await Viewer.open(t, await browser(t), daemon);
  await viewer.setMode('interact');
  return {
    viewer,
    arrives: async (wanted) => {
      try {
        await until(JSON.stringify(wanted), () => readFileSync(file, 'utf8').length >= wanted.length);
      } catch {
        // The comparison says what is missing.
      }
      assert.equal(readFileSync(file, 'utf8'), wanted);
    },
  };
}

const SHIFT = 8;
const CONTROL = 2;

test('every printable character of a US keyboard', async (t) => {
  const { viewer, arrives } = await typingInto(t);
  const all = Array.from({ length: 95 }, (_, place) => String.fromCharCode(32 + place)).join('');
  await viewer.page.keyboard.type(all);
  await arrives(all);
});

test('arrows, function keys and chords', async (t) => {
  const { viewer, arrives } = await typingInto(t);
  const keys = [
    ['ArrowUp', '\x1b[A'], ['ArrowDown', '\x1b[B'], ['ArrowRight', '\x1b[C'], ['ArrowLeft', '\x1b[D'],
    ['Home', '\x1b[H'], ['End', '\x1b[F'], ['PageUp', '\x1b[5~'], ['Delete', '\x1b[3~'],
    ['F1', '\x1bOP'], ['F5', '\x1b[15~'], ['F12', '\x1b[24~'],
    ['Enter', '\r'], ['Tab', '\t'], ['Backspace', '\x7f'], ['Escape', '\x1b'],
    ['Control+a', '\x01'], ['Control+c', '\x03'], ['Alt+x', '\x1bx'], ['Shift+Tab', '\x1b[Z'],
    ['Control+ArrowRight', '\x1b[1;5C'], ['Shift+F5', '\x1b[15;2~'],
  ];
  for (const [key] of keys) await viewer.page.keyboard.press(key);
  await arrives(keys.map(([, bytes]) => bytes).join(''));
});

test('a German keyboard: umlauts, Shift, AltGr and dead keys', async (t) => {
  const { viewer, arrives } = await typingInto(t, { layout: 'de' });
  const plain = [
    ['KeyY', 'z'], ['KeyZ', 'y'], ['Quote', 'ä'], ['Semicolon', 'ö'], ['BracketLeft', 'ü'], ['Minus', 'ß'], ['Slash', '-'], ['Backslash', '#'],
  ];
  for (const [code, key] of plain) await viewer.key(code, key);
  const shifted = [['KeyY', 'Z'], ['Quote', 'Ä'], ['Digit2', '"'], ['Digit7', '/'], ['Minus', '?'], ['IntlBackslash', '>']];
  await viewer.key('ShiftLeft', 'Shift', { up: false, modifiers: SHIFT, location: 1 });
  for (const [code, key] of shifted) await viewer.key(code, key, { modifiers: SHIFT });
  await viewer.key('ShiftLeft', 'Shift', { down: false, location: 1 });
  const third = [['KeyQ', '@'], ['KeyE', '€'], ['Digit7', '{'], ['Digit0', '}'], ['Minus', '\\'], ['BracketRight', '~'], ['IntlBackslash', '|']];
  await viewer.key('AltRight', 'AltGraph', { up: false, location: 2 });
  for (const [code, key] of third) await viewer.key(code, key);
  await viewer.key('AltRight', 'AltGraph', { down: false, location: 2 });
  // Dead keys: browsers report `Dead`, then either the plain letter or the composed one.
  await viewer.key('Equal', 'Dead');
  await viewer.key('KeyE', 'e');
  await viewer.key('Backquote', 'Dead');
  await viewer.key('KeyO', 'ô');
  await viewer.key('ShiftLeft', 'Shift', { up: false, modifiers: SHIFT, location: 1 });
  await viewer.key('Equal', 'Dead', { modifiers: SHIFT });
  await viewer.key('ShiftLeft', 'Shift', { down: false, location: 1 });
  await viewer.key('KeyA', 'a');
  await arrives(`zyäöüß-#${'ZÄ"/?>'}${'@€{}\\~|'}éôà`);
});

test('a German browser on a US desktop types what it shows', async (t) => {
  const { viewer, arrives } = await typingInto(t);
  for (const [code, key] of [['KeyY', 'z'], ['KeyZ', 'y'], ['Slash', '-']]) await viewer.key(code, key);
  await viewer.key('ControlLeft', 'Control', { up: false, modifiers: CONTROL, location: 1 });
  await viewer.key('KeyY', 'z', { modifiers: CONTROL });
  await viewer.key('ControlLeft', 'Control', { down: false, location: 1 });
  await arrives('zy-\x1a');
});

test('text that no key makes is committed', async (t) => {
  const { viewer, arrives } = await typingInto(t);
  await viewer.page.keyboard.insertText('né 日本 ');
  await arrives('né 日本 ');
});
