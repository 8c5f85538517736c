import { describe, expect, test } from "vitest";
import { utf8 } from "../../src/core/bytes.ts";
import type { Fields } from "../../src/core/encoding.ts";
import { decodeFields, encodeFields } from "../../src/core/encoding.ts";
import * as input from "../../src/core/graphical/input.ts";
import * as messages from "../../src/core/graphical/messages.ts";
import { codecOf, decodeVideo, videoAck } from "../../src/core/graphical/video.ts";
import { decodeFrame, encodeFrame } from "../../src/core/mux/frame.ts";
import { readRecordings } from "../../src/core/transport/kept.ts";
import { meantAddress } from "../../src/ui/address.ts";
import { VECTORS, hex, toHex } from "./vectors.ts";

const CHANNELS = { pointer: 1, button: 2 };

function onWire(message: input.InputMessage | null): string {
  if (!message) return "";
  return toHex(encodeFrame(CHANNELS[message.channel], message.type, message.payload));
}

describe("binary input", () => {
  const key = (down: boolean, name: string, code: string, modifiers = 0): string => onWire(input.key(down, { key: name, code, modifiers }));

  test.each([
    ["G1", onWire(input.move(512, 300))],
    ["G2", onWire(input.move(0, 0))],
    ["G4", onWire(input.scroll(0, 120))],
    ["G5", onWire(input.scroll(0, -120))],
    ["G6", onWire(input.mouse(true, 512, 300, 0))],
    ["G7", onWire(input.mouse(false, 512, 300, 0))],
    ["G8", onWire(input.mouse(true, 1919, 1079, 2))],
    ["G9", key(true, "a", "KeyA")],
    ["G10", key(false, "a", "KeyA")],
    ["G11", key(true, "Control", "ControlLeft", input.Modifier.Ctrl)],
    ["G12", key(true, "s", "KeyS", input.Modifier.Ctrl)],
    ["G13", key(false, "Control", "ControlLeft")],
    ["G14", key(true, "é", "Digit2")],
    ["G15", key(true, "ArrowUp", "", input.Modifier.Shift)],
    ["G16", onWire(input.touch(true, 0, 400, 400, 128))],
    ["G17", onWire(input.touch(false, 1, 650, 650, 128))],
    ["G18", onWire(input.touchEnd(1))],
    ["G19", onWire(input.textCommit("né")[0] ?? null)],
    ["G3", onWire(input.moveRelative(-5, 10))],
    ["PEN", onWire(input.penState({ state: input.PenBit.Tip | input.PenBit.Lower, x: 512.5, y: 300.25, pressure: 0x8000 / 0xffff, tiltX: 30, tiltY: -45, twist: 270 }))],
    ["PEN_LEAVE", onWire(input.penLeave())],
    ["PREEDIT", onWire(input.preedit("né", 2, 2))],
    ["PREEDIT_END", onWire(input.preedit("", 0, 0))],
  ] as const)("%s is written as published", (id, bytes) => {
    expect(bytes).toBe(VECTORS[id]);
  });

  test("waiting moves are replaced and waiting distances added", () => {
    const older = input.scroll(3, -7).payload;
    const newer = input.scroll(-1, 32_767).payload;
    expect(input.mergePointer(input.Pointer.Move)(older, newer)).toEqual(newer);
    expect(input.mergePointer(input.Pointer.Scroll)(older, newer)).toEqual(input.scroll(2, 32_760).payload);
  });

  test("long text is cut at character borders", () => {
    const parts = input.textCommit("é".repeat(3000));
    expect(parts.map((part) => part.payload.length)).toEqual([4096, 1904]);
    expect(parts.map((part) => new TextDecoder("utf-8", { fatal: true }).decode(part.payload)).join("")).toBe("é".repeat(3000));
  });

  test("a caret within a character is not shown, and what is composed is cut at a character", () => {
    expect(toHex(input.preedit("😀", 1, 1).payload)).toBe("FF FF FF FF F0 9F 98 80");
    expect(toHex(input.preedit("😀a", 3, 0).payload)).toBe("00 00 00 05 F0 9F 98 80 61");
    const long = input.preedit("語".repeat(2000), 2000, 2000).payload;
    expect(long.length).toBe(4 + input.PREEDIT_BYTES_MAX);
    expect(toHex(long.slice(0, 4))).toBe("0C 00 0C 00");
  });

  test("what a pen cannot tell is the nearest that it can", () => {
    const wild = input.penState({ state: 0, x: -3, y: 1e9, pressure: 2, tiltX: 91, tiltY: -200, twist: 360 });
    expect([...wild.payload]).toEqual([0, 0, 0, 0, 255, 255, 255, 255, 255, 90, 166, 0, 0]);
  });

  test("a key name that does not fit its length byte is not sent", () => {
    expect(input.key(true, { key: "x".repeat(256), code: "KeyA", modifiers: 0 })).toBeNull();
  });
});

describe("control messages", () => {
  const onControl = (type: number, fields: Fields, encoding: "cbor" | "json" = "cbor"): string => toHex(encodeFrame(0, type, encodeFields(fields, encoding)));

  test.each([
    ["C3", onControl(messages.Client.Mode, { mode: "interact" })],
    ["C5", onControl(messages.Client.Resize, messages.resize({ width: 1920, height: 1080 }, 1, 2))],
    ["C6", onControl(messages.Client.Clipboard, { direction: "set", text: "hello" })],
    ["C7", onControl(messages.Client.Clipboard, { direction: "get" })],
    ["C11", onControl(messages.Client.Paste, { text: "hi" })],
  ] as const)("%s is written as published", (id, bytes) => {
    expect(bytes).toBe(VECTORS[id]);
  });

  test("C1 says the same as our handshake", () => {
    const published = JSON.parse(new TextDecoder().decode(decodeFrame(hex(VECTORS.C1)).payload)) as unknown;
    expect(messages.handshake(["pointer"], { width: 1024, height: 768 }, "view")).toEqual(published);
  });

  test("C2, C12, C13 and C14 are read", () => {
    const body = (id: keyof typeof VECTORS) => decodeFrame(hex(VECTORS[id])).payload;
    expect(messages.readHandshake(body("C2"))).toMatchObject({ encoding: "cbor", capabilities: ["pointer", "cursor"], viewport: { width: 1024, height: 768 } });
    const fields = (id: keyof typeof VECTORS) => decodeFields(body(id));
    expect(messages.readCursor(fields("C12"))).toMatchObject({ type: "pointer", x: 512, y: 300, visible: true, image: undefined, locked: false });
    expect(messages.readCursor({ type: "none", x: 0, y: 0, visible: false, locked: true })).toMatchObject({ visible: false, locked: true });
    expect(messages.readState(fields("C13"))).toMatchObject({ state: "idle", mode: undefined, viewport: undefined });
    expect(messages.readNotification(fields("C14"))).toMatchObject({ type: "success", text: "ok", ref: "cmd_1" });
  });

  test("members of the wrong type are as if absent", () => {
    const share = messages.readShareState({ self: 5, driver: null, participants: ["x", { id: 7, name: "Ann" }] });
    expect(share).toEqual({ self: "", driver: undefined, participants: [{ id: "", name: "Ann", role: "", mode: "view" }], reason: undefined });
    expect(messages.readHandshake(utf8('{"version":"0.1.0","viewport":{"width":-1,"height":5}}'))).toBeNull();
  });

  test("a cursor picture is read from bytes and from base64", () => {
    for (const png of [new Uint8Array([1, 2]), "AQI="]) {
      const cursor = messages.readCursor({ type: "default", x: 0, y: 0, image: { id: 3, png, width: 24, height: 24, hotspotX: 4, hotspotY: 5 } });
      expect(cursor.image).toEqual({ id: 3, png: new Uint8Array([1, 2]), width: 24, height: 24, hotspotX: 4, hotspotY: 5 });
    }
  });
});

describe("dragged files", () => {
  /** The vectors of docs/protocol.md, which the server's tests hold, too. */
  test.each<[string, messages.Drag]>([
    ["00 8B 00 00 00 16 A3 61 78 18 64 61 79 18 C8 66 61 63 74 69 6F 6E 65 65 6E 74 65 72", { action: "enter", x: 100, y: 200 }],
    ["00 8B 00 00 00 0E A1 66 61 63 74 69 6F 6E 65 6C 65 61 76 65", { action: "leave" }],
    ["00 8B 00 00 00 2A A4 61 78 01 61 79 02 65 70 61 74 68 73 81 6F 44 6F 77 6E 6C 6F 61 64 73 2F 61 2E 74 78 74 66 61 63 74 69 6F 6E 64 64 72 6F 70", { action: "drop", x: 1, y: 2, paths: ["Downloads/a.txt"] }],
    ["00 8B 00 00 00 0D A1 66 61 63 74 69 6F 6E 64 74 61 6B 65", { action: "take" }],
  ])("%s is what we say", (bytes, drag) => {
    expect(toHex(encodeFrame(0, messages.Client.Drag, encodeFields({ ...drag }, "cbor")))).toBe(bytes);
  });

  test.each<[string, messages.DragNews | null]>([
    ["00 8B 00 00 00 0E A1 66 61 63 74 69 6F 6E 65 62 65 67 69 6E", { action: "begin" }],
    ["00 8B 00 00 00 26 A3 65 70 61 74 68 73 81 65 61 2E 74 78 74 66 61 63 74 69 6F 6E 65 66 69 6C 65 73 69 65 6C 73 65 77 68 65 72 65 01", { action: "files", paths: ["a.txt"], elsewhere: 1 }],
    ["00 8B 00 00 00 13 A2 65 74 61 6B 65 6E F5 66 61 63 74 69 6F 6E 63 65 6E 64", { action: "end", taken: true }],
    ["00 8B 00 00 00 0D A1 66 61 63 74 69 6F 6E 64 74 61 6B 65", null],
  ])("%s is read", (bytes, news) => {
    const frame = decodeFrame(hex(bytes));
    expect(messages.readDrag(decodeFields(frame.payload))).toEqual(news);
  });
});

describe("recordings", () => {
  /** The vectors of docs/protocol.md, which the server's tests hold, too. */
  test.each([
    ["00 8E 00 00 00 0E A1 66 61 63 74 69 6F 6E 65 73 74 61 72 74", "start"],
    ["00 8E 00 00 00 0D A1 66 61 63 74 69 6F 6E 64 73 74 6F 70", "stop"],
  ])("%s is what we say", (bytes, action) => {
    expect(toHex(encodeFrame(0, messages.Client.Record, encodeFields({ action }, "cbor")))).toBe(bytes);
  });

  test.each([
    [
      "00 8E 00 00 00 23 A2 67 61 6C 6C 6F 77 65 64 F5 69 72 65 63 6F 72 64 69 6E 67 A2 62 62 79 63 61 6E 6E 65 73 69 6E 63 65 01",
      { allowed: true, recording: { by: "ann", since: 1 }, reason: "" },
    ],
    ["00 8E 00 00 00 0A A1 67 61 6C 6C 6F 77 65 64 F4", { allowed: false, recording: null, reason: "" }],
  ])("%s is read", (bytes, state) => {
    const frame = decodeFrame(hex(bytes));
    expect(messages.readRecord(decodeFields(frame.payload))).toEqual(state);
  });

  test("a list without what cannot be read", () => {
    const files = [{ name: "desktop.mp4", bytes: 5 }, { bytes: 1 }];
    expect(readRecordings({ recordings: [{ id: "a", by: "ann", began: 1, files }, { by: "x" }] })).toEqual([{ id: "a", by: "ann", began: 1, files: [{ name: "desktop.mp4", bytes: 5 }] }]);
    expect(readRecordings({})).toEqual([]);
  });
});

describe("what programs notify of, and what people say", () => {
  const fields = (id: keyof typeof VECTORS) => decodeFields(decodeFrame(hex(VECTORS[id])).payload);
  const silent = { app: "", title: "", body: "", actions: [], urgent: false, earlier: false, closed: false };

  test.each([
    ["NOTICE", { id: 7, action: "ok" }],
    ["NOTICE_AWAY", { id: 7 }],
  ] as const)("%s is written as documented", (id, answer) => {
    expect(toHex(encodeFrame(0, messages.Client.Notice, encodeFields({ ...answer }, "cbor")))).toBe(VECTORS[id]);
  });

  test("notices are read as documented", () => {
    const shown = messages.readNotification(fields("NOTICE_SHOWN"));
    expect(shown).toMatchObject({ type: "info", text: "Hi\nyou" });
    expect(shown.notice).toEqual({ ...silent, id: 7, app: "x", title: "Hi", body: "you", actions: [{ key: "ok", label: "OK" }] });
    expect(messages.readNotification(fields("NOTICE_OVER")).notice).toEqual({ ...silent, id: 7, closed: true });
    expect(messages.readNotification({ type: "info", text: "", notice: { id: "x" } }).notice).toBeUndefined();
  });

  test("lines of conversation are read as documented", () => {
    expect(messages.readChat(fields("CHAT_EARLIER"))).toEqual({ text: "hi", from: "p1", name: "Ann", id: 2, earlier: true, timestamp: undefined });
    expect(messages.readChat(fields("C15"))).toMatchObject({ text: "hi", name: "", id: undefined, earlier: false });
  });
});

describe("addresses", () => {
  test.each([
    ["example.org", "https://example.org/"],
    [" http://example.org/a b ", "http://example.org/a%20b"],
    ["localhost:8080/x", "https://localhost:8080/x"],
    ["bücher.example", "https://xn--bcher-kva.example/"],
    ["javascript:alert(1)", null],
    ["file:///etc/passwd", null],
    ["", null],
  ])("%s means %s", (typed, meant) => {
    expect(meantAddress(typed)).toBe(meant);
  });
});

describe("video messages", () => {
  test("an access unit carries its flag and time", () => {
    expect(decodeVideo(3, hex("01 00 00 00 00 00 00 03 E8 00 00 00 01"))).toEqual({ kind: "h264", keyFrame: true, ptsUs: 1000, data: hex("00 00 00 01") });
  });

  test("rubbish is not a picture", () => {
    expect(decodeVideo(1, hex("00 01 02 03 04"))).toBeNull();
    expect(decodeVideo(3, hex("01 00"))).toBeNull();
    expect(decodeVideo(9, hex("FF D8 00 00 00 00 00 00 00 00"))).toBeNull();
  });

  test("the codec comes from the parameter set", () => {
    expect(codecOf(hex("00 00 00 01 09 10 00 00 00 01 67 42 C0 28 DA 01"))).toBe("avc1.42c028");
    expect(codecOf(hex("00 00 00 01 41 9A 00 00 00 00"))).toBeNull();
  });

  test("an acknowledgement is a count", () => {
    expect(toHex(videoAck(258))).toBe("00 00 01 02");
  });
});
