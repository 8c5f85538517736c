/** Messages of the `patches` channel: exact pictures of what keeps still. */
import type { Bytes } from "../bytes.ts";
import { view } from "../bytes.ts";

/** A part of the desktop, in pixels. */
export interface PatchRect {
  x: number;
  y: number;
  width: number;
  height: number;
}

export type PatchMessage =
  | { kind: "start"; width: number; height: number }
  | { kind: "show"; place: PatchRect; png: Bytes }
  | { kind: "clear"; places: PatchRect[] };

const Patches = { Start: 0x01, Show: 0x02, Clear: 0x03 } as const;
const RECT_BYTES = 8;

/** Reads a message of the server; null for an unknown type or a malformed one. */
export function decodePatch(type: number, payload: Bytes): PatchMessage | null {
  const fields = view(payload);
  if (type === Patches.Start) {
    return payload.length === 4 ? { kind: "start", width: fields.getUint16(0), height: fields.getUint16(2) } : null;
  }
  if (type === Patches.Show) {
    return payload.length > RECT_BYTES ? { kind: "show", place: rect(fields, 0), png: payload.subarray(RECT_BYTES) } : null;
  }
  if (type !== Patches.Clear || payload.length % RECT_BYTES !== 0) return null;
  const places = Array.from({ length: payload.length / RECT_BYTES }, (_, place) => rect(fields, place * RECT_BYTES));
  return { kind: "clear", places };
}

function rect(fields: DataView, at: number): PatchRect {
  return { x: fields.getUint16(at), y: fields.getUint16(at + 2), width: fields.getUint16(at + 4), height: fields.getUint16(at + 6) };
}
