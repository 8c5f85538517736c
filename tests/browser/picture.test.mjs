// The picture in the README: a real desktop of several programs, driven from the page.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { Daemon, OUT, browser, scratch, until } from './harness.mjs';
import { Viewer } from './page.mjs';

/** The terminal starts when the test says so, so that it lies over the other window. */
const DESKTOP = `
gtk3-demo &
read go < "$0"
exec foot --font=monospace:size=11 --window-size-pixels=620x340 sh -c 'printf "\\033[1;33mA terminal inside the desktop\\033[0m\\n\\n"; ls --color=always -C /usr; exec sh -i'
`;

for (const scheme of ['light', 'dark']) {
  test(`two windows float, one is moved (${scheme})`, async (t) => {
    const go = join(scratch(t), 'go');
    assert.equal(spawnSync('mkfifo', [go]).status, 0);
    const daemon = await Daemon.start(t, { args: ['--size', '1280x760'], command: ['sh', '-c', DESKTOP, go] });
    const viewer = await Viewer.open(t, await browser(t), daemon, { size: { width: 1360, height: 880 }, context: { colorScheme: scheme } });
    await viewer.setMode('interact');
    await until('the first window', async () => Math.min(...(await viewer.pixels([[640, 300]]))[0]) > 200);
    await writeFile(go, 'go\n');
    // The terminal lies over the other window: both float.
    await until('both windows', async () => {
      const [terminal, other] = await viewer.pixels([[300, 200], [900, 300]]);
      return Math.max(...terminal) < 60 && Math.min(...other) > 200;
    });
    // A person moves the terminal with Alt held, from wherever it was put.
    await viewer.moveTo(300, 200);
    await viewer.page.keyboard.down('Alt');
    await viewer.page.mouse.down();
    for (const [x, y] of [[350, 230], [600, 400], [860, 570]]) await viewer.moveTo(x, y);
    await viewer.page.mouse.up();
    await viewer.page.keyboard.up('Alt');
    await until('the terminal at its new place', async () => {
      const [terminal, uncovered] = await viewer.pixels([[860, 570], [450, 250]]);
      return Math.max(...terminal) < 60 && Math.min(...uncovered) > 180;
    });
    await viewer.page.keyboard.press('Control+Alt+Shift+KeyS');
    await until('numbers in the overlay', async () => {
      // A still desktop has no frame rate: something has to move.
      await viewer.moveTo(300 + Math.random() * 300, 200 + Math.random() * 200);
      return (await viewer.hook('stats'))?.fps > 0;
    });
    mkdirSync(OUT, { recursive: true });
    const path = join(OUT, `readme-${scheme}.png`);
    await viewer.screenshot(path);
    assert.ok(statSync(path).size > 20_000);
  });
}
