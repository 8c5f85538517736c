// A phone: the keys that its keyboard lacks, text that it can select, and nothing that is wider than it.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { openDesk } from './desk.mjs';
import { OUT, until } from './harness.mjs';

const PHONE = { size: { width: 390, height: 780 }, context: { hasTouch: true, isMobile: true, deviceScaleFactor: 2 } };

test('the key row sends what an on-screen keyboard cannot', async (t) => {
  const { viewer, terminal } = await openDesk(t, PHONE);
  await terminal.type('cat -v\n');
  await terminal.shows('cat -v');
  const row = viewer.page.getByRole('toolbar', { name: 'Keys' });
  const tap = (name) => row.getByRole('button', { name, exact: true }).tap();
  for (const name of ['Esc', 'Up', 'Home']) await tap(name);
  await viewer.page.keyboard.press('Enter');
  await terminal.shows(/^\^\[\^\[\[A\^\[\[H$/m);
  await tap('Alt');
  assert.equal(await row.getByRole('button', { name: 'Alt' }).getAttribute('aria-pressed'), 'true');
  // An on-screen keyboard commits text; there is no key.
  await viewer.page.keyboard.insertText('x');
  assert.equal(await row.getByRole('button', { name: 'Alt' }).getAttribute('aria-pressed'), 'false', 'for one key only');
  await viewer.page.keyboard.insertText('y\n');
  await terminal.shows(/^\^\[xy$/m);
  await tap('Ctrl');
  await viewer.page.keyboard.insertText('c');
  await terminal.shows(/^\^C/m);
  mkdirSync(OUT, { recursive: true });
  await viewer.screenshot(join(OUT, 'phone.png'));
});

test('Paste of the key row asks like any other paste', async (t) => {
  const { viewer, terminal } = await openDesk(t, PHONE);
  await terminal.type("bind 'set enable-bracketed-paste off' 2>/dev/null; clear\n");
  await until('no brackets', async () => !(await terminal.text()).includes('bind'));
  await viewer.page.evaluate(() => navigator.clipboard.writeText('echo one-$((1+1))\necho two-$((1+2))\n'));
  await viewer.page.getByRole('button', { name: 'Paste', exact: true }).tap();
  const dialog = viewer.page.getByRole('dialog');
  await dialog.waitFor();
  await viewer.screenshot(join(OUT, 'phone-paste.png'));
  await dialog.getByRole('button', { name: 'Paste' }).tap();
  await terminal.shows('two-3');
});

test('everything can be read, selected and copied as text', async (t) => {
  const { viewer, terminal } = await openDesk(t, PHONE);
  await terminal.type('seq -f "row %g" 1 300\n');
  await terminal.shows('row 300');
  await viewer.page.getByRole('button', { name: 'Show as text' }).tap();
  const dialog = viewer.page.getByRole('dialog');
  assert.match(await dialog.locator('pre').textContent(), /^row 1\n(?:.*\n)*row 300$/m);
  await viewer.screenshot(join(OUT, 'phone-text.png'));
  await dialog.getByRole('button', { name: 'Copy all' }).tap();
  await until('the text on the clipboard', async () => /row 1\n[^]*row 300/.test(await viewer.page.evaluate(() => navigator.clipboard.readText())));
});

test('nothing is wider than a phone, and everything that is tapped is large enough', async (t) => {
  const { viewer } = await openDesk(t, { ...PHONE, size: { width: 360, height: 640 } });
  const look = async (what) => {
    const wrong = await viewer.page.evaluate(() => {
      const seen = (element) => element.checkVisibility({ visibilityProperty: true }) && element.getBoundingClientRect().width > 0;
      const scrolls = (element) => element.closest('vroom-keys, .tablist, .xterm, .alltext') !== null;
      const all = [...document.querySelectorAll('button, select, input, a, dialog, vroom-files')].filter((each) => seen(each) && !scrolls(each));
      return all.flatMap((each) => {
        const box = each.getBoundingClientRect();
        const name = `${each.tagName} ${each.getAttribute('aria-label') ?? each.textContent.slice(0, 30)}`;
        if (box.left < -1 || box.right > innerWidth + 1) return [`${name} lies outside: ${box.left} to ${box.right}`];
        if (/BUTTON|SELECT/.test(each.tagName) && (box.width < 24 || box.height < 24)) return [`${name} is ${box.width}x${box.height}`];
        return [];
      });
    });
    assert.deepEqual(wrong, [], what);
  };
  await look('the terminal');
  for (const name of ['Settings and help', 'Sessions', 'Share', 'Files', 'Show as text']) {
    await viewer.page.getByRole('button', { name, exact: true }).tap();
    await look(name);
    await viewer.screenshot(join(OUT, `phone-${name.toLowerCase().replaceAll(' ', '-')}.png`));
    if (name === 'Files') await viewer.page.getByRole('button', { name: 'Close files' }).tap();
    else await viewer.page.keyboard.press('Escape');
  }
});
