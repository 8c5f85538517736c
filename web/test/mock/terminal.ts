/** A terminal that echoes, spoken to over VROOM-Terminal. */
import type { Bytes } from "../../src/core/bytes.ts";
import { utf8 } from "../../src/core/bytes.ts";
import type { Fields } from "../../src/core/encoding.ts";
import { decodeFields, encodeFields, toJson } from "../../src/core/encoding.ts";
import { TlvDecoder, encodeTlv } from "../../src/core/terminal/tlv.ts";
import type { MockConversation } from "./conversation.ts";

const PROMPT = "\x1b[38;2;143;191;127malice@studio\x1b[m:\x1b[38;2;127;168;201m~\x1b[m$ ";

export class MockTerminal {
  offer: Fields | null = null;
  size = { rows: 0, cols: 0 };
  typedText = "";
  #pty = "";
  #line = "";
  #sent = 0;
  readonly #decoder = new TlvDecoder();

  constructor(
    private readonly channel: string,
    private readonly conversation: MockConversation,
  ) {}

  control(payload: Bytes): void {
    for (const record of this.#decoder.push(payload)) this.#record(record.type, record.payload);
  }

  ptyOpened(name: string): void {
    this.#pty = name;
  }

  typed(text: string): void {
    this.typedText += text;
    for (const character of text) this.#character(character);
  }

  /** Sends output to the page. */
  print(text: string): void {
    const bytes = utf8(text);
    this.#sent += bytes.length;
    this.conversation.on(this.#pty, 0, bytes);
  }

  exit(code: number): void {
    this.#reply(0xf0, { exit_code: code, pty_bytes: this.#sent });
    this.conversation.closeChannel(this.#pty);
  }

  #record(type: number, payload: Bytes): void {
    if (type === 0x01) {
      const hello = { protocol: "vroom-terminal", version: 1, control_encoding: this.conversation.desktop.encoding };
      this.conversation.on(this.channel, 0, encodeTlv(0x01, utf8(toJson(hello))));
    } else if (type === 0x02) {
      this.offer = decodeFields(payload);
      this.#reply(0x03, this.offer);
    } else if (type === 0x10) this.#reply(0x11, { status: "success", user: "alice" });
    else if (type === 0x20) {
      const { rows, cols } = decodeFields(payload) as { rows: number; cols: number };
      this.size = { rows, cols };
      this.#reply(0x21, { ok: true, channel: this.channel.replace("control", "pty"), terminal_id: "t1", rows, cols });
    } else if (type === 0x30) {
      const view = new DataView(payload.buffer, payload.byteOffset);
      this.size = { rows: view.getUint16(0), cols: view.getUint16(2) };
    } else if (type === 0x50) {
      this.#reply(0x52, { ok: true, pid: 4242 });
      this.print(`\x1b]0;alice@studio: ~\x07Linux studio 6.12 x86_64\r\n\r\n${PROMPT}`);
    }
  }

  #character(character: string): void {
    if (character === "\r") {
      this.print("\r\n");
      this.#run(this.#line);
      this.#line = "";
    } else if (character === "\x7f") this.#line = this.#line.slice(0, -1);
    else if (character >= " ") {
      this.#line += character;
      this.print(character);
    }
  }

  #run(line: string): void {
    if (line === "exit") {
      this.exit(0);
      return;
    }
    if (line.startsWith("emit ")) this.print(JSON.parse(`"${line.slice(5)}"`) as string);
    this.print(PROMPT);
  }

  #reply(type: number, fields: Fields): void {
    this.conversation.on(this.channel, 0, encodeTlv(type, encodeFields(fields, this.conversation.desktop.encoding)));
  }
}
