// A network between the browser and the server that is as bad as a test wants, for WebRTC over UDP.

import dgram from 'node:dgram';

/** Numbers from a seed, the same every time. */
function numbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** One way of the link: a rate, a queue that is so long, a delay and losses. */
class Way {
  sent = 0;
  dropped = 0;
  bytes = 0;
  #free = 0;

  constructor(shape, seed) {
    this.shape = shape;
    this.random = numbers(seed);
  }

  /** Sends a packet after its time in the queue, or drops it. */
  carry(packet, send) {
    const { kbps = Infinity, queueMs = 300, delayMs = 0, loss = 0 } = this.shape;
    const now = performance.now();
    const wait = Math.max(0, this.#free - now);
    if (this.random() < loss || wait > queueMs) {
      this.dropped += 1;
      return;
    }
    this.#free = Math.max(now, this.#free) + (packet.length * 8) / kbps;
    this.sent += 1;
    this.bytes += packet.length;
    const later = this.#free - now + delayMs;
    if (later < 1) send();
    else setTimeout(send, later);
  }
}

export class Link {
  /** Both ways have the same shape; `down` leads to the browser. */
  constructor(t, shape, seed = 1) {
    this.down = new Way(shape, seed);
    this.up = new Way(shape, seed + 1);
    this.relays = new Map();
    t.after(() => {
      for (const sockets of this.relays.values()) for (const socket of sockets) socket.close();
    });
  }

  /** Changes both ways from now on. */
  set shape(shape) {
    this.down.shape = shape;
    this.up.shape = shape;
  }

  /** For `Viewer.open`: the page reaches the server by this link only. */
  get prepare() {
    return (page) => page.exposeFunction('linkFor', (ip, port) => this.#relay(ip, Number(port)));
  }

  /** For `Viewer.open`: puts the link into every candidate of the server. */
  static get script() {
    return () => {
      const line = /(candidate:\S+ \d+ udp \d+) (\S+) (\d+) /i;
      const bent = async (text) => {
        const parts = text.split('\n');
        for (const [place, part] of parts.entries()) {
          const found = line.exec(part);
          if (found) parts[place] = part.replace(line, `$1 ${found[2]} ${await window.linkFor(found[2], found[3])} `);
        }
        return parts.join('\n');
      };
      const { setRemoteDescription, addIceCandidate } = RTCPeerConnection.prototype;
      RTCPeerConnection.prototype.setRemoteDescription = async function (description) {
        return setRemoteDescription.call(this, { type: description.type, sdp: await bent(description.sdp) });
      };
      RTCPeerConnection.prototype.addIceCandidate = async function (candidate) {
        return addIceCandidate.call(this, { ...candidate, candidate: await bent(candidate.candidate) });
      };
    };
  }

  async #relay(ip, port) {
    const key = `${ip} ${port}`;
    const known = this.relays.get(key);
    if (known) return known[0].address().port;
    const kind = ip.includes(':') ? 'udp6' : 'udp4';
    const [front, back] = [dgram.createSocket(kind), dgram.createSocket(kind)];
    this.relays.set(key, [front, back]);
    let browser = null;
    const quiet = () => undefined;
    front.on('message', (packet, from) => {
      browser = from;
      this.up.carry(packet, () => this.#send(back, packet, port, ip));
    });
    back.on('message', (packet) => {
      const to = browser;
      if (to) this.down.carry(packet, () => this.#send(front, packet, to.port, to.address));
    });
    for (const socket of [front, back]) {
      socket.on('error', quiet);
      await new Promise((done) => socket.bind(0, ip, done));
    }
    return front.address().port;
  }

  #send(socket, packet, port, address) {
    try {
      socket.send(packet, port, address);
    } catch {
      // The test is over.
    }
  }
}
