// The program at the far side of a terminal, in the hands of the test.

import net from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { scratch, until } from './harness.mjs';

const RELAY = join(dirname(fileURLToPath(import.meta.url)), 'relay.mjs');

export class FarSide {
  /** Runs the relay on this terminal and waits until it is there. */
  static async start(t, terminal) {
    const far = new FarSide();
    far.typed = Buffer.alloc(0);
    const path = join(scratch(t), 'relay');
    const server = net.createServer();
    await new Promise((done) => server.listen(path, done));
    t.after(() => server.close());
    const connected = new Promise((done) => server.once('connection', done));
    await terminal.type(`exec node '${RELAY}' '${path}'\n`);
    far.socket = await connected;
    t.after(() => far.socket.destroy());
    far.socket.on('data', (bytes) => (far.typed = Buffer.concat([far.typed, bytes])));
    far.socket.on('error', () => undefined);
    return far;
  }

  /** Writes output; completes when the relay has taken it. */
  async write(bytes) {
    await new Promise((done) => this.socket.write(bytes, done));
  }

  /** Everything typed since the last call. */
  take() {
    const typed = this.typed;
    this.typed = Buffer.alloc(0);
    return typed;
  }

  /** Waits until what was typed since the last `take` ends with this, or holds it. */
  async reads(bytes, { atEnd = false } = {}) {
    const wanted = Buffer.from(bytes);
    return until(`the far side reads ${JSON.stringify(wanted.toString())}`, () => {
      const found = atEnd ? this.typed.subarray(-wanted.length).equals(wanted) : this.typed.includes(wanted);
      if (!found) throw new Error(JSON.stringify(this.typed.subarray(-200).toString('latin1')));
      return true;
    });
  }
}
