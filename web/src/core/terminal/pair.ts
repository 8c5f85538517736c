/** One pair of channels of a terminal, and the conversation on them up to its end. */
import type { Bytes } from "../bytes.ts";
import type { Channel } from "../mux/channel.ts";
import { ChannelRejected, reliable } from "../mux/channel.ts";
import { Code } from "../mux/codes.ts";
import type { Connection } from "../mux/connection.ts";
import type { EngineCapabilities, Selected } from "./capabilities.ts";
import type { ExitStatus, PtyGrant, PtyWish, TerminalSize } from "./client.ts";
import { TerminalClient } from "./client.ts";
import type { Repaint } from "./pty.ts";
import { Pty, encodeAck, readOffset, readOutput, readRepaint } from "./pty.ts";
import type { ShareAction, ShareState } from "./share.ts";

/** After EXIT_STATUS the terminal counts as ended when no output has come for this long. */
export const EXIT_DRAIN_MS = 1_500;

/** What a pair reports. */
export interface PairEvents {
  selected(selected: Selected): void;
  /** The PTY channel is open; input may leave and output comes. */
  joined(grant: PtyGrant): void;
  started(): void;
  output(bytes: Bytes): void;
  repaint(offset: number, body: Bytes): void;
  /** Input of this writer was applied up to this offset. */
  applied(offset: number): void;
  resized(rows: number, cols: number): void;
  mode(bits: number): void;
  shared(share: ShareState): void;
  warned(reason: string): void;
  /** The last event. */
  ended(end: PairEnd): void;
}

/** Why a pair ended: the program did, the terminal is refused or gone, or the connection was lost. */
export type PairEnd = { kind: "exit"; status: ExitStatus } | { kind: "failed"; code: number; reason: string } | { kind: "lost" };

/** The channel pair of terminal number `key`; the first has no suffix. */
export function channelPair(key: number): { control: string; pty: string } {
  const suffix = key === 1 ? "" : `#${key}`;
  return { control: `vroom.terminal.control${suffix}`, pty: `vroom.terminal.pty${suffix}` };
}

export class Pair {
  readonly #client: TerminalClient;
  #control: Channel | null = null;
  #pty: Channel | null = null;
  #flow = false;
  #received = 0;
  #exit: ExitStatus | null = null;
  #drain: ReturnType<typeof setTimeout> | null = null;
  #ended = false;

  constructor(
    private readonly connection: Connection,
    private readonly key: number,
    engine: EngineCapabilities,
    size: TerminalSize,
    wish: PtyWish,
    private readonly events: PairEvents,
  ) {
    this.#client = new TerminalClient(engine, size, wish, { COLORTERM: "truecolor", TERM_PROGRAM: "vroom" }, {
      transmit: (record) => this.#control?.send(Pty.Bytes, record),
      selected: (selected) => {
        this.#flow = selected.flowControl;
        events.selected(selected);
      },
      ptyAllocated: (grant) => void this.#join(grant),
      started: () => events.started(),
      exited: (status) => this.#exited(status),
      resized: (rows, cols) => events.resized(rows, cols),
      mode: (bits) => events.mode(bits),
      shared: (share) => events.shared(share),
      failed: (code, reason) => this.#end({ kind: "failed", code, reason }),
      warned: (_, reason) => events.warned(reason),
    });
  }

  /** True when output comes by credit and input is acknowledged. */
  get flow(): boolean {
    return this.#flow;
  }

  /** Opens the pair and runs the conversation up to a shell. */
  async start(): Promise<void> {
    const control = await this.#open(channelPair(this.key).control);
    if (!control) return;
    this.#control = control;
    control.onmessage = (_, payload) => this.#client.receive(payload);
    control.onclose = (reason, byPeer) => this.#closed(reason, byPeer);
    this.#client.start();
  }

  /** True while input can leave. */
  get isJoined(): boolean {
    return this.#pty !== null;
  }

  write(bytes: Uint8Array): void {
    this.#pty?.send(Pty.Bytes, bytes);
  }

  /** Tells the server how much output is parsed. */
  acknowledge(offset: number): void {
    if (this.#flow) this.#pty?.send(Pty.Ack, encodeAck(offset), (_, newer) => newer);
  }

  resize(size: TerminalSize): void {
    this.#client.resize(size);
  }

  share(action: ShareAction): void {
    this.#client.share(action);
  }

  /** Closes the pair; nothing is reported any more. */
  close(): void {
    this.#ended = true;
    if (this.#drain !== null) clearTimeout(this.#drain);
    this.#pty?.close("closed by the user");
    this.#control?.close("closed by the user");
  }

  async #join(grant: PtyGrant): Promise<void> {
    const pty = await this.#open(grant.channel);
    if (!pty) return;
    this.#pty = pty;
    this.#received = this.#flow ? (grant.offset ?? 0) : 0;
    this.events.joined(grant);
    pty.onmessage = (type, payload) => this.#message(type, payload);
    pty.onclose = () => {
      this.#pty = null;
      if (this.#exit) this.#end({ kind: "exit", status: this.#exit });
    };
    this.#client.ptyOpened();
  }

  #message(type: number, payload: Bytes): void {
    if (!this.#flow) this.#output(payload);
    else if (type === Pty.Bytes) this.#output(payload);
    else if (type === Pty.Zstd) this.#output(readOutput(payload));
    else if (type === Pty.Repaint) this.#repaint(readRepaint(payload));
    else if (type === Pty.Ack) {
      const offset = readOffset(payload);
      if (offset !== null) this.events.applied(offset);
      return;
    }
    if (this.#exit) this.#finish(this.#exit);
  }

  #output(bytes: Bytes | null): void {
    if (!bytes) return this.#unreadable();
    this.#received += bytes.length;
    this.events.output(bytes);
  }

  #repaint(repaint: Repaint | null): void {
    if (!repaint) return this.#unreadable();
    this.#received = repaint.offset;
    this.events.repaint(repaint.offset, repaint.body);
  }

  /** Output that was left out would leave another screen than the program's. */
  #unreadable(): void {
    this.#end({ kind: "failed", code: Code.InvalidMessage, reason: "The server sent output that cannot be read; open the terminal again from the list of sessions." });
  }

  async #open(name: string): Promise<Channel | null> {
    try {
      const channel = await this.connection.open(reliable(name));
      if (!this.#ended) return channel;
      channel.close("closed by the user");
    } catch (error) {
      if (!(error instanceof ChannelRejected)) throw error;
      if (this.connection.isOpen) this.#end({ kind: "failed", code: error.code, reason: error.reason || error.message });
      else this.#end({ kind: "lost" });
    }
    return null;
  }

  #closed(reason: string, byPeer: boolean): void {
    if (byPeer && this.connection.isOpen && reason !== "") this.#end({ kind: "failed", code: 0, reason });
    else this.#end({ kind: "lost" });
  }

  /** Output may arrive after the status, by credit or because every channel has its own lane. */
  #exited(status: ExitStatus): void {
    this.#exit = status;
    if (!this.#pty) this.#end({ kind: "exit", status });
    else this.#finish(status);
  }

  #finish(status: ExitStatus): void {
    const end = this.#flow ? status.offset : status.ptyBytes;
    if (this.#drain !== null) clearTimeout(this.#drain);
    if (end !== undefined && this.#received >= end) this.#end({ kind: "exit", status });
    else this.#drain = setTimeout(() => this.#end({ kind: "exit", status }), EXIT_DRAIN_MS);
  }

  #end(end: PairEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#drain !== null) clearTimeout(this.#drain);
    this.#pty?.close();
    this.#control?.close();
    this.events.ended(this.#exit && end.kind === "lost" ? { kind: "exit", status: this.#exit } : end);
  }
}
