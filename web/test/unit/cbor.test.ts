import { describe, expect, test } from "vitest";
import { utf8 } from "../../src/core/bytes.ts";
import { CborError, Float, decodeCbor, encodeCbor } from "../../src/core/cbor.ts";
import type { Value } from "../../src/core/cbor.ts";
import { EncodingError, decodeFields, encodeFields } from "../../src/core/encoding.ts";
import { hex, toHex } from "./vectors.ts";

describe("deterministic encoding", () => {
  test.each([
    [0, "00"],
    [23, "17"],
    [24, "18 18"],
    [255, "18 FF"],
    [256, "19 01 00"],
    [65536, "1A 00 01 00 00"],
    [2 ** 32, "1B 00 00 00 01 00 00 00 00"],
    [-1, "20"],
    [-257, "39 01 00"],
    [1.5, "F9 3E 00"],
    [0.1, "FB 3F B9 99 99 99 99 99 9A"],
    [100_000.5, "FA 47 C3 50 40"],
    [new Float(1), "F9 3C 00"],
    [new Float(65504), "F9 7B FF"],
    [new Float(5.960464477539063e-8), "F9 00 01"],
    [true, "F5"],
    [null, "F6"],
    ["ü", "62 C3 BC"],
    [new Uint8Array([1, 2]), "42 01 02"],
    [[1, [2]], "82 01 81 02"],
  ] as [Value, string][])("%j becomes %s", (value, bytes) => {
    expect(toHex(encodeCbor(value))).toBe(bytes);
  });

  test("keys are ordered shorter first, then alphabetically, whatever the order of writing", () => {
    const one = encodeCbor({ width: 1, x: 2, height: 3, a: 4 });
    const other = encodeCbor({ a: 4, height: 3, x: 2, width: 1 });
    expect(toHex(one)).toBe(toHex(other));
    expect(Object.keys(decodeCbor(one) as object)).toEqual(["a", "x", "width", "height"]);
  });

  test("undefined members are left out", () => {
    expect(encodeCbor({ a: undefined, b: 1 })).toEqual(encodeCbor({ b: 1 }));
  });
});

describe("decoding", () => {
  test("what was encoded comes back", () => {
    const value: Value = { text: "hello", list: [1, -5, 2.25, true, null], deep: { bytes: new Uint8Array([9]) } };
    expect(decodeCbor(encodeCbor(value))).toEqual(value);
  });

  test("longer lengths and any key order are accepted", () => {
    expect(decodeCbor(hex("A2 61 62 18 01 61 61 19 00 02"))).toEqual({ b: 1, a: 2 });
  });

  test.each([
    ["duplicate keys", "A2 61 61 01 61 61 02"],
    ["trailing bytes", "01 02"],
    ["indefinite lengths", "9F 01 FF"],
    ["a text that is not UTF-8", "61 FF"],
    ["keys that are not text", "A1 01 02"],
    ["tags", "C0 61 61"],
    ["a length beyond the end", "5B 00 00 00 01 00 00 00 00"],
    ["nesting without end", "81 ".repeat(40) + "01"],
  ])("%s are refused", (_, bytes) => {
    expect(() => decodeCbor(hex(bytes))).toThrow(CborError);
  });

  test("every truncation is refused", () => {
    const whole = encodeCbor({ key: "value", list: [1, 2.5, new Uint8Array([1, 2, 3])] });
    for (let length = 0; length < whole.length; length++) expect(() => decodeCbor(whole.slice(0, length))).toThrow(CborError);
  });
});

describe("the two encodings", () => {
  test("a body is read by its first byte", () => {
    expect(decodeFields(encodeFields({ mode: "view" }, "cbor"))).toEqual({ mode: "view" });
    expect(decodeFields(encodeFields({ mode: "view" }, "json"))).toEqual({ mode: "view" });
    expect(() => decodeFields(utf8("a"))).toThrow(EncodingError);
  });

  test("JSON writes floats as numbers and bytes as base64", () => {
    expect(new TextDecoder().decode(encodeFields({ scale: new Float(1), data: new Uint8Array([1, 2]) }, "json"))).toBe('{"scale":1,"data":"AQI="}');
  });
});
