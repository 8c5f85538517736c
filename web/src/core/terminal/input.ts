/**
 * What was typed, kept until the program's side has it.
 *
 * Offsets count the bytes of this writer since its start. What the server has not applied when a terminal is joined again
 * is sent again, so that no key is lost and none is doubled.
 */
import type { Bytes } from "../bytes.ts";
import { concat } from "../bytes.ts";

/** Bytes that may be on their way unacknowledged; more wait here. */
export const INPUT_WINDOW = 256 * 1024;
/** Bytes that may wait besides, such as a large paste; what does not fit is refused as a whole. */
export const INPUT_WAITING_MAX = 1024 * 1024;

export class InputLog {
  /** Names this stream of input to the server. */
  readonly writer: string;
  /** Bytes that were applied. */
  #applied = 0;
  /** Bytes that have left over the present pair. */
  #sent = 0;
  #kept: Bytes[] = [];
  #keptBytes = 0;

  constructor(writer: string) {
    this.writer = writer;
  }

  /** Bytes that are not acknowledged. */
  get pending(): number {
    return this.#keptBytes;
  }

  /** The offset where what was typed ends. */
  get end(): number {
    return this.#applied + this.#keptBytes;
  }

  /** Keeps typed bytes; false when they do not fit. */
  push(bytes: Uint8Array): boolean {
    if (this.#keptBytes + bytes.length > INPUT_WINDOW + INPUT_WAITING_MAX) return false;
    if (bytes.length > 0) this.#kept.push(bytes.slice() as Bytes);
    this.#keptBytes += bytes.length;
    return true;
  }

  /** Joined: the server has applied this much; the rest leaves again. */
  joined(applied: number): void {
    // An unknown writer starts at 0: offsets are the server's, the bytes that are kept are ours.
    if (applied >= this.#applied && applied <= this.#applied + this.#keptBytes) this.acknowledged(applied);
    else this.#applied = applied;
    this.#sent = this.#applied;
  }

  /** The server has applied everything up to this offset. */
  acknowledged(offset: number): void {
    let drop = Math.min(offset - this.#applied, this.#keptBytes);
    if (drop <= 0) return;
    this.#applied += drop;
    this.#sent = Math.max(this.#sent, this.#applied);
    this.#keptBytes -= drop;
    while (drop > 0) {
      const first = this.#kept[0];
      if (!first) break;
      if (first.length <= drop) this.#kept.shift();
      else this.#kept[0] = first.subarray(drop);
      drop -= Math.min(drop, first.length);
    }
  }

  /** Everything that has left counts as applied; for servers that acknowledge nothing. */
  assumeApplied(): void {
    this.acknowledged(this.#sent);
  }

  /** The bytes that may leave now, or null when there are none. */
  take(): Bytes | null {
    const from = this.#sent - this.#applied;
    const to = Math.min(this.#keptBytes, INPUT_WINDOW);
    if (from >= to) return null;
    this.#sent = this.#applied + to;
    const joined = this.#kept.length === 1 && this.#kept[0] ? this.#kept[0] : concat(this.#kept);
    return joined.subarray(from, to);
  }
}

/** A random name for a writer, of the characters that a name may have. */
export function writerName(): string {
  const random = crypto.getRandomValues(new Uint8Array(12));
  return `web-${[...random].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
