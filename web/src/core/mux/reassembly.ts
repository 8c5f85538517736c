/** Puts fragmented messages back together, one in flight per channel. */
import type { Bytes } from "../bytes.ts";
import { concat } from "../bytes.ts";
import { CONTROL, Code } from "./codes.ts";
import type { Frame } from "./frame.ts";
import { FrameError } from "./frame.ts";

const MIB = 1024 * 1024;
/** Largest reassembled message on channel 0 and on `video`; beyond it the channel is closed with 4005. */
export const LARGE_MESSAGE_MAX = 8 * MIB;
/** Largest reassembled message on any other channel; beyond it the channel is closed with 4005. */
export const MESSAGE_MAX = 4 * MIB;
/** All unfinished messages of a connection together; beyond it the channel that asks for more is closed with 4005. */
export const UNFINISHED_MAX = 16 * MIB;

interface Unfinished {
  type: number;
  parts: Bytes[];
  bytes: number;
}

/** A message that grew beyond its cap; the channel is given up, not the connection. */
export class TooLarge extends Error {}

/** Reassembly for all channels of one connection. */
export class Reassembly {
  readonly #unfinished = new Map<number, Unfinished>();
  #bytes = 0;

  /**
   * Takes one frame and returns the whole message once it is complete.
   *
   * Throws {@link FrameError} for pieces that do not belong together and {@link TooLarge} above the caps.
   */
  push(frame: Frame, messageMax: number): Bytes | null {
    const started = this.#unfinished.get(frame.channel);
    if (frame.part === "whole") {
      if (started) throw new FrameError(Code.ProtocolError, true, "a message between the pieces of another");
      return frame.payload;
    }
    if (started && started.type !== frame.type) {
      throw new FrameError(Code.ProtocolError, true, "pieces of different types");
    }
    const message = started ?? { type: frame.type, parts: [], bytes: 0 };
    if (message.bytes + frame.payload.length > messageMax || this.#bytes + frame.payload.length > UNFINISHED_MAX) {
      this.forget(frame.channel);
      throw new TooLarge(frame.channel === CONTROL ? "control message too large" : "message too large");
    }
    message.parts.push(frame.payload);
    message.bytes += frame.payload.length;
    if (frame.part === "piece") {
      this.#bytes += frame.payload.length;
      this.#unfinished.set(frame.channel, message);
      return null;
    }
    this.#bytes += frame.payload.length;
    this.#unfinished.set(frame.channel, message);
    this.forget(frame.channel);
    return concat(message.parts);
  }

  /** Drops all unfinished messages; their transport is gone. */
  clear(): void {
    this.#unfinished.clear();
    this.#bytes = 0;
  }

  /** Drops the unfinished message of a channel, if there is one. */
  forget(channel: number): void {
    const message = this.#unfinished.get(channel);
    if (!message) return;
    this.#bytes -= message.bytes;
    this.#unfinished.delete(channel);
  }
}

/** Cap for one reassembled message on a channel of this name. */
export function messageMax(name: string): number {
  return name === "control" || name === "video" ? LARGE_MESSAGE_MAX : MESSAGE_MAX;
}
