/** The two control encodings, and reading either by its first byte. */
import type { Bytes } from "./bytes.ts";
import { fromUtf8, toBase64, utf8 } from "./bytes.ts";
import type { Value } from "./cbor.ts";
import { Float, decodeCbor, encodeCbor } from "./cbor.ts";

export type Encoding = "cbor" | "json";

/** A decoded message body. Members are checked where they are used. */
export type Fields = { [key: string]: Value | undefined };

/** A body that is neither a JSON object nor a CBOR map. */
export class EncodingError extends Error {}

/** Encodes a message body. */
export function encodeFields(fields: Fields, encoding: Encoding): Bytes {
  return encoding === "cbor" ? encodeCbor(fields) : utf8(toJson(fields));
}

/** Decodes a message body, whichever encoding it is in. */
export function decodeFields(body: Bytes): Fields {
  const first = body[0] ?? 0;
  if (first === 0x7b) return jsonFields(body);
  if (first < 0xa0 || first > 0xbf) throw new EncodingError("neither a JSON object nor a CBOR map");
  try {
    return decodeCbor(body) as Fields;
  } catch (cause) {
    throw new EncodingError("not valid CBOR", { cause });
  }
}

/** Decodes a body that is JSON by rule, as all mux messages are. */
export function jsonFields(body: Bytes): Fields {
  let value: unknown;
  try {
    value = JSON.parse(fromUtf8(body));
  } catch (cause) {
    throw new EncodingError("not valid JSON", { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new EncodingError("not a JSON object");
  return value as Fields;
}

/** JSON text of a body: no spaces, members in the order given, bytes as base64. */
export function toJson(fields: Fields): string {
  return JSON.stringify(fields, (_, value: unknown) => {
    if (value instanceof Float) return value.value;
    if (value instanceof Uint8Array) return toBase64(value);
    return value;
  });
}
