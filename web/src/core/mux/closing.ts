/** Channels on their way out: those that may still deliver what is in flight, and ids that rest before reuse. */
import type { Channel } from "./channel.ts";

/** Frames for an id closed less than this ago are dropped without a word. */
export const QUARANTINE_MS = 5_000;
/** After the peer's CLOSE_CHANNEL a data channel may still deliver what it carried, for at most this long. */
export const DRAIN_MS = 1_000;

/** A channel that the peer has closed while its lane may hold more. */
export interface Draining {
  channel: Channel;
  until: number;
  reason: string;
}

export class Closing {
  readonly #draining = new Map<number, Draining>();
  readonly #resting = new Map<number, { since: number; numbered: boolean }>();

  /** Lets a channel deliver what is in flight. */
  drain(channel: Channel, reason: string, now: number): void {
    this.#draining.set(channel.id, { channel, until: now + DRAIN_MS, reason });
  }

  /** The channel of this id, while it may still deliver. */
  draining(id: number): Channel | undefined {
    return this.#draining.get(id)?.channel;
  }

  /** Takes out the channels whose time is over, or whose lane is gone. */
  drained(now: number, lane?: string): Draining[] {
    const over = [...this.#draining.values()].filter(({ until, channel }) => now >= until || channel.name === lane);
    for (const { channel } of over) this.#draining.delete(channel.id);
    return over;
  }

  /** Takes out everything; the connection ended. */
  clear(): Channel[] {
    const channels = [...this.#draining.values()].map(({ channel }) => channel);
    this.#draining.clear();
    return channels;
  }

  /** Starts the rest of an id; `numbered` when late frames still carry sequence numbers. */
  rest(id: number, now: number, numbered: boolean): void {
    for (const [other, { since }] of this.#resting) if (now - since >= QUARANTINE_MS) this.#resting.delete(other);
    this.#resting.set(id, { since: now, numbered });
  }

  /** The id is in use again. */
  wake(id: number): void {
    this.#resting.delete(id);
  }

  rests(id: number, now: number): boolean {
    const resting = this.#resting.get(id);
    return resting !== undefined && now - resting.since < QUARANTINE_MS;
  }

  /** True for a resting id whose late frames still count as received. */
  numbered(id: number): boolean {
    return this.#resting.get(id)?.numbered === true;
  }
}
