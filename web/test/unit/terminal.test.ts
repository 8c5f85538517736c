import { describe, expect, test } from "vitest";
import { concat, utf8 } from "../../src/core/bytes.ts";
import type { Fields } from "../../src/core/encoding.ts";
import { decodeFields, encodeFields, toJson } from "../../src/core/encoding.ts";
import type { EngineCapabilities } from "../../src/core/terminal/capabilities.ts";
import { offer, readSelect } from "../../src/core/terminal/capabilities.ts";
import type { PtyWish } from "../../src/core/terminal/client.ts";
import { TerminalClient } from "../../src/core/terminal/client.ts";
import { channelPair } from "../../src/core/terminal/pair.ts";
import { RecordTooLong, Tlv, TlvDecoder, encodeTlv, windowResize } from "../../src/core/terminal/tlv.ts";
import { VECTORS, hex, toHex } from "./vectors.ts";

const ENGINE: EngineCapabilities = {
  unicodeVersion: "15.1",
  truecolor: true,
  kittyFlags: 31,
  kittyGraphics: true,
  sixel: true,
  synchronizedOutput: true,
  mouse: ["sgr"],
  features: ["bracketed_paste"],
};
const SIZE = { rows: 24, cols: 80, widthPx: 0, heightPx: 0 };

describe("records", () => {
  test.each([
    ["T9", windowResize(24, 80, 0, 0)],
    ["T10", windowResize(40, 120, 960, 800)],
    ["T13", encodeTlv(Tlv.SetEnv, encodeFields({ LANG: "C.UTF-8" }, "cbor"))],
    ["T14", encodeTlv(Tlv.ShellRequest, encodeFields({}, "cbor"))],
    ["T1", encodeTlv(Tlv.Hello, utf8(toJson({ protocol: "vroom-terminal", version: 1, control_encoding: ["cbor", "json"] })))],
    ["T5", encodeTlv(Tlv.AuthRequest, encodeFields({ method: "token", token: "s3cret" }, "cbor"))],
    ["T7", encodeTlv(Tlv.PtyRequest, encodeFields({ term: "xterm-256color", rows: 24, cols: 80 }, "cbor"))],
  ] as const)("%s is written as published", (id, bytes) => {
    expect(toHex(bytes)).toBe(VECTORS[id]);
  });

  test("records are found whatever way the stream is cut", () => {
    const stream = concat([hex(VECTORS.T2), hex(VECTORS.T4), hex(VECTORS.T8), hex(VECTORS.T17)]);
    for (const step of [1, 3, 7, 50, stream.length]) {
      const decoder = new TlvDecoder();
      const types: number[] = [];
      for (let at = 0; at < stream.length; at += step) {
        for (const record of decoder.push(stream.slice(at, at + step))) types.push(record.type);
      }
      expect(types).toEqual([Tlv.Hello, Tlv.CapabilitySelect, Tlv.PtyResponse, Tlv.ExitStatus]);
    }
  });

  test("a record that claims more than a mebibyte is refused", () => {
    expect(() => new TlvDecoder().push(hex("00 00 00 01 00 10 00 01"))).toThrow(RecordTooLong);
  });
});

describe("capabilities", () => {
  test("nothing is offered that the engine did not answer", () => {
    const mute = { ...ENGINE, kittyFlags: 0, kittyGraphics: false, sixel: false, synchronizedOutput: false, truecolor: false, mouse: [], features: [] };
    expect(offer(mute)).toMatchObject({
      terminal: { truecolor: false },
      kitty: { keyboard: { supported_levels: [], preferred_level: 0 }, graphics: false, sixel: false, synchronized_output: false },
      mouse: [],
      features: [],
    });
  });

  test.each([
    [1, [1], 1],
    [3, [1, 2], 2],
    [15, [1, 2, 3], 3],
    [2, [], 0],
  ])("flags %i make levels %j", (kittyFlags, levels, preferred) => {
    const keyboard = { supported_levels: levels, preferred_level: preferred };
    expect(offer({ ...ENGINE, kittyFlags })).toMatchObject({ kitty: { keyboard } });
  });

  test("T4 is read", () => {
    const record = new TlvDecoder().push(hex(VECTORS.T4))[0];
    expect(readSelect(decodeFields(record?.payload ?? new Uint8Array()))).toEqual({ kittyLevel: 2, osc52: false, truecolor: false, graphics: true, sixel: false, flowControl: false, sharing: false });
  });
});

describe("the conversation", () => {
  function start(wish: Partial<PtyWish> = {}) {
    const sent: { type: number; fields: Fields }[] = [];
    const events: string[] = [];
    const client = new TerminalClient(ENGINE, SIZE, { writer: "w", scrollback: 100, ...wish }, { COLORTERM: "truecolor" }, {
      transmit: (record) => {
        const { type, payload } = new TlvDecoder().push(record)[0] ?? { type: 0, payload: new Uint8Array() };
        sent.push({ type, fields: type === Tlv.WindowResize ? {} : decodeFields(payload) });
      },
      selected: () => events.push("selected"),
      ptyAllocated: (grant) => events.push(`pty ${grant.channel}`),
      resized: (rows, cols) => events.push(`size ${rows}x${cols}`),
      mode: (bits) => events.push(`mode ${bits}`),
      shared: (share) => events.push(`shared ${share.driver} ${share.participants.length}`),
      started: () => events.push("started"),
      exited: (status) => events.push(`exit ${status.exitCode} ${status.signalName ?? ""}`.trim()),
      failed: (code, reason) => events.push(`failed ${code} ${reason}`),
      warned: (code, reason) => events.push(`warned ${code} ${reason}`),
    });
    const answer = (type: number, fields: Fields): void => client.receive(encodeTlv(type, encodeFields(fields, "cbor")));
    client.start();
    return { client, sent, events, answer };
  }

  function run(): ReturnType<typeof start> {
    const talk = start();
    talk.client.receive(hex(VECTORS.T2));
    talk.client.receive(hex(VECTORS.T4));
    talk.client.receive(hex(VECTORS.T6));
    talk.client.receive(hex(VECTORS.T8));
    talk.client.ptyOpened();
    talk.answer(Tlv.StartResponse, { ok: true });
    return talk;
  }

  test("runs in the order of the specification up to a shell", () => {
    const { sent, events, client } = run();
    expect(sent.map((one) => one.type)).toEqual([Tlv.Hello, Tlv.CapabilityOffer, Tlv.AuthRequest, Tlv.PtyRequest, Tlv.SetEnv, Tlv.ShellRequest]);
    expect(sent[2]?.fields).toEqual({ method: "inherit" });
    expect(sent[3]?.fields).toMatchObject({ term: "xterm-256color", rows: 24, cols: 80 });
    expect(events).toEqual(["selected", "pty vroom.terminal.pty", "started"]);
    expect(client.stage).toBe("active");
  });

  test("a size is only told once there is a PTY", () => {
    const early = start();
    early.client.resize({ ...SIZE, rows: 30 });
    expect(early.sent.some((one) => one.type === Tlv.WindowResize)).toBe(false);
    const late = run();
    late.client.resize({ ...SIZE, rows: 30 });
    expect(late.sent.at(-1)?.type).toBe(Tlv.WindowResize);
  });

  test("T16 and T17 end it with their status", () => {
    const normal = run();
    normal.client.receive(hex(VECTORS.T16));
    expect(normal.events.at(-1)).toBe("exit 0");
    const killed = run();
    killed.client.receive(hex(VECTORS.T17));
    expect(killed.events.at(-1)).toBe("exit null TERM");
  });

  test("T18 is fatal, other errors are told and skipped", () => {
    const fatal = run();
    fatal.client.receive(hex(VECTORS.T18));
    expect(fatal.events.at(-1)).toBe("failed 4000 no");
    const mild = run();
    mild.answer(Tlv.Error, { code: 4203, reason: "refused", data: ["LD_PRELOAD"] });
    expect(mild.events.at(-1)).toBe("warned 4203 refused: LD_PRELOAD");
    expect(mild.client.stage).toBe("active");
  });

  test("refusals, answers out of turn and rubbish end it in words", () => {
    const denied = start();
    denied.client.receive(hex(VECTORS.T2));
    denied.client.receive(hex(VECTORS.T4));
    denied.answer(Tlv.AuthResponse, { status: "failure", code: 4000, reason: "not you" });
    expect(denied.events.at(-1)).toBe("failed 4000 not you");
    const early = start();
    early.client.receive(hex(VECTORS.T8));
    expect(early.events.at(-1)).toContain("failed 4113");
    const rubbish = start();
    rubbish.client.receive(hex("00 00 00 01 00 00 00 01 61"));
    expect(rubbish.events.at(-1)).toContain("failed 4001");
  });

  test("a terminal that runs is joined without a shell", () => {
    const talk = start({ attach: "t7", have: 4_096 });
    expect(talk.sent.map((one) => one.type)).toEqual([Tlv.Hello, Tlv.CapabilityOffer, Tlv.AuthRequest, Tlv.PtyRequest]);
    talk.client.receive(hex(VECTORS.T2));
    talk.client.receive(hex(VECTORS.T4));
    talk.client.receive(hex(VECTORS.T6));
    expect(talk.sent.at(-1)?.fields).toMatchObject({ attach: "t7", have: 4_096, writer: "w", scrollback: 100 });
    talk.answer(Tlv.PtyResponse, { ok: true, channel: "vroom.terminal.pty", attached: true, offset: 4_096, input_offset: 7 });
    talk.client.ptyOpened();
    expect(talk.client.stage).toBe("active");
    expect(talk.events.at(-1)).toBe("started");
    expect(talk.sent).toHaveLength(4);
  });

  test("size, mode and people are told", () => {
    const talk = run();
    talk.client.receive(hex("00 00 00 32 00 00 00 08 00 28 00 78 00 00 00 00"));
    talk.client.receive(hex("00 00 00 33 00 00 00 01 05"));
    talk.answer(Tlv.ShareState, { self: "a", driver: "b", participants: [{ id: "a", name: "A", role: "viewer" }, { nonsense: 1 }] });
    expect(talk.events.slice(-3)).toEqual(["size 40x120", "mode 5", "shared b 1"]);
    talk.client.share({ action: "invite", ttl: 60 });
    expect(talk.sent.at(-1)).toEqual({ type: Tlv.Share, fields: { action: "invite", ttl: 60 } });
  });

  test("unknown records are skipped by their length", () => {
    const talk = run();
    talk.answer(0x7777, { anything: 1 });
    expect(talk.client.stage).toBe("active");
  });
});

test("further terminals have a suffix of their own", () => {
  expect(channelPair(1)).toEqual({ control: "vroom.terminal.control", pty: "vroom.terminal.pty" });
  expect(channelPair(2)).toEqual({ control: "vroom.terminal.control#2", pty: "vroom.terminal.pty#2" });
});
