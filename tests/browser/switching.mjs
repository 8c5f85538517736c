// Takes away from a page what carries its picture, while somebody types.

import assert from 'node:assert/strict';
import { probeLog, until } from './harness.mjs';

/** Runs in the page before its own scripts: sockets that can be closed, and decoders that can be broken. */
export function breakable() {
  const [Socket, Decoder] = [window.WebSocket, window.VideoDecoder];
  window.testSockets = [];
  window.testDecoderBroken = false;
  window.WebSocket = class extends Socket {
    constructor(...args) {
      super(...args);
      window.testSockets.push(this);
    }
  };
  if (!Decoder) return;
  window.VideoDecoder = class extends Decoder {
    #error;

    constructor(init) {
      super(init);
      this.#error = init.error;
    }

    decode(chunk) {
      if (!window.testDecoderBroken) return super.decode(chunk);
      this.close();
      queueMicrotask(() => this.#error(new DOMException('broken by a test', 'EncodingError')));
    }
  };
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
/** Evdev codes of these letters. */
const CODES = [30, 48, 46, 32, 18, 33, 34, 35, 23, 36, 37, 38, 50, 49, 24, 25, 16, 19, 31, 20, 22, 47, 17, 45, 21, 44];

/** Types all letters `times` times by `type`, and holds what the program got against what was typed. */
async function arrives(viewer, log, times, type) {
  const keys = () => probeLog(log).filter((each) => each.event === 'key');
  const before = keys().length;
  await type();
  const wanted = Array(times).fill(CODES).flat().flatMap((code) => [[code, true], [code, false]]);
  await until('all letters in the program', () => {
    const got = keys().slice(before);
    if (got.length >= wanted.length) return true;
    throw new Error(`only ${got.filter((each) => each.down).map((each) => LETTERS[CODES.indexOf(each.code)]).join('')}`);
  });
  assert.deepEqual(keys().slice(before).map(({ code, down }) => [code, down]), wanted, 'in their order, once');
  await until('all inputs in the picture', async () => {
    const inputs = probeLog(log).filter((each) => ['key', 'button', 'axis', 'axis120', 'motion', 'touch'].includes(each.event)).length;
    const seen = await viewer.barcode();
    if (seen === inputs) return true;
    throw new Error(`the picture shows ${seen} inputs of ${inputs}`);
  });
}

/** The page lives through a lost socket and a decoder that breaks, with everything that was open. */
export async function livesThrough(viewer, log) {
  await viewer.setMode('interact');
  const terminal = await viewer.openTerminal();
  await terminal.type('echo before-$((1+1))\n');
  await terminal.shows('before-2');
  await viewer.page.getByRole('tab', { name: /desktop/i }).click();
  // What is on its way arrives. While no link is there the page takes no keys: nobody sees where they go.
  await arrives(viewer, log, 2, async () => {
    await viewer.page.keyboard.type(LETTERS);
    await viewer.page.evaluate(() => window.testSockets.at(-1).close());
    await until('another socket', () => viewer.page.evaluate(() => window.testSockets.length === 2));
    await viewer.connected();
    await viewer.becomes('driving', true);
    await viewer.page.keyboard.type(LETTERS);
  });
  assert.equal(await viewer.hook('mode'), 'interact', 'the same session');
  await arrives(viewer, log, 1, async () => {
    await viewer.page.evaluate(() => (window.testDecoderBroken = true));
    await viewer.page.keyboard.type(LETTERS, { delay: 60 });
    await until('JPEG', async () => (await viewer.hook('stats'))?.codec === 'JPEG');
  });
  assert.equal(await viewer.hook('mode'), 'interact', 'still the same session');
  assert.equal(await viewer.page.evaluate(() => window.testSockets.length), 2, 'and the same socket');
  await terminal.select();
  await viewer.page.keyboard.type('echo after-$((1+2))\n');
  const shown = await terminal.shows('after-3');
  assert.match(shown, /before-2/);
}
