// A daemon with terminals only and a page on it, with the network between them in the hands of the test.

import { Daemon, browser, until } from './harness.mjs';
import { Viewer } from './page.mjs';

/** Opens both and waits for a prompt. `delayMs` is the way of a message from the daemon to the page. */
export async function openDesk(t, { args = [], env = {}, delayMs = 0, ...options } = {}) {
  const daemon = await Daemon.start(t, {
    args: ['--desktop', 'none', ...args],
    env,
  });
  const instance = await browser(t);
  const network = new Network(delayMs);
  const viewer = await openPage(t, instance, daemon, network, options);
  const terminal = await firstTerminal(viewer);
  return { daemon, instance, viewer, terminal, network };
}

/** Another page on the same daemon, a person of its own. */
export async function openPage(t, instance, daemon, network = new Network(0), { context = {}, ...options } = {}) {
  const viewer = await Viewer.open(t, instance, daemon, {
    connected: false,
    query: 'transport=websocket',
    prepare: (page) => page.routeWebSocket(/\/vroom$/, (socket) => network.carry(socket)),
    context: { permissions: ['clipboard-read', 'clipboard-write'], ...context },
    ...options,
  });
  await viewer.becomes('state', 'connected');
  return viewer;
}

/** The terminal that a page begins with, at its prompt. */
export async function firstTerminal(viewer) {
  const terminal = await until('a first terminal', async () => {
    const running = (await viewer.hook('terminals')).find((each) => each.state === 'running');
    return running && viewer.terminal(running.id);
  });
  // What is typed before the prompt is echoed twice: by the terminal, and by the shell.
  await terminal.shows(/\$\s*$/);
  return terminal;
}

/** What lies between a page and its daemon: it can be cut and closed, and it remembers what the daemon sent. */
export class Network {
  /** Everything that came from the daemon, one frame of the mux each. */
  received = [];
  /** Everything that the page sent. */
  sent = [];
  #open = [];
  #closed = false;

  constructor(delayMs) {
    this.delayMs = delayMs;
  }

  carry(socket) {
    if (this.#closed) return void socket.close({ code: 1013 });
    const server = socket.connectToServer();
    const link = { socket, server };
    this.#open.push(link);
    socket.onMessage((message) => {
      this.sent.push(Buffer.from(message));
      server.send(message);
    });
    server.onMessage((message) => {
      this.received.push(Buffer.from(message));
      if (this.delayMs === 0) socket.send(message);
      else setTimeout(() => this.#open.includes(link) && socket.send(message), this.delayMs);
    });
  }

  /** Cuts everything that is open. */
  async cut() {
    for (const { socket, server } of this.#open.splice(0)) {
      await server.close({ code: 1001 });
      await socket.close({ code: 1001 });
    }
  }

  /** Cuts, and lets nothing through any more. */
  async close() {
    this.#closed = true;
    await this.cut();
  }

  open() {
    this.#closed = false;
  }
}
