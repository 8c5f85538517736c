/** Channels that were asked for and not answered yet. */
import type { Channel, ChannelSpec } from "./channel.ts";
import { ChannelRejected } from "./channel.ts";
import type { Frame } from "./frame.ts";

/** Frames that may arrive on a data channel before its CHANNEL_ACK; later ones are dropped. */
export const EARLY_FRAMES_MAX = 64;

/** One OPEN_CHANNEL. */
export interface Request {
  spec: ChannelSpec;
  early: Frame[];
  resolve(channel: Channel): void;
  reject(error: Error): void;
}

export class Requests {
  readonly #open = new Map<number, Request>();
  #last = 0;

  /** Notes a request; the promise is its answer. */
  add(spec: ChannelSpec): { id: number; answer: Promise<Channel> } {
    const id = ++this.#last;
    const answer = new Promise<Channel>((resolve, reject) => {
      this.#open.set(id, { spec, early: [], resolve, reject });
    });
    return { id, answer };
  }

  /** Takes out the request that an answer belongs to. */
  take(id: number | undefined): Request | null {
    const request = id === undefined ? undefined : this.#open.get(id);
    if (id !== undefined) this.#open.delete(id);
    return request ?? null;
  }

  /** Takes out the request for a channel of this name. */
  takeNamed(name: string): Request | null {
    for (const [id, request] of this.#open) if (request.spec.name === name) return this.take(id);
    return null;
  }

  all(): [id: number, request: Request][] {
    return [...this.#open];
  }

  /** Keeps a frame that overtook the answer to its request; false when nobody asked for such a lane. */
  keepEarly(lane: string | null, frame: Frame): boolean {
    for (const { spec, early } of this.#open.values()) {
      if (lane === null || spec.name !== lane) continue;
      if (early.length < EARLY_FRAMES_MAX) early.push(frame);
      return true;
    }
    return false;
  }

  /** Refuses everything; the connection ended. */
  rejectAll(code: number, reason: string): void {
    const open = [...this.#open.values()];
    this.#open.clear();
    for (const { spec, reject } of open) reject(new ChannelRejected(spec.name, code, reason));
  }
}
