/** Messages that wait for their lane: control first, then what is sent again, then the other lanes in turn. */
import type { Bytes } from "../bytes.ts";
import type { Merge } from "./channel.ts";
import { encodeFrame } from "./frame.ts";
import type { Frame } from "./frame.ts";
import type { Link } from "./link.ts";
import type { Kept, Numbering } from "./sequence.ts";

/** Bytes that may wait on one lane; a message beyond it is refused with {@link OutboxFull}. */
export const LANE_QUEUE_MAX = 1024 * 1024;
/** Large messages are cut into pieces of this size, so that a key never waits behind more than one. */
export const PIECE_BYTES = 16 * 1024;

/** The lane has too much waiting; the message was not taken. */
export class OutboxFull extends Error {}

/** A message on its way out. */
interface Waiting {
  channel: number;
  type: number;
  payload: Bytes;
  merge: Merge | undefined;
  /** Gets its number when its first byte leaves. */
  numbered: boolean;
  /** Bytes that have left, or null before the first piece. */
  sent: number | null;
}

interface Lane {
  queue: Waiting[];
  bytes: number;
}

/** The send queues of one connection. */
export class Outbox {
  /** Largest frame payload that the peer takes. */
  frameMax = PIECE_BYTES;
  /** While set nothing leaves but the control channel: the session has no link, or is not resumed yet. */
  held = false;
  /** Numbers messages once session-resume is agreed. */
  numbering: Numbering | null = null;
  /** Told of every message that has left its lane's queue. */
  onsent: (lane: string) => void = () => {};
  readonly #lanes = new Map<string, Lane>();
  #replay: { lane: string; message: Waiting }[] = [];

  constructor(private link: Link) {}

  /** Queues one message. */
  push(lane: string, channel: number, type: number, payload: Bytes, numbered = false, merge?: Merge): void {
    const waiting = this.#lane(lane);
    if (merge && mergeLast(waiting.queue, type, payload, merge)) return;
    if (waiting.bytes + payload.length > LANE_QUEUE_MAX && waiting.queue.length > 0) throw new OutboxFull(lane);
    waiting.queue.push({ channel, type, payload, merge, numbered, sent: null });
    waiting.bytes += payload.length;
    this.flush();
  }

  /** Sends what the link takes now. */
  flush(): void {
    while (this.#drain("control")) continue;
    if (this.held) return;
    while (this.#drainReplay()) continue;
    // Numbers have to arrive in order on a lane, so new messages wait until the old ones have left.
    if (this.#replay.length > 0) return;
    let sent = true;
    while (sent) {
      sent = false;
      for (const lane of this.#lanes.keys()) if (lane !== "control" && this.#drain(lane)) sent = true;
    }
  }

  /** Goes on over another link: keeps what has not left yet on numbered channels, and drops the rest. */
  restart(link: Link): void {
    this.link = link;
    this.held = true;
    this.#replay = [];
    for (const waiting of this.#lanes.values()) {
      waiting.queue = waiting.queue.filter((message) => message.numbered && message.sent === null);
      waiting.bytes = waiting.queue.reduce((sum, message) => sum + message.payload.length, 0);
    }
  }

  /** Sends again what the peer has missed; a message without a channel goes on any that is open. */
  replay(missed: Kept[], laneOf: (channel: number | null) => { lane: string; channel: number } | null): void {
    this.held = false;
    for (const kept of missed) {
      const place = laneOf(kept.channel);
      if (!place) continue;
      this.#replay.push({ lane: place.lane, message: { channel: place.channel, type: kept.type, payload: kept.payload, merge: undefined, numbered: false, sent: null } });
    }
    this.flush();
  }

  /** Bytes that wait on a lane. */
  waiting(lane: string): number {
    return this.#lanes.get(lane)?.bytes ?? 0;
  }

  /** Drops what waits on a lane. */
  forget(lane: string): void {
    this.#lanes.delete(lane);
    this.#replay = this.#replay.filter((again) => again.lane !== lane);
  }

  #lane(name: string): Lane {
    let waiting = this.#lanes.get(name);
    if (!waiting) {
      waiting = { queue: [], bytes: 0 };
      this.#lanes.set(name, waiting);
    }
    return waiting;
  }

  /** Sends one piece of a lane; false when there is none or no room. */
  #drain(lane: string): boolean {
    const waiting = this.#lanes.get(lane);
    const next = waiting?.queue[0];
    if (!waiting || !next || !this.link.writable(lane)) return false;
    if (next.sent === null) {
      waiting.bytes -= next.payload.length;
      if (next.numbered && this.numbering) next.payload = this.numbering.number(next.channel, next.type, next.payload);
    }
    if (this.#piece(lane, next)) {
      waiting.queue.shift();
      this.onsent(lane);
    }
    return true;
  }

  #drainReplay(): boolean {
    const again = this.#replay[0];
    if (!again || !this.link.writable(again.lane)) return false;
    if (this.#piece(again.lane, again.message)) this.#replay.shift();
    return true;
  }

  /** Sends the next piece of a message; true when it was the last. */
  #piece(lane: string, message: Waiting): boolean {
    const from = message.sent ?? 0;
    const to = Math.min(message.payload.length, from + Math.min(this.frameMax, PIECE_BYTES));
    const last = to === message.payload.length;
    const part: Frame["part"] = last ? (from === 0 ? "whole" : "last") : "piece";
    message.sent = to;
    this.link.send(lane, encodeFrame(message.channel, message.type, message.payload.subarray(from, to), part));
    return last;
  }
}

/** Joins a message with the newest waiting one of its type. */
function mergeLast(queue: Waiting[], type: number, payload: Bytes, merge: Merge): boolean {
  const last = queue.findLast((waiting) => waiting.type === type && waiting.sent === null);
  const merged = last ? merge(last.payload, payload) : null;
  if (!last || !merged) return false;
  last.payload = merged;
  return true;
}
