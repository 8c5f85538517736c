// Terminals beside the desktop, on the same connection.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { Daemon, OUT, browser, rssMib, scratch, until } from './harness.mjs';
import { Viewer } from './page.mjs';

async function open(t, options = {}) {
  const daemon = await Daemon.start(t, { args: ['--size', '1280x720'], ...options });
  const viewer = await Viewer.open(t, await browser(t), daemon, options);
  return { daemon, viewer };
}

test('two terminals and the desktop run on one peer connection', async (t) => {
  const { viewer } = await open(t);
  const first = await viewer.openTerminal();
  const second = await viewer.openTerminal();
  await first.type('echo one-$((40+2)); tty\n');
  await first.shows('one-42');
  const firstTty = /\/dev\/pts\/\d+/.exec(await first.shows(/\/dev\/pts\/\d+/))[0];
  await second.type('echo two-$((50+5)); tty\n');
  await second.shows('two-55');
  const secondTty = /\/dev\/pts\/\d+/.exec(await second.shows(/\/dev\/pts\/\d+/))[0];
  assert.notEqual(firstTty, secondTty);
  const peers = await viewer.peers();
  assert.equal(peers.length, 1, 'one peer connection');
  assert.equal(peers[0].selectedPairs, 1, 'one selected candidate pair');
  assert.ok(peers[0].framesDecoded > 0, 'with the picture');
  const labels = peers[0].dataChannels.filter((label) => label.startsWith('omux/vroom.terminal.pty'));
  assert.equal(labels.length, 2, 'and both terminals');
  mkdirSync(OUT, { recursive: true });
  await second.type('ls --color=always /\n');
  await second.shows('usr');
  await viewer.screenshot(join(OUT, 'terminal.png'));
});

test('a terminal has the size of its tab and tells its exit status', async (t) => {
  const { viewer } = await open(t);
  const terminal = await viewer.openTerminal();
  await terminal.type('stty size\n');
  const [, rows, cols] = /^(\d+) (\d+)$/m.exec(await terminal.shows(/^\d+ \d+$/m));
  assert.ok(Number(rows) > 20 && Number(cols) > 80, `${rows}x${cols}`);
  await viewer.page.setViewportSize({ width: 700, height: 500 });
  await terminal.type('clear\n');
  await until('fewer columns', async () => {
    await terminal.type('stty size\n');
    const sizes = [...(await terminal.text()).matchAll(/^(\d+) (\d+)$/gm)];
    return sizes.length > 0 && Number(sizes.at(-1)[2]) < Number(cols);
  });
  await terminal.type('exit 7\n');
  await until('the exit status', async () => (await viewer.hook('terminals')).at(-1)?.state === 'exited');
  assert.match(await terminal.tab.textContent(), /7/);
  await until('the words about it to lie below the screen', async () => {
    const [screen, bar] = [await terminal.pane.locator('.xterm-screen').boundingBox(), await terminal.pane.locator('.endbar').boundingBox()];
    return screen.y + screen.height <= bar.y + 1;
  });
});

test('with many terminals everything stays within the window, and the tab in front is seen', async (t) => {
  const { viewer } = await open(t);
  const { page } = viewer;
  for (let count = 0; count < 6; count += 1) await viewer.openTerminal();
  const front = page.locator('.tabwrap[data-selected]');
  const isSeen = () => front.evaluate((tab) => {
    const [box, list] = [tab.getBoundingClientRect(), tab.closest('.tablist').getBoundingClientRect()];
    const within = box.left >= list.left - 1 && box.right <= list.right + 1 && list.right <= innerWidth;
    return within && box.width >= 80 && tab.contains(document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2));
  });
  const outside = () => page.evaluate(() => [...document.querySelectorAll('.topbar button')]
    .filter((button) => button.checkVisibility() && !button.closest('.tablist, [popover]'))
    .filter((button) => {
      const box = button.getBoundingClientRect();
      return box.left < 0 || box.right > innerWidth || !button.contains(document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2));
    })
    .map((button) => button.getAttribute('aria-label') ?? button.textContent));
  for (const [width, height] of [[1360, 768], [1024, 768], [800, 600], [390, 844]]) {
    await page.setViewportSize({ width, height });
    await until(`the last tab to be seen at ${width}`, isSeen);
    assert.deepEqual(await page.evaluate(() => [document.documentElement.scrollWidth, document.body.scrollWidth]), [width, width]);
    assert.deepEqual(await outside(), [], `nothing is cut off or covered at ${width}`);
    await viewer.screenshot(join(OUT, `tabs-${width}.png`));
    await page.keyboard.press('Control+Alt+Shift+Digit2');
    await until(`the second tab to be seen at ${width}`, isSeen);
    await page.keyboard.press('Control+Alt+Shift+Digit7');
    await until(`the last tab to be seen again at ${width}`, isSeen);
  }
});

test('Ctrl+C ends a flood at once and memory stays bounded', async (t) => {
  const { daemon, viewer } = await open(t);
  const terminal = await viewer.openTerminal();
  const flood = async (round) => {
    await terminal.type(`yes y${round}\n`);
    await terminal.shows(new RegExp(`(y${round}\n){3}`));
    await terminal.press('Control+c');
    await terminal.type(`echo after-$((70+${round}))\n`);
    await terminal.shows(`after-${70 + round}`);
    return rssMib(daemon.pid);
  };
  // The first one fills the scrollback, which is as much as ever is kept.
  const before = await flood(1);
  const after = await flood(2);
  assert.ok(after < before + 16, `${before} MiB grew to ${after}`);
});

test('all bytes pass unchanged, both ways', async (t) => {
  const file = join(scratch(t), 'bytes');
  const { viewer } = await open(t);
  const terminal = await viewer.openTerminal();
  await terminal.type(`stty -echo; cat > '${file}'\n`);
  const text = 'Grüße, 世界! \u{1f980} end';
  await until('cat to run', async () => !(await terminal.text()).endsWith('$'));
  await terminal.type(`${text}\n`);
  await terminal.press('Control+d');
  await until('the file', () => readFileSync(file, 'utf8') === `${text}\n`);
});
