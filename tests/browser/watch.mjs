// Looks over a page's shoulder: everything that output must never make it do.

import assert from 'node:assert/strict';
import { CANARY } from './corpus.mjs';

/** Put into every document before the page's own scripts. */
export function observe() {
  const seen = { reads: 0, writes: [], opened: [], printed: 0, files: 0, titles: [], notifications: 0, stall: 0 };
  window.testSeen = seen;
  const clipboard = navigator.clipboard;
  if (clipboard) {
    clipboard.readText = async () => ((seen.reads += 1), 'the clipboard of the person');
    clipboard.read = async () => ((seen.reads += 1), []);
    clipboard.writeText = async (text) => void seen.writes.push(text);
  }
  const exec = document.execCommand.bind(document);
  document.execCommand = (name, ...rest) => {
    if (name === 'paste') seen.reads += 1;
    return exec(name, ...rest);
  };
  window.open = (url) => (seen.opened.push(String(url)), null);
  window.print = () => void (seen.printed += 1);
  for (const name of ['showOpenFilePicker', 'showSaveFilePicker', 'showDirectoryPicker']) {
    window[name] = async () => {
      seen.files += 1;
      throw new DOMException('no', 'AbortError');
    };
  }
  window.Notification = class {
    static permission = 'granted';
    constructor() {
      seen.notifications += 1;
    }
  };
  document.addEventListener('DOMContentLoaded', () => {
    const look = () => seen.titles.push(document.title);
    look();
    new MutationObserver(look).observe(document.head, { subtree: true, childList: true, characterData: true });
    // How long the page's thread was away at most.
    let last = performance.now();
    setInterval(() => {
      const now = performance.now();
      seen.stall = Math.max(seen.stall, now - last - 10);
      last = now;
    }, 10);
  });
}

/** What a page did since it was opened. */
export class Watch {
  /** Begins to watch a page that has come to rest. */
  static async start(viewer) {
    const watch = new Watch(viewer);
    watch.before = await watch.elements();
    return watch;
  }

  constructor(viewer) {
    this.viewer = viewer;
    this.events = [];
    const { page, context } = viewer;
    page.on('dialog', (dialog) => {
      this.events.push(`dialog: ${dialog.message()}`);
      dialog.dismiss().catch(() => undefined);
    });
    page.on('framenavigated', (frame) => this.events.push(`navigation: ${frame.url()}`));
    page.on('request', (request) => this.events.push(`request: ${request.method()} ${request.url()}`));
    page.on('download', (download) => this.events.push(`download: ${download.url()}`));
    page.on('filechooser', () => this.events.push('file chooser'));
    page.on('pageerror', (error) => this.events.push(`error: ${error.message}`));
    page.on('websocket', (socket) => this.events.push(`websocket: ${socket.url()}`));
    context.on('page', (opened) => this.events.push(`window: ${opened.url()}`));
  }

  /** Fails when the page did anything that output must not make it do. */
  async check(what) {
    assert.deepEqual(this.events, [], what);
    const seen = await this.viewer.page.evaluate(() => ({ ...window.testSeen, titles: window.testSeen.titles.splice(0), writes: [] }));
    assert.equal(seen.reads, 0, `${what}: the clipboard was read`);
    assert.deepEqual(seen.opened, [], `${what}: a window was opened`);
    assert.equal(seen.printed, 0, `${what}: it printed`);
    assert.equal(seen.files, 0, `${what}: it asked for files`);
    assert.equal(seen.notifications, 0, `${what}: it notified`);
    for (const title of seen.titles) plainTitle(title, what);
    for (const terminal of await this.viewer.hook('terminals')) plainTitle(terminal.title, what);
    const now = await this.elements();
    assert.ok(!now.html.includes(CANARY), `${what}: output stands outside the terminal: ${now.text.slice(0, 2000)}`);
    assert.deepEqual(now.counts, this.before.counts, `${what}: elements of the output's making`);
    return seen;
  }

  /** What the page is made of outside its terminals. */
  elements() {
    return this.viewer.page.evaluate(() => {
      const copy = document.documentElement.cloneNode(true);
      for (const inside of copy.querySelectorAll('.xterm')) inside.remove();
      const counts = {};
      for (const name of ['script', 'img', 'iframe', 'object', 'embed', 'link', 'form', 'base', 'meta']) counts[name] = copy.querySelectorAll(name).length;
      return { text: copy.textContent, html: copy.innerHTML, counts };
    });
  }
}

function plainTitle(title, what) {
  // The page may put its own name behind it.
  assert.ok([...title].length <= 256 + 32, `${what}: a title of ${[...title].length} characters`);
  assert.doesNotMatch(title, /[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/, `${what}: controls in a title`);
}
