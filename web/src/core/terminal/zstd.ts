/** Compressed output. What a frame unpacks to is known, and bounded, before anything is unpacked. */
import { decompress } from "fzstd";
import type { Bytes } from "../bytes.ts";
import { view } from "../bytes.ts";

const MAGIC = 0xfd2fb528;
/** Bytes of the frame header before its optional fields. */
const HEADER = 5;

/** What one frame holds, or null when it is malformed, hides its size or holds more than `max` bytes. */
export function unpack(frame: Bytes, max: number): Bytes | null {
  const size = contentSize(frame);
  if (size === null || size > max) return null;
  try {
    const content = decompress(frame, new Uint8Array(size)) as Bytes;
    // A second frame behind the first would be appended.
    return content.length === size ? content : null;
  } catch {
    return null;
  }
}

/** RFC 8878 §3.1.1.1: the size that a frame declares, or null where it does not. */
function contentSize(frame: Bytes): number | null {
  const head = view(frame);
  if (frame.length < HEADER || head.getUint32(0, true) !== MAGIC) return null;
  const descriptor = head.getUint8(4);
  const [width, single] = [descriptor >> 6, (descriptor & 0x20) !== 0];
  if (width === 0 && !single) return null;
  const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const at = HEADER + (single ? 0 : 1) + dictionary;
  if (frame.length < at + (1 << width)) return null;
  if (width === 0) return head.getUint8(at);
  if (width === 1) return head.getUint16(at, true) + 256;
  if (width === 2) return head.getUint32(at, true);
  return Number(head.getBigUint64(at, true));
}
