/**
 * The client's side of VROOM-Terminal: HELLO, capabilities, authentication, PTY, shell.
 *
 * Bytes of the control channel go in, records and events come out. It knows neither channels nor a screen.
 */
import type { Bytes } from "../bytes.ts";
import { utf8, view } from "../bytes.ts";
import type { Encoding, Fields } from "../encoding.ts";
import { decodeFields, encodeFields, toJson } from "../encoding.ts";
import { flag, integer, number, text, texts } from "../fields.ts";
import { Code } from "../mux/codes.ts";
import type { EngineCapabilities, Selected } from "./capabilities.ts";
import { offer, readSelect } from "./capabilities.ts";
import type { ShareAction, ShareState } from "./share.ts";
import { readShareState } from "./share.ts";
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
  /** Offset at which the output ends. */
  offset: number | undefined;
}

/** Which terminal is wanted. */
export interface PtyWish {
  /** Names this client's stream of input. */
  writer: string;
  /** The terminal to join, by id or unique name; a new one without it. */
  attach?: string | undefined;
  /** Output that is here already, where the terminal was joined before. */
  have?: number | undefined;
  /** Join as a viewer. */
  readonly?: boolean | undefined;
  /** Lines above the screen that are wanted. */
  scrollback: number;
}

/** The terminal that was granted. */
export interface PtyGrant {
  channel: string;
  /** What the terminal is joined by, again or by others; undefined where the server does not keep it. */
  terminalId: string | undefined;
  /** It ran already: no shell has to be started. */
  attached: boolean;
  readonly: boolean;
  rows: number | undefined;
  cols: number | undefined;
  offset: number | undefined;
  inputOffset: number | undefined;
  name: string;
  role: string;
}

/** The state of the program's terminal: bits of PTY_MODE. */
export const PtyMode = { Echo: 0x01, Canonical: 0x02, Alternate: 0x04, Mouse: 0x08 } as const;

/** What the state machine asks of its owner. */
export interface TerminalEvents {
  /** A record to send on the control channel. */
  transmit(record: Bytes): void;
  selected(selected: Selected): void;
  /** The PTY exists; open its channel, then call {@link TerminalClient.ptyOpened}. */
  ptyAllocated(grant: PtyGrant): void;
  /** Another participant gave the terminal this size. */
  resized(rows: number, cols: number): void;
  /** Echo, line mode and screen of the program's terminal, as bits of {@link PtyMode}. */
  mode(bits: number): void;
  shared(share: ShareState): void;
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
  #attached = false;
  /** The offer, the identity and the request have left with HELLO. */
  #ahead = false;
  readonly #decoder = new TlvDecoder();

  constructor(
    private readonly engine: EngineCapabilities,
    private size: TerminalSize,
    private readonly wish: PtyWish,
    private readonly environment: Record<string, string>,
    private readonly events: TerminalEvents,
  ) {}

  /**
   * Sends HELLO; called when the control channel is open.
   *
   * A terminal that is joined was kept by a server that takes the whole conversation at once, in JSON: then it is there
   * one round trip later.
   */
  start(): void {
    const hello = { protocol: "vroom-terminal", version: 1, control_encoding: ["cbor", "json"] };
    this.events.transmit(encodeTlv(Tlv.Hello, utf8(toJson(hello))));
    if (this.wish.attach === undefined) return;
    this.#ahead = true;
    this.#offer();
    this.#authenticate();
    this.#request();
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

  /** Starts the shell, unless one runs already; called when the PTY channel is open. */
  ptyOpened(): void {
    if (this.stage !== "allocated") return;
    if (this.#attached) {
      this.stage = "active";
      this.events.started();
      return;
    }
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

  /** Asks for a change of who may do what. */
  share(action: ShareAction): void {
    if (this.stage === "starting" || this.stage === "active") this.#send(Tlv.Share, { ...action });
  }

  #record({ type, payload }: TlvRecord): void {
    if (this.stage === "closed") return;
    if (type === Tlv.PtyMode) return this.#mode(payload);
    if (type === Tlv.WindowSize) return this.#resized(payload);
    const fields = decodeFields(payload);
    switch (type) {
      case Tlv.ShareState:
        return this.events.shared(readShareState(fields));
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
    if (!this.#ahead) this.#offer();
  }

  #offer(): void {
    this.#send(Tlv.CapabilityOffer, offer(this.engine));
  }

  #authenticate(): void {
    this.#send(Tlv.AuthRequest, { method: "inherit" });
  }

  #selected(fields: Fields): void {
    if (!this.#at("capabilities")) return;
    this.events.selected(readSelect(fields));
    this.stage = "authenticating";
    if (!this.#ahead) this.#authenticate();
  }

  #authenticated(fields: Fields): void {
    if (!this.#at("authenticating")) return;
    if (text(fields, "status") !== "success") {
      this.#fail(integer(fields, "code") ?? Code.AuthFailed, text(fields, "reason") ?? "not allowed to open a terminal");
      return;
    }
    this.stage = "pty";
    if (!this.#ahead) this.#request();
  }

  #request(): void {
    const { writer, attach, have, readonly, scrollback } = this.wish;
    this.#send(Tlv.PtyRequest, {
      term: "xterm-256color",
      rows: this.size.rows,
      cols: this.size.cols,
      pixel_width: this.size.widthPx,
      pixel_height: this.size.heightPx,
      writer,
      ...(attach === undefined ? { persist: true } : { attach, have, readonly, scrollback }),
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
    this.#attached = flag(fields, "attached") ?? this.wish.attach !== undefined;
    this.events.ptyAllocated({
      channel,
      terminalId: text(fields, "terminal_id"),
      attached: this.#attached,
      readonly: flag(fields, "readonly") ?? false,
      rows: integer(fields, "rows", 1, 0xffff),
      cols: integer(fields, "cols", 1, 0xffff),
      offset: integer(fields, "offset"),
      inputOffset: integer(fields, "input_offset"),
      name: text(fields, "name") ?? "",
      role: text(fields, "role") ?? "owner",
    });
  }

  #mode(payload: Bytes): void {
    if (payload.length === 1) this.events.mode(payload[0] ?? 0);
  }

  #resized(payload: Bytes): void {
    if (payload.length !== 8) return;
    const [rows, cols] = [view(payload).getUint16(0), view(payload).getUint16(2)];
    if (rows > 0 && cols > 0) this.events.resized(rows, cols);
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
      offset: integer(fields, "offset"),
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
