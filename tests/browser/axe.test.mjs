// Every state of the page that a person meets, at three sizes and in both themes, held against axe-core.

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { AXE, violations } from './axe.mjs';
import { Network, firstTerminal } from './desk.mjs';
import { Daemon, OUT, PROBE, browser, probeLog, scratch, until } from './harness.mjs';
import { notify } from './notify.mjs';
import { Viewer } from './page.mjs';

const SIZES = {
  phone: { size: { width: 390, height: 844 }, context: { hasTouch: true, isMobile: true, deviceScaleFactor: 2 } },
  tablet: { size: { width: 820, height: 1180 }, context: { hasTouch: true, isMobile: true } },
  desktop: { size: { width: 1440, height: 900 }, context: {} },
};

/** Looks at states one after the other and remembers what is wrong with each, so that one run tells all. */
class Tour {
  wrong = [];

  constructor(name) {
    this.name = name;
    this.folder = join(OUT, 'axe');
    mkdirSync(this.folder, { recursive: true });
  }

  async look(viewer, state) {
    await viewer.screenshot(join(this.folder, `${this.name}-${state}.png`));
    for (const each of await violations(viewer.page)) this.wrong.push(`${state}: ${each}`);
  }

  /** Opens something by a button, looks, and leaves it by Escape. */
  async open(viewer, button, state, then = async () => {}) {
    await viewer.page.getByRole('button', { name: button, exact: true }).click();
    await then();
    await this.look(viewer, state);
    await viewer.page.keyboard.press('Escape');
  }
}

for (const [size, { context, ...shape }] of Object.entries(SIZES)) {
  for (const colorScheme of ['dark', 'light']) {
    const options = { ...shape, script: AXE, context: { ...context, colorScheme, permissions: ['clipboard-read', 'clipboard-write'] } };

    test(`signing in and the desktop pass axe, ${size}, ${colorScheme}`, async (t) => {
      const tour = new Tour(`${size}-${colorScheme}`);
      const log = join(scratch(t), 'probe.jsonl');
      const daemon = await Daemon.start(t, { args: ['--size', '1280x720'], command: [PROBE, '--log', log] });
      await until('the probe to be focused', () => probeLog(log).some((each) => each.event === 'focus'));
      const instance = await browser(t);
      const network = new Network(0);
      const viewer = await Viewer.open(t, instance, { ...daemon, url: `${daemon.origin}/` }, {
        ...options,
        connected: false,
        query: 'transport=websocket',
        prepare: (page) => page.routeWebSocket(/\/vroom$/, (socket) => network.carry(socket)),
      });
      const { page } = viewer;
      await page.getByRole('heading', { name: 'Sign in to this desktop' }).waitFor();
      await tour.look(viewer, 'signin');
      await page.getByLabel('Token').fill('not the token');
      await page.keyboard.press('Enter');
      await until('the reason', async () => (await page.getByRole('alert').textContent()) !== '');
      await tour.look(viewer, 'signin-refused');
      await page.getByLabel('Token').fill(daemon.token);
      await page.keyboard.press('Enter');
      await viewer.connected();
      await tour.look(viewer, 'view');
      await tour.open(viewer, 'Settings and help', 'settings', () => page.getByText('Help and shortcuts').waitFor());
      await page.keyboard.press('Control+Alt+Shift+KeyS');
      await page.getByRole('region', { name: 'Statistics' }).waitFor();
      await tour.look(viewer, 'statistics');
      await page.keyboard.press('Control+Alt+Shift+KeyS');
      await page.keyboard.press('Control+Alt+Shift+KeyH');
      await tour.look(viewer, 'help');
      await page.keyboard.press('Escape');
      await tour.open(viewer, 'Files', 'desktop-files', () => page.locator('.crumbs button').first().waitFor());
      await viewer.setMode('interact');
      await page.getByText('together bring the keyboard back').waitFor();
      await tour.look(viewer, 'interact');

      const second = await Viewer.open(t, instance, daemon, { ...options, query: 'transport=websocket' });
      await second.page.locator('vroom-segments [data-value="interact"]').click();
      await second.page.getByRole('dialog').waitFor();
      await tour.look(second, 'somebody-drives');
      await second.page.getByRole('button', { name: /Ask for control|Keep watching/ }).first().click();
      await second.page.locator('.peoplebutton').click();
      await second.page.locator('.peoplelist').waitFor();
      await tour.look(second, 'people');
      await second.page.keyboard.press('Escape');
      await second.page.getByRole('button', { name: 'Chat', exact: true }).click();
      await second.page.getByLabel('Message to everybody').fill('Can I have control for a moment? It is about the printer that is not found.');
      await second.page.keyboard.press('Enter');
      await second.page.locator('.talklines li').waitFor();
      await tour.look(second, 'chat');
      await page.getByRole('button', { name: 'Chat, 1 unread' }).waitFor();
      await tour.look(viewer, 'chat-unread');
      notify(t, daemon, '-a', 'Mail', '-A', 'read=Read it', '-A', 'later=Later', 'New mail from Ann', 'About the printer.\nIt is not found.');
      notify(t, daemon, '-u', 'critical', 'The disk is full');
      await page.locator('.notices .program').nth(1).waitFor();
      await tour.look(viewer, 'notifications');
      await tour.open(viewer, 'Notifications, 2', 'notification-list');
      await page.getByRole('button', { name: 'Settings and help' }).click();
      await page.getByRole('button', { name: 'Open address…' }).click();
      await page.getByRole('textbox', { name: 'Address' }).fill('file:///etc/passwd');
      await page.keyboard.press('Enter');
      await tour.look(viewer, 'address');
      await page.keyboard.press('Escape');
      await second.context.close();

      await network.close();
      await page.locator('vroom-card').waitFor();
      await tour.look(viewer, 'connection-lost');
      assert.deepEqual(tour.wrong, []);
    });

    test(`terminals pass axe, ${size}, ${colorScheme}`, async (t) => {
      const tour = new Tour(`${size}-${colorScheme}`);
      const daemon = await Daemon.start(t, { args: ['--desktop', 'none'] });
      const instance = await browser(t);
      const network = new Network(0);
      const viewer = await Viewer.open(t, instance, daemon, {
        ...options,
        connected: false,
        query: 'transport=websocket',
        prepare: (page) => page.routeWebSocket(/\/vroom$/, (socket) => network.carry(socket)),
      });
      const { page } = viewer;
      const terminal = await firstTerminal(viewer);
      await terminal.type("for colour in 1 2 3 4 5 6; do printf '\\033[3%dmcolour %d\\033[m\\n' $colour $colour; done\n");
      await terminal.shows(/^colour 6$/m);
      await tour.look(viewer, 'terminal');
      await tour.open(viewer, 'Search', 'search', () => page.getByRole('searchbox').fill('colour'));
      await tour.open(viewer, 'Show as text', 'text');
      await tour.open(viewer, 'Share', 'share', async () => {
        await page.getByRole('button', { name: 'Create view link' }).click();
        await page.getByLabel('The new link').waitFor();
      });
      await page.evaluate(() => navigator.clipboard.writeText('echo one\necho \u001b[31mtwo\u200b\n'));
      await terminal.select();
      await page.keyboard.press('Control+Shift+KeyV');
      await page.getByRole('dialog', { name: 'Paste this?' }).waitFor();
      await tour.look(viewer, 'paste');
      await page.keyboard.press('Escape');

      await page.getByRole('button', { name: 'Files', exact: true }).click();
      const file = join(scratch(t), 'notes with a rather long name that has to be cut somewhere.txt');
      writeFileSync(file, 'x'.repeat(20_000));
      for (const outcome of ['Uploaded', 'Is there already']) {
        await page.locator('vroom-files input[type=file]').setInputFiles(file);
        await page.locator('.transfers').getByText(outcome).waitFor();
      }
      await tour.look(viewer, 'files');
      await page.getByRole('button', { name: 'Close files' }).click();

      await page.getByRole('button', { name: 'Split downwards' }).click();
      await until('two', async () => (await viewer.hook('terminals')).filter((each) => each.state === 'running').length === 2);
      await tour.look(viewer, 'split');
      await page.getByRole('button', { name: 'Sessions', exact: true }).click();
      await until('both in the list', async () => (await page.locator('.sessionlist li').count()) === 2);
      await tour.look(viewer, 'sessions');
      await page.getByRole('button', { name: /^Rename / }).first().click();
      await tour.look(viewer, 'rename');
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: /^End / }).first().click();
      await page.getByRole('dialog', { name: /^End / }).waitFor();
      await tour.look(viewer, 'end');
      await page.keyboard.press('Escape');
      await page.keyboard.press('Escape');
      await page.keyboard.press('Control+Alt+Shift+KeyW');
      await page.getByRole('dialog', { name: /^Close, or leave/ }).waitFor();
      await tour.look(viewer, 'close');
      await page.keyboard.press('Escape');

      await page.getByRole('button', { name: 'Settings and help' }).click();
      await page.getByText('Read terminal output to screen readers').click();
      await page.getByRole('group', { name: 'Terminal colours' }).getByText('Contrast').click();
      await tour.look(viewer, 'terminal-settings');
      await page.keyboard.press('Escape');
      await terminal.type('echo spoken-$((40+2))\n');
      await terminal.shows('spoken-42');
      await tour.look(viewer, 'screen-reader');

      const second = await Viewer.open(t, instance, daemon, { ...options, connected: false, query: 'transport=websocket' });
      await second.page.locator('.sessionlist .join').first().click();
      await second.page.locator('vroom-strip').getByRole('button', { name: 'Ask for control' }).click();
      await tour.look(second, 'watching');
      await page.locator('vroom-strip').getByText('asks for control').waitFor();
      await tour.look(viewer, 'asked');
      await second.context.close();

      await terminal.type('exit 3\n');
      await page.getByText('ended with status 3').waitFor();
      await tour.look(viewer, 'ended');
      await network.close();
      await page.locator('vroom-banner').waitFor();
      await tour.look(viewer, 'terminal-connection-lost');
      assert.deepEqual(tour.wrong, []);
    });
  }
}
