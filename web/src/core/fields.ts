/** Reading members of a decoded body without trusting them. */
import type { Bytes } from "./bytes.ts";
import { fromBase64 } from "./bytes.ts";
import type { Value } from "./cbor.ts";
import type { Fields } from "./encoding.ts";

/** The member as text, or undefined. */
export function text(fields: Fields, key: string): string | undefined {
  const value = fields[key];
  return typeof value === "string" ? value : undefined;
}

/** The member as a finite number, or undefined. */
export function number(fields: Fields, key: string): number | undefined {
  const value = fields[key];
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

/** The member as a whole number within bounds, or undefined. */
export function integer(fields: Fields, key: string, min = 0, max = Number.MAX_SAFE_INTEGER): number | undefined {
  const value = number(fields, key);
  return value !== undefined && Number.isInteger(value) && value >= min && value <= max ? value : undefined;
}

/** The member as a boolean, or undefined. */
export function flag(fields: Fields, key: string): boolean | undefined {
  const value = fields[key];
  return typeof value === "boolean" ? value : undefined;
}

/** The member as a map, or undefined. */
export function map(fields: Fields, key: string): Fields | undefined {
  return asMap(fields[key]);
}

/** A value as a map, or undefined. */
export function asMap(value: Value | undefined): Fields | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (Array.isArray(value) || value instanceof Uint8Array) return undefined;
  return value as Fields;
}

/** The member as a list of maps; members of other kinds are left out. */
export function maps(fields: Fields, key: string): Fields[] {
  const value = fields[key];
  if (!Array.isArray(value)) return [];
  return value.map(asMap).filter((item): item is Fields => item !== undefined);
}

/** The member as a list of texts; members of other kinds are left out. */
export function texts(fields: Fields, key: string): string[] {
  const value = fields[key];
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
}

/** The member as bytes: a byte string in CBOR, base64 text in JSON. */
export function bytes(fields: Fields, key: string): Bytes | undefined {
  const value = fields[key];
  if (value instanceof Uint8Array) return value as Bytes;
  if (typeof value !== "string") return undefined;
  try {
    return fromBase64(value);
  } catch {
    return undefined;
  }
}
