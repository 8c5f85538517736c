import { describe, expect, test } from "vitest";
import type { Bytes } from "../../src/core/bytes.ts";
import { fromUtf8, utf8 } from "../../src/core/bytes.ts";
import type { Fields } from "../../src/core/encoding.ts";
import { EncodingError, jsonFields, toJson } from "../../src/core/encoding.ts";
import { lossy, reliable } from "../../src/core/mux/channel.ts";
import { Code, Mux } from "../../src/core/mux/codes.ts";
import { Connection } from "../../src/core/mux/connection.ts";
import { decodeFrame, encodeFrame } from "../../src/core/mux/frame.ts";
import { Numbering, RING_BYTES_MAX, Received, SEQ_ACK_BYTES, SEQ_ACK_MS, sequenceOf } from "../../src/core/mux/sequence.ts";
import { Remembering } from "./remembering.ts";

const AUTH = { type: "session" as const, token: "key" };
const PTY = "vroom.terminal.pty";

function numbered(sequence: number, content: string): Bytes {
  const text = utf8(content);
  const bytes = new Uint8Array(8 + text.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(sequence));
  bytes.set(text, 8);
  return bytes;
}

/** A connection with session-resume, one PTY channel with id 5, and what came on it. */
async function session(kind: "shared" | "perChannel" = "shared", extensions = ["session-resume", "vroom-seq-ack", "session-persistence"]) {
  const events: string[] = [];
  let link = new Remembering(kind);
  const connection: Connection = new Connection(
    link,
    {
      welcome: () => events.push("welcome"),
      suspended: (reason) => events.push(`suspended ${reason}`),
      resumed: () => events.push("resumed"),
      resumeRefused: (code) => events.push(`refused ${code}`),
      sessions: (entries) => events.push(`sessions ${entries.map((entry) => `${entry.sessionId}:${entry.name}`).join(" ")}`),
      control: () => undefined,
      error: () => undefined,
      closed: ({ code }) => events.push(`closed ${code}`),
    },
    0,
  );
  const json = (type: number, fields: Fields, now = 0): void => connection.receive(kind === "shared" ? null : "control", encodeFrame(0, type, utf8(toJson(fields))), now);
  connection.start(AUTH, 0);
  json(Mux.Welcome, { version: [0, 1, 0], channels: [], extensions });
  json(Mux.SessionId, { sessionId: "secret-of-the-session", resumeTimeout: 300, bufferSize: 1_048_576 });
  const opening = connection.open(reliable(PTY));
  json(Mux.ChannelAck, { requestId: 1, id: 5, name: PTY });
  const channel = await opening;
  const got: string[] = [];
  channel.onmessage = (_, payload) => got.push(fromUtf8(payload));
  channel.onclose = (reason) => got.push(`closed ${reason}`);
  link.control();
  const deliver = (sequence: number, content: string, now = 1): void => connection.receive(kind === "shared" ? null : PTY, encodeFrame(5, 0, numbered(sequence, content)), now);
  /** Numbers and contents of what was sent on channels since the last call. */
  const sent = (): string[] =>
    link.sent.splice(0).flatMap(({ frame }) => {
      const { channel: id, payload } = decodeFrame(frame);
      return id === 0 ? [] : [`${id}:${sequenceOf(payload)} ${fromUtf8(payload.subarray(8))}`];
    });
  const another = (other: "shared" | "perChannel" = kind): Remembering => (link = new Remembering(other));
  return { connection, channel, json, deliver, got, events, sent, another, link: () => link };
}

const RESUMED = { success: true, replayStart: 1, replayCount: 0, maxMessageSize: 65535, pingInterval: 30, pingTimeout: 10, channels: [{ name: PTY, id: 5 }] };

describe("sequence numbers", () => {
  test("exactly the missing messages are kept for a replay", () => {
    const numbering = new Numbering();
    for (const text of ["a", "b", "c"]) numbering.number(5, 0, utf8(text));
    expect(numbering.replay(1)?.map((kept) => kept.sequence)).toEqual([2, 3]);
    expect(numbering.replay(4)).toBeNull();
    expect(numbering.acknowledged(2)).toBe(true);
    expect(numbering.replay(1)).toBeNull();
    expect(numbering.replay(2)?.map((kept) => kept.sequence)).toEqual([3]);
    expect(numbering.acknowledged(4)).toBe(false);
  });

  test("a full ring loses its oldest messages", () => {
    const numbering = new Numbering();
    for (let n = 0; n < 10; n++) numbering.number(5, 0, new Uint8Array(RING_BYTES_MAX / 4));
    expect(numbering.replay(5)).toBeNull();
    expect(numbering.replay(8)).toHaveLength(2);
  });

  test("a closed channel leaves its numbers only", () => {
    const numbering = new Numbering();
    numbering.number(5, 3, utf8("secret"));
    numbering.blank(5);
    expect(numbering.replay(0)).toMatchObject([{ channel: null, type: 0 }]);
    expect(numbering.replay(0)?.[0]?.payload).toHaveLength(8);
  });

  test("any order of arrival is told apart", () => {
    const received = new Received();
    expect([3, 1, 3, 2, 2, 4].map((sequence) => received.note(sequence, 1, 0))).toEqual(["new", "new", "duplicate", "new", "duplicate", "new"]);
    expect(received.contiguous).toBe(4);
  });

  test("gaps are bounded", () => {
    const received = new Received();
    for (let n = 0; n < 1024; n++) received.note(2 + n * 2, 1, 0);
    expect(received.note(5_000, 1, 0)).toBe("gaps");
  });

  test("an acknowledgement is due by bytes or by time", () => {
    const received = new Received();
    received.note(1, 10, 1_000);
    expect(received.due(1_000 + SEQ_ACK_MS - 1)).toBeNull();
    expect(sequenceOf(received.due(1_000 + SEQ_ACK_MS) ?? new Uint8Array())).toBe(1);
    expect(received.due(9_000)).toBeNull();
    received.note(2, SEQ_ACK_BYTES, 9_000);
    expect(sequenceOf(received.due(9_000) ?? new Uint8Array())).toBe(2);
  });
});

describe("a session over several links", () => {
  test("messages carry their number and duplicates are dropped", async () => {
    const { channel, sent, deliver, got } = await session();
    channel.send(0, utf8("ls"));
    expect(sent()).toEqual(["5:1 ls"]);
    deliver(1, "one");
    deliver(1, "one");
    deliver(2, "two");
    expect(got).toEqual(["one", "two"]);
  });

  test("lossy channels and video carry none", async () => {
    const { connection, json, link } = await session();
    const opening = Promise.all([connection.open(lossy("pointer")), connection.open(reliable("video"))]);
    json(Mux.ChannelAck, { requestId: 2, id: 6, name: "pointer" });
    json(Mux.ChannelAck, { requestId: 3, id: 7, name: "video" });
    const [pointer, video] = await opening;
    link().sent = [];
    pointer.send(1, utf8("p"));
    video.send(0x10, utf8("v"));
    expect(link().sent.map(({ frame }) => fromUtf8(decodeFrame(frame).payload))).toEqual(["p", "v"]);
  });

  test("what was sent and not received is sent again, once and in order, with what was written meanwhile", async () => {
    const { connection, channel, sent, another, json, link, events, deliver, got } = await session();
    deliver(1, "out");
    for (const text of ["a", "b", "c"]) channel.send(0, utf8(text));
    sent();
    connection.lost("the cable was pulled");
    expect(events.at(-1)).toBe("suspended the cable was pulled");
    expect(connection.isSuspended).toBe(true);
    channel.send(0, utf8("typed while away"));

    const link2 = another();
    expect(connection.resume(link2, AUTH, 10)).toBe(true);
    const request = decodeFrame(link2.sent[0]?.frame ?? new Uint8Array());
    expect(request.type).toBe(Mux.ResumeRequest);
    expect(link2.sent).toHaveLength(1);
    expect(jsonFields(request.payload)).toEqual({ sessionId: "secret-of-the-session", lastSequence: 1, auth: AUTH });
    json(Mux.ResumeResponse, { ...RESUMED, replayStart: 2, replayCount: 1, lastSequence: 1 }, 11);
    expect(sent()).toEqual(["5:2 b", "5:3 c", "5:4 typed while away"]);
    deliver(1, "out");
    deliver(2, "missed");
    expect(got).toEqual(["out", "missed"]);
    expect(events.at(-1)).toBe("resumed");
    expect(link().ended).toBe(false);
  });

  test("a piece that was cut off is sent again as a whole", async () => {
    const { connection, channel, another, json, link } = await session();
    const large = "x".repeat(40_000);
    link().writable = () => link().sent.length < 1;
    channel.send(0, utf8(large));
    expect(link().sent).toHaveLength(1);
    connection.lost("cut");
    const link2 = another();
    connection.resume(link2, AUTH, 10);
    json(Mux.ResumeResponse, { ...RESUMED, lastSequence: 0 });
    const parts = link2.sent.slice(1).map(({ frame }) => decodeFrame(frame));
    expect(parts.map(({ part }) => part)).toEqual(["piece", "piece", "last"]);
    expect(parts.reduce((sum, { payload }) => sum + payload.length, 0)).toBe(8 + large.length);
  });

  test("a session moves from data channels to a shared link", async () => {
    const { connection, channel, another, got, events } = await session("perChannel");
    connection.lost("WebRTC failed");
    channel.send(0, utf8("x"));
    const link2 = another("shared");
    connection.resume(link2, AUTH, 10);
    connection.receive(null, encodeFrame(0, Mux.ResumeResponse, utf8(toJson({ ...RESUMED, lastSequence: 0 }))), 11);
    connection.receive(null, encodeFrame(5, 0, numbered(1, "over the socket")), 12);
    expect(events.at(-1)).toBe("resumed");
    expect(got).toEqual(["over the socket"]);
  });

  test("data channels are made again for what is open", async () => {
    const { connection, another } = await session("shared");
    connection.lost("cut");
    const link2 = another("perChannel");
    connection.resume(link2, AUTH, 10);
    expect(link2.lanes).toEqual([PTY]);
  });

  test("the server's list decides which channels live", async () => {
    const { connection, another, json, got, link } = await session();
    const asked = connection.open(reliable("file-transfer"));
    connection.lost("cut");
    const link2 = another();
    connection.resume(link2, AUTH, 10);
    json(Mux.ResumeResponse, { ...RESUMED, lastSequence: 0, channels: [{ name: "file-transfer", id: 9 }, { name: "stranger", id: 10 }] });
    expect(got).toEqual(["closed it was not resumed"]);
    expect((await asked).id).toBe(9);
    const closes = link().control().filter(({ type }) => type === Mux.CloseChannel);
    expect(closes).toMatchObject([{ fields: { id: 10 } }]);
  });

  test("a question without an answer is asked again", async () => {
    const { connection, another, json, link } = await session();
    const asked = connection.open(reliable("file-transfer"));
    connection.lost("cut");
    another();
    connection.resume(link(), AUTH, 10);
    json(Mux.ResumeResponse, { ...RESUMED, lastSequence: 0 });
    expect(link().control().filter(({ type }) => type === Mux.OpenChannel)).toMatchObject([{ fields: { requestId: 2, name: "file-transfer" } }]);
    json(Mux.ChannelAck, { requestId: 2, id: 6, name: "file-transfer" });
    expect((await asked).id).toBe(6);
  });

  test.each([Code.SessionNotFound, Code.SessionExpired, Code.BufferOverflow, Code.SequenceMismatch])("refusal %i leaves the link for a HELLO", async (code) => {
    const { connection, another, json, got, events } = await session();
    connection.lost("cut");
    const link2 = another();
    connection.resume(link2, AUTH, 10);
    json(Mux.ResumeResponse, { success: false, code, reason: "gone" });
    expect(events.at(-1)).toBe(`refused ${code}`);
    expect(got).toEqual(["closed gone"]);
    expect(link2.ended).toBe(false);
  });

  test("without the extension a loss is the end", async () => {
    const { connection, events } = await session("shared", []);
    connection.lost("cut");
    expect(events.at(-1)).toBe(`closed ${Code.GoingAway}`);
  });

  test("CLOSE is the end even where a session could be resumed", async () => {
    const { json, events } = await session();
    json(Mux.Close, { code: Code.Revoked, reason: "no more" });
    expect(events.at(-1)).toBe(`closed ${Code.Revoked}`);
  });

  test("a link that dies while resuming leaves the session to the next one", async () => {
    const { connection, another, json, events } = await session();
    connection.lost("cut");
    connection.resume(another(), AUTH, 10);
    connection.lost("cut again");
    expect(events.at(-1)).toBe("suspended cut again");
    connection.resume(another(), AUTH, 20);
    json(Mux.ResumeResponse, { ...RESUMED, lastSequence: 0 });
    expect(events.at(-1)).toBe("resumed");
  });

  test("a session that is away for longer than the server keeps it ends", async () => {
    const { connection, events } = await session();
    connection.tick(1_000);
    connection.lost("cut");
    connection.tick(300_999);
    expect(connection.isSuspended).toBe(true);
    connection.tick(301_000);
    expect(events.at(-1)).toBe(`closed ${Code.SessionExpired}`);
  });

  test("late frames of a closed channel still count as received", async () => {
    const { connection, channel, deliver, another, link } = await session();
    channel.close("done");
    deliver(1, "late");
    connection.lost("cut");
    another();
    connection.resume(link(), AUTH, 10);
    expect(jsonFields(decodeFrame(link().sent[0]?.frame ?? new Uint8Array()).payload)["lastSequence"]).toBe(1);
  });

  test("SEQ_ACK leaves after a second, and only where it was agreed on", async () => {
    const agreed = await session();
    agreed.deliver(1, "x", 100);
    agreed.connection.tick(1_100);
    expect(agreed.link().control().map(({ type }) => type)).toEqual([Mux.SequenceAck]);
    const silent = await session("shared", ["session-resume"]);
    silent.deliver(1, "x", 100);
    silent.connection.tick(1_100);
    expect(silent.link().control()).toEqual([]);
  });

  test("a number that does not fit closes with 1002", async () => {
    const { connection, events } = await session();
    connection.receive(null, encodeFrame(5, 0, utf8("short")), 1);
    expect(events.at(-1)).toBe(`closed ${Code.ProtocolError}`);
  });
});

describe("the list of sessions", () => {
  test("is asked for and read", async () => {
    const { connection, json, link, events } = await session();
    connection.requestSessions();
    connection.controlSession({ action: "rename", sessionId: "t1", name: "build" });
    expect(link().control().map(({ type }) => type)).toEqual([Mux.SessionListRequest, Mux.SessionControl]);
    json(Mux.SessionListResponse, { sessions: [{ sessionId: "t1", name: "build", kind: "terminal" }, { name: "without an id" }] });
    expect(events.at(-1)).toBe("sessions t1:build");
  });
});

describe("JSON of the mux", () => {
  test.each(['{"id":1,"id":2}', '{"a":{"b":1,"b":2}}', '{"a":1,"\\u0061":2}'])("%s names a member twice", (body) => {
    expect(() => jsonFields(utf8(body))).toThrow(EncodingError);
  });

  test.each(['{"a":{"b":1},"b":[{"a":1},{"a":"x\\"}{"}]}', '{"a":"a:","b":"\\\\"}'])("%s is fine", (body) => {
    expect(jsonFields(utf8(body))).toBeTypeOf("object");
  });

  test("what nests too deeply is refused", () => {
    expect(() => jsonFields(utf8(`{"a":${"[".repeat(16)}${"]".repeat(16)}}`))).toThrow(EncodingError);
  });
});
