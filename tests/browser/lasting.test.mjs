// Terminals that nothing can lose: cuts, reloads, splits, search, pastes, and people who only watch.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { firstTerminal, openDesk as open } from './desk.mjs';
import { OUT, scratch, until } from './harness.mjs';
import { Viewer } from './page.mjs';

test('a cut in the middle of typing and output loses nothing', async (t) => {
  const { viewer, terminal, network } = await open(t);
  // Echo would stand between the lines of the loop.
  await terminal.type('stty -echo; for n in $(seq 1 400); do echo line-$n; sleep 0.005; done; echo all-$((200+200))\n');
  await terminal.shows('line-20');
  await network.cut();
  await viewer.page.keyboard.type('echo typed-$((40+2))\n');
  await terminal.shows('typed-42');
  const text = await terminal.everything();
  assert.match(text, /all-400/);
  const lines = [...text.matchAll(/^line-(\d+)$/gm)].map((match) => Number(match[1]));
  assert.deepEqual(lines, Array.from({ length: 400 }, (_, place) => place + 1), 'every line once, in order');
  assert.equal((await viewer.hook('terminals')).length, 1);
});

test('the page says calmly that the connection is away, and goes on by itself', async (t) => {
  const { viewer, terminal, network, daemon } = await open(t);
  await terminal.type('echo here-$((1+1))\n');
  await terminal.shows('here-2');
  await network.close();
  const banner = viewer.page.locator('vroom-banner');
  await banner.waitFor({ state: 'visible' });
  assert.match(await banner.textContent(), /kept and sent/);
  await viewer.page.keyboard.type('echo back-$((50+5))\n');
  await viewer.screenshot(join(OUT, 'away.png'));
  network.open();
  await terminal.shows('back-55');
  await banner.waitFor({ state: 'hidden' });
  assert.equal(daemon.process.exitCode, null);
});

test('a reload brings back the same shells in the same places', async (t) => {
  const { viewer, terminal } = await open(t);
  await terminal.type('shell=mine; echo ready-$((3+4))\n');
  await terminal.shows('ready-7');
  await viewer.page.getByRole('button', { name: 'Split to the right' }).click();
  await until('two running terminals', async () => (await viewer.hook('terminals')).filter((each) => each.state === 'running').length === 2);
  const before = (await viewer.hook('terminals')).map((each) => each.terminal);
  await viewer.page.reload();
  await until('both again', async () => (await viewer.hook('terminals'))?.filter((each) => each.state === 'running').length === 2);
  const after = await viewer.hook('terminals');
  assert.deepEqual(after.map((each) => each.terminal), before);
  assert.equal(new Set(after.map((each) => each.tab)).size, 1, 'in one tab');
  const first = viewer.terminal(after[0].id);
  await first.shows('ready-7');
  await first.type('echo shell-is-$shell\n');
  await first.shows('shell-is-mine');
});

test('what was scrolled away comes back with the terminal, and comes small', async (t) => {
  const { viewer, terminal, network } = await open(t);
  await terminal.type('seq -f "scrolled %g of many lines" 1 2000\n');
  await until('the lines', async () => /scrolled 2000/.test(await terminal.everything()));
  const before = network.received.length;
  await viewer.page.reload();
  const again = await firstTerminal(viewer);
  await until('the lines above the screen', async () => {
    const lines = [...(await again.everything()).matchAll(/^scrolled (\d+) of many lines$/gm)].map((match) => Number(match[1]));
    return lines.length === 2000 && lines.every((line, place) => line === place + 1);
  });
  const bytes = network.received.slice(before).reduce((sum, frame) => sum + frame.length, 0);
  assert.ok(bytes < 2000 * 28, `${bytes} bytes came for 2000 lines: not compressed`);
});

test('a page that comes back after the daemon was started anew has the same shell', async (t) => {
  const { daemon, viewer, terminal } = await open(t);
  await terminal.type('kept=through; echo before-$((1+1))\n');
  await terminal.shows('before-2');
  await daemon.restart('SIGKILL');
  await viewer.page.keyboard.type('echo kept-$kept\n');
  await terminal.shows('kept-through');
  assert.match(await terminal.text(), /before-2/);
});

test('a split gives two shells beside each other, and the keyboard goes where it is told', async (t) => {
  const { viewer, terminal } = await open(t);
  await terminal.type('echo left-$((10+1))\n');
  await terminal.shows('left-11');
  await viewer.page.getByRole('button', { name: 'Split downwards' }).click();
  const lower = await until('a second terminal', async () => {
    const [, second] = await viewer.hook('terminals');
    return second?.state === 'running' && viewer.terminal(second.id);
  });
  await viewer.page.keyboard.type('echo lower-$((20+2))\n');
  await lower.shows('lower-22');
  assert.doesNotMatch(await terminal.text(), /lower-22/);
  const [upper, below] = [await terminal.box(), await lower.box()];
  assert.ok(below.y >= upper.y + upper.height - 1, 'one below the other');
  await viewer.page.keyboard.press('Control+Alt+Shift+ArrowUp');
  await viewer.page.keyboard.type('echo upper-$((30+3))\n');
  await terminal.shows('upper-33');
  const divider = viewer.page.getByRole('separator');
  const value = Number(await divider.getAttribute('aria-valuenow'));
  await divider.focus();
  await viewer.page.keyboard.press('ArrowUp');
  assert.equal(Number(await divider.getAttribute('aria-valuenow')), value - 5);
});

test('search finds and counts', async (t) => {
  const { viewer, terminal } = await open(t);
  await terminal.type('printf "needle %s\\n" a b c\n');
  await terminal.shows('needle c');
  await viewer.page.getByRole('button', { name: 'Search', exact: true }).click();
  await viewer.page.keyboard.type('needle');
  const count = viewer.page.locator('vroom-search .count');
  await until('a count', async () => /^4 of 4$/.test(await count.textContent()));
  await viewer.page.keyboard.press('Enter');
  await until('the one before', async () => /^3 of 4$/.test(await count.textContent()));
  await viewer.page.keyboard.type('x');
  await until('none', async () => /none/i.test(await count.textContent()));
  await viewer.page.keyboard.press('Escape');
  await viewer.page.keyboard.type('echo after-$((70+7))\n');
  await terminal.shows('after-77');
});

test('a paste of several lines is shown before a program could take it for typing', async (t) => {
  const { viewer, terminal } = await open(t);
  await terminal.type("bind 'set enable-bracketed-paste off' 2>/dev/null; clear\n");
  await until('no brackets', async () => !(await terminal.text()).includes('bind'));
  await viewer.page.evaluate(() => navigator.clipboard.writeText('echo pas\u001b[201~ted-$((1+2))\necho second-$((2+3))\n'));
  await viewer.page.keyboard.press('Control+Shift+V');
  const dialog = viewer.page.getByRole('dialog');
  await dialog.waitFor();
  assert.match(await dialog.textContent(), /2 lines/);
  assert.match(await dialog.textContent(), /<ESC>/);
  await viewer.page.keyboard.press('Enter');
  await dialog.waitFor({ state: 'hidden' });
  assert.doesNotMatch(await terminal.text(), /pasted/, 'Enter cancels');
  await viewer.page.keyboard.press('Control+Shift+V');
  await dialog.getByRole('button', { name: 'Paste' }).click();
  await terminal.shows('second-5');
});

test('text without a key, dead keys and Tab reach the program', async (t) => {
  const { viewer, terminal } = await open(t);
  await terminal.type('cat -v\n');
  await terminal.shows('cat -v');
  await viewer.page.keyboard.insertText('né ☃');
  await viewer.page.keyboard.press('Tab');
  await viewer.page.keyboard.press('Shift+Tab');
  await viewer.page.keyboard.type('a  b');
  await viewer.page.keyboard.press('Enter');
  await terminal.shows(/^nM-CM-\) M-bM-\^XM-\^C\s+\^\[\[Za {2}b$/m);
});

test('a link is shown before it opens, and others than web and mail do not open', async (t) => {
  const { viewer, terminal } = await open(t);
  await terminal.type("printf '\\e]8;;https://example.org/real\\e\\\\shown\\e]8;;\\e\\\\ \\e]8;;javascript:alert(1)\\e\\\\evil\\e]8;;\\e\\\\\\n'\n");
  const text = await terminal.shows(/^shown evil$/m);
  const row = text.split('\n').findIndex((line) => line === 'shown evil');
  const at = await terminal.cell(row, 1);
  await viewer.page.mouse.move(at.x, at.y);
  const hint = viewer.page.locator('.address-hint');
  await until('the address', async () => (await hint.textContent()) === 'https://example.org/real');
  await viewer.page.mouse.click(at.x, at.y);
  const dialog = viewer.page.getByRole('dialog');
  await dialog.waitFor();
  assert.match(await dialog.textContent(), /https:\/\/example\.org\/real/);
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  const evil = await terminal.cell(row, 7);
  await viewer.page.mouse.click(evil.x, evil.y);
  await viewer.page.keyboard.type('echo still-$((5+5))\n');
  await terminal.shows('still-10');
  assert.equal(await dialog.count(), 0);
});

test('a view link shows one terminal, types nothing, and ends when it is ended', async (t) => {
  const { daemon, instance, viewer, terminal } = await open(t);
  await terminal.type('echo secret-$((6+6))\n');
  await terminal.shows('secret-12');
  await viewer.page.getByRole('button', { name: 'Share' }).click();
  await viewer.page.getByRole('button', { name: 'Create view link' }).click();
  const link = await viewer.page.getByLabel('The new link').inputValue();
  assert.match(link, /#share=/);
  const guest = await Viewer.open(t, instance, { ...daemon, url: link }, { connected: false });
  const seen = await until('the shared terminal', async () => {
    const [only] = (await guest.hook('terminals')) ?? [];
    return only?.state === 'running' && guest.terminal(only.id);
  });
  await seen.shows('secret-12');
  assert.equal((await guest.hook('terminals'))[0].mayType, false);
  await guest.page.keyboard.type('echo intruder\n');
  await viewer.page.keyboard.press('Escape');
  await terminal.type('echo owner-$((7+7))\n');
  await seen.shows('owner-14');
  assert.doesNotMatch(await terminal.text(), /intruder/);
  await viewer.page.getByRole('button', { name: /^Share/ }).click();
  await viewer.page.getByRole('button', { name: /^End link/ }).click();
  await until('the guest to be put out', async () => (await guest.hook('state')) === 'signed-out' || (await guest.hook('terminals'))[0]?.state !== 'running');
});

test('a terminal left running is in the list of sessions and can be named, joined and ended there', async (t) => {
  const { viewer, terminal } = await open(t);
  await terminal.type('kept=yes; echo mark-$((8+8))\n');
  await terminal.shows('mark-16');
  await viewer.page.getByRole('button', { name: 'Close terminal' }).click();
  await viewer.page.getByRole('button', { name: 'Leave it running' }).click();
  await until('no tab', async () => (await viewer.hook('terminals')).length === 0);
  await viewer.page.getByText('No terminal is open').waitFor();
  await viewer.page.getByRole('button', { name: 'Sessions' }).first().click();
  await viewer.page.getByRole('button', { name: /^Rename / }).click();
  await viewer.page.getByLabel('Name of this terminal').fill('builds');
  await viewer.page.keyboard.press('Enter');
  await viewer.page.locator('.sessionlist b').getByText('builds').waitFor();
  await viewer.screenshot(join(OUT, 'sessions.png'));
  await viewer.page.locator('.sessionlist .join').first().click();
  const again = await until('the same terminal', async () => {
    const [only] = await viewer.hook('terminals');
    return only?.state === 'running' && viewer.terminal(only.id);
  });
  await again.shows('mark-16');
  await again.type('echo kept-$kept\n');
  await again.shows('kept-yes');
  await viewer.page.getByRole('button', { name: 'Sessions' }).click();
  await viewer.page.getByRole('button', { name: /^End / }).first().click();
  await viewer.page.getByRole('button', { name: 'End it' }).click();
  await until('its end', async () => (await viewer.hook('terminals'))[0]?.state === 'exited');
});

test('files go up and come back unchanged, and nothing is replaced unasked', async (t) => {
  const folder = scratch(t);
  const { viewer } = await open(t, { args: ['--files-root', folder] });
  const content = Buffer.from(Uint8Array.from({ length: 700_001 }, (_, place) => (place * 31) & 0xff));
  writeFileSync(join(folder, 'there.txt'), 'mine');
  await viewer.page.getByRole('button', { name: 'Files', exact: true }).click();
  const panel = viewer.page.locator('vroom-files');
  await panel.getByRole('button', { name: 'Download there.txt' }).waitFor();
  const file = (name, buffer) => ({ name, mimeType: 'application/octet-stream', buffer });
  await panel.locator('input[type=file]').setInputFiles([file('big.bin', content), file('there.txt', Buffer.from('yours'))]);
  await panel.getByText('Is there already').waitFor();
  assert.equal(readFileSync(join(folder, 'there.txt'), 'utf8'), 'mine');
  await panel.getByRole('button', { name: 'Replace' }).click();
  await until('the replaced file', () => readFileSync(join(folder, 'there.txt'), 'utf8') === 'yours');
  assert.ok(readFileSync(join(folder, 'big.bin')).equals(content), 'the large file');
  const [download] = await Promise.all([viewer.page.waitForEvent('download'), panel.getByRole('button', { name: 'Download big.bin' }).click()]);
  assert.equal(download.suggestedFilename(), 'big.bin');
  assert.ok(readFileSync(await download.path()).equals(content), 'and back');
});

test('files that are dropped on a terminal are uploaded to where its shell is', async (t) => {
  const folder = scratch(t);
  mkdirSync(join(folder, 'deep'));
  const { viewer, terminal } = await open(t, { args: ['--files-root', folder] });
  await terminal.type(`cd '${folder}/deep'; printf '\\e]7;file://%s%s\\a' host "$PWD"; echo there-$((1+1))\n`);
  await terminal.shows('there-2');
  const drag = (name) => viewer.page.evaluate(([id, name]) => {
    window.testFiles ??= new DataTransfer();
    if (window.testFiles.items.length === 0) window.testFiles.items.add(new File(['dropped content'], 'dropped.txt'));
    const pane = document.getElementById(`pane-${id}`);
    pane.querySelector('.xterm-screen').dispatchEvent(new DragEvent(name, { dataTransfer: window.testFiles, bubbles: true, cancelable: true }));
  }, [terminal.id, name]);
  await drag('dragover');
  assert.equal(await terminal.pane.getAttribute('data-drop'), '', 'it says what will happen');
  await viewer.screenshot(join(OUT, 'drop.png'));
  await drag('drop');
  await until('the file', () => readFileSync(join(folder, 'deep', 'dropped.txt'), 'utf8') === 'dropped content');
  await viewer.page.locator('.transfers').getByText('Uploaded').waitFor();
  await viewer.screenshot(join(OUT, 'files.png'));
  assert.equal(await terminal.pane.getAttribute('data-drop'), null);
});

test('a composition of an input method arrives when it is committed, and once', async (t) => {
  const { viewer, terminal } = await open(t);
  await terminal.type('cat\n');
  await terminal.shows('cat');
  const session = await viewer.context.newCDPSession(viewer.page);
  for (const text of ['に', 'にほ', 'にほん']) {
    await session.send('Input.imeSetComposition', { text, selectionStart: text.length, selectionEnd: text.length });
  }
  await until('the composition to be shown', async () => /にほん/.test(await viewer.page.locator('.composition-view').textContent()));
  assert.doesNotMatch(await terminal.text(), /に/, 'nothing was sent yet');
  await session.send('Input.insertText', { text: '日本' });
  await viewer.page.keyboard.type('!');
  await viewer.page.keyboard.press('Enter');
  await terminal.shows(/^日本!\n日本!$/m);
});
