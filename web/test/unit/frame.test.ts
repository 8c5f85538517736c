import { describe, expect, test } from "vitest";
import { utf8 } from "../../src/core/bytes.ts";
import { Code } from "../../src/core/mux/codes.ts";
import { FrameError, decodeFrame, encodeFrame } from "../../src/core/mux/frame.ts";
import { Reassembly, TooLarge } from "../../src/core/mux/reassembly.ts";
import { VECTORS, hex, toHex } from "./vectors.ts";

function failure(message: string): FrameError {
  try {
    decodeFrame(hex(message));
  } catch (error) {
    if (error instanceof FrameError) return error;
  }
  throw new Error("the frame was accepted");
}

describe("frames", () => {
  test.each([
    ["F2", 0, 0x10, "00 00 03 E8"],
    ["F3", 0, 0x11, "00 00 03 E8 00 00 01 F4"],
    ["F16", 3, 0, ""],
    ["T20", 4, 0, "6C 73 0D"],
  ] as const)("%s is written as published", (id, channel, type, payload) => {
    expect(toHex(encodeFrame(channel, type, payload === "" ? new Uint8Array() : hex(payload)))).toBe(VECTORS[id]);
  });

  test("fragments F14 and F15 are written and joined", () => {
    expect(toHex(encodeFrame(2, 0, utf8("hel"), "piece"))).toBe(VECTORS.F14);
    expect(toHex(encodeFrame(2, 0, utf8("lo"), "last"))).toBe(VECTORS.F15);
    const reassembly = new Reassembly();
    expect(reassembly.push(decodeFrame(hex(VECTORS.F14)), 100)).toBeNull();
    expect(reassembly.push(decodeFrame(hex(VECTORS.F15)), 100)).toEqual(utf8("hello"));
  });

  test("an extended frame of any length is read", () => {
    const frame = decodeFrame(hex(VECTORS.F13));
    expect(frame).toMatchObject({ channel: 5, type: 0 });
    expect(frame.payload).toEqual(utf8("abc"));
  });

  test("a payload above 65535 bytes gets the extended header", () => {
    const frame = encodeFrame(7, 1, new Uint8Array(70_000));
    expect(toHex(frame.subarray(0, 8))).toBe("07 01 01 00 00 01 11 70");
    expect(decodeFrame(frame).payload).toHaveLength(70_000);
  });

  test.each(["00 10 00 01 00 04 00 00 03 E8", "00 10 08 00 00 04 00 00 03 E8", "02 00 04 00 00 01 41"])("%s ends the connection with 1002", (bytes) => {
    expect(failure(bytes)).toMatchObject({ code: Code.ProtocolError, fatal: true });
  });

  test("a frame cut anywhere is refused without ending the connection", () => {
    const whole = VECTORS.F2.split(" ");
    for (let length = 1; length < whole.length; length++) {
      expect(failure(whole.slice(0, length).join(" "))).toMatchObject({ code: Code.InvalidMessage, fatal: false });
    }
  });
});

describe("reassembly", () => {
  const piece = (type: number, text: string, part: "piece" | "last" | "whole", channel = 2) => ({ channel, type, part, payload: utf8(text) });

  test("pieces of different channels may interleave", () => {
    const reassembly = new Reassembly();
    reassembly.push(piece(0, "a", "piece", 2), 100);
    reassembly.push(piece(0, "x", "piece", 3), 100);
    expect(reassembly.push(piece(0, "b", "last", 2), 100)).toEqual(utf8("ab"));
    expect(reassembly.push(piece(0, "y", "last", 3), 100)).toEqual(utf8("xy"));
  });

  test("a single last piece is a whole message", () => {
    expect(new Reassembly().push(piece(0, "all", "last"), 100)).toEqual(utf8("all"));
  });

  test("another message or type between the pieces is a protocol error", () => {
    for (const between of [piece(0, "x", "whole"), piece(1, "x", "last")]) {
      const reassembly = new Reassembly();
      reassembly.push(piece(0, "a", "piece"), 100);
      expect(() => reassembly.push(between, 100)).toThrow(FrameError);
    }
  });

  test("a message above its cap is given up and its memory freed", () => {
    const reassembly = new Reassembly();
    reassembly.push(piece(0, "abc", "piece"), 4);
    expect(() => reassembly.push(piece(0, "de", "last"), 4)).toThrow(TooLarge);
    expect(reassembly.push(piece(0, "ok", "whole"), 4)).toEqual(utf8("ok"));
  });
});
