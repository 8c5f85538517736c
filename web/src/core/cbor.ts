/**
 * CBOR as VROOM uses it: RFC 8949 core deterministic encoding out, any valid definite-length CBOR in.
 *
 * Maps have text keys. Byte strings are `Uint8Array`. A number leaves as an integer when it is one; a field that the
 * wire types as a float is wrapped in {@link Float}.
 */
import type { Bytes } from "./bytes.ts";
import { concat, fromUtf8, utf8, view } from "./bytes.ts";

/** A value that both control encodings can carry. */
export type Value = null | boolean | number | string | Float | Uint8Array | Value[] | { [key: string]: Value | undefined };

/** Marks a number that is encoded as a float even when it is whole. */
export class Float {
  constructor(readonly value: number) {}
}

/** Bytes that are not valid CBOR. */
export class CborError extends Error {}

/** Deepest nesting accepted; deeper input is refused. */
const DEPTH_MAX = 16;

const Major = { Unsigned: 0, Negative: 1, Bytes: 2, Text: 3, Array: 4, Map: 5, Simple: 7 } as const;

/** Encodes a value deterministically; `undefined` members are left out. */
export function encodeCbor(value: Value): Bytes {
  const parts: Uint8Array[] = [];
  write(value, parts);
  return concat(parts);
}

function write(value: Value, out: Uint8Array[]): void {
  if (value === null) out.push(byte(0xf6));
  else if (typeof value === "boolean") out.push(byte(value ? 0xf5 : 0xf4));
  else if (typeof value === "number") writeNumber(value, out);
  else if (typeof value === "string") {
    const text = utf8(value);
    out.push(head(Major.Text, text.length), text);
  } else if (value instanceof Float) out.push(float(value.value));
  else if (value instanceof Uint8Array) out.push(head(Major.Bytes, value.length), value);
  else if (Array.isArray(value)) {
    out.push(head(Major.Array, value.length));
    for (const item of value) write(item, out);
  } else writeMap(value, out);
}

function writeMap(map: { [key: string]: Value | undefined }, out: Uint8Array[]): void {
  const entries: [Bytes, Value][] = [];
  for (const [key, value] of Object.entries(map)) {
    if (value === undefined) continue;
    entries.push([encodeCbor(key), value]);
  }
  entries.sort(([a], [b]) => compare(a, b));
  out.push(head(Major.Map, entries.length));
  for (const [key, value] of entries) {
    out.push(key);
    write(value, out);
  }
}

function compare(a: Bytes, b: Bytes): number {
  const shared = Math.min(a.length, b.length);
  for (let at = 0; at < shared; at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

function writeNumber(value: number, out: Uint8Array[]): void {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) out.push(float(value));
  else out.push(value >= 0 ? head(Major.Unsigned, value) : head(Major.Negative, -1 - value));
}

function byte(value: number): Bytes {
  return new Uint8Array([value]);
}

function head(major: number, argument: number): Bytes {
  const first = major << 5;
  if (argument < 24) return byte(first | argument);
  if (argument <= 0xff) return new Uint8Array([first | 24, argument]);
  if (argument <= 0xffff) {
    const bytes = new Uint8Array(3);
    bytes[0] = first | 25;
    view(bytes).setUint16(1, argument);
    return bytes;
  }
  const wide = argument > 0xffffffff;
  const bytes = new Uint8Array(wide ? 9 : 5);
  bytes[0] = first | (wide ? 27 : 26);
  if (wide) view(bytes).setBigUint64(1, BigInt(argument));
  else view(bytes).setUint32(1, argument);
  return bytes;
}

function float(value: number): Bytes {
  const half = toHalf(value);
  if (half !== null) {
    const bytes = new Uint8Array(3);
    bytes[0] = 0xf9;
    view(bytes).setUint16(1, half);
    return bytes;
  }
  const single = Math.fround(value) === value;
  const bytes = new Uint8Array(single ? 5 : 9);
  bytes[0] = single ? 0xfa : 0xfb;
  if (single) view(bytes).setFloat32(1, value);
  else view(bytes).setFloat64(1, value);
  return bytes;
}

/** The half-precision bits of a value, or null when a half cannot hold it exactly. */
function toHalf(value: number): number | null {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size === Infinity) return sign | 0x7c00;
  if (size === 0) return sign;
  const exponent = Math.max(Math.floor(Math.log2(size)), -14);
  if (exponent > 15) return null;
  const steps = size / 2 ** (exponent - 10);
  if (!Number.isInteger(steps) || steps > 2047) return null;
  return steps < 1024 ? sign | steps : sign | ((exponent + 15) << 10) | (steps - 1024);
}

/** Decodes one value; refuses trailing bytes, duplicate keys, indefinite lengths and deep nesting. */
export function decodeCbor(bytes: Bytes): Value {
  const reader = new Reader(bytes);
  const value = reader.value(0);
  if (!reader.done) throw new CborError("bytes after the value");
  return value;
}

class Reader {
  #at = 0;
  readonly #view: DataView;

  constructor(readonly bytes: Bytes) {
    this.#view = view(bytes);
  }

  get done(): boolean {
    return this.#at === this.bytes.length;
  }

  value(depth: number): Value {
    if (depth > DEPTH_MAX) throw new CborError("nested too deep");
    const first = this.#take(1)[0] ?? 0;
    const major = first >> 5;
    const info = first & 0x1f;
    if (major === Major.Simple) return this.#simple(info);
    const argument = this.#argument(info);
    switch (major) {
      case Major.Unsigned:
        return argument;
      case Major.Negative:
        return -1 - argument;
      case Major.Bytes:
        return this.#take(argument).slice();
      case Major.Text:
        return this.#text(argument);
      case Major.Array:
        return this.#array(argument, depth);
      case Major.Map:
        return this.#map(argument, depth);
      default:
        throw new CborError("tags are not used");
    }
  }

  #take(count: number): Bytes {
    if (count > this.bytes.length - this.#at) throw new CborError("ends too early");
    const taken = this.bytes.subarray(this.#at, this.#at + count);
    this.#at += count;
    return taken;
  }

  #argument(info: number): number {
    if (info < 24) return info;
    const at = this.#at;
    switch (info) {
      case 24:
        this.#take(1);
        return this.#view.getUint8(at);
      case 25:
        this.#take(2);
        return this.#view.getUint16(at);
      case 26:
        this.#take(4);
        return this.#view.getUint32(at);
      case 27:
        this.#take(8);
        return Number(this.#view.getBigUint64(at));
      default:
        throw new CborError("indefinite lengths are not used");
    }
  }

  #text(length: number): string {
    try {
      return fromUtf8(this.#take(length));
    } catch {
      throw new CborError("text is not UTF-8");
    }
  }

  #array(count: number, depth: number): Value[] {
    const items: Value[] = [];
    for (let n = 0; n < count; n++) items.push(this.value(depth + 1));
    return items;
  }

  #map(count: number, depth: number): Value {
    const entries = new Map<string, Value>();
    for (let n = 0; n < count; n++) {
      const key = this.value(depth + 1);
      if (typeof key !== "string") throw new CborError("map keys are text");
      if (entries.has(key)) throw new CborError("duplicate key");
      entries.set(key, this.value(depth + 1));
    }
    return Object.fromEntries(entries);
  }

  #simple(info: number): Value {
    const at = this.#at;
    switch (info) {
      case 20:
        return false;
      case 21:
        return true;
      case 22:
      case 23:
        return null;
      case 25:
        this.#take(2);
        return fromHalf(this.#view.getUint16(at));
      case 26:
        this.#take(4);
        return this.#view.getFloat32(at);
      case 27:
        this.#take(8);
        return this.#view.getFloat64(at);
      default:
        throw new CborError("unknown simple value");
    }
  }
}

function fromHalf(bits: number): number {
  const sign = (bits & 0x8000) !== 0 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}
