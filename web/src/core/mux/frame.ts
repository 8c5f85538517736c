/**
 * The mux frame: a 6-byte header (8 with an extended length) and a payload.
 *
 * On message transports one message is exactly one frame.
 */
import type { Bytes } from "../bytes.ts";
import { view } from "../bytes.ts";
import { Code } from "./codes.ts";

export const Flag = { Extended: 0x01, Fragment: 0x02, FragmentEnd: 0x04 } as const;

/** One decoded frame; the payload is a view into the message. */
export interface Frame {
  channel: number;
  type: number;
  /** `whole` for an unfragmented message, else the place of the piece. */
  part: "whole" | "piece" | "last";
  payload: Bytes;
}

/** What is wrong with a message of the peer, and the code it deserves. */
export class FrameError extends Error {
  constructor(
    readonly code: number,
    /** True when the connection cannot go on. */
    readonly fatal: boolean,
    message: string,
  ) {
    super(message);
  }
}

/** Largest payload that a standard header can announce. */
export const STANDARD_PAYLOAD_MAX = 0xffff;
const RESERVED_FLAGS = 0xf8;

/** Builds one frame; chooses the extended header by the payload's length. */
export function encodeFrame(channel: number, type: number, payload: Uint8Array, part: Frame["part"] = "whole"): Bytes {
  const extended = payload.length > STANDARD_PAYLOAD_MAX;
  const header = extended ? 8 : 6;
  const bytes = new Uint8Array(header + payload.length);
  const out = view(bytes);
  out.setUint8(0, channel);
  out.setUint8(1, type);
  out.setUint8(2, (extended ? Flag.Extended : 0) | fragmentFlags(part));
  if (extended) out.setUint32(4, payload.length);
  else out.setUint16(4, payload.length);
  bytes.set(payload, header);
  return bytes;
}

/** Reads the one frame that a message holds; throws {@link FrameError}. */
export function decodeFrame(message: Bytes): Frame {
  if (message.length < 6) throw new FrameError(Code.InvalidMessage, false, "frame shorter than its header");
  const head = view(message);
  const flags = head.getUint8(2);
  if (head.getUint8(3) !== 0 || (flags & RESERVED_FLAGS) !== 0) {
    throw new FrameError(Code.ProtocolError, true, "reserved bits are set");
  }
  if ((flags & Flag.FragmentEnd) !== 0 && (flags & Flag.Fragment) === 0) {
    throw new FrameError(Code.ProtocolError, true, "end of a fragment without a fragment");
  }
  const extended = (flags & Flag.Extended) !== 0;
  const header = extended ? 8 : 6;
  if (message.length < header) throw new FrameError(Code.InvalidMessage, false, "frame shorter than its header");
  const length = extended ? head.getUint32(4) : head.getUint16(4);
  if (message.length !== header + length) {
    throw new FrameError(Code.InvalidMessage, false, "frame length does not match the message");
  }
  return { channel: head.getUint8(0), type: head.getUint8(1), part: partOf(flags), payload: message.subarray(header) };
}

function fragmentFlags(part: Frame["part"]): number {
  if (part === "whole") return 0;
  return part === "piece" ? Flag.Fragment : Flag.Fragment | Flag.FragmentEnd;
}

function partOf(flags: number): Frame["part"] {
  if ((flags & Flag.Fragment) === 0) return "whole";
  return (flags & Flag.FragmentEnd) === 0 ? "piece" : "last";
}
