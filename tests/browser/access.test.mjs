// Without a mouse, without good eyes, without eyes: what the page must offer all the same.

import assert from 'node:assert/strict';
import test from 'node:test';
import { openDesk } from './desk.mjs';
import { until } from './harness.mjs';

/** Controls without a name, and text with too little contrast, of everything that is shown now. */
function faults() {
  const seen = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && element.getBoundingClientRect().width > 1;
  const named = (element) => {
    const by = element.getAttribute('aria-labelledby');
    const label = element.labels?.[0]?.textContent ?? '';
    return [element.getAttribute('aria-label'), by && document.getElementById(by)?.textContent, label, element.textContent].some((text) => text?.trim());
  };
  const found = [];
  for (const control of document.querySelectorAll('button, select, input:not([type=file]), textarea, [role=tab], [role=separator], dialog, [role=toolbar], [role=tabpanel]')) {
    if (seen(control) && !named(control)) found.push(`no name: ${control.outerHTML.slice(0, 120)}`);
  }
  const channel = (value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const paint = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => {
    paint.clearRect(0, 0, 1, 1);
    paint.fillStyle = colour;
    paint.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = paint.getImageData(0, 0, 1, 1).data;
    return { parts: [red, green, blue], alpha: alpha / 255 };
  };
  const light = (parts) => 0.2126 * channel(parts[0] / 255) + 0.7152 * channel(parts[1] / 255) + 0.0722 * channel(parts[2] / 255);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const { parts, alpha } = rgba(getComputedStyle(at).backgroundColor);
      if (alpha > 0.9) return parts;
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.textContent.trim() || !seen(element) || element.closest('.xterm, .visually-hidden, :disabled, option, [data-drives], .face')) continue;
    const [front, back] = [light(rgba(getComputedStyle(element).color).parts), light(behind(element))];
    const ratio = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
    if (ratio < 4.5) found.push(`contrast ${ratio.toFixed(2)}: ${node.textContent.trim().slice(0, 40)}`);
  }
  return found;
}

for (const colorScheme of ['dark', 'light']) {
  test(`everything has a name and enough contrast, ${colorScheme}`, async (t) => {
    const { viewer } = await openDesk(t, { context: { colorScheme } });
    const look = async (what) => assert.deepEqual(await viewer.page.evaluate(faults), [], what);
    await look('the terminal');
    await viewer.page.getByRole('button', { name: 'Split to the right' }).click();
    await until('two', async () => (await viewer.hook('terminals')).filter((each) => each.state === 'running').length === 2);
    await look('two terminals');
    await viewer.page.getByRole('button', { name: 'Search', exact: true }).click();
    await look('search');
    await viewer.page.keyboard.press('Escape');
    for (const name of ['Settings and help', 'Sessions', 'Share', 'Show as text']) {
      await viewer.page.getByRole('button', { name, exact: true }).click();
      if (name === 'Share') {
        await viewer.page.getByRole('button', { name: 'Create view link' }).click();
        await viewer.page.getByLabel('The new link').waitFor();
      }
      await look(name);
      await viewer.page.keyboard.press('Escape');
    }
    await viewer.page.getByRole('button', { name: 'Files', exact: true }).click();
    await viewer.page.locator('.crumbs button').first().waitFor();
    await look('files');
  });
}

test('every button is reached by keys, shows its focus, and a terminal can be left', async (t) => {
  const { viewer } = await openDesk(t);
  const focused = () => viewer.page.evaluate(() => {
    const at = document.activeElement;
    const ring = getComputedStyle(at);
    return { name: at.getAttribute('aria-label') ?? at.textContent, ring: at.matches(':focus-visible') && ring.outlineStyle !== 'none' && parseFloat(ring.outlineWidth) >= 2, terminal: at.closest('.xterm') !== null };
  });
  assert.equal((await focused()).terminal, true, 'the terminal has the keyboard');
  await viewer.page.keyboard.press('Tab');
  assert.equal((await focused()).terminal, true, 'Tab is for the program');
  for (const key of ['Control', 'Alt', 'Shift']) await viewer.page.keyboard.down(key);
  for (const key of ['Control', 'Alt', 'Shift']) await viewer.page.keyboard.up(key);
  await until('the page to have it', async () => !(await focused()).terminal);
  const names = [];
  for (let step = 0; step < 30; step += 1) {
    const at = await focused();
    if (at.terminal) break;
    assert.equal(at.ring, true, `${at.name} shows that it has the focus`);
    names.push(at.name);
    await viewer.page.keyboard.press('Tab');
  }
  for (const wanted of ['New terminal', 'Sessions', 'Search', 'Show as text', 'Split to the right', 'Split downwards', 'Files', 'Share', 'Settings and help']) {
    assert.ok(names.includes(wanted), `${wanted} is not among ${names.join(', ')}`);
  }
});

test('shortcuts do what the help says', async (t) => {
  const { viewer, terminal } = await openDesk(t);
  const chord = (key) => viewer.page.keyboard.press(`Control+Alt+Shift+${key}`);
  await chord('KeyT');
  await until('a second tab', async () => (await viewer.hook('terminals')).filter((each) => each.state === 'running').length === 2);
  await chord('Digit1');
  await viewer.page.keyboard.type('echo in-the-first-$((1+1))\n');
  await terminal.shows('in-the-first-2');
  await chord('KeyL');
  await viewer.page.getByRole('dialog', { name: 'Sessions' }).waitFor();
  await viewer.page.keyboard.press('Escape');
  await chord('KeyH');
  await viewer.page.getByRole('dialog', { name: 'Help' }).waitFor();
  await viewer.page.keyboard.press('Escape');
  const letters = () => viewer.page.evaluate(() => parseFloat(getComputedStyle(document.querySelector('.xterm-rows')).fontSize));
  const usual = await letters();
  await chord('Equal');
  await until('larger letters', async () => (await letters()) > usual);
  await chord('Digit0');
  await until('usual letters', async () => (await letters()) === usual);
  await chord('Slash');
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
