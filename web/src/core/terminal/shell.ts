/** One terminal on a connection: its pair of channels and the conversation on them. */
import type { Bytes } from "../bytes.ts";
import type { Channel } from "../mux/channel.ts";
import { ChannelRejected, reliable } from "../mux/channel.ts";
import type { Connection } from "../mux/connection.ts";
import type { EngineCapabilities, Selected } from "./capabilities.ts";
import type { ExitStatus, TerminalSize } from "./client.ts";
import { TerminalClient } from "./client.ts";

/** Mux type of raw PTY bytes and of control records. */
const RAW = 0x00;

/** How long output may still come after EXIT_STATUS before the terminal counts as ended. */
export const EXIT_DRAIN_MS = 1_500;

/** What a shell reports to its tab. */
export interface ShellEvents {
  output(bytes: Bytes): void;
  selected(selected: Selected): void;
  started(): void;
  warned(reason: string): void;
  /** The last event: how it ended, or why it could not go on. */
  ended(end: ShellEnd): void;
}

export type ShellEnd = { kind: "exit"; status: ExitStatus } | { kind: "failed"; reason: string } | { kind: "lost" };

/** The channel pair of terminal number `key`; the first has no suffix. */
export function channelPair(key: number): { control: string; pty: string } {
  const suffix = key === 1 ? "" : `#${key}`;
  return { control: `vroom.terminal.control${suffix}`, pty: `vroom.terminal.pty${suffix}` };
}

export class Shell {
  readonly #client: TerminalClient;
  #control: Channel | null = null;
  #pty: Channel | null = null;
  #received = 0;
  #exit: ExitStatus | null = null;
  #ended = false;

  constructor(
    private readonly connection: Connection,
    readonly key: number,
    engine: EngineCapabilities,
    size: TerminalSize,
    private readonly events: ShellEvents,
  ) {
    this.#client = new TerminalClient(engine, size, { COLORTERM: "truecolor", TERM_PROGRAM: "vroom" }, {
      transmit: (record) => this.#control?.send(RAW, record),
      selected: (selected) => events.selected(selected),
      ptyAllocated: (channel) => void this.#openPty(channel),
      started: () => events.started(),
      exited: (status) => this.#exited(status),
      failed: (_, reason) => this.#end({ kind: "failed", reason }),
      warned: (_, reason) => events.warned(reason),
    });
  }

  /** Opens the pair and runs the conversation up to a shell. */
  async start(): Promise<void> {
    const control = await this.#open(channelPair(this.key).control);
    if (!control) return;
    this.#control = control;
    control.onmessage = (_, payload) => this.#client.receive(payload);
    control.onclose = () => this.#end({ kind: "lost" });
    this.#client.start();
  }

  /** Sends typed bytes to the program. */
  write(bytes: Uint8Array): void {
    this.#pty?.send(RAW, bytes);
  }

  resize(size: TerminalSize): void {
    this.#client.resize(size);
  }

  /** Closes the pair; the server ends the program. */
  close(): void {
    this.#ended = true;
    this.#pty?.close("closed by the user");
    this.#control?.close("closed by the user");
  }

  async #openPty(name: string): Promise<void> {
    const pty = await this.#open(name);
    if (!pty) return;
    this.#pty = pty;
    pty.onmessage = (_, payload) => {
      this.#received += payload.length;
      this.events.output(payload);
      this.#finish();
    };
    pty.onclose = () => {
      this.#pty = null;
      if (this.#exit) this.#end({ kind: "exit", status: this.#exit });
    };
    this.#client.ptyOpened();
  }

  async #open(name: string): Promise<Channel | null> {
    try {
      const channel = await this.connection.open(reliable(name));
      if (!this.#ended) return channel;
      channel.close("closed by the user");
    } catch (error) {
      if (!(error instanceof ChannelRejected)) throw error;
      this.#end({ kind: "failed", reason: error.reason || error.message });
    }
    return null;
  }

  /** Output may arrive after the status where every channel has its own lane. */
  #exited(status: ExitStatus): void {
    this.#exit = status;
    if (!this.#pty) this.#end({ kind: "exit", status });
    else if (!this.#finish()) setTimeout(() => this.#end({ kind: "exit", status }), EXIT_DRAIN_MS);
  }

  #finish(): boolean {
    const status = this.#exit;
    if (!status || status.ptyBytes === undefined || this.#received < status.ptyBytes) return false;
    this.#end({ kind: "exit", status });
    return true;
  }

  #end(end: ShellEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#pty?.close();
    this.#control?.close();
    this.events.ended(this.#exit && end.kind === "lost" ? { kind: "exit", status: this.#exit } : end);
  }
}
