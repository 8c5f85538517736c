/** Messages of the `clipboard` channel: large contents in pieces, several formats together, and answers. */
import type { Bytes } from "../bytes.ts";
import { concat, fromUtf8, utf8, view } from "../bytes.ts";

/** The largest content, all formats together. */
export const CLIP_BYTES_MAX = 8 * 1024 * 1024;
/** The type of a list of files: their paths as `file-transfer` takes them, one per line. */
export const CLIP_PATHS = "application/x-vroom-paths";
/** The most bytes of content in one message. */
export const CLIP_PIECE_BYTES = 64 * 1024;

export type Selection = "clipboard" | "primary";

/** A format of a content. */
export interface ClipFormat {
  type: string;
  length: number;
}

/** What the server says. */
export type ClipNews =
  | { kind: "rules"; toDesktop: boolean; fromDesktop: boolean }
  | { kind: "offer"; serial: number; selection: Selection; formats: ClipFormat[] }
  | { kind: "data"; id: number; bytes: Bytes }
  | { kind: "answer"; id: number; code: number; reason: string };

export const ClipType = { Set: 0x01, Data: 0x02, Get: 0x03, Rules: 0x10, Offer: 0x11, Content: 0x12, Answer: 0x13 } as const;

const SELECTIONS: readonly Selection[] = ["clipboard", "primary"];

/** Announces the formats of what is set; their bytes follow. */
export function clipSet(id: number, selection: Selection, formats: ClipFormat[]): Bytes {
  const parts = formats.map(({ type, length }) => concat([name(type), u32(length)]));
  return concat([u32(id), Uint8Array.of(SELECTIONS.indexOf(selection)), ...parts]);
}

/** The next bytes of what is set. */
export function clipData(id: number, bytes: Bytes): Bytes {
  return concat([u32(id), bytes]);
}

/** Asks for a format of an offer. */
export function clipGet(id: number, serial: number, type: string): Bytes {
  return concat([u32(id), u32(serial), name(type)]);
}

/** Reads a message of the server; null for an unknown type or a malformed one. */
export function decodeClip(type: number, payload: Bytes): ClipNews | null {
  try {
    return decode(type, payload);
  } catch {
    return null;
  }
}

function decode(type: number, payload: Bytes): ClipNews | null {
  const fields = view(payload);
  if (type === ClipType.Rules && payload.length === 1) {
    const rules = fields.getUint8(0);
    return { kind: "rules", toDesktop: (rules & 1) !== 0, fromDesktop: (rules & 2) !== 0 };
  }
  if (type === ClipType.Offer) return offer(payload, fields);
  if (type === ClipType.Content && payload.length > 4) return { kind: "data", id: fields.getUint32(0), bytes: payload.subarray(4) };
  if (type !== ClipType.Answer) return null;
  return { kind: "answer", id: fields.getUint32(0), code: fields.getUint16(4), reason: fromUtf8(payload.subarray(6)) };
}

function offer(payload: Bytes, fields: DataView): ClipNews | null {
  const selection = SELECTIONS[fields.getUint8(4)];
  if (!selection) return null;
  const formats: ClipFormat[] = [];
  for (let at = 5; at < payload.length; ) {
    const end = at + 1 + fields.getUint8(at);
    formats.push({ type: fromUtf8(payload.subarray(at + 1, end)), length: fields.getUint32(end) });
    at = end + 4;
  }
  return { kind: "offer", serial: fields.getUint32(0), selection, formats };
}

function u32(value: number): Bytes {
  const bytes = new Uint8Array(4);
  view(bytes).setUint32(0, value);
  return bytes;
}

function name(type: string): Bytes {
  const bytes = utf8(type);
  return concat([Uint8Array.of(bytes.length), bytes]);
}
