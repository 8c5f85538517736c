// Without a mouse, without good eyes, without eyes: what the page must offer all the same.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { openDesk } from './desk.mjs';
import { Daemon, PROBE, browser, probeLog, scratch, until } from './harness.mjs';
import { Viewer } from './page.mjs';

/** What has the keyboard, and whether that is seen. */
const focused = (viewer) => viewer.page.evaluate(() => {
  const at = document.activeElement;
  const ring = getComputedStyle(at);
  return {
    name: (at.getAttribute('aria-label') ?? at.textContent).trim(),
    ring: at.matches(':focus-visible') && ring.outlineStyle !== 'none' && parseFloat(ring.outlineWidth) >= 2,
    terminal: at.closest('.xterm') !== null,
    desktop: at.matches('vroom-desktop .keys'),
    page: at !== document.body && at.closest('dialog') === null,
  };
});

async function chord(viewer) {
  for (const key of ['Control', 'Alt', 'Shift']) await viewer.page.keyboard.down(key);
  for (const key of ['Control', 'Alt', 'Shift']) await viewer.page.keyboard.up(key);
}

/** Walks with Tab until somebody else has the keyboard, and gives the names of all that had it. */
async function walk(viewer) {
  const names = [];
  for (let step = 0; step < 30; step += 1) {
    const at = await focused(viewer);
    if (at.terminal || !at.page) break;
    assert.equal(at.ring, true, `${at.name} shows that it has the focus`);
    names.push(at.name);
    await viewer.page.keyboard.press('Tab');
  }
  return names;
}

test('every button is reached by keys, shows its focus, and a terminal can be left', async (t) => {
  const { viewer } = await openDesk(t);
  assert.equal((await focused(viewer)).terminal, true, 'the terminal has the keyboard');
  await viewer.page.keyboard.press('Tab');
  assert.equal((await focused(viewer)).terminal, true, 'Tab is for the program');
  await chord(viewer);
  await until('the page to have it', async () => !(await focused(viewer)).terminal);
  const names = await walk(viewer);
  for (const wanted of ['New terminal', 'Sessions', 'Search', 'Show as text', 'Split to the right', 'Split downwards', 'Files', 'Share', 'Settings and help']) {
    assert.ok(names.includes(wanted), `${wanted} is not among ${names.join(', ')}`);
  }
});

test('the desktop is driven and left by keys alone, and the way out stands on the screen', async (t) => {
  const log = join(scratch(t), 'probe.jsonl');
  const daemon = await Daemon.start(t, { args: ['--size', '1280x720'], command: [PROBE, '--log', log] });
  const keys = () => probeLog(log).filter((each) => each.event === 'key');
  const viewer = await Viewer.open(t, await browser(t), daemon);
  const { page } = viewer;
  const hint = page.getByText('together bring the keyboard back to the page');
  assert.equal(await hint.isVisible(), false);
  await page.keyboard.press('Tab');
  for (let step = 0; step < 20 && (await focused(viewer)).name !== 'View'; step += 1) await page.keyboard.press('Tab');
  await page.keyboard.press('ArrowRight');
  await viewer.becomes('driving', true);
  await until('the desktop to have the keyboard', async () => (await focused(viewer)).desktop);
  assert.match(await hint.textContent(), /^Ctrl Alt Shift together/);
  await until('the way out', () => hint.isVisible());
  await page.keyboard.press('Tab');
  await until('Tab to reach the program', () => keys().length === 2);
  assert.equal((await focused(viewer)).desktop, true);
  await chord(viewer);
  await until('the page to have the keyboard', async () => (await focused(viewer)).name === 'Interact');
  assert.equal(await hint.isVisible(), false, 'what was done need not be told');
  await viewer.page.locator('#tab-desktop').focus();
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Tab');
  const names = await walk(viewer);
  for (const wanted of ['Desktop', 'New terminal', 'Files', 'Interact', 'Settings and help']) assert.ok(names.includes(wanted), `${wanted} is not among ${names.join(', ')}`);
});

test('what opens keeps the keyboard, Escape leaves it, and the keyboard goes back to where it was', async (t) => {
  const { viewer } = await openDesk(t);
  const { page } = viewer;
  for (const name of ['Sessions', 'Share', 'Show as text', 'Files', 'Settings and help']) {
    const button = page.getByRole('button', { name, exact: true });
    await chord(viewer);
    await button.focus();
    await page.keyboard.press('Enter');
    const inside = { Files: 'vroom-files', 'Settings and help': '.menu' }[name] ?? 'dialog';
    await page.locator(inside).first().waitFor();
    if (inside === 'dialog') {
      for (let step = 0; step < 12; step += 1) {
        await page.keyboard.press(step < 6 ? 'Tab' : 'Shift+Tab');
        assert.equal((await focused(viewer)).page, false, `${name} keeps the keyboard`);
      }
    } else if (name === 'Files') assert.equal((await focused(viewer)).name, 'Upload');
    await page.keyboard.press('Escape');
    await until(`${name} to close`, async () => !(await page.locator(inside).first().isVisible()));
    assert.equal((await focused(viewer)).name, name, 'the keyboard is back');
  }
});

test('shortcuts do what the help says', async (t) => {
  const { viewer, terminal } = await openDesk(t);
  const shortcut = (key) => viewer.page.keyboard.press(`Control+Alt+Shift+${key}`);
  await shortcut('KeyT');
  await until('a second tab', async () => (await viewer.hook('terminals')).filter((each) => each.state === 'running').length === 2);
  await shortcut('Digit1');
  await viewer.page.keyboard.type('echo in-the-first-$((1+1))\n');
  await terminal.shows('in-the-first-2');
  await shortcut('KeyL');
  await viewer.page.getByRole('dialog', { name: 'Sessions' }).waitFor();
  await viewer.page.keyboard.press('Escape');
  await shortcut('KeyH');
  await viewer.page.getByRole('dialog', { name: 'Help' }).waitFor();
  await viewer.page.keyboard.press('Escape');
  const letters = () => viewer.page.evaluate(() => parseFloat(getComputedStyle(document.querySelector('.xterm-rows')).fontSize));
  const usual = await letters();
  await shortcut('Equal');
  await until('larger letters', async () => (await letters()) > usual);
  await shortcut('Digit0');
  await until('usual letters', async () => (await letters()) === usual);
  await shortcut('Slash');
  await until('search', () => viewer.page.evaluate(() => document.activeElement?.closest('vroom-search') !== null));
  await viewer.page.keyboard.press('Escape');
  await viewer.page.keyboard.type('echo back-$((2+2))\n');
  await terminal.shows('back-4');
});

test('output is read out where that is wanted', async (t) => {
  const { viewer, terminal } = await openDesk(t);
  await viewer.page.getByRole('button', { name: 'Settings and help' }).click();
  await viewer.page.getByText('Read terminal output to screen readers').click();
  await viewer.page.keyboard.press('Escape');
  await terminal.type('echo spoken-$((6*7))\n');
  await terminal.shows('spoken-42');
  await until('the line for a screen reader', () => viewer.page.evaluate(() => [...document.querySelectorAll('.xterm-accessibility [role=listitem]')].some((line) => /spoken-42/.test(line.textContent))));
  await until('it is announced', () => viewer.page.evaluate(() => [...document.querySelectorAll('.xterm .live-region, .xterm [aria-live]')].some((region) => /spoken-42/.test(region.textContent))));
});

test('fonts, sizes and colours are chosen and stay', async (t) => {
  const { viewer, terminal } = await openDesk(t);
  await viewer.page.getByRole('button', { name: 'Settings and help' }).click();
  await viewer.page.getByLabel('Terminal font').selectOption('DejaVu Sans Mono');
  await viewer.page.getByRole('combobox', { name: 'Size', exact: true }).selectOption('20');
  await viewer.page.getByRole('group', { name: 'Terminal colours' }).getByText('Contrast').click();
  const looks = () => viewer.page.evaluate(() => {
    const rows = getComputedStyle(document.querySelector('.xterm-rows'));
    return { font: rows.fontFamily, size: rows.fontSize, ground: getComputedStyle(document.querySelector('vroom-terminal')).backgroundColor };
  });
  const chosen = (seen) => /DejaVu Sans Mono/.test(seen.font) && seen.size === '20px' && seen.ground === 'rgb(0, 0, 0)';
  await until('the choices', async () => chosen(await looks()));
  await viewer.page.reload();
  await until('the choices after a reload', async () => chosen(await looks()));
  assert.ok(terminal);
});
