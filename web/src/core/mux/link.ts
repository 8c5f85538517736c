/** What carries frames: one WebSocket, or the data channels of one peer connection. */
import type { Bytes } from "../bytes.ts";
import type { ChannelSpec } from "./channel.ts";

/** Above this many bytes waiting in the browser a lane takes no more; the rest waits in the outbox. */
export const LANE_BUFFER_MAX = 256 * 1024;

/** The sending half of a transport. */
export interface Link {
  /** `shared`: all channels on one lane. `perChannel`: one lane each. */
  readonly kind: "shared" | "perChannel";
  /** False while the lane is not open yet or has {@link LANE_BUFFER_MAX} bytes waiting. */
  writable(lane: string): boolean;
  send(lane: string, frame: Bytes): void;
  /** Makes the lane of a channel; called before OPEN_CHANNEL. */
  openLane(spec: ChannelSpec): void;
  closeLane(name: string): void;
  /** Ends the transport. */
  close(): void;
}

/** The receiving half: what a transport reports to its connection. */
export interface LinkEvents {
  message(lane: string | null, frame: Bytes): void;
  text(): void;
  laneClosed(lane: string): void;
  /** A lane can take more again. */
  writable(): void;
  closed(reason: string): void;
}
