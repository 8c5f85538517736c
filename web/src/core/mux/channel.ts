/** What a channel is asked for with, and the open channel itself. */
import type { Bytes } from "../bytes.ts";

/** The properties of a channel, as OPEN_CHANNEL and the data channel carry them. */
export interface ChannelSpec {
  name: string;
  reliable: boolean;
  ordered: boolean;
  maxRetransmits?: number;
  /** What the application says of it. */
  metadata?: { [name: string]: string };
}

/** A channel on which nothing is lost or reordered. */
export function reliable(name: string): ChannelSpec {
  return { name, reliable: true, ordered: true };
}

/** A channel on which a message is sent once and may be lost. */
export function lossy(name: string): ChannelSpec {
  return { name, reliable: false, ordered: false, maxRetransmits: 0 };
}

/** The answer to an OPEN_CHANNEL that was not accepted. */
export class ChannelRejected extends Error {
  constructor(
    readonly channelName: string,
    readonly code: number,
    readonly reason: string,
  ) {
    super(`channel ${channelName} was refused: ${reason || code}`);
  }
}

/** How a channel reaches its connection. */
export interface ChannelOutput {
  send(channel: Channel, type: number, payload: Uint8Array, merge?: Merge): void;
  close(channel: Channel, reason?: string): void;
  waiting(channel: Channel): number;
}

/** Joins a message that still waits with a newer one of its type, or returns null to keep both. */
export type Merge = (older: Bytes, newer: Bytes) => Bytes | null;

/** Messages that may arrive before somebody listens; later ones are dropped. */
export const HELD_MESSAGES_MAX = 64;

/** One open channel. */
export class Channel {
  #handler: ((type: number, payload: Bytes) => void) | null = null;
  #held: [type: number, payload: Bytes][] = [];
  /** Called once, when the channel is closed by either side or with the connection. */
  onclose: (reason: string, byPeer: boolean) => void = () => {};
  /** Called when a message that waited leaves, so that there may be room for the next. */
  onsent: () => void = () => {};

  constructor(
    readonly id: number,
    readonly spec: ChannelSpec,
    private readonly output: ChannelOutput,
  ) {}

  get name(): string {
    return this.spec.name;
  }

  /** Called for every complete message, also for those that came before it was set. */
  set onmessage(handler: (type: number, payload: Bytes) => void) {
    this.#handler = handler;
    for (const [type, payload] of this.#held.splice(0)) handler(type, payload);
  }

  /** Takes a complete message of the peer. */
  deliver(type: number, payload: Bytes): void {
    if (this.#handler) this.#handler(type, payload);
    else if (this.#held.length < HELD_MESSAGES_MAX) this.#held.push([type, payload]);
  }

  /** Queues a message; nothing happens when the channel is closed already. */
  send(type: number, payload: Uint8Array, merge?: Merge): void {
    this.output.send(this, type, payload, merge);
  }

  /** Bytes that wait to be sent; who sends much keeps an eye on it. */
  get waiting(): number {
    return this.output.waiting(this);
  }

  /** Closes the channel for both sides. */
  close(reason?: string): void {
    this.output.close(this, reason);
  }
}
