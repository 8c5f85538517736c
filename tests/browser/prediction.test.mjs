// What is typed is shown before its echo comes, where the way is long, and never while a password is read.

import assert from 'node:assert/strict';
import test from 'node:test';
import { openDesk } from './desk.mjs';
import { until } from './harness.mjs';

/** Long enough that nothing that is seen at once can be an echo. */
const DELAY_MS = 600;

/** What is drawn over the terminal as a guess. */
const guessed = (viewer) => viewer.page.evaluate(() => document.querySelector('.predictions')?.textContent ?? '');
/** Everything that was ever drawn as a guess. */
const watchGuesses = (viewer) =>
  viewer.page.evaluate(() => {
    window.testGuesses = '';
    const layer = document.querySelector('.predictions');
    new MutationObserver(() => (window.testGuesses += layer.textContent)).observe(layer, { childList: true, subtree: true, characterData: true });
  });

/** Types until the predictor trusts the line: it wants to be right once before it shows anything. */
async function warm({ viewer, terminal }) {
  await terminal.type(': warm up');
  await terminal.shows(': warm up');
}

test('letters are shown before their echo, and the echo makes them true', async (t) => {
  const desk = await openDesk(t, { delayMs: DELAY_MS });
  const { viewer, terminal } = desk;
  await warm(desk);
  await viewer.page.keyboard.type(' abc');
  assert.doesNotMatch(await terminal.text(), /up abc/, 'the echo is not there yet');
  await until('a guess', async () => /abc/.test(await guessed(viewer)));
  await terminal.shows(': warm up abc');
  await until('nothing guessed any more', async () => (await guessed(viewer)) === '');
  await viewer.page.keyboard.press('Enter');
  await terminal.shows(/: warm up abc\n.*[$#]\s*$/);
});

test('a password is neither shown nor guessed', async (t) => {
  const desk = await openDesk(t, { delayMs: DELAY_MS });
  const { viewer, terminal } = desk;
  await warm(desk);
  await viewer.page.keyboard.press('Control+u');
  await terminal.type("read -s -p 'Password: ' word; echo; echo length-${#word}\n");
  await terminal.shows(/^Password:\s*$/m);
  await watchGuesses(viewer);
  await viewer.page.keyboard.type('sesame77');
  await viewer.page.keyboard.press('Enter');
  await terminal.shows('length-8');
  assert.doesNotMatch(await viewer.page.evaluate(() => window.testGuesses), /[same7]/, 'nothing of it was drawn');
  assert.doesNotMatch(await terminal.everything(), /sesame/);
});

test('a guess that was wrong leaves nothing behind', async (t) => {
  const desk = await openDesk(t, { delayMs: DELAY_MS });
  const { viewer, terminal } = desk;
  // This program answers each letter with another one.
  await terminal.type("stty -echo -icanon; printf 're''ady\\n'; while IFS= read -rn1 c; do [ \"$c\" = q ] && break; printf X; done; stty sane\n");
  await terminal.shows(/^ready$/m);
  await viewer.page.keyboard.type('abcdefgh');
  await terminal.shows(/^X{8}$/m);
  await viewer.page.keyboard.type('ab');
  await terminal.shows(/^X{10}$/m);
  await until('nothing guessed', async () => (await guessed(viewer)) === '');
  await viewer.page.keyboard.type('q');
});
