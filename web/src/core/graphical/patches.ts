/** Messages of the `patches` channel: exact pictures of what keeps still or is scrolled. */
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
  | { kind: "clear"; places: PatchRect[] }
  | { kind: "move"; to: PatchRect; fromX: number; fromY: number; follow: number };

export const Patches = { Start: 0x01, Show: 0x02, Clear: 0x03, Move: 0x04, Ack: 0x05 } as const;
const RECT_BYTES = 8;
const MOVE_BYTES = RECT_BYTES + 5;

/** Reads a message of the server; null for an unknown type or a malformed one. */
export function decodePatch(type: number, payload: Bytes): PatchMessage | null {
  const fields = view(payload);
  if (type === Patches.Start) {
    return payload.length === 4 ? { kind: "start", width: fields.getUint16(0), height: fields.getUint16(2) } : null;
  }
  if (type === Patches.Show) {
    return payload.length > RECT_BYTES ? { kind: "show", place: rect(fields, 0), png: payload.subarray(RECT_BYTES) } : null;
  }
  if (type === Patches.Move) {
    if (payload.length !== MOVE_BYTES) return null;
    const from = { fromX: fields.getUint16(RECT_BYTES), fromY: fields.getUint16(RECT_BYTES + 2) };
    return { kind: "move", to: rect(fields, 0), ...from, follow: fields.getUint8(RECT_BYTES + 4) };
  }
  if (type !== Patches.Clear || payload.length % RECT_BYTES !== 0) return null;
  const places = Array.from({ length: payload.length / RECT_BYTES }, (_, place) => rect(fields, place * RECT_BYTES));
  return { kind: "clear", places };
}

/** The payload of an acknowledgement: `count` messages of the channel are on the page, or were given up. */
export function patchAck(count: number): Bytes {
  const payload = new Uint8Array(4);
  view(payload).setUint32(0, count);
  return payload;
}

function rect(fields: DataView, at: number): PatchRect {
  return { x: fields.getUint16(at), y: fields.getUint16(at + 2), width: fields.getUint16(at + 4), height: fields.getUint16(at + 6) };
}
