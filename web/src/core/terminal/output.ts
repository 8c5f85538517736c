/**
 * Output on its way from the connection to the terminal engine.
 *
 * The engine is handed the next part when it has worked through the ones before, and only then is the server told, which
 * sends no more than its credit beyond that. So nothing has to be skipped here: a server that is too far ahead sends a
 * REPAINT instead. What came before it is read all the same: the program may have asked something in there, and the
 * server answers only what it did not send.
 *
 * One case is different: who presses Ctrl-C in a flood wants it to stop now. Then nothing is handed on until the server
 * has taken the key, and what waits gives way to the picture that it sends for it.
 */
import type { Bytes } from "../bytes.ts";
import { concat, utf8 } from "../bytes.ts";

/**
 * Bytes that the engine may hold unparsed; the rest waits here, bounded by the server's credit of at most 1 MiB.
 * What the engine holds is shown whatever happens, also after an interrupt.
 */
export const IN_FLIGHT_MAX = 32 * 1024;
/** Parsed bytes after which the server is told at once. */
export const ACK_BYTES = 64 * 1024;
/** Otherwise it is told at most this often. */
export const ACK_MS = 10;

/** After an interrupt so much is shown rather than replaced: the server sends no picture for less. */
export const LITTLE = 32 * 1024;
/** How long the picture may take once the server has the key: also one whose packet was lost once. */
export const PICTURE_MS = 400;
/** How long nothing is handed on after an interrupt at most. */
export const PATIENCE_MS = 1_000;

/** Ends whatever sequence is unfinished, then resets the terminal. */
const RESET = utf8("\x18\x1bc");

/** The part of a terminal engine that the flow needs. */
export interface OutputTarget {
  /** Shows bytes and calls back when they are parsed. */
  write(bytes: Bytes, done: () => void): void;
}

interface Part {
  bytes: Bytes;
  /** The offset that is parsed when this part is. */
  end: number;
}

export class OutputFlow {
  /** Offset up to which output has come. */
  received = 0;
  /** Offset up to which the engine was handed it; that much will be parsed whatever happens to the connection. */
  handed = 0;
  /** Offset up to which the engine has parsed it. */
  parsed = 0;
  #acknowledged = 0;
  #lastAck = -Infinity;
  #waiting: Part[] = [];
  #inFlight = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  /** Set while nothing is handed on: the input that has to be applied, and whether it was. */
  #interrupt: { input: number; taken: boolean; timer: ReturnType<typeof setTimeout> } | null = null;

  constructor(
    private readonly target: OutputTarget,
    /** Tells the server what is parsed. */
    private readonly acknowledge: (offset: number) => void,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** True when the engine has shown everything that came. */
  get idle(): boolean {
    return this.#waiting.length === 0 && this.#inFlight === 0;
  }

  /** A pair is open: output goes on at this offset. */
  joined(offset: number): void {
    if (offset !== this.handed && this.idle) this.parsed = offset;
    this.received = offset;
    this.handed = offset;
    this.#acknowledged = Math.min(this.parsed, offset);
  }

  push(bytes: Bytes): void {
    this.received += bytes.length;
    this.#waiting.push({ bytes, end: this.received });
    this.#pump();
  }

  /** The person interrupted the program by a key that ends here in the input. */
  interrupted(input: number): void {
    this.#wait(input, false, PATIENCE_MS);
  }

  /** The server has applied the input up to here. */
  applied(input: number): void {
    const interrupt = this.#interrupt;
    if (!interrupt || interrupt.taken || input < interrupt.input) return;
    const waiting = this.#waiting.reduce((sum, part) => sum + part.bytes.length, 0);
    if (waiting <= LITTLE) this.#resume();
    else this.#wait(interrupt.input, true, PICTURE_MS);
  }

  /** The whole screen comes anew, behind what waits here, or in its place after an interrupt. */
  repaint(offset: number, body: Bytes): void {
    if (this.#interrupt?.taken) {
      this.#waiting = [];
      this.#forgetInterrupt();
    }
    this.received = offset;
    this.#waiting.push({ bytes: concat([RESET, body]), end: offset });
    this.#pump();
  }

  /** Forgets what waits; it comes again when the terminal is joined again. */
  drop(): void {
    this.#waiting = [];
    this.received = this.handed;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#forgetInterrupt();
  }

  #wait(input: number, taken: boolean, ms: number): void {
    this.#forgetInterrupt();
    this.#interrupt = { input, taken, timer: setTimeout(() => this.#resume(), ms) };
  }

  #forgetInterrupt(): void {
    if (this.#interrupt) clearTimeout(this.#interrupt.timer);
    this.#interrupt = null;
  }

  #resume(): void {
    this.#forgetInterrupt();
    this.#pump();
  }

  #pump(): void {
    while (!this.#interrupt && this.#inFlight < IN_FLIGHT_MAX) {
      const next = this.#waiting.shift();
      if (!next) return;
      this.#inFlight += next.bytes.length;
      this.handed = next.end;
      this.target.write(next.bytes, () => {
        this.#inFlight -= next.bytes.length;
        this.parsed = Math.max(this.parsed, next.end);
        this.#pump();
        this.#report();
      });
    }
  }

  #report(): void {
    if (this.parsed <= this.#acknowledged || this.#timer !== null) return;
    const wait = this.parsed - this.#acknowledged >= ACK_BYTES ? 0 : this.#lastAck + ACK_MS - this.now();
    if (wait <= 0) this.#send();
    else if (this.idle) {
      this.#timer = setTimeout(() => {
        this.#timer = null;
        this.#send();
      }, wait);
    }
  }

  #send(): void {
    if (this.parsed <= this.#acknowledged) return;
    this.#acknowledged = this.parsed;
    this.#lastAck = this.now();
    this.acknowledge(this.parsed);
  }
}
