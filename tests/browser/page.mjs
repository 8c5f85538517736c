// One viewer: the real page in the real browser, and what a person sees and does in it.

import { existsSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { until } from './harness.mjs';

export class Viewer {
  /** Opens the page that the ready line names and waits until it is connected. */
  static async open(t, browser, daemon, { query = '', size = { width: 1360, height: 860 }, connected = true, script, prepare, context: options = {} } = {}) {
    const context = await browser.newContext({ viewport: size, ...options });
    t?.after(() => context.close());
    // Tells the tests which peer connections the page made; the page itself does not know.
    await context.addInitScript(() => {
      const Native = RTCPeerConnection;
      window.testPeers = [];
      window.testChannels = [];
      window.RTCPeerConnection = class extends Native {
        constructor(...args) {
          super(...args);
          window.testPeers.push(this);
        }

        createDataChannel(...args) {
          const channel = super.createDataChannel(...args);
          window.testChannels.push(channel);
          return channel;
        }
      };
    });
    if (script) await context.addInitScript(script);
    if (process.env.PAGE) await serveFrom(context, daemon, process.env.PAGE);
    const viewer = new Viewer();
    viewer.daemon = daemon;
    viewer.context = context;
    viewer.page = await context.newPage();
    await prepare?.(viewer.page);
    viewer.console = [];
    viewer.page.on('console', (message) => viewer.console.push(`${message.type()}: ${message.text()}`));
    viewer.page.on('pageerror', (error) => viewer.console.push(`pageerror: ${error.message}`));
    const url = new URL(daemon.url);
    url.search = query;
    await viewer.page.goto(url.href);
    if (connected) await viewer.connected();
    return viewer;
  }

  /** A value of the page's own test hook. */
  hook(name) {
    return this.page.evaluate((key) => structuredClone(window.vroom?.[key] ?? null), name);
  }

  /** Waits for a value of the test hook. */
  async becomes(name, wanted, patience) {
    return until(`${name} = ${wanted}`, async () => {
      const value = await this.hook(name);
      if (value === wanted) return true;
      throw new Error(`${name} is ${JSON.stringify(value)}; console: ${this.console.slice(-5).join(' | ')}`);
    }, patience);
  }

  async connected() {
    await this.becomes('state', 'connected');
    await until('a picture', async () => (await this.hook('frames')) > 0);
  }

  /** Chooses View or Interact as a person does, and waits until the server granted it. */
  async setMode(mode) {
    await this.page.locator(`vroom-segments [data-value="${mode}"]`).click();
    await this.becomes('mode', mode);
    if (mode === 'interact') await this.becomes('driving', true);
  }

  /** The place on the page that shows this point of the desktop. */
  async at(x, y) {
    return this.page.evaluate(([x, y]) => {
      const picture = [...document.querySelectorAll('vroom-desktop .picture')].find((each) => !each.hidden);
      const box = picture.getBoundingClientRect();
      const { width, height } = window.vroom.viewport;
      return { x: box.left + ((x + 0.5) * box.width) / width, y: box.top + ((y + 0.5) * box.height) / height };
    }, [x, y]);
  }

  async moveTo(x, y) {
    const place = await this.at(x, y);
    await this.page.mouse.move(place.x, place.y);
  }

  /** The colours of these points of the desktop, as [r, g, b], from the picture that is shown. */
  async pixels(points) {
    return this.page.evaluate((points) => {
      const picture = [...document.querySelectorAll('vroom-desktop .picture')].find((each) => !each.hidden);
      const width = picture.videoWidth || picture.width;
      const height = picture.videoHeight || picture.height;
      const canvas = new OffscreenCanvas(width, height);
      const context = canvas.getContext('2d', { willReadFrequently: true });
      context.drawImage(picture, 0, 0);
      // What keeps still lies over it.
      const patches = document.querySelector('vroom-desktop .patches:not([hidden])');
      if (patches && patches.width === width) context.drawImage(patches, 0, 0);
      return points.map(([x, y]) => [...context.getImageData(x, y, 1, 1).data.slice(0, 3)]);
    }, points);
  }

  /** The number that the probe's barcode shows, or null while it cannot be read. */
  async barcode() {
    const points = Array.from({ length: 24 }, (_, bit) => [bit * 16 + 8, 8]);
    const bits = (await this.pixels(points)).map(([r, g, b]) => (r + g + b > 384 ? 1 : 0));
    const number = bits.slice(0, 16).reduce((value, bit) => value * 2 + bit, 0);
    const proof = bits.slice(16).reduce((value, bit) => value * 2 + bit, 0);
    return proof === ((number ^ (number >> 8) ^ 0x5a) & 0xff) ? number : null;
  }

  /** Statistics of all live peer connections: inbound video, its codec, and selected pairs. */
  async peers() {
    return this.page.evaluate(async () => {
      const peers = [];
      for (const peer of window.testPeers.filter((each) => each.connectionState !== 'closed')) {
        const stats = [...(await peer.getStats()).values()];
        const video = stats.find((each) => each.type === 'inbound-rtp' && each.kind === 'video');
        const transports = stats.filter((each) => each.type === 'transport' && each.selectedCandidatePairId);
        peers.push({
          state: peer.connectionState,
          framesDecoded: video?.framesDecoded ?? 0,
          bytesReceived: video?.bytesReceived ?? 0,
          codec: stats.find((each) => each.id === video?.codecId)?.mimeType ?? null,
          selectedPairs: new Set(transports.map((each) => each.selectedCandidatePairId)).size,
          dataChannels: stats.filter((each) => each.type === 'data-channel' && each.state === 'open').map((each) => each.label),
        });
      }
      return peers;
    });
  }

  /** Opens a terminal tab and waits for its prompt. */
  async openTerminal() {
    const before = (await this.hook('terminals')).length;
    await this.page.getByRole('button', { name: 'New terminal' }).first().click();
    await until('a running terminal', async () => {
      const terminals = await this.hook('terminals');
      return terminals.length > before && terminals.at(-1).state === 'running';
    });
    const id = (await this.hook('terminals')).at(-1).id;
    return new TerminalTab(this, id);
  }

  /** A terminal of the page by its id. */
  terminal(id) {
    return new TerminalTab(this, id);
  }

  /** Sends one key as the browser would report it for a layout of the person's own. */
  async key(code, key, { down = true, up = true, modifiers = 0, location = 0 } = {}) {
    this.cdp ??= await this.context.newCDPSession(this.page);
    const printable = [...key].length === 1;
    const common = { code, key, modifiers, location, windowsVirtualKeyCode: printable ? key.toUpperCase().charCodeAt(0) & 0xff : 0 };
    if (down) {
      await this.cdp.send('Input.dispatchKeyEvent', printable && !(modifiers & 0b0110)
        ? { type: 'keyDown', text: key, unmodifiedText: key, ...common }
        : { type: 'rawKeyDown', ...common });
    }
    if (up) await this.cdp.send('Input.dispatchKeyEvent', { type: 'keyUp', ...common });
  }

  async screenshot(path) {
    await this.page.screenshot({ path });
  }
}

/** Takes the page from a folder, with the daemon's own headers, so that it can be tried without building vroomd. */
async function serveFrom(context, daemon, folder) {
  const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.wasm': 'application/wasm', '.svg': 'image/svg+xml' };
  await context.route((url) => url.origin === daemon.origin, async (route) => {
    const { pathname } = new URL(route.request().url());
    const path = join(folder, pathname === '/' ? 'index.html' : pathname);
    if (route.request().method() !== 'GET' || !existsSync(path)) return route.continue();
    const { headers } = await fetch(daemon.origin);
    await route.fulfill({ body: readFileSync(path), headers: { ...Object.fromEntries(headers), 'content-type': types[extname(path)], 'content-length': undefined, 'content-encoding': undefined } });
  });
}

/** One terminal: the only one of its tab, or one of several panes. */
class TerminalTab {
  constructor(viewer, id) {
    this.viewer = viewer;
    this.id = id;
    this.tab = viewer.page.locator(`#tab-${id}`);
    this.pane = viewer.page.locator(`#pane-${id}`);
  }

  async select() {
    if (await this.tab.count()) await this.tab.click();
    await this.pane.locator('textarea').focus();
  }

  /** Types as a person does. */
  async type(text) {
    await this.select();
    await this.viewer.page.keyboard.type(text);
  }

  async press(key) {
    await this.viewer.page.keyboard.press(key);
  }

  /** What the terminal shows. */
  async text() {
    return this.viewer.page.evaluate((id) => {
      const rows = document.querySelectorAll(`#pane-${id} .xterm-rows > div`);
      return [...rows].map((row) => row.textContent.replace(/\u00a0/g, ' ').trimEnd()).join('\n');
    }, this.id);
  }

  /** Everything that can be scrolled to, as a person copies it. */
  async everything() {
    return this.viewer.page.evaluate((id) => document.getElementById(`pane-${id}`).everything(), this.id);
  }

  async box() {
    return this.pane.boundingBox();
  }

  /** The place on the page of a cell of the screen. */
  async cell(row, col) {
    const box = await this.pane.locator('.xterm-rows > div').nth(row).boundingBox();
    const { cols } = await this.viewer.page.evaluate((id) => document.getElementById(`pane-${id}`).cells(), this.id);
    return { x: box.x + ((col + 0.5) * box.width) / cols, y: box.y + box.height / 2 };
  }

  async shows(pattern) {
    return until(`the terminal shows ${pattern}`, async () => {
      const text = await this.text();
      if (typeof pattern === 'string' ? text.includes(pattern) : pattern.test(text)) return text;
      throw new Error(text.slice(-600));
    });
  }
}
