/** Binary input messages of the `pointer` and `button` channels. */
import type { Bytes } from "../bytes.ts";
import { utf8, view } from "../bytes.ts";

export const Pointer = { Move: 0x01, MoveRelative: 0x02, Scroll: 0x03 } as const;
export const Button = {
  MouseDown: 0x10,
  MouseUp: 0x11,
  KeyDown: 0x12,
  KeyUp: 0x13,
  TouchStart: 0x14,
  TouchMove: 0x15,
  TouchEnd: 0x16,
  Text: 0x17,
  Pen: 0x1b,
  PenLeave: 0x1c,
  Preedit: 0x1d,
} as const;
/** What of a pen is pressed, and which end of it points at the screen. */
export const PenBit = { Tip: 1, Lower: 2, Upper: 4, Eraser: 8 } as const;
export const Modifier = { Shift: 1, Ctrl: 2, Alt: 4, Meta: 8, CapsLock: 16 } as const;

/** Longest TEXT message; longer text is cut at character borders. */
export const TEXT_BYTES_MAX = 4096;

/** Longest text of PREEDIT; of longer ones the end is left out. */
export const PREEDIT_BYTES_MAX = 3072;

/** One message of an input channel. */
export interface InputMessage {
  channel: "pointer" | "button";
  type: number;
  payload: Bytes;
}

/** A key as the browser names it. */
export interface KeyName {
  key: string;
  code: string;
  modifiers: number;
}

/** MOUSE_MOVE to viewport pixels. */
export function move(x: number, y: number): InputMessage {
  return pointer(Pointer.Move, u16s(x, y));
}

/** MOUSE_MOVE_REL by pixels, right and down positive. */
export function moveRelative(dx: number, dy: number): InputMessage {
  return pointer(Pointer.MoveRelative, i16s(dx, dy));
}

/** SCROLL by pixels, right and down positive. */
export function scroll(dx: number, dy: number): InputMessage {
  return pointer(Pointer.Scroll, i16s(dx, dy));
}

/** MOUSE_DOWN or MOUSE_UP at a position; buttons in DOM order. */
export function mouse(down: boolean, x: number, y: number, button: number): InputMessage {
  return press(down ? Button.MouseDown : Button.MouseUp, new Uint8Array([...u16s(x, y), button]));
}

/** KEY_DOWN or KEY_UP; null for names too long for the wire. */
export function key(down: boolean, name: KeyName): InputMessage | null {
  const keyBytes = utf8(name.key);
  const codeBytes = utf8(name.code);
  if (keyBytes.length > 255 || codeBytes.length > 255) return null;
  const payload = new Uint8Array(3 + keyBytes.length + codeBytes.length);
  payload[0] = keyBytes.length;
  payload.set(keyBytes, 1);
  payload[1 + keyBytes.length] = codeBytes.length;
  payload.set(codeBytes, 2 + keyBytes.length);
  payload[payload.length - 1] = name.modifiers & 0x1f;
  return press(down ? Button.KeyDown : Button.KeyUp, payload);
}

/** TOUCH_START or TOUCH_MOVE; pressure 0 means that none is reported. */
export function touch(start: boolean, id: number, x: number, y: number, pressure: number): InputMessage {
  return press(start ? Button.TouchStart : Button.TouchMove, new Uint8Array([id & 0xff, ...u16s(x, y), pressure & 0xff]));
}

/** TOUCH_END. */
export function touchEnd(id: number): InputMessage {
  return press(Button.TouchEnd, new Uint8Array([id & 0xff]));
}

/** Where a pen is and how it is held, in the units of PointerEvent; places may be between pixels. */
export interface PenPose {
  /** {@link PenBit}s. */
  state: number;
  x: number;
  y: number;
  pressure: number;
  tiltX: number;
  tiltY: number;
  twist: number;
}

/** PEN. */
export function penState(pose: PenPose): InputMessage {
  const payload = new Uint8Array(13);
  const fields = view(payload);
  const places = [pose.x, pose.y].map((place) => clamp(Math.round(place * 256), 0, 0xff_ffff));
  payload[0] = pose.state;
  places.forEach((place, index) => {
    fields.setUint8(1 + index * 3, place >> 16);
    fields.setUint16(2 + index * 3, place & 0xffff);
  });
  fields.setUint16(7, clamp(Math.round(pose.pressure * 0xffff), 0, 0xffff));
  fields.setInt8(9, clamp(Math.round(pose.tiltX), -90, 90));
  fields.setInt8(10, clamp(Math.round(pose.tiltY), -90, 90));
  fields.setUint16(11, clamp(Math.round(pose.twist), 0, 0xffff) % 360);
  return press(Button.Pen, payload);
}

/** PEN_LEAVE. */
export function penLeave(): InputMessage {
  return press(Button.PenLeave, new Uint8Array(0));
}

/** TEXT messages that together commit a text. */
export function textCommit(content: string): InputMessage[] {
  const messages: InputMessage[] = [];
  let part = "";
  let bytes = 0;
  for (const character of content) {
    const length = utf8(character).length;
    if (bytes + length > TEXT_BYTES_MAX) {
      messages.push(press(Button.Text, utf8(part)));
      part = "";
      bytes = 0;
    }
    part += character;
    bytes += length;
  }
  if (part !== "") messages.push(press(Button.Text, utf8(part)));
  return messages;
}

/**
 * PREEDIT: what is composed and no text yet, and between which UTF-16 units of it the caret or what is selected lies.
 * An empty text takes it back.
 */
export function preedit(content: string, begin: number, end: number): InputMessage {
  const space = new Uint8Array(PREEDIT_BYTES_MAX);
  const { read, written } = new TextEncoder().encodeInto(content, space);
  const [fits, text] = [content.slice(0, read), space.subarray(0, written)];
  const place = (at: number): number => utf8(fits.slice(0, at)).length;
  const [from, to] = [place(Math.min(begin, end)), place(Math.max(begin, end))];
  const payload = new Uint8Array(4 + text.length);
  // Within a character of two units there is no place; such a caret is not shown.
  payload.set(within(fits, begin) || within(fits, end) ? u16s(0xffff, 0xffff) : u16s(from, to));
  payload.set(text, 4);
  return press(Button.Preedit, payload);
}

function within(content: string, at: number): boolean {
  const unit = content.charCodeAt(at);
  return at > 0 && unit >= 0xdc00 && unit <= 0xdfff;
}

/** Joins a waiting pointer message with a newer one: moves are replaced, distances added. */
export function mergePointer(type: number): (older: Bytes, newer: Bytes) => Bytes | null {
  if (type === Pointer.Move) return (_, newer) => newer;
  return (older, newer) => {
    const a = view(older);
    const b = view(newer);
    return i16s(a.getInt16(0) + b.getInt16(0), a.getInt16(2) + b.getInt16(2));
  };
}

function pointer(type: number, payload: Bytes): InputMessage {
  return { channel: "pointer", type, payload };
}

function press(type: number, payload: Bytes): InputMessage {
  return { channel: "button", type, payload };
}

function u16s(a: number, b: number): Bytes {
  const bytes = new Uint8Array(4);
  view(bytes).setUint16(0, clamp(a, 0, 0xffff));
  view(bytes).setUint16(2, clamp(b, 0, 0xffff));
  return bytes;
}

function i16s(a: number, b: number): Bytes {
  const bytes = new Uint8Array(4);
  view(bytes).setInt16(0, clamp(a, -0x8000, 0x7fff));
  view(bytes).setInt16(2, clamp(b, -0x8000, 0x7fff));
  return bytes;
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, Math.trunc(value)));
}
