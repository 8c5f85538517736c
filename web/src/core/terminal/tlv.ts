/** The TLV records of a terminal's control channel, read as one byte stream. */
import type { Bytes } from "../bytes.ts";
import { concat, view } from "../bytes.ts";

export const Tlv = {
  Hello: 0x01,
  CapabilityOffer: 0x02,
  CapabilitySelect: 0x03,
  AuthRequest: 0x10,
  AuthResponse: 0x11,
  PtyRequest: 0x20,
  PtyResponse: 0x21,
  WindowResize: 0x30,
  Signal: 0x31,
  WindowSize: 0x32,
  PtyMode: 0x33,
  SetEnv: 0x40,
  ShellRequest: 0x50,
  ExecRequest: 0x51,
  StartResponse: 0x52,
  KeyEvent: 0x60,
  Share: 0x70,
  ShareState: 0x71,
  ExitStatus: 0xf0,
  Error: 0xff,
} as const;

/** Longest record accepted; a longer one ends the terminal with 4005. */
export const RECORD_MAX = 1024 * 1024;
const HEADER = 8;

/** One record. */
export interface TlvRecord {
  type: number;
  payload: Bytes;
}

/** A record longer than {@link RECORD_MAX}. */
export class RecordTooLong extends Error {}

/** Builds one record. */
export function encodeTlv(type: number, payload: Uint8Array): Bytes {
  const header = new Uint8Array(HEADER);
  view(header).setUint32(0, type);
  view(header).setUint32(4, payload.length);
  return concat([header, payload]);
}

/** WINDOW_RESIZE: rows first, then columns, then the size of the text area in pixels. */
export function windowResize(rows: number, cols: number, widthPx: number, heightPx: number): Bytes {
  const payload = new Uint8Array(HEADER);
  const out = view(payload);
  [rows, cols, widthPx, heightPx].forEach((value, place) => out.setUint16(place * 2, Math.min(value, 0xffff)));
  return encodeTlv(Tlv.WindowResize, payload);
}

/** Cuts the byte stream of the channel into records. */
export class TlvDecoder {
  #rest: Bytes = new Uint8Array(0);

  /** Takes bytes and returns the records they complete. */
  push(bytes: Bytes): TlvRecord[] {
    this.#rest = this.#rest.length === 0 ? bytes : concat([this.#rest, bytes]);
    const records: TlvRecord[] = [];
    while (this.#rest.length >= HEADER) {
      const head = view(this.#rest);
      const length = head.getUint32(4);
      if (length > RECORD_MAX) throw new RecordTooLong("terminal record too long");
      if (this.#rest.length < HEADER + length) break;
      records.push({ type: head.getUint32(0), payload: this.#rest.slice(HEADER, HEADER + length) });
      this.#rest = this.#rest.slice(HEADER + length);
    }
    return records;
  }
}
