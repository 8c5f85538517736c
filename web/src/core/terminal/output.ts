/**
 * Output on its way from the connection to the terminal engine.
 *
 * The engine is handed the next part when it has shown the one before. A transport cannot be told to wait, so the
 * queue has a bound: beyond it the oldest output is skipped, and the gap is told in words. What came last, such as the
 * prompt after an interrupted flood, is always shown.
 */
import type { Bytes } from "../bytes.ts";

/** Bytes that may wait; beyond it the oldest half is skipped and reported. */
export const OUTPUT_QUEUE_MAX = 4 * 1024 * 1024;
/** Bytes that the engine may hold unshown. */
export const OUTPUT_IN_FLIGHT_MAX = 256 * 1024;

/** The part of a terminal engine that the queue needs. */
export interface OutputTarget {
  /** Shows bytes and calls back when they are on the screen. */
  write(bytes: Bytes, done: () => void): void;
}

export class OutputQueue {
  /** Bytes skipped since the start, for the statistics. */
  skipped = 0;
  readonly #waiting: Bytes[] = [];
  #waitingBytes = 0;
  #inFlight = 0;
  #gap = 0;

  constructor(
    private readonly target: OutputTarget,
    private readonly notice: (skippedBytes: number) => Bytes,
  ) {}

  /** Bytes that wait here and in the engine. */
  get pending(): number {
    return this.#waitingBytes + this.#inFlight;
  }

  push(bytes: Bytes): void {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes > OUTPUT_QUEUE_MAX) this.#skipOldest();
    this.#pump();
  }

  #skipOldest(): void {
    while (this.#waitingBytes > OUTPUT_QUEUE_MAX / 2 && this.#waiting.length > 1) {
      const oldest = this.#waiting.shift();
      this.#waitingBytes -= oldest?.length ?? 0;
      this.#gap += oldest?.length ?? 0;
      this.skipped += oldest?.length ?? 0;
    }
    this.#resumeAtLine();
  }

  /** What follows a gap begins with a line, not in the middle of a character or a sequence. */
  #resumeAtLine(): void {
    const first = this.#waiting[0];
    const end = first?.indexOf(NEW_LINE) ?? -1;
    if (!first || end < 0) return;
    this.#waiting[0] = first.subarray(end + 1);
    this.#waitingBytes -= end + 1;
    this.#gap += end + 1;
    this.skipped += end + 1;
  }

  #pump(): void {
    while (this.#inFlight < OUTPUT_IN_FLIGHT_MAX) {
      const next = this.#next();
      if (!next) break;
      this.#inFlight += next.length;
      this.target.write(next, () => {
        this.#inFlight -= next.length;
        this.#pump();
      });
    }
  }

  /** The part to show next: the word about a gap comes before what follows it. */
  #next(): Bytes | undefined {
    if (this.#gap > 0) {
      const notice = this.notice(this.#gap);
      this.#gap = 0;
      return notice;
    }
    const next = this.#waiting.shift();
    this.#waitingBytes -= next?.length ?? 0;
    return next;
  }
}

const NEW_LINE = 0x0a;
