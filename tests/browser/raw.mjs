// A client without manners: it speaks the wire by hand, so that it can also lie.

import WebSocket from 'ws';
import { until } from './harness.mjs';

/** One frame of the mux. */
export function frame(channel, type, payload = Buffer.alloc(0), flags = 0) {
  const body = Buffer.isBuffer(payload) ? payload : Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload));
  const header = Buffer.from([channel, type, flags, 0, body.length >> 8, body.length & 0xff]);
  return Buffer.concat([header, body]);
}

export const keyDown = (channel, key, code, modifiers = 0) => frame(channel, 0x12, keyBody(key, code, modifiers));
export const keyUp = (channel, key, code, modifiers = 0) => frame(channel, 0x13, keyBody(key, code, modifiers));
export const mouseMove = (channel, x, y) => frame(channel, 0x01, u16(x, y));
export const mouseDown = (channel, x, y, button) => frame(channel, 0x10, Buffer.concat([u16(x, y), Buffer.from([button])]));
export const mouseUp = (channel, x, y, button) => frame(channel, 0x11, Buffer.concat([u16(x, y), Buffer.from([button])]));

function u16(...values) {
  const bytes = Buffer.alloc(values.length * 2);
  values.forEach((value, place) => bytes.writeUInt16BE(value, place * 2));
  return bytes;
}

function keyBody(key, code, modifiers) {
  const [k, c] = [Buffer.from(key), Buffer.from(code)];
  return Buffer.concat([Buffer.from([k.length]), k, Buffer.from([c.length]), c, Buffer.from([modifiers])]);
}

export class Raw {
  /** Connects a WebSocket and nothing more. */
  static async open(t, daemon, { headers = {}, path = '/vroom' } = {}) {
    const raw = new Raw();
    raw.received = [];
    raw.closed = false;
    raw.socket = new WebSocket(`ws://127.0.0.1:${daemon.port}${path}`, ['xumux.0.1'], { headers });
    raw.socket.on('message', (data) => raw.received.push({ channel: data[0], type: data[1], payload: data.subarray(6) }));
    raw.socket.on('close', () => (raw.closed = true));
    raw.socket.on('error', () => (raw.closed = true));
    t?.after(() => raw.socket.terminate());
    await new Promise((done, failed) => {
      raw.socket.once('open', done);
      raw.socket.once('error', failed);
    });
    return raw;
  }

  /** Says hello and shakes hands, as a client with every input capability. */
  static async join(t, daemon, { token = daemon.token, capabilities = ['pointer', 'keyboard', 'touch', 'text', 'sharing'] } = {}) {
    const raw = await Raw.open(t, daemon);
    raw.send(frame(0, 0x01, { version: [0, 1, 0], application: 'vroom/0.1', channels: [], auth: { type: 'token', token } }));
    await raw.next('WELCOME', 0, 0x02);
    raw.send(frame(0, 0x80, { version: '0.1.0', control_encoding: ['json'], capabilities, viewport: { width: 1280, height: 720 } }));
    raw.handshake = await raw.next('handshake', 0, 0x80);
    return raw;
  }

  send(bytes) {
    this.socket.send(bytes);
  }

  /** Opens a channel and gives its id. */
  async channel(name, spec = { reliable: true, ordered: true }) {
    this.requests = (this.requests ?? 0) + 1;
    const requestId = this.requests;
    this.send(frame(0, 0x03, { requestId, name, ...spec }));
    const ack = await until(`ACK of ${name}`, () => this.received.find((each) => each.channel === 0 && each.type === 0x04 && json(each).requestId === requestId));
    return json(ack).id;
  }

  /** Waits for a message of this type that `accept` likes; gives its JSON. */
  async next(what, channel, type, accept = () => true) {
    const found = await until(what, () => {
      const message = this.received.find((each) => each.channel === channel && each.type === type && accept(json(each)));
      if (!message && this.closed) throw new Error('the socket is closed');
      return message;
    });
    return json(found);
  }

  /** Forgets what came so far. */
  forget() {
    this.received.length = 0;
  }
}

function json(message) {
  return JSON.parse(message.payload.toString());
}
