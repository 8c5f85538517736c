/** One pair of channels on the mock server: VROOM-Terminal with flow control and sharing, on a {@link MockProgram}. */
import type { Bytes } from "../../src/core/bytes.ts";
import { fromUtf8, utf8 } from "../../src/core/bytes.ts";
import type { Fields } from "../../src/core/encoding.ts";
import { decodeFields, encodeFields, toJson } from "../../src/core/encoding.ts";
import { Pty, encodeAck, encodeRepaint, readOffset } from "../../src/core/terminal/pty.ts";
import { TlvDecoder, encodeTlv } from "../../src/core/terminal/tlv.ts";
import type { MockConversation } from "./conversation.ts";
import { MockProgram } from "./program.ts";
import type { Viewer } from "./program.ts";

/** Bytes sent beyond the last acknowledgement. */
const CREDIT = 256 * 1024;
/** A viewer that misses more than this gets a repaint. */
const TAIL_MAX = 64 * 1024;

export class MockTerminal implements Viewer {
  offer: Fields | null = null;
  role = "owner";
  program: MockProgram | null = null;
  /** Repaints that were sent. */
  repaints = 0;
  #flow = false;
  #sharing = false;
  #writer = "";
  #pty = "";
  #attached = false;
  #have: number | null = null;
  #sent = 0;
  #acknowledged = 0;
  #ended = false;
  readonly #decoder = new TlvDecoder();

  constructor(
    private readonly channel: string,
    private readonly conversation: MockConversation,
  ) {}

  get id(): string {
    return `${this.conversation.id}${this.channel.replace(/^[^#]*/, "")}`;
  }

  get name(): string {
    return this.conversation.name;
  }

  get size(): { rows: number; cols: number } {
    return this.program?.size ?? { rows: 0, cols: 0 };
  }

  get typedText(): string {
    return this.program?.typedText ?? "";
  }

  /** Bytes sent and not acknowledged. */
  get outstanding(): number {
    return this.#sent - this.#acknowledged;
  }

  print(text: string): void {
    this.program?.print(text);
  }

  exit(code: number): void {
    this.program?.end(code);
  }

  control(payload: Bytes): void {
    for (const record of this.#decoder.push(payload)) this.#record(record.type, record.payload);
  }

  ptyOpened(name: string): void {
    this.#pty = name;
    if (this.program?.viewers.has(this)) this.wake();
    if (!this.#attached || !this.program) return;
    this.program.viewers.add(this);
    const behind = this.#have === null ? Infinity : this.program.output.length - this.#have;
    if (behind > TAIL_MAX) this.#repaint();
    else this.wake();
    this.program.tell();
  }

  message(type: number, payload: Bytes): void {
    if (type === Pty.Ack && this.#flow) {
      this.#acknowledged = Math.max(this.#acknowledged, readOffset(payload) ?? 0);
      this.wake();
    } else this.#typed(payload);
  }

  closed(): void {
    this.program?.viewers.delete(this);
    if (this.program?.driver === this.id) this.program.driver = null;
    this.program?.tell();
  }

  wake(): void {
    const program = this.program;
    if (!program || this.#pty === "" || this.#ended) return;
    const room = this.#flow ? CREDIT - this.outstanding : Infinity;
    const to = Math.min(program.output.length, this.#sent + Math.max(0, room));
    for (let from = this.#sent; from < to; from += 16 * 1024) this.conversation.on(this.#pty, Pty.Bytes, program.output.subarray(from, Math.min(to, from + 16 * 1024)));
    this.#sent = to;
    if (program.exit === null || this.#sent < program.output.length) return;
    this.#ended = true;
    this.#reply(0xf0, { exit_code: program.exit, pty_bytes: this.#sent, offset: program.output.length });
    this.conversation.closeChannel(this.#pty);
  }

  shared(): void {
    const program = this.program;
    if (!this.#sharing || !program) return;
    this.#reply(0x71, {
      self: this.id,
      driver: program.driver ?? undefined,
      participants: [...program.viewers].map(({ id, name, role }) => ({ id, name, role, typing: program.typing === id, lagging: false })),
      links: this.role === "owner" ? program.links.map(({ id, role, expires, uses, used }) => ({ id, role, expires, uses, used })) : undefined,
      requested_by: program.driver === this.id ? (program.requestedBy ?? undefined) : undefined,
    });
  }

  resized(): void {
    const payload = new Uint8Array(8);
    new DataView(payload.buffer).setUint16(0, this.size.rows);
    new DataView(payload.buffer).setUint16(2, this.size.cols);
    this.conversation.on(this.channel, 0, encodeTlv(0x32, payload));
  }

  #repaint(): void {
    const program = this.program;
    if (!program) return;
    this.repaints += 1;
    this.#sent = program.output.length;
    this.#acknowledged = this.#sent;
    const body = program.screen;
    if (this.#flow) this.conversation.on(this.#pty, Pty.Repaint, encodeRepaint({ offset: this.#sent, scrollback: true, body }));
    else this.conversation.on(this.#pty, Pty.Bytes, body);
    this.wake();
  }

  #typed(payload: Bytes): void {
    const program = this.program;
    if (!program || this.role === "viewer" || (program.driver !== null && program.driver !== this.id)) return;
    if (program.driver === null) program.driver = this.id;
    program.typing = this.id;
    program.applied.set(this.#writer, (program.applied.get(this.#writer) ?? 0) + payload.length);
    program.typed(fromUtf8(payload));
    if (this.#flow) this.conversation.on(this.#pty, Pty.Ack, encodeAck(program.applied.get(this.#writer) ?? 0));
  }

  #record(type: number, payload: Bytes): void {
    if (type === 0x01) {
      const hello = { protocol: "vroom-terminal", version: 1, control_encoding: this.conversation.desktop.encoding };
      this.conversation.on(this.channel, 0, encodeTlv(0x01, utf8(toJson(hello))));
    } else if (type === 0x02) {
      this.offer = decodeFields(payload);
      const extensions = this.offer["extensions"] as { flow_control?: boolean; sharing?: boolean };
      this.#flow = extensions.flow_control === true && this.conversation.server.flowControl;
      this.#sharing = extensions.sharing === true;
      this.#reply(0x03, { ...this.offer, extensions: { ...extensions, flow_control: this.#flow } });
    } else if (type === 0x10) this.#reply(0x11, { status: "success", user: "alice" });
    else if (type === 0x20) this.#request(decodeFields(payload));
    else if (type === 0x30) this.#resize(new DataView(payload.buffer, payload.byteOffset));
    else if (type === 0x50) {
      this.#reply(0x52, { ok: true, pid: 4242 });
      if (!this.program) return;
      this.program.viewers.add(this);
      this.program.driver = this.id;
      this.program.start();
      this.program.tell();
    } else if (type === 0x70) this.#share(decodeFields(payload));
  }

  #request(fields: Fields): void {
    const { programs } = this.conversation.server;
    const attach = fields["attach"] as string | undefined;
    this.#writer = String(fields["writer"] ?? "");
    this.role = fields["readonly"] === true || this.conversation.role === "viewer" ? "viewer" : "owner";
    this.#have = typeof fields["have"] === "number" ? fields["have"] : null;
    this.program = attach === undefined ? new MockProgram(`t${programs.size + 1}`) : (programs.get(attach) ?? null);
    const { program } = this;
    if (!program) {
      this.#reply(0x21, { ok: false, code: 4204, reason: "no such terminal" });
      return;
    }
    programs.set(program.id, program);
    this.#attached = attach !== undefined;
    if (!this.#attached) program.size = { rows: fields["rows"] as number, cols: fields["cols"] as number };
    this.#sent = this.#have ?? 0;
    this.#acknowledged = this.#sent;
    this.#reply(0x21, {
      ok: true,
      channel: this.channel.replace("control", "pty"),
      terminal_id: program.id,
      ...program.size,
      attached: this.#attached,
      readonly: this.role === "viewer",
      role: this.role,
      name: program.name,
      offset: this.#sent,
      input_offset: program.applied.get(this.#writer) ?? 0,
    });
  }

  #resize(view: DataView): void {
    const { program } = this;
    if (!program || (program.driver !== null && program.driver !== this.id)) return;
    program.size = { rows: view.getUint16(0), cols: view.getUint16(2) };
    for (const viewer of program.viewers) if (viewer !== this) viewer.resized();
  }

  #share(fields: Fields): void {
    const { program } = this;
    if (!program) return;
    const action = fields["action"];
    if (action === "take") program.driver = this.id;
    else if (action === "release") program.driver = null;
    else if (action === "request") program.requestedBy = this.id;
    else if (action === "grant") {
      program.driver = String(fields["to"]);
      program.requestedBy = null;
    } else if (action === "deny") program.requestedBy = null;
    else if (action === "revoke") program.links.splice(program.links.findIndex((link) => link.id === fields["link"]), 1);
    else if (action === "invite") {
      const link = { id: `l${program.links.length + 1}`, token: `share-${program.id}`, role: "viewer", expires: Math.floor(Date.now() / 1000) + (fields["ttl"] as number), ...(typeof fields["uses"] === "number" ? { uses: fields["uses"] } : {}), used: 0 };
      program.links.push(link);
      program.tell();
      this.#reply(0x71, { self: this.id, driver: program.driver ?? undefined, participants: [...program.viewers].map(({ id, name, role }) => ({ id, name, role, typing: false, lagging: false })), links: program.links.map(({ id, role, expires, uses, used }) => ({ id, role, expires, uses, used })), invited: { link: link.id, token: link.token, url: `/#share=${link.token}` } });
      return;
    }
    program.tell();
  }

  #reply(type: number, fields: Fields): void {
    this.conversation.on(this.channel, 0, encodeTlv(type, encodeFields(fields, this.conversation.desktop.encoding)));
  }
}
