/** A link for tests of the mux. */
import type { Bytes } from "../../src/core/bytes.ts";
import type { Fields } from "../../src/core/encoding.ts";
import { jsonFields } from "../../src/core/encoding.ts";
import type { ChannelSpec } from "../../src/core/mux/channel.ts";
import { decodeFrame } from "../../src/core/mux/frame.ts";
import type { Link } from "../../src/core/mux/link.ts";

/** A link that remembers, and can be made to stop taking. */
export class Remembering implements Link {
  sent: { lane: string; frame: Bytes }[] = [];
  lanes: string[] = [];
  full = false;
  ended = false;

  constructor(readonly kind: "shared" | "perChannel") {}

  writable(lane: string): boolean {
    return !this.full || lane === "control";
  }
  send(lane: string, frame: Bytes): void {
    this.sent.push({ lane, frame });
  }
  openLane(spec: ChannelSpec): void {
    this.lanes.push(spec.name);
  }
  closeLane(name: string): void {
    this.lanes = this.lanes.filter((lane) => lane !== name);
  }
  close(): void {
    this.ended = true;
  }

  /** Types of what was sent on the control channel since the last call, with JSON bodies. */
  control(): { type: number; fields: Fields }[] {
    return this.sent.splice(0).flatMap(({ frame }) => {
      const { channel, type, payload } = decodeFrame(frame);
      return channel === 0 ? [{ type, fields: type < 0x10 || type === 0x20 || type === 0xf0 ? jsonFields(payload) : {} }] : [];
    });
  }
}
