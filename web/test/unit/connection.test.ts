import { describe, expect, test } from "vitest";
import { utf8 } from "../../src/core/bytes.ts";
import type { Fields } from "../../src/core/encoding.ts";
import { toJson } from "../../src/core/encoding.ts";
import { GraphicalSession } from "../../src/core/graphical/session.ts";
import { move, scroll } from "../../src/core/graphical/input.ts";
import { ChannelRejected, lossy, reliable } from "../../src/core/mux/channel.ts";
import { Code, Mux } from "../../src/core/mux/codes.ts";
import type { Closed } from "../../src/core/mux/connection.ts";
import { DRAIN_MS } from "../../src/core/mux/closing.ts";
import { Connection, WELCOME_TIMEOUT_MS } from "../../src/core/mux/connection.ts";
import { decodeFrame, encodeFrame } from "../../src/core/mux/frame.ts";
import { Remembering } from "./remembering.ts";
import { VECTORS, hex } from "./vectors.ts";

function connect(kind: "shared" | "perChannel" = "shared") {
  const link = new Remembering(kind);
  const events: string[] = [];
  let closed: Closed | null = null;
  const connection = new Connection(
    link,
    {
      welcome: () => events.push("welcome"),
      control: (type) => events.push(`control ${type.toString(16)}`),
      suspended: (reason) => events.push(`suspended ${reason}`),
      resumed: () => events.push("resumed"),
      resumeRefused: (code) => events.push(`refused ${code}`),
      sessions: (entries) => events.push(`sessions ${entries.map((entry) => entry.sessionId).join(" ")}`),
      error: (code) => events.push(`error ${code}`),
      closed: (end) => (closed = end),
    },
    0,
  );
  const json = (type: number, fields: Fields, now = 0): void => connection.receive(kind === "shared" ? null : "control", encodeFrame(0, type, utf8(toJson(fields))), now);
  connection.start({ type: "session", token: "key" }, 0);
  return { link, events, connection, json, end: () => closed };
}

function open(kind: "shared" | "perChannel" = "shared") {
  const made = connect(kind);
  made.json(Mux.Welcome, { version: [0, 1, 0], channels: [{ name: "control", id: 0 }] });
  made.link.control();
  return made;
}

describe("the beginning", () => {
  test("HELLO lists control, names us and carries the key", () => {
    const { link } = connect();
    expect(link.control()[0]).toMatchObject({
      type: Mux.Hello,
      fields: { version: [0, 1, 0], application: "vroom/0.1", auth: { type: "session", token: "key" }, channels: [{ name: "control", reliable: true, ordered: true }] },
    });
  });

  test("F6 is a welcome", () => {
    const { connection, events } = connect();
    connection.receive(null, hex(VECTORS.F6), 1);
    expect(events).toEqual(["welcome"]);
    expect(connection.isOpen).toBe(true);
  });

  test("CLOSE instead of WELCOME is a refusal", () => {
    const { json, end, link } = connect();
    json(Mux.Close, { code: 4000, reason: "no" });
    expect(end()).toEqual({ code: 4000, reason: "no", byPeer: true });
    expect(link.ended).toBe(true);
  });

  test("another major version is told and left", () => {
    const { json, end } = connect();
    json(Mux.Welcome, { version: [1, 0, 0], channels: [] });
    expect(end()?.code).toBe(Code.VersionMismatch);
  });

  test("a silent server is given up", () => {
    const { connection, end } = connect();
    connection.tick(WELCOME_TIMEOUT_MS - 1);
    expect(end()).toBeNull();
    connection.tick(WELCOME_TIMEOUT_MS);
    expect(end()?.code).toBe(Code.HelloTimeout);
  });

  test("anything else before WELCOME is a protocol error", () => {
    const { connection, end } = connect();
    connection.receive(null, hex(VECTORS.F2), 1);
    expect(end()?.code).toBe(Code.ProtocolError);
  });
});

describe("channels", () => {
  test("F7, F8 and F9 open and refuse", async () => {
    const { connection, link } = open();
    const pointer = connection.open(lossy("pointer"));
    const other = connection.open(reliable("nothing"));
    expect(link.sent[0]?.frame).toEqual(hex(VECTORS.F7));
    connection.receive(null, hex(VECTORS.F8), 1);
    connection.receive(null, hex(VECTORS.F9), 1);
    expect((await pointer).id).toBe(1);
    await expect(other).rejects.toMatchObject({ code: 1003, reason: "unknown channel" } satisfies Partial<ChannelRejected>);
  });

  async function opened(kind: "shared" | "perChannel", name = "vroom.terminal.pty") {
    const made = open(kind);
    const promise = made.connection.open(reliable(name));
    made.json(Mux.ChannelAck, { requestId: 1, id: 5, name });
    const channel = await promise;
    const got: string[] = [];
    channel.onmessage = (_, payload) => got.push(new TextDecoder().decode(payload));
    channel.onclose = (reason) => got.push(`closed ${reason}`);
    made.link.control();
    const deliver = (text: string, now = 1): void => made.connection.receive(kind === "shared" ? null : name, encodeFrame(5, 0, utf8(text)), now);
    return { ...made, channel, got, deliver };
  }

  test("messages arrive, and none after CLOSE_CHANNEL on a shared link", async () => {
    const { json, got, deliver, link } = await opened("shared");
    deliver("one");
    json(Mux.CloseChannel, { id: 5, reason: "done" });
    deliver("late");
    expect(got).toEqual(["one", "closed done"]);
    expect(link.control()).toEqual([]);
  });

  test("with lanes of their own, messages in flight still arrive after CLOSE_CHANNEL", async () => {
    const { connection, json, got, deliver } = await opened("perChannel");
    json(Mux.CloseChannel, { id: 5, reason: "done" });
    deliver("in flight");
    connection.laneClosed("vroom.terminal.pty", 2);
    expect(got).toEqual(["in flight", "closed done"]);
  });

  test("the wait for messages in flight ends by itself", async () => {
    const { connection, json, got } = await opened("perChannel");
    json(Mux.CloseChannel, { id: 5, reason: "done" });
    connection.tick(DRAIN_MS + 1);
    expect(got).toEqual(["closed done"]);
  });

  test("a message that overtakes its CHANNEL_ACK is not lost", async () => {
    const { connection, json } = open("perChannel");
    const promise = connection.open(reliable("video"));
    connection.receive("video", encodeFrame(9, 1, utf8("early")), 1);
    json(Mux.ChannelAck, { requestId: 1, id: 9, name: "video" });
    const got: string[] = [];
    (await promise).onmessage = (_, payload) => got.push(new TextDecoder().decode(payload));
    expect(got).toEqual(["early"]);
  });

  test("a large message leaves in pieces of 16 KiB and arrives whole", async () => {
    const { channel, link, connection, got } = await opened("shared");
    const large = "x".repeat(40_000);
    channel.send(0, utf8(large));
    const frames = link.sent.splice(0).map(({ frame }) => frame);
    expect(frames.map((frame) => decodeFrame(frame).part)).toEqual(["piece", "piece", "last"]);
    for (const frame of frames) connection.receive(null, frame, 1);
    expect(got).toEqual([large]);
  });

  test("control overtakes what waits, and waiting moves shrink to the newest", async () => {
    const { link, connection, json } = open("shared");
    const promise = connection.open(lossy("pointer"));
    json(Mux.ChannelAck, { requestId: 1, id: 1, name: "pointer" });
    const pointer = await promise;
    link.control();
    link.full = true;
    for (let x = 0; x < 100; x++) pointer.send(1, move(x, x).payload, (_, newer) => newer);
    connection.ping(1);
    link.full = false;
    connection.flush();
    expect(link.sent.map(({ frame }) => decodeFrame(frame).type)).toEqual([Mux.Ping, 1]);
    expect(link.sent[1]?.frame).toEqual(encodeFrame(1, 1, move(99, 99).payload));
  });

  test("a channel whose queue overflows is closed, the connection lives", async () => {
    const { channel, link, got, connection } = await opened("shared");
    link.full = true;
    for (let n = 0; n < 20; n++) channel.send(0, new Uint8Array(64 * 1024));
    expect(got).toEqual(["closed too much is waiting to be sent"]);
    expect(connection.isOpen).toBe(true);
  });
});

describe("the peer's faults", () => {
  test.each([
    ["channel 0 closed", "00 05 00 00 00 08 7B 22 69 64 22 3A 30 7D", Code.ProtocolError],
    ["a channel that is not open", "09 01 00 00 00 00", Code.ChannelNotFound],
    ["a body that is no JSON", "00 04 00 00 00 01 61", Code.InvalidMessage],
  ])("%s gets an ERROR and closes nothing", (_, bytes, code) => {
    const { connection, link } = open();
    connection.receive(null, hex(bytes), 1);
    expect(link.control()).toMatchObject([{ type: Mux.Error, fields: { code } }]);
    expect(connection.isOpen).toBe(true);
  });

  test("reserved bits close with 1002", () => {
    const { connection, end } = open();
    connection.receive(null, hex("00 10 00 01 00 04 00 00 03 E8"), 1);
    expect(end()?.code).toBe(Code.ProtocolError);
  });

  test("a frame above the agreed size closes with 4005", () => {
    const { connection, json, end } = connect();
    json(Mux.Welcome, { version: [0, 1, 0], channels: [], maxMessageSize: 2048 });
    connection.receive(null, encodeFrame(0, 0x91, new Uint8Array(2049)), 1);
    expect(end()?.code).toBe(Code.MessageTooLarge);
  });
});

describe("keepalive", () => {
  test("PING is answered with both clocks", () => {
    const { connection, link } = open();
    connection.receive(null, hex(VECTORS.F2), 500);
    expect(link.sent[0]?.frame).toEqual(hex(VECTORS.F3));
  });

  test("silence brings a PING, and more silence the end", () => {
    const { connection, link, end } = open();
    connection.tick(29_999);
    expect(link.control()).toEqual([]);
    connection.tick(30_000);
    expect(link.control()).toMatchObject([{ type: Mux.Ping }]);
    connection.tick(39_999);
    expect(end()).toBeNull();
    connection.tick(40_000);
    expect(end()?.reason).toBe("the server stopped answering");
  });

  test("PONG gives the round trip", () => {
    const { connection, link } = open();
    connection.ping(1_000);
    const ping = decodeFrame(link.sent[0]?.frame ?? new Uint8Array());
    connection.receive(null, encodeFrame(0, Mux.Pong, new Uint8Array([...ping.payload, 0, 0, 0, 0])), 1_042);
    expect(connection.keepalive.rttMs).toBe(42);
  });
});

describe("driving", () => {
  function session() {
    const made = open();
    const graphical = new GraphicalSession(made.connection, ["pointer", "sharing"], { width: 100, height: 100 }, {
      ready: () => undefined,
      mode: () => undefined,
      viewport: () => undefined,
      state: () => undefined,
      share: () => undefined,
      cursor: () => undefined,
      media: () => undefined,
      notification: () => undefined,
      chat: () => undefined,
      clipboard: () => undefined,
      offered: () => undefined,
      clipRules: () => undefined,
      drag: () => undefined,
      recording: () => undefined,
      failed: () => undefined,
    });
    const say = (type: number, fields: Fields): void => graphical.receive(type, utf8(toJson(fields)));
    say(0x80, { version: "0.1.0", control_encoding: "json", capabilities: ["pointer", "sharing"], viewport: { width: 200, height: 100 } });
    const acknowledge = async (): Promise<void> => {
      made.json(Mux.ChannelAck, { requestId: 1, id: 1, name: "pointer" });
      made.json(Mux.ChannelAck, { requestId: 2, id: 2, name: "button" });
      await new Promise((resolve) => setTimeout(resolve, 0));
      made.link.sent = [];
    };
    return { ...made, graphical, say, acknowledge };
  }
  const pointerFrames = (link: Remembering): number => link.sent.filter(({ lane }) => lane === "pointer").length;

  test("input leaves only between the grant and the loss of the floor", async () => {
    const { graphical, say, acknowledge, link, json } = session();
    graphical.setMode("interact");
    await acknowledge();
    graphical.input(move(1, 1));
    expect(pointerFrames(link)).toBe(0);
    say(0x91, { state: "idle", mode: "interact" });
    graphical.input(scroll(0, 5));
    expect(pointerFrames(link)).toBe(1);
    json(Mux.CloseChannel, { id: 2, reason: "driver changed" });
    expect(graphical.mode).toBe("view");
    graphical.input(move(2, 2));
    expect(pointerFrames(link)).toBe(1);
  });

  test("a floor that is handed over opens the input channels", async () => {
    const { graphical, say, acknowledge } = session();
    say(0x94, { self: "a", driver: "a", participants: [{ id: "a", name: "", role: "owner", mode: "interact" }] });
    await acknowledge();
    expect(graphical.driving).toBe(true);
  });

  test("leaving closes both channels", async () => {
    const { graphical, say, acknowledge, link } = session();
    graphical.setMode("interact");
    await acknowledge();
    say(0x91, { state: "idle", mode: "interact" });
    graphical.setMode("view");
    const closes = link.control().filter(({ type }) => type === Mux.CloseChannel);
    expect(closes.map(({ fields }) => fields["id"])).toEqual([1, 2]);
  });

  test("a refusal takes the wish back", () => {
    const { graphical } = session();
    graphical.setMode("interact");
    graphical.refused(Code.DriverBusy);
    expect(graphical.wanted).toBeNull();
    expect(graphical.mode).toBe("view");
  });
});
