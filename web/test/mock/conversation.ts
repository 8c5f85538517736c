/** A server's side of the mux, spoken well enough to exercise the client; independent of any transport. */
import type { Bytes } from "../../src/core/bytes.ts";
import { utf8 } from "../../src/core/bytes.ts";
import type { Encoding, Fields } from "../../src/core/encoding.ts";
import { decodeFields, encodeFields, jsonFields, toJson } from "../../src/core/encoding.ts";
import { decodeFrame, encodeFrame } from "../../src/core/mux/frame.ts";
import { Reassembly } from "../../src/core/mux/reassembly.ts";
import { Numbering, Received as Numbers, sequenceOf } from "../../src/core/mux/sequence.ts";
import { MockFiles } from "./files.ts";
import type { MockProgram } from "./program.ts";
import { MockTerminal } from "./terminal.ts";

const PIECE = 16 * 1024;

/** What is shared by all connections of a mock server. */
export interface MockDesktop {
  size: { width: number; height: number };
  driver: string | null;
  members: Map<string, MockConversation>;
  /** Pictures for the `video` channel, shown in turn. */
  jpegs: Bytes[];
  units: { keyFrame: boolean; data: Bytes }[];
  encoding: Encoding;
  pictureMs: number;
}

/** What conversations share besides the desktop. */
export interface MockState {
  programs: Map<string, MockProgram>;
  /** Conversations whose transport is gone, by what resumes them. */
  kept: Map<string, MockConversation>;
  /** Extensions that the server agrees to. */
  extensions: string[];
  flowControl: boolean;
  /** Roots of the session keys: what each may do, and the terminal it is for. */
  keys: Map<string, { role: string; terminal?: string }>;
  files: Map<string, Uint8Array>;
}

/** One message that a client sent on a channel. */
export interface Received {
  channel: string;
  type: number;
  payload: Bytes;
}

export class MockConversation {
  readonly received: Received[] = [];
  readonly names = new Map<number, string>();
  readonly terminals = new Map<string, MockTerminal>();
  mode = "view";
  acknowledged = 0;
  #sent = 0;
  #nextId = 1;
  #handshaken = false;
  #h264 = false;
  #picture: ReturnType<typeof setInterval> | null = null;
  role = "owner";
  #reassembly = new Reassembly();
  #numbering: Numbering | null = null;
  #numbers = new Numbers();
  #secret = "";
  readonly #files: MockFiles;

  constructor(
    readonly id: string,
    readonly name: string,
    readonly desktop: MockDesktop,
    readonly server: MockState,
    private transmit: (lane: string, frame: Bytes) => void,
    private end: () => void,
  ) {
    this.#files = new MockFiles(server.files, (type, payload) => this.on("file-transfer", type, payload));
  }

  /** The transport is gone: the session is kept where that was agreed on. */
  lost(): void {
    if (this.#numbering) this.server.kept.set(this.#secret, this);
    else this.closed();
  }

  /** Goes on over another transport. */
  resume(lastSequence: number, transmit: (lane: string, frame: Bytes) => void, end: () => void): void {
    this.transmit = transmit;
    this.end = end;
    this.#reassembly = new Reassembly();
    const missed = this.#numbering?.replay(lastSequence) ?? [];
    this.json(0x32, { success: true, replayStart: lastSequence + 1, replayCount: missed.length, lastSequence: this.#numbers.contiguous, channels: [...this.names].map(([id, name]) => ({ id, name })), maxMessageSize: 65535, pingInterval: 30, pingTimeout: 10 });
    for (const { channel, type, payload } of missed) if (channel !== null) this.frame(this.names.get(channel) ?? "", channel, type, payload);
  }

  receive(message: Bytes): void {
    const frame = decodeFrame(message);
    let payload = this.#reassembly.push(frame, 8 * 1024 * 1024);
    if (!payload) return;
    const name = frame.channel === 0 ? "control" : (this.names.get(frame.channel) ?? "?");
    if (this.#numbering && numbered(name)) {
      if (this.#numbers.note(sequenceOf(payload) ?? 0, payload.length, 0) !== "new") return;
      payload = payload.subarray(8);
    }
    this.received.push({ channel: name, type: frame.type, payload });
    if (frame.channel === 0) this.#control(frame.type, payload);
    else this.#application(name, frame.type, payload);
  }

  closed(): void {
    if (this.#picture) clearInterval(this.#picture);
    for (const terminal of this.terminals.values()) terminal.closed();
    this.desktop.members.delete(this.id);
    if (this.desktop.driver === this.id) this.desktop.driver = null;
    this.announce();
  }

  /** Sends a VROOM message. */
  say(type: number, fields: Fields): void {
    this.frame("control", 0, type, encodeFields(fields, this.desktop.encoding));
  }

  /** Sends on a channel by its name. */
  on(name: string, type: number, payload: Uint8Array): void {
    for (const [id, known] of this.names) {
      if (known === name) this.frame(name, id, type, this.#numbering && numbered(name) ? this.#numbering.number(id, type, payload) : payload);
    }
  }

  closeChannel(name: string, reason = ""): void {
    this.terminals.get(name.replace("pty", "control"))?.closed();
    for (const [id, known] of this.names) {
      if (known !== name) continue;
      this.names.delete(id);
      this.json(0x05, { id, reason });
    }
  }

  json(type: number, fields: Fields): void {
    this.frame("control", 0, type, utf8(toJson(fields)));
  }

  frame(lane: string, channel: number, type: number, payload: Uint8Array): void {
    for (let from = 0; from === 0 || from < payload.length; from += PIECE) {
      const last = from + PIECE >= payload.length;
      this.transmit(lane, encodeFrame(channel, type, payload.subarray(from, from + PIECE), !last ? "piece" : from === 0 ? "whole" : "last"));
    }
  }

  announce(): void {
    const participants = [...this.desktop.members.values()].map((member) => ({ id: member.id, name: member.name, role: "owner", mode: member.mode }));
    for (const member of this.desktop.members.values()) {
      member.say(0x94, { self: member.id, driver: this.desktop.driver ?? undefined, participants });
    }
  }

  #control(type: number, payload: Bytes): void {
    if (type === 0x01) this.#hello(jsonFields(payload));
    else if (type === 0x03) this.#open(jsonFields(payload));
    else if (type === 0x05) this.#closed(jsonFields(payload)["id"] as number);
    else if (type === 0x10) this.frame("control", 0, 0x11, new Uint8Array([...payload, 0, 0, 0, 1]));
    else if (type === 0x20) this.#left();
    else if (type === 0x34) this.#list();
    else if (type === 0x38) this.#manage(jsonFields(payload));
    else if (type === 0x80) this.#handshake(decodeFields(payload));
    else if (type === 0x81) this.#mode(decodeFields(payload));
    else if (type === 0x82) this.#resize(decodeFields(payload));
    else if (type === 0x87) this.#share(decodeFields(payload));
  }

  #hello(fields: Fields): void {
    const auth = fields["auth"] as Fields | undefined;
    const known = this.server.keys.get(String(auth?.["token"]));
    if (!known) {
      this.json(0x20, { code: 4000, reason: "not signed in" });
      return;
    }
    this.role = known.role;
    const extensions = (fields["extensions"] as string[]).filter((extension) => this.server.extensions.includes(extension));
    this.json(0x02, { version: [0, 1, 0], extensions, maxMessageSize: 65535, pingInterval: 30, pingTimeout: 10, channels: [{ name: "control", id: 0 }], user: "alice", role: known.role });
    if (!extensions.includes("session-resume")) return;
    this.#numbering = new Numbering();
    this.#secret = `secret-${this.id}`;
    this.json(0x30, { sessionId: this.#secret, resumeTimeout: 300, bufferSize: 1_048_576 });
  }

  #left(): void {
    this.#numbering = null;
    this.end();
  }

  #closed(id: number): void {
    this.terminals.get(this.names.get(id)?.replace("pty", "control") ?? "")?.closed();
    this.names.delete(id);
  }

  #list(): void {
    const sessions = [...this.server.programs.values()].map((program) => ({
      sessionId: program.id,
      kind: "terminal",
      name: program.name,
      title: program.title || "alice@studio: ~",
      created: program.created,
      lastActivity: program.created,
      attachedClients: program.viewers.size,
      ...program.size,
      role: this.role,
      channels: [],
      exit: program.exit ?? undefined,
    }));
    this.json(0x35, { sessions });
  }

  #manage(fields: Fields): void {
    const program = this.server.programs.get(String(fields["sessionId"]));
    if (!program) this.json(0xf0, { code: 4204, channel: 0, reason: "no such terminal" });
    else if (fields["action"] === "rename") program.name = String(fields["name"]);
    else {
      program.end(129);
      this.server.programs.delete(program.id);
    }
    this.#list();
  }

  #open(fields: Fields): void {
    const [requestId, name] = [fields["requestId"] as number, fields["name"] as string];
    if (name === "refused") {
      this.json(0x06, { requestId, code: 1003, reason: "unknown channel" });
      return;
    }
    const id = this.#nextId++;
    this.names.set(id, name);
    this.json(0x04, { requestId, id, name });
    if (name === "video") this.#startPicture();
    if (name.startsWith("vroom.terminal.control")) this.terminals.set(name, new MockTerminal(name, this));
    if (name.startsWith("vroom.terminal.pty")) this.terminals.get(name.replace("pty", "control"))?.ptyOpened(name);
  }

  #application(name: string, type: number, payload: Bytes): void {
    if (name === "video" && type === 0x10) this.acknowledged = new DataView(payload.buffer, payload.byteOffset).getUint32(0);
    else if (name.startsWith("vroom.terminal.control")) this.terminals.get(name)?.control(payload);
    else if (name.startsWith("vroom.terminal.pty")) this.terminals.get(name.replace("pty", "control"))?.message(type, payload);
    else if (name === "file-transfer") this.#files.receive(type, payload);
  }

  #handshake(fields: Fields): void {
    if (this.#handshaken) throw new Error("a second handshake");
    this.#handshaken = true;
    const offered = fields["capabilities"] as string[];
    this.#h264 = offered.includes("video-h264") && this.desktop.units.length > 0;
    this.desktop.members.set(this.id, this);
    this.frame("control", 0, 0x80, utf8(toJson({
      version: "0.1.0",
      control_encoding: this.desktop.encoding,
      capabilities: ["pointer", "keyboard", "touch", "text", "clipboard", "cursor", "cursor-image", "sharing", "media", "video-h264"],
      viewport: this.desktop.size,
      agent: { name: "studio", state: "idle", browser: false },
    })));
    this.say(0x91, { state: "idle", mode: "view", viewport: this.desktop.size, desktop: { kind: "headless" } });
    this.say(0x90, { type: "default", x: 640, y: 420 });
    this.say(0x95, { codec: "H264", width: this.desktop.size.width, height: this.desktop.size.height, fps: 30, bitrate: 2400, encoder: "x264", latency: { capture: 1.2, convert: 0.8, encode: 3.4, age: 5.6 }, transport: "websocket" });
    this.announce();
  }

  #mode(fields: Fields): void {
    const mode = fields["mode"] as string;
    const busy = this.desktop.driver !== null && this.desktop.driver !== this.id;
    if (mode === "interact" && busy && fields["take"] !== true) {
      this.json(0xf0, { code: 4111, channel: 0, reason: "somebody else drives" });
      this.say(0x92, { type: "warning", text: "Somebody else drives." });
      return;
    }
    if (mode === "interact") {
      const previous = this.desktop.members.get(this.desktop.driver ?? "");
      if (previous && previous !== this) previous.lose();
      this.desktop.driver = this.id;
    } else if (this.desktop.driver === this.id) this.desktop.driver = null;
    this.mode = mode;
    this.say(0x91, { state: "idle", mode });
    this.announce();
  }

  lose(): void {
    this.mode = "view";
    this.closeChannel("pointer", "driver changed");
    this.closeChannel("button", "driver changed");
  }

  #share(fields: Fields): void {
    const driver = this.desktop.members.get(this.desktop.driver ?? "");
    if (fields["action"] === "request") driver?.say(0x92, { type: "info", text: `${this.name} asks for control`, ref: this.id });
    const to = this.desktop.members.get(String(fields["to"] ?? ""));
    if (fields["action"] !== "grant" || !to) return;
    this.lose();
    this.desktop.driver = to.id;
    to.mode = "interact";
    to.say(0x91, { state: "idle", mode: "interact" });
    this.announce();
  }

  #resize(fields: Fields): void {
    const size = { width: (fields["width"] as number) & ~1, height: (fields["height"] as number) & ~1 };
    this.desktop.size = size;
    for (const member of this.desktop.members.values()) member.say(0x91, { state: "idle", viewport: size });
  }

  #startPicture(): void {
    const send = (): void => {
      if (this.#sent - this.acknowledged >= 2) return;
      if (this.#h264) this.#sendUnit();
      else this.#sendJpeg();
    };
    send();
    this.#picture = setInterval(send, this.desktop.pictureMs);
  }

  #sendJpeg(): void {
    const picture = this.desktop.jpegs[this.#sent % Math.max(1, this.desktop.jpegs.length)];
    if (!picture) return;
    this.#sent += 1;
    this.on("video", 0x01, picture);
  }

  #sendUnit(): void {
    const unit = this.desktop.units[this.#sent % this.desktop.units.length];
    if (!unit) return;
    const payload = new Uint8Array(9 + unit.data.length);
    payload[0] = unit.keyFrame ? 1 : 0;
    new DataView(payload.buffer).setBigUint64(1, BigInt(this.#sent) * 33_000n);
    payload.set(unit.data, 9);
    this.#sent += 1;
    this.on("video", 0x03, payload);
  }
}

function numbered(name: string): boolean {
  return name !== "control" && name !== "video" && name !== "pointer";
}
