/**
 * The client's side of VROOM-Terminal: HELLO, capabilities, authentication, PTY, shell.
 *
 * Bytes of the control channel go in, records and events come out. It knows neither channels nor a screen.
 */
import type { Bytes } from "../bytes.ts";
import { utf8 } from "../bytes.ts";
import type { Encoding, Fields } from "../encoding.ts";
import { decodeFields, encodeFields, toJson } from "../encoding.ts";
import { flag, integer, number, text, texts } from "../fields.ts";
import { Code } from "../mux/codes.ts";
import type { EngineCapabilities, Selected } from "./capabilities.ts";
import { offer, readSelect } from "./capabilities.ts";
import { RecordTooLong, Tlv, TlvDecoder, encodeTlv, windowResize } from "./tlv.ts";
import type { TlvRecord } from "./tlv.ts";

/** Size of a terminal in cells and pixels. */
export interface TerminalSize {
  rows: number;
  cols: number;
  widthPx: number;
  heightPx: number;
}

/** How the program ended. */
export interface ExitStatus {
  exitCode: number | null;
  signalName: string | undefined;
  reason: string | undefined;
  ptyBytes: number | undefined;
}

/** What the state machine asks of its owner. */
export interface TerminalEvents {
  /** A record to send on the control channel. */
  transmit(record: Bytes): void;
  selected(selected: Selected): void;
  /** The PTY exists; open its channel, then call {@link TerminalClient.ptyOpened}. */
  ptyAllocated(channel: string, terminalId: string | undefined): void;
  started(): void;
  exited(status: ExitStatus): void;
  /** The terminal cannot go on. */
  failed(code: number, reason: string): void;
  /** Something was refused that does not end the terminal. */
  warned(code: number, reason: string): void;
}

/** Where the conversation stands. */
export type Stage =
  | "hello"
  | "capabilities"
  | "authenticating"
  | "pty"
  | "allocated"
  | "starting"
  | "active"
  | "closed";

export class TerminalClient {
  stage: Stage = "hello";
  #encoding: Encoding = "json";
  readonly #decoder = new TlvDecoder();

  constructor(
    private readonly engine: EngineCapabilities,
    private size: TerminalSize,
    private readonly environment: Record<string, string>,
    private readonly events: TerminalEvents,
  ) {}

  /** Sends HELLO; called when the control channel is open. */
  start(): void {
    const hello = { protocol: "vroom-terminal", version: 1, control_encoding: ["cbor", "json"] };
    this.events.transmit(encodeTlv(Tlv.Hello, utf8(toJson(hello))));
  }

  /** Takes a payload of the control channel. */
  receive(bytes: Bytes): void {
    try {
      for (const record of this.#decoder.push(bytes)) this.#record(record);
    } catch (error) {
      const code = error instanceof RecordTooLong ? Code.MessageTooLarge : Code.InvalidMessage;
      this.#fail(code, error instanceof Error ? error.message : "unreadable message");
    }
  }

  /** Starts the shell; called when the PTY channel is open. */
  ptyOpened(): void {
    if (this.stage !== "allocated") return;
    this.#send(Tlv.SetEnv, this.environment);
    this.#send(Tlv.ShellRequest, { want_reply: true });
    this.stage = "starting";
  }

  /** Tells the server the new size of the window. */
  resize(size: TerminalSize): void {
    this.size = size;
    if (this.stage !== "allocated" && this.stage !== "starting" && this.stage !== "active") return;
    this.events.transmit(windowResize(size.rows, size.cols, size.widthPx, size.heightPx));
  }

  #record({ type, payload }: TlvRecord): void {
    if (this.stage === "closed") return;
    const fields = type === Tlv.WindowSize || type === Tlv.PtyMode ? {} : decodeFields(payload);
    switch (type) {
      case Tlv.Hello:
        return this.#hello(fields);
      case Tlv.CapabilitySelect:
        return this.#selected(fields);
      case Tlv.AuthResponse:
        return this.#authenticated(fields);
      case Tlv.PtyResponse:
        return this.#allocated(fields);
      case Tlv.StartResponse:
        return this.#started(fields);
      case Tlv.ExitStatus:
        return this.#exited(fields);
      case Tlv.Error:
        return this.#error(fields);
      default:
        // Records that this client has no use for may be skipped by their length.
        return;
    }
  }

  #hello(fields: Fields): void {
    if (!this.#at("hello")) return;
    if (text(fields, "protocol") !== "vroom-terminal" || number(fields, "version") !== 1) {
      this.#fail(Code.VersionMismatch, "the server speaks another terminal protocol");
      return;
    }
    this.#encoding = text(fields, "control_encoding") === "cbor" ? "cbor" : "json";
    this.stage = "capabilities";
    this.#send(Tlv.CapabilityOffer, offer(this.engine));
  }

  #selected(fields: Fields): void {
    if (!this.#at("capabilities")) return;
    this.events.selected(readSelect(fields));
    this.stage = "authenticating";
    this.#send(Tlv.AuthRequest, { method: "inherit" });
  }

  #authenticated(fields: Fields): void {
    if (!this.#at("authenticating")) return;
    if (text(fields, "status") !== "success") {
      this.#fail(integer(fields, "code") ?? Code.AuthFailed, text(fields, "reason") ?? "not allowed to open a terminal");
      return;
    }
    this.stage = "pty";
    this.#send(Tlv.PtyRequest, {
      term: "xterm-256color",
      rows: this.size.rows,
      cols: this.size.cols,
      pixel_width: this.size.widthPx,
      pixel_height: this.size.heightPx,
    });
  }

  #allocated(fields: Fields): void {
    if (!this.#at("pty")) return;
    const channel = text(fields, "channel");
    if (flag(fields, "ok") !== true || channel === undefined) {
      this.#fail(integer(fields, "code") ?? Code.InvalidMessage, text(fields, "reason") ?? "no terminal could be opened");
      return;
    }
    this.stage = "allocated";
    this.events.ptyAllocated(channel, text(fields, "terminal_id"));
  }

  #started(fields: Fields): void {
    if (!this.#at("starting")) return;
    if (flag(fields, "ok") !== true) {
      this.#fail(integer(fields, "code") ?? Code.InvalidMessage, text(fields, "reason") ?? "the shell did not start");
      return;
    }
    this.stage = "active";
    this.events.started();
  }

  #exited(fields: Fields): void {
    this.stage = "closed";
    this.events.exited({
      exitCode: integer(fields, "exit_code") ?? null,
      signalName: text(fields, "signal_name") ?? signalNumber(fields),
      reason: text(fields, "reason"),
      ptyBytes: integer(fields, "pty_bytes"),
    });
  }

  #error(fields: Fields): void {
    const code = integer(fields, "code") ?? Code.InvalidMessage;
    const refused = texts(fields, "data");
    const reason = text(fields, "reason") ?? `error ${code}`;
    if (flag(fields, "fatal") === true) this.#fail(code, reason);
    else this.events.warned(code, refused.length > 0 ? `${reason}: ${refused.join(", ")}` : reason);
  }

  #at(stage: Stage): boolean {
    if (this.stage === stage) return true;
    this.#fail(Code.WrongState, "the server answered out of turn");
    return false;
  }

  #fail(code: number, reason: string): void {
    if (this.stage === "closed") return;
    this.stage = "closed";
    this.events.failed(code, reason);
  }

  #send(type: number, fields: Fields): void {
    this.events.transmit(encodeTlv(type, encodeFields(fields, this.#encoding)));
  }
}

function signalNumber(fields: Fields): string | undefined {
  const signal = integer(fields, "signal");
  return signal === undefined ? undefined : `signal ${signal}`;
}
