// What a session says and asks: notifications of real programs, addresses, conversation, composition, its title.

import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { Daemon, OUT, browser, scratch, until } from './harness.mjs';
import { notify } from './notify.mjs';
import { Viewer } from './page.mjs';

const picture = async (viewer, name) => {
  mkdirSync(join(OUT, 'social'), { recursive: true });
  await viewer.screenshot(join(OUT, 'social', `${name}.png`));
};

/** A desktop with a terminal on it, and somebody who looks at it. */
async function desk(t, { config = '', script, context } = {}) {
  const daemon = await Daemon.start(t, { args: ['--size', '1280x720', '--no-sound'], config, command: ['foot', '--title', 'first title', 'sh', '-c', 'exec sleep 1000'] });
  const instance = await browser(t);
  const viewer = await Viewer.open(t, instance, daemon, { script, context });
  return { daemon, instance, viewer };
}

const cards = (viewer) => viewer.page.locator('.notices .program');
const bell = (viewer) => viewer.page.getByRole('button', { name: /^Notifications, / });

test('a program notifies everybody, and who drives answers it', async (t) => {
  const { daemon, instance, viewer } = await desk(t);
  const watcher = await Viewer.open(t, instance, daemon);
  await viewer.setMode('interact');
  const answer = notify(t, daemon, '-a', 'Mail', '-A', 'read=Read it', '-A', 'later=Later', 'New mail', 'From <b>Ann</b> &amp; <script>Bob</script>');
  for (const each of [viewer, watcher]) {
    await cards(each).getByText('New mail').waitFor();
    assert.equal(await cards(each).locator('.body').textContent(), 'From Ann & <script>Bob</script>');
    assert.match(await each.page.locator('[role=status].visually-hidden').textContent(), /^Mail\. New mail\. From Ann/);
  }
  await picture(viewer, 'card');
  await cards(watcher).getByRole('button', { name: 'Read it' }).click();
  await watcher.page.locator('.notices').getByText('only who drives answers').waitFor();
  await cards(viewer).getByRole('button', { name: 'Read it' }).click();
  assert.equal(await answer, 'read');
  for (const each of [viewer, watcher]) await cards(each).waitFor({ state: 'detached' });
});

test('what nobody saw to stays in the list, also for those who come later', async (t) => {
  const { daemon, instance, viewer } = await desk(t);
  const first = notify(t, daemon, 'One', 'first line\nsecond line');
  const urgent = notify(t, daemon, '-u', 'critical', '-a', 'Disk', 'Disk is full');
  await cards(viewer).getByText('Disk is full').waitFor();
  const late = await Viewer.open(t, instance, daemon);
  await until('both', async () => (await bell(late).getAttribute('aria-label')) === 'Notifications, 2');
  assert.equal(await cards(late).count(), 0, 'what is old does not jump at anybody');
  await bell(late).click();
  await late.page.locator('.noticelist').getByText('Disk is full').waitFor();
  await picture(late, 'list');
  await late.page.getByRole('button', { name: 'Dismiss One' }).click();
  await until('one less here', async () => (await late.page.locator('.noticelist li').count()) === 1);
  assert.equal(await bell(viewer).getAttribute('aria-label'), 'Notifications, 2', 'who watches decides for themselves only');
  await viewer.setMode('interact');
  await bell(viewer).click();
  for (const title of ['One', 'Disk is full']) await viewer.page.locator('.noticelist').getByRole('button', { name: `Dismiss ${title}` }).click();
  await Promise.all([first, urgent]);
  await bell(late).waitFor({ state: 'hidden' });
});

test('the browser shows notifications only after a click that permits it', async (t) => {
  const script = `
    window.shown = []; window.asked = 0;
    let permission = 'default';
    window.Notification = class {
      static get permission() { return permission; }
      static async requestPermission() { window.asked += 1; return (permission = 'granted'); }
      constructor(title, options) { window.shown.push([title, options.body]); }
      close() {}
    };
    window.Document.prototype.hasFocus = () => false;`;
  const { daemon, viewer } = await desk(t, { script });
  notify(t, daemon, 'Before');
  await cards(viewer).getByText('Before').waitFor();
  assert.deepEqual(await viewer.page.evaluate(() => [window.asked, window.shown]), [0, []]);
  await bell(viewer).click();
  await viewer.page.getByLabel(/outside of this page/).check();
  notify(t, daemon, 'After', 'words');
  await viewer.page.locator('.noticelist').getByText('After').waitFor();
  assert.deepEqual(await viewer.page.evaluate(() => [window.asked, window.shown]), [1, [['After', 'words']]]);
  await viewer.page.keyboard.press('Escape');
});

test('an address is opened in the browser of the desktop by who drives', async (t) => {
  const dir = scratch(t);
  const [program, opened] = [join(dir, 'browser'), join(dir, 'opened')];
  writeFileSync(program, `#!/bin/sh\necho "$1" >> '${opened}'\nexec foot --title "page of $1" sleep 1000\n`);
  chmodSync(program, 0o755);
  const { viewer } = await desk(t, { config: `[browser]\ncommand = ["${program}"]\n` });
  const { page } = viewer;
  const choose = async () => {
    await page.getByRole('button', { name: 'Settings and help' }).click();
    await page.getByRole('button', { name: 'Open address…' }).click();
  };
  await choose();
  await page.locator('.notices').getByText('only who drives opens addresses').waitFor();
  await viewer.setMode('interact');
  await choose();
  await page.getByRole('textbox', { name: 'Address' }).fill('file:///etc/passwd');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').getByText('Only addresses of web pages').waitFor();
  await picture(viewer, 'address');
  await page.getByRole('textbox', { name: 'Address' }).fill('example.org/bücher?a=1&b=$(2)');
  await page.keyboard.press('Enter');
  await until('the browser', () => existsSync(opened) && readFileSync(opened, 'utf8') === 'https://example.org/b%C3%BCcher?a=1&b=$(2)\n');
  await until('its title', async () => /^page of https:.* – VROOM$/.test(await page.title()));
  assert.match(await page.locator('#tab-desktop').getAttribute('title'), /^Desktop – page of https/);
  await page.getByRole('tab', { name: 'Desktop', exact: true }).waitFor();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
});

test('an address that cannot be opened is told to who asked', async (t) => {
  const { viewer } = await desk(t, { config: '[browser]\ncommand = ["false"]\n' });
  const { page } = viewer;
  await until('the title', async () => (await page.title()).startsWith('first title – '));
  await viewer.setMode('interact');
  await page.getByRole('button', { name: 'Settings and help' }).click();
  await page.getByRole('button', { name: 'Open address…' }).click();
  await page.getByRole('textbox', { name: 'Address' }).fill('example.org');
  await page.keyboard.press('Enter');
  await page.locator('.notices').getByText('false ended with status 1').waitFor();
  await until('nothing to be opening', async () => !/opening/.test(await page.locator('#tab-desktop').textContent()));
});

test('people at one desktop talk, and who comes later finds what was said', async (t) => {
  const { daemon, instance, viewer } = await desk(t);
  const chat = (each) => each.page.getByRole('button', { name: /^Chat/ });
  assert.equal(await chat(viewer).isVisible(), false, 'nobody to talk to');
  const second = await Viewer.open(t, instance, daemon);
  await chat(viewer).click();
  await viewer.page.getByLabel('Message to everybody').fill('Can you help me? <img src=x onerror=alert(1)>');
  await viewer.page.keyboard.press('Enter');
  await until('one unread', async () => (await chat(second).getAttribute('aria-label')) === 'Chat, 1 unread');
  await second.page.locator('.notices').getByText('Can you help me?').waitFor();
  await picture(second, 'chat-unread');
  await chat(second).click();
  assert.equal(await second.page.locator('.talklines .line').textContent(), 'Can you help me? <img src=x onerror=alert(1)>');
  await second.page.getByLabel('Message to everybody').fill('Yes.\nHand me control.');
  await second.page.keyboard.press('Enter');
  await viewer.page.locator('.talklines').getByText('Hand me control.').waitFor();
  assert.deepEqual(await viewer.page.locator('.talklines b').allTextContents().then((names) => names[0]), 'You');
  await picture(viewer, 'chat');
  assert.equal(await chat(second).getAttribute('aria-label'), 'Chat', 'all is read');
  await second.page.keyboard.press('Escape');
  await until('the focus on the button', () => chat(second).evaluate((button) => button === document.activeElement));
  const third = await Viewer.open(t, instance, daemon);
  await chat(third).click();
  assert.deepEqual(await third.page.locator('.talklines .line').allTextContents(), ['Can you help me? <img src=x onerror=alert(1)>', 'Yes.\nHand me control.']);
  // A connection that is lost and comes back tells nothing twice.
  await third.page.evaluate(() => window.testPeers.at(-1)?.close());
  await third.becomes('state', 'connected');
  await viewer.page.getByLabel('Message to everybody').fill('Still there?');
  await viewer.page.keyboard.press('Enter');
  await third.page.locator('.talklines').getByText('Still there?').waitFor();
  assert.equal(await third.page.locator('.talklines li').count(), 3);
});

test('what is composed is seen in the program, and its text takes its place', async (t) => {
  const dir = scratch(t);
  const seen = join(dir, 'seen');
  const script = join(dir, 'entry.py');
  writeFileSync(script, ENTRY);
  const daemon = await Daemon.start(t, { args: ['--size', '1280x720', '--no-sound'], command: ['/usr/bin/python3', script, seen], env: { GSETTINGS_BACKEND: 'memory' } });
  const viewer = await Viewer.open(t, await browser(t), daemon);
  await viewer.setMode('interact');
  await until('the entry (packages python3-gi, gir1.2-gtk-4.0)', async () => (await viewer.page.title()).startsWith('ready'));
  const lines = () => (existsSync(seen) ? readFileSync(seen, 'utf8').split('\n').filter(Boolean) : []);
  const shows = (wanted) => until(`${wanted}; seen ${lines().slice(-4)}`, () => lines().at(-1) === wanted);
  const cdp = await viewer.context.newCDPSession(viewer.page);
  const compose = (text) => cdp.send('Input.imeSetComposition', { text, selectionStart: text.length, selectionEnd: text.length });
  await compose('に');
  await shows('|に');
  await compose('にほん');
  await shows('|にほん');
  await picture(viewer, 'composing');
  await cdp.send('Input.insertText', { text: '日本' });
  await shows('日本|');
  await compose('x');
  await shows('日本|x');
  await compose('');
  await shows('日本|');
  await viewer.page.keyboard.type('ok');
  await shows('日本ok|');
  // GTK tells of the text before it tells that what was composed is gone, and draws neither before both.
  assert.ok(lines().every((line) => !/日本.*日本|ok.*ok/.test(line.split('|')[0])), `nothing is doubled: ${lines()}`);
});

/** A window that is one text field; writes a line for each change of what stands in it and what is composed. */
const ENTRY = `import sys, gi
gi.require_version('Gtk', '4.0')
from gi.repository import Gtk
composed = ''
def write(entry):
    with open(sys.argv[1], 'a', encoding='utf-8') as file:
        file.write(entry.get_text() + '|' + composed + '\\n')
def activate(app):
    window = Gtk.ApplicationWindow(application=app, title='loading')
    entry = Gtk.Entry()
    def composing(text, preedit):
        global composed
        composed = preedit
        write(entry)
    entry.connect('changed', write)
    entry.get_delegate().connect('preedit-changed', composing)
    window.set_child(entry)
    def active(*_):
        if window.is_active():
            entry.grab_focus()
            window.set_title('ready')
    window.connect('notify::is-active', active)
    window.present()
app = Gtk.Application()
app.connect('activate', activate)
app.run([])
`;
