/** The messages of a PTY channel. Without `flow_control` every message is raw bytes. */
import type { Bytes } from "../bytes.ts";
import { concat, view } from "../bytes.ts";
import { unpack } from "./zstd.ts";

/** Mux types of the PTY channel. */
export const Pty = { Bytes: 0x00, Zstd: 0x01, EndOfInput: 0x02, Repaint: 0x03, Ack: 0x04 } as const;

/** Content of one message of compressed output at most. */
export const OUTPUT_MAX = 1024 * 1024;
/** Content of a compressed REPAINT at most. */
export const REPAINT_MAX = 16 * 1024 * 1024;

/** The whole screen, to be fed to a terminal that was just reset; live output goes on at `offset`. */
export interface Repaint {
  offset: number;
  /** The scrollback before the screen is in the body too. */
  scrollback: boolean;
  body: Bytes;
}

const HEADER = 9;
const COMPRESSED = 0x01;
const SCROLLBACK = 0x02;

/** Reads REPAINT and unpacks its body; null when it is malformed. */
export function readRepaint(payload: Bytes): Repaint | null {
  if (payload.length < HEADER) return null;
  const [offset, flags] = [readOffset(payload.subarray(0, 8)), payload[8] ?? 0];
  if (offset === null || (flags & ~(COMPRESSED | SCROLLBACK)) !== 0) return null;
  const packed = payload.subarray(HEADER);
  const body = (flags & COMPRESSED) !== 0 ? unpack(packed, REPAINT_MAX) : packed;
  return body && { offset, scrollback: (flags & SCROLLBACK) !== 0, body };
}

/** Reads compressed output; null when it is malformed. */
export function readOutput(payload: Bytes): Bytes | null {
  return unpack(payload, OUTPUT_MAX);
}

/** Builds REPAINT, as servers send it. */
export function encodeRepaint(repaint: Repaint): Bytes {
  return concat([encodeAck(repaint.offset), new Uint8Array([repaint.scrollback ? SCROLLBACK : 0]), repaint.body]);
}

/** Builds ACK. */
export function encodeAck(offset: number): Bytes {
  const payload = new Uint8Array(8);
  view(payload).setBigUint64(0, BigInt(offset));
  return payload;
}

/** Reads ACK or another payload of one offset; null when it is malformed. */
export function readOffset(payload: Bytes): number | null {
  if (payload.length !== 8) return null;
  const offset = view(payload).getBigUint64(0);
  return offset > BigInt(Number.MAX_SAFE_INTEGER) ? null : Number(offset);
}
