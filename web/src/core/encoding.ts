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
    const text = fromUtf8(body);
    value = JSON.parse(text);
    checkMembers(text);
  } catch (cause) {
    throw new EncodingError("not valid JSON", { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new EncodingError("not a JSON object");
  return value as Fields;
}

/** Deepest nesting of a JSON body that is read. */
export const JSON_DEPTH_MAX = 16;

/** Refuses text, valid JSON already, that names a member twice or nests too deeply. */
function checkMembers(text: string): void {
  const open: (Set<string> | null)[] = [];
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"\s*:?|[[\]{}]/g)) {
    if (token === "}" || token === "]") open.pop();
    else if (token === "{" || token === "[") {
      open.push(token === "{" ? new Set() : null);
      if (open.length > JSON_DEPTH_MAX) throw new EncodingError("nested too deeply");
    } else if (token.endsWith(":")) {
      const name = JSON.parse(token.slice(0, -1)) as string;
      const members = open.at(-1);
      if (members?.has(name)) throw new EncodingError("a member is named twice");
      members?.add(name);
    }
  }
}

/** JSON text of a body: no spaces, members in the order given, bytes as base64. */
export function toJson(fields: Fields): string {
  return JSON.stringify(fields, (_, value: unknown) => {
    if (value instanceof Float) return value.value;
    if (value instanceof Uint8Array) return toBase64(value);
    return value;
  });
}
