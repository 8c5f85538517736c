/** Frames that wait for their lane: control first, then the other lanes in turn. */
import type { Bytes } from "../bytes.ts";
import type { Merge } from "./channel.ts";
import { encodeFrame } from "./frame.ts";
import type { Frame } from "./frame.ts";
import type { Link } from "./link.ts";

/** Bytes that may wait on one lane; a message beyond it is refused with {@link OutboxFull}. */
export const LANE_QUEUE_MAX = 1024 * 1024;
/** Large messages are cut into pieces of this size, so that a key never waits behind more than one. */
export const PIECE_BYTES = 16 * 1024;

/** The lane has too much waiting; the message was not taken. */
export class OutboxFull extends Error {}

interface Waiting {
  frame: Frame;
  merge: Merge | undefined;
}

/** The send queues of one connection. */
export class Outbox {
  readonly #lanes = new Map<string, { queue: Waiting[]; bytes: number }>();

  constructor(private readonly link: Link) {}

  /** Queues one message in as many pieces as it needs. */
  push(lane: string, channel: number, type: number, payload: Bytes, pieceMax: number, merge?: Merge): void {
    const waiting = this.#lane(lane);
    if (merge && this.#mergeLast(waiting.queue, type, payload, merge)) return;
    if (waiting.bytes + payload.length > LANE_QUEUE_MAX && waiting.queue.length > 0) throw new OutboxFull(lane);
    for (const [part, piece] of pieces(payload, Math.min(pieceMax, PIECE_BYTES))) {
      waiting.queue.push({ frame: { channel, type, part, payload: piece }, merge });
    }
    waiting.bytes += payload.length;
    this.flush();
  }

  /** Sends what the link takes now. */
  flush(): void {
    const control = this.#lanes.get("control");
    if (control) this.#drain("control", control, Infinity);
    let sent = true;
    while (sent) {
      sent = false;
      for (const [lane, waiting] of this.#lanes) {
        if (lane !== "control" && this.#drain(lane, waiting, 1)) sent = true;
      }
    }
  }

  /** Drops what waits on a lane. */
  forget(lane: string): void {
    this.#lanes.delete(lane);
  }

  #lane(name: string): { queue: Waiting[]; bytes: number } {
    let waiting = this.#lanes.get(name);
    if (!waiting) {
      waiting = { queue: [], bytes: 0 };
      this.#lanes.set(name, waiting);
    }
    return waiting;
  }

  #drain(lane: string, waiting: { queue: Waiting[]; bytes: number }, count: number): boolean {
    let sent = false;
    while (count-- > 0 && this.link.writable(lane)) {
      const next = waiting.queue.shift();
      if (!next) break;
      waiting.bytes -= next.frame.payload.length;
      this.link.send(lane, encodeFrame(next.frame.channel, next.frame.type, next.frame.payload, next.frame.part));
      sent = true;
    }
    return sent;
  }

  #mergeLast(queue: Waiting[], type: number, payload: Bytes, merge: Merge): boolean {
    const last = queue.findLast((waiting) => waiting.frame.type === type);
    const merged = last ? merge(last.frame.payload, payload) : null;
    if (!last || !merged) return false;
    last.frame = { ...last.frame, payload: merged };
    return true;
  }
}

function pieces(payload: Bytes, size: number): [Frame["part"], Bytes][] {
  if (payload.length <= size) return [["whole", payload]];
  const cut: [Frame["part"], Bytes][] = [];
  for (let at = 0; at < payload.length; at += size) {
    const last = at + size >= payload.length;
    cut.push([last ? "last" : "piece", payload.subarray(at, at + size)]);
  }
  return cut;
}
