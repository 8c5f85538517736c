/** The messages of a PTY channel. Without `flow_control` every message is raw bytes. */
import type { Bytes } from "../bytes.ts";
import { concat, view } from "../bytes.ts";

/** Mux types of the PTY channel. */
export const Pty = { Bytes: 0x00, Zstd: 0x01, EndOfInput: 0x02, Repaint: 0x03, Ack: 0x04 } as const;

/** The whole screen, to be fed to a terminal that was just reset; live output goes on at `offset`. */
export interface Repaint {
  offset: number;
  /** The body is one zstd frame; this client never selects compression. */
  compressed: boolean;
  /** The scrollback before the screen is in the body too. */
  scrollback: boolean;
  body: Bytes;
}

const HEADER = 9;
const COMPRESSED = 0x01;
const SCROLLBACK = 0x02;

/** Reads REPAINT; null when it is malformed. */
export function readRepaint(payload: Bytes): Repaint | null {
  if (payload.length < HEADER) return null;
  const [offset, flags] = [readOffset(payload.subarray(0, 8)), payload[8] ?? 0];
  if (offset === null || (flags & ~(COMPRESSED | SCROLLBACK)) !== 0) return null;
  return { offset, compressed: (flags & COMPRESSED) !== 0, scrollback: (flags & SCROLLBACK) !== 0, body: payload.subarray(HEADER) };
}

/** Builds REPAINT, as servers send it. */
export function encodeRepaint(repaint: Repaint): Bytes {
  const flags = (repaint.compressed ? COMPRESSED : 0) | (repaint.scrollback ? SCROLLBACK : 0);
  return concat([encodeAck(repaint.offset), new Uint8Array([flags]), repaint.body]);
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
