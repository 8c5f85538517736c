/** A connection to a mock server in the same process, with a link that can be cut. */
import type { Bytes } from "../../src/core/bytes.ts";
import { Connection } from "../../src/core/mux/connection.ts";
import type { Link } from "../../src/core/mux/link.ts";
import type { SessionEntry } from "../../src/core/mux/sessions.ts";
import type { EngineCapabilities } from "../../src/core/terminal/capabilities.ts";
import { MockServer } from "../mock/server.ts";

export const ENGINE: EngineCapabilities = {
  unicodeVersion: "15.1",
  truecolor: true,
  kittyFlags: 31,
  kittyGraphics: true,
  sixel: true,
  synchronizedOutput: true,
  mouse: ["sgr"],
  features: ["bracketed_paste", "osc52_clipboard"],
};
export const SIZE = { rows: 24, cols: 80, widthPx: 0, heightPx: 0 };

/** Lets everything happen that is under way. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Waits until something is so. */
export async function until(what: () => boolean): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!what()) {
    if (performance.now() > deadline) throw new Error(`not within 30 s: ${what.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** A link whose messages arrive in later turns, until it is cut. */
class Wire implements Link {
  readonly kind = "shared";
  alive = true;
  receive: (message: Bytes) => void = () => undefined;

  writable(): boolean {
    return this.alive;
  }
  send(_: string, frame: Bytes): void {
    const copy = frame.slice();
    setImmediate(() => this.alive && this.receive(copy));
  }
  openLane(): void {}
  closeLane(): void {}
  close(): void {
    this.alive = false;
  }
}

export class Joined {
  readonly server = new MockServer();
  readonly events: string[] = [];
  entries: SessionEntry[] = [];
  connection!: Connection;
  #wire!: Wire;
  #auth: { type: "session"; token: string };

  constructor(key = "session-key", server?: MockServer) {
    if (server) this.server = server;
    this.#auth = { type: "session", token: key };
    this.begin();
  }

  /** A new session. */
  begin(): void {
    this.#wire = new Wire();
    const connection: Connection = new Connection(
      this.#wire,
      {
        welcome: () => this.events.push("welcome"),
        suspended: () => this.events.push("suspended"),
        resumed: () => this.events.push("resumed"),
        resumeRefused: () => this.events.push("refused"),
        sessions: (entries) => (this.entries = entries),
        control: () => undefined,
        error: (code) => this.events.push(`error ${code}`),
        closed: () => this.events.push("closed"),
      },
      0,
    );
    this.connection = connection;
    this.#attach(this.#wire);
    connection.start(this.#auth, 0);
  }

  #attach(wire: Wire): void {
    const conversation = this.server.converse(
      (_, frame) => {
        const copy = frame.slice();
        setImmediate(() => wire.alive && this.connection.receive(null, copy, 0));
      },
      () => undefined,
    );
    wire.receive = (message) => conversation.receive(message);
    this.cut = () => {
      wire.alive = false;
      conversation.lost();
      this.connection.lost("cut");
    };
  }

  /** Cuts the link; the session is kept. */
  cut: () => void = () => undefined;

  /** Goes on with the session over another link. */
  resume(): void {
    const wire = new Wire();
    this.#wire = wire;
    const [id, conversation] = [...this.server.state.kept][0] ?? [];
    if (!id || !conversation) throw new Error("nothing is kept");
    let first = true;
    wire.receive = (message) => {
      if (!first) return conversation.receive(message);
      first = false;
      const request = JSON.parse(new TextDecoder().decode(message.subarray(6))) as { lastSequence: number };
      this.server.state.kept.delete(id);
      conversation.resume(request.lastSequence, (_, frame) => setImmediate(() => wire.alive && this.connection.receive(null, frame.slice(), 0)), () => undefined);
    };
    this.cut = () => {
      wire.alive = false;
      conversation.lost();
      this.connection.lost("cut");
    };
    this.connection.resume(wire, this.#auth, 0);
  }

  /** The session is lost on both sides; a new one begins. */
  restart(): void {
    this.#wire.alive = false;
    this.connection.close(1001, "restart");
    for (const conversation of this.server.conversations.splice(0)) conversation.closed();
    this.begin();
  }
}
