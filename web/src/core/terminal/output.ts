/**
 * Output on its way from the connection to the terminal engine.
 *
 * The engine is handed the next part when it has shown the one before. A transport cannot be told to wait, so the
 * queue has a bound: beyond it output is skipped until half is free again, and the gap is told in words.
 */
import type { Bytes } from "../bytes.ts";

/** Bytes that may wait; beyond it output is skipped and reported. */
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
  #skipping = 0;

  constructor(
    private readonly target: OutputTarget,
    private readonly notice: (skippedBytes: number) => Bytes,
  ) {}

  /** Bytes that wait here and in the engine. */
  get pending(): number {
    return this.#waitingBytes + this.#inFlight;
  }

  push(bytes: Bytes): void {
    if (this.#skipping > 0 || this.#waitingBytes + bytes.length > OUTPUT_QUEUE_MAX) {
      this.#skipping += bytes.length;
      this.skipped += bytes.length;
      return;
    }
    this.#enqueue(bytes);
    this.#pump();
  }

  #enqueue(bytes: Bytes): void {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
  }

  #pump(): void {
    while (this.#inFlight < OUTPUT_IN_FLIGHT_MAX) {
      const next = this.#waiting.shift();
      if (!next) break;
      this.#waitingBytes -= next.length;
      this.#inFlight += next.length;
      this.target.write(next, () => {
        this.#inFlight -= next.length;
        this.#pump();
      });
    }
    if (this.#skipping > 0 && this.#waitingBytes < OUTPUT_QUEUE_MAX / 2) {
      const gap = this.notice(this.#skipping);
      this.#skipping = 0;
      this.#enqueue(gap);
    }
  }
}
