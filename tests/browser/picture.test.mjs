// The picture in the README: a real desktop of several programs, driven from the page.

import assert from 'node:assert/strict';
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { Daemon, OUT, browser, until } from './harness.mjs';
import { Viewer } from './page.mjs';

const DESKTOP = `
gtk3-demo &
sleep 2
exec foot --font=monospace:size=11 --window-size-pixels=620x340 sh -c 'printf "\\033[1;33mA terminal inside the desktop\\033[0m\\n\\n"; ls --color=always -C /usr; exec sh -i'
`;

for (const scheme of ['light', 'dark']) {
  test(`two windows float, one is moved by its title bar (${scheme})`, async (t) => {
    const daemon = await Daemon.start(t, { args: ['--size', '1280x760'], command: ['sh', '-c', DESKTOP] });
    const viewer = await Viewer.open(t, await browser(t), daemon, { size: { width: 1360, height: 880 }, context: { colorScheme: scheme } });
    await viewer.setMode('interact');
    // The terminal lies over the other window: both float.
    await until('both windows', async () => {
      const [terminal, other] = await viewer.pixels([[300, 200], [900, 300]]);
      return Math.max(...terminal) < 60 && Math.min(...other) > 200;
    });
    // A person moves the terminal by its title bar.
    await viewer.moveTo(250, 14);
    await viewer.page.mouse.down();
    for (const [x, y] of [[300, 60], [600, 250], [850, 384]]) await viewer.moveTo(x, y);
    await viewer.page.mouse.up();
    await until('the terminal at its new place', async () => {
      const [title, terminal, uncovered] = await viewer.pixels([[850, 384], [900, 600], [450, 250]]);
      return Math.min(...title) > 180 && Math.max(...terminal) < 60 && Math.min(...uncovered) > 180;
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
