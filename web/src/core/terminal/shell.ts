/**
 * One terminal, over as many pairs of channels as it takes.
 *
 * It keeps what must not be lost between them: what was typed and not applied yet, and how much output is parsed. Losing
 * the connection ends the pair; {@link Shell.connect} joins the same terminal again on the next one.
 */
import type { Connection } from "../mux/connection.ts";
import { Code } from "../mux/codes.ts";
import type { EngineCapabilities, Selected } from "./capabilities.ts";
import type { ExitStatus, PtyGrant, TerminalSize } from "./client.ts";
import { InputLog, writerName } from "./input.ts";
import type { OutputTarget } from "./output.ts";
import { OutputFlow } from "./output.ts";
import type { PairEnd } from "./pair.ts";
import { Pair } from "./pair.ts";
import type { ShareAction, ShareState } from "./share.ts";

/** Lines above the screen that are asked for when a terminal is joined. */
export const SCROLLBACK_LINES = 5_000;

/** The bit of PTY_MODE that says that lines are edited and signals made by the kernel. */
const ICANON = 2;
/** Ctrl-C and Ctrl-\\. */
const INTERRUPTS = [0x03, 0x1c];

/** What a shell reports to its tab. */
export interface ShellEvents {
  selected(selected: Selected): void;
  /** The terminal is there: a new one, or one that was joined. */
  joined(grant: PtyGrant): void;
  started(): void;
  resized(rows: number, cols: number): void;
  mode(bits: number): void;
  shared(share: ShareState): void;
  warned(reason: string): void;
  /** Input was applied up to this offset of the writer. */
  applied(offset: number): void;
  /** The connection is gone; the terminal is kept by the server. */
  away(): void;
  /** The last event: how it ended, or why it could not go on. */
  ended(end: ShellEnd): void;
}

export type ShellEnd = { kind: "exit"; status: ExitStatus } | { kind: "failed"; reason: string } | { kind: "gone"; reason: string } | { kind: "lost" };

/** What is joined instead of starting a shell. */
export interface Attach {
  terminalId: string;
  readonly: boolean;
}

export class Shell {
  readonly #input = new InputLog(writerName());
  readonly #output: OutputFlow;
  #pair: Pair | null = null;
  #terminalId: string | null;
  #readonly: boolean;
  /** The engine shows this terminal already, so that only what is missing has to come. */
  #shown = false;
  #ended = false;
  /** The size that the program's terminal has, as far as this side knows; it is told only what differs. */
  #told: { rows: number; cols: number } | null = null;
  /** The kernel at the other end makes signals of keys, as far as is known: programs that take keys one by one turn it off. */
  #canonical = false;

  constructor(
    private readonly engine: EngineCapabilities,
    private size: TerminalSize,
    target: OutputTarget,
    attach: Attach | null,
    private readonly events: ShellEvents,
  ) {
    this.#terminalId = attach?.terminalId ?? null;
    this.#readonly = attach?.readonly ?? false;
    this.#output = new OutputFlow(target, (offset) => this.#pair?.acknowledge(offset));
  }

  /** What the terminal is joined by, once it is known and kept. */
  get terminalId(): string | null {
    return this.#terminalId;
  }

  get readonly(): boolean {
    return this.#readonly;
  }

  /** True while a pair is there or being made. */
  get isConnected(): boolean {
    return this.#pair !== null;
  }

  /** Bytes that were typed and not applied yet. */
  get pendingInput(): number {
    return this.#input.pending;
  }

  /** Opens a pair on a connection: starts a shell, or joins the terminal that is kept. */
  connect(connection: Connection, key: number): void {
    if (this.#ended || this.#pair) return;
    const wish = {
      writer: this.#input.writer,
      attach: this.#terminalId ?? undefined,
      have: this.#shown ? this.#output.handed : undefined,
      readonly: this.#readonly || undefined,
      scrollback: SCROLLBACK_LINES,
    };
    const pair: Pair = new Pair(connection, key, this.engine, this.size, wish, {
      ...this.events,
      joined: (grant) => this.#joined(grant),
      resized: (rows, cols) => {
        this.#told = { rows, cols };
        this.events.resized(rows, cols);
      },
      output: (bytes) => this.#output.push(bytes),
      repaint: (offset, body) => this.#output.repaint(offset, body),
      mode: (bits) => {
        this.#canonical = (bits & ICANON) !== 0;
        this.events.mode(bits);
      },
      applied: (offset) => {
        this.#input.acknowledged(offset);
        this.#output.applied(offset);
        this.#send();
        this.events.applied(offset);
      },
      ended: (end) => this.#pairEnded(end),
    });
    this.#pair = pair;
    void pair.start();
  }

  /** Sends typed bytes to the program, now or when it can be reached; false when no more can be kept. */
  write(bytes: Uint8Array): boolean {
    if (this.#ended || this.#readonly) return true;
    const kept = this.#input.push(bytes);
    if (kept) {
      if (this.#canonical && this.#pair?.flow && INTERRUPTS.some((key) => bytes.includes(key))) {
        this.#output.interrupted(this.#input.end);
      }
      this.#send();
    }
    return kept;
  }

  resize(size: TerminalSize): void {
    this.size = size;
    if (this.#told?.rows === size.rows && this.#told.cols === size.cols) return;
    this.#told = this.#pair?.isJoined === true ? { rows: size.rows, cols: size.cols } : null;
    this.#pair?.resize(size);
  }

  share(action: ShareAction): void {
    this.#pair?.share(action);
  }

  /** Leaves the terminal; the server keeps a persistent one. */
  close(): void {
    this.#ended = true;
    this.#output.drop();
    this.#pair?.close();
    this.#pair = null;
  }

  #joined(grant: PtyGrant): void {
    this.#told = grant.rows !== undefined && grant.cols !== undefined ? { rows: grant.rows, cols: grant.cols } : null;
    this.#terminalId = grant.terminalId ?? null;
    this.#readonly = grant.readonly || grant.role === "viewer";
    this.#output.joined(grant.offset ?? (this.#shown ? this.#output.handed : 0));
    this.#input.joined(grant.inputOffset ?? 0);
    this.#shown = true;
    this.events.joined(grant);
    this.#send();
  }

  #send(): void {
    const pair = this.#pair;
    if (!pair?.isJoined) return;
    for (let bytes = this.#input.take(); bytes; bytes = this.#input.take()) {
      pair.write(bytes);
      if (!pair.flow) this.#input.assumeApplied();
    }
  }

  #pairEnded(end: PairEnd): void {
    this.#pair = null;
    if (end.kind !== "exit") this.#output.drop();
    if (end.kind === "lost" && this.#terminalId !== null) {
      this.events.away();
      return;
    }
    this.#ended = true;
    this.events.ended(end.kind === "failed" ? failure(end.code, end.reason) : end);
  }
}

function failure(code: number, reason: string): ShellEnd {
  return { kind: code === Code.NoSuchTerminal || code === Code.SessionNotFound ? "gone" : "failed", reason };
}

