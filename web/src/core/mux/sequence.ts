/**
 * Sequence numbers of session-resume: what was sent and may be needed again, and what was received.
 *
 * xumux §session-resume: one counter per direction for the whole session, starting at 1, as an 8-byte prefix of every
 * message on a reliable channel. Numbers stay below 2^53, which one session never reaches.
 */
import type { Bytes } from "../bytes.ts";
import { concat, view } from "../bytes.ts";

/** Bytes of sent messages kept for a replay; the oldest leave, and a resume that needs them becomes a new HELLO. */
export const RING_BYTES_MAX = 256 * 1024;
/** What a kept message costs besides its payload, so that many empty ones are bounded too. */
const KEPT_COST = 64;
/** Gaps among the numbers received; numbers overtake each other only across channels, so more is a fault of the peer. */
const GAPS_MAX = 1024;
/** SEQ_ACK is sent after this many received bytes, or this long after the first of them. */
export const SEQ_ACK_BYTES = 64 * 1024;
export const SEQ_ACK_MS = 1_000;
/** Length of the prefix. */
export const PREFIX = 8;

/** A message in the ring, with its prefix. */
export interface Kept {
  sequence: number;
  /** Null once the channel is closed: what is left only fills the gap. */
  channel: number | null;
  type: number;
  payload: Bytes;
}

/** Gives messages their numbers and keeps them. */
export class Numbering {
  last = 0;
  #gone = 0;
  #cost = 0;
  #ring: Kept[] = [];

  /** Prefixes a message with its number and keeps it. */
  number(channel: number, type: number, payload: Uint8Array): Bytes {
    this.last += 1;
    const numbered = concat([prefix(this.last), payload]);
    this.#ring.push({ sequence: this.last, channel, type, payload: numbered });
    this.#cost += KEPT_COST + numbered.length;
    while (this.#cost > RING_BYTES_MAX && this.#drop()) continue;
    return numbered;
  }

  /** Forgets what the peer has; false when it claims more than was sent. */
  acknowledged(sequence: number): boolean {
    while ((this.#ring[0]?.sequence ?? Infinity) <= sequence) this.#drop();
    return sequence <= this.last;
  }

  /** The messages after this number, or null when some have left the ring or never were. */
  replay(received: number): Kept[] | null {
    if (received > this.last || received < this.#gone) return null;
    return this.#ring.filter((kept) => kept.sequence > received);
  }

  /** Empties the messages of a closed channel: only their numbers still matter. */
  blank(channel: number): void {
    for (const kept of this.#ring) {
      if (kept.channel !== channel) continue;
      this.#cost -= kept.payload.length - PREFIX;
      Object.assign(kept, { channel: null, type: 0, payload: kept.payload.slice(0, PREFIX) });
    }
  }

  #drop(): boolean {
    const oldest = this.#ring.shift();
    if (!oldest) return false;
    this.#cost -= KEPT_COST + oldest.payload.length;
    this.#gone = oldest.sequence;
    return true;
  }
}

/** The numbers that have been received. */
export class Received {
  /** Every number up to this one is here. */
  contiguous = 0;
  readonly #above = new Set<number>();
  #unacknowledged = 0;
  #since: number | null = null;

  /** Notes a number: `new`, `duplicate`, or `gaps` when no order of delivery explains it. */
  note(sequence: number, bytes: number, now: number): "new" | "duplicate" | "gaps" {
    if (sequence <= this.contiguous || this.#above.has(sequence)) return "duplicate";
    if (sequence !== this.contiguous + 1 && this.#above.size >= GAPS_MAX) return "gaps";
    this.#above.add(sequence);
    while (this.#above.delete(this.contiguous + 1)) this.contiguous += 1;
    this.#unacknowledged += bytes;
    this.#since ??= now;
    return "new";
  }

  /** The SEQ_ACK payload when one is due, else null. */
  due(now: number): Bytes | null {
    if (this.#since === null) return null;
    if (this.#unacknowledged < SEQ_ACK_BYTES && now - this.#since < SEQ_ACK_MS) return null;
    this.acknowledged();
    return prefix(this.contiguous);
  }

  /** The peer knows what is here, by SEQ_ACK or by a RESUME_REQUEST. */
  acknowledged(): void {
    this.#unacknowledged = 0;
    this.#since = null;
  }
}

/** The number at the start of a payload, or null when it is too short or beyond what can be counted. */
export function sequenceOf(payload: Bytes): number | null {
  if (payload.length < PREFIX) return null;
  const number = view(payload).getBigUint64(0);
  return number > BigInt(Number.MAX_SAFE_INTEGER) ? null : Number(number);
}

function prefix(sequence: number): Bytes {
  const bytes = new Uint8Array(PREFIX);
  view(bytes).setBigUint64(0, BigInt(sequence));
  return bytes;
}
