/**
 * The graphical half of a connection: handshake, mode, the floor, input channels.
 *
 * The server decides; this side asks, shows what was granted, and sends input only while it drives.
 */
import type { Bytes } from "../bytes.ts";
import { utf8 } from "../bytes.ts";
import type { Encoding, Fields } from "../encoding.ts";
import { decodeFields, encodeFields } from "../encoding.ts";
import { bytes, text } from "../fields.ts";
import type { Channel } from "../mux/channel.ts";
import { ChannelRejected, lossy, reliable } from "../mux/channel.ts";
import { Code } from "../mux/codes.ts";
import type { Connection } from "../mux/connection.ts";
import type { CLIP_PATHS } from "./clip.ts";
import { CLIP_BYTES_MAX } from "./clip.ts";
import type { ClipOffer, ClipRules } from "./clips.ts";
import { ClipRefused, Clips } from "./clips.ts";
import type { InputMessage } from "./input.ts";
import { mergePointer } from "./input.ts";
import type { Chat, Cursor, DragNews, MediaState, Mode, Notification, RecordState, ServerHandshake, ShareState, Size, State } from "./messages.ts";
import * as messages from "./messages.ts";

/** Content of the clipboard in one format. */
export type Clip = { type: "text/plain" | "text/html" | typeof CLIP_PATHS; text: string } | { type: "image/png"; data: Bytes };

/** What a graphical session reports. */
export interface GraphicalEvents {
  ready(handshake: ServerHandshake): void;
  /** The mode in force changed, or a wish for one was answered. */
  mode(): void;
  viewport(size: Size): void;
  state(state: State): void;
  share(share: ShareState): void;
  cursor(cursor: Cursor): void;
  media(media: MediaState): void;
  notification(notification: Notification): void;
  chat(line: Chat): void;
  clipboard(part: Clip): void;
  /** The desktop copied something that can be fetched. */
  offered(offer: ClipOffer): void;
  /** Which way clipboards may go; told once before the first. */
  clipRules(rules: ClipRules): void;
  drag(news: DragNews): void;
  recording(state: RecordState): void;
  failed(reason: string): void;
}

/** Where there is no channel for clipboards a format is refused above this, as the server would do. */
export const CLIPBOARD_BYTES_MAX = 1024 * 1024;

/** Refusals that the server explains in a NOTIFICATION of its own. */
const TOLD_BY_SERVER: ReadonlySet<number> = new Set([Code.NotAllowed, Code.DriverBusy, Code.GoingAway]);

export class GraphicalSession {
  /** The mode that the server has granted. */
  mode: Mode = "view";
  /** The mode asked for and not answered yet. */
  wanted: Mode | null = null;
  viewport: Size;
  share: ShareState | null = null;
  capabilities: ReadonlySet<string> = new Set();
  #encoding: Encoding = "json";
  #pointer: Channel | null = null;
  #button: Channel | null = null;
  #opening = false;
  #clips: Clips | null = null;
  #clipsOpening: Promise<void> | null = null;
  #commands = 0;

  constructor(
    private readonly connection: Connection,
    private readonly offered: string[],
    viewport: Size,
    private readonly events: GraphicalEvents,
  ) {
    this.viewport = viewport;
  }

  /** Sends VROOM_HANDSHAKE; always starts in View. */
  start(): void {
    const fields = messages.handshake(this.offered, this.viewport, "view");
    this.connection.sendControl(messages.Client.Handshake, encodeFields(fields, "json"));
  }

  /** The session goes on over another link: what is not replayed is said again. */
  resumed(): void {
    this.#clips?.interrupt();
    if (this.capabilities.size === 0) this.start();
    else this.#send(messages.Client.Mode, { mode: this.wanted ?? this.mode });
  }

  /** True when both sides list the capability. */
  has(capability: string): boolean {
    return this.capabilities.has(capability);
  }

  /** True while input is granted and can leave. */
  get driving(): boolean {
    return this.mode === "interact" && this.#button !== null;
  }

  /** The participant who drives, when it is somebody else. */
  get otherDriver(): messages.Participant | null {
    const share = this.share;
    if (!share || share.driver === undefined || share.driver === share.self) return null;
    return share.participants.find((participant) => participant.id === share.driver) ?? null;
  }

  /** Asks for a mode; `take` also asks to replace the present driver. */
  setMode(mode: Mode, take = false): void {
    this.wanted = mode;
    this.#send(messages.Client.Mode, take ? { mode, take } : { mode });
    if (mode === "interact") void this.#openInput();
    else this.#closeInput();
    if (!this.has("sharing") && mode !== "interact") this.#granted(mode);
    this.events.mode();
  }

  /** Sends an input message if this side drives. */
  input(message: InputMessage): void {
    if (this.mode !== "interact") return;
    if (message.channel === "pointer") this.#pointer?.send(message.type, message.payload, mergePointer(message.type));
    else this.#button?.send(message.type, message.payload);
  }

  resize(size: Size): void {
    this.#send(messages.Client.Resize, messages.resize(size, 1, 1));
  }

  /** Which way clipboards may go, as far as the server has said. */
  get clipRules(): ClipRules {
    return this.#clips?.rules ?? { toDesktop: true, fromDesktop: true };
  }

  /**
   * Fills the clipboard of the desktop with the formats of one content; done when it is in place. Formats that do not
   * fit beside the first are left out. Rejects with {@link ClipRefused}.
   */
  async setClipboard(clips: Clip[]): Promise<void> {
    await this.#clipsOpening;
    const max = this.#clips?.isOpen ? CLIP_BYTES_MAX : CLIPBOARD_BYTES_MAX;
    const contents = [];
    let left = max;
    for (const clip of clips) {
      const bytes = clip.type === "image/png" ? clip.data : utf8(clip.text);
      if (bytes.length <= left) {
        contents.push({ type: clip.type, bytes, clip });
        if (this.#clips?.isOpen) left -= bytes.length;
      } else if (contents.length === 0) {
        throw new ClipRefused(Code.MessageTooLarge, `what you copied is larger than ${max / 1024 / 1024} MiB`);
      }
    }
    if (this.#clips?.isOpen) return this.#clips.set("clipboard", contents);
    for (const { clip } of contents) this.#setOnControl(clip);
  }

  /** On channel 0 other formats than text follow text at once and are then the same content. */
  #setOnControl(clip: Clip): void {
    if (!this.has(clip.type === "text/plain" ? "clipboard" : "clipboard-data")) return;
    const content = clip.type === "image/png" ? { data: clip.data } : { text: clip.text };
    const type = clip.type === "text/plain" ? {} : { mimeType: clip.type };
    this.#send(messages.Client.Clipboard, { direction: "set", ...content, ...type });
  }

  /** Says what becomes of files that are dragged; where they are held, MOUSE_MOVE says. */
  drag(what: messages.Drag): void {
    if (this.has("drag")) this.#send(messages.Client.Drag, { ...what });
  }

  paste(content: string): void {
    this.#send(messages.Client.Paste, { text: content });
  }

  /** Opens an address in the browser of the desktop. */
  navigate(url: string): void {
    if (this.has("navigate")) this.#send(messages.Client.Navigate, { url, newTab: true });
  }

  /** Says something to everybody who is here. */
  say(content: string): void {
    this.#send(messages.Client.Chat, { role: "user", text: content });
  }

  /** Chooses an answer to what a program notified of, or puts it away without one. */
  answerNotice(id: number, action?: string): void {
    if (this.has("notifications")) this.#send(messages.Client.Notice, action === undefined ? { id } : { id, action });
  }

  /** Sends a sentence to the command interpreter and returns the id its answer refers to. */
  command(sentence: string): string {
    const id = `cmd_${++this.#commands}`;
    this.#send(messages.Client.Command, { id, action: "natural", text: sentence });
    return id;
  }

  requestFloor(): void {
    this.#send(messages.Client.Share, { action: "request" });
  }

  grantFloor(to: string): void {
    this.#send(messages.Client.Share, { action: "grant", to });
  }

  denyFloor(to: string): void {
    this.#send(messages.Client.Share, { action: "deny", to });
  }

  /** Begins or ends the recording of the session. */
  record(action: "start" | "stop"): void {
    if (this.has("recording")) this.#send(messages.Client.Record, { action });
  }

  /** Pauses or resumes picture and sound, speaks or does not, or asks for a key frame. */
  media(fields: { video?: boolean; speaker?: boolean; mic?: boolean; keyframe?: boolean }): void {
    if (this.has("media")) this.#send(messages.Client.Media, fields);
  }

  /** `shown` has four numbers for each picture that was shown since the last time. */
  feedback(fields: { fps: number; rtt: number; jitter: number; decode: number; dropped: number; shown?: number[] }): void {
    if (this.has("media")) this.#send(messages.Client.Feedback, fields);
  }

  /** The server refused something; a wish for a mode is then no longer pending. */
  refused(code: number): void {
    if (this.wanted === null || (code !== Code.NotAllowed && code !== Code.DriverBusy)) return;
    this.wanted = null;
    this.events.mode();
  }

  /** Takes a control message of type 0x80 and above. */
  receive(type: number, body: Bytes): void {
    if (type === messages.Server.Handshake) {
      this.#handshake(body);
      return;
    }
    const fields = decodeFields(body);
    switch (type) {
      case messages.Server.State:
        return this.#state(messages.readState(fields));
      case messages.Server.ShareState:
        return this.#shared(messages.readShareState(fields));
      case messages.Server.Cursor:
        return this.events.cursor(messages.readCursor(fields));
      case messages.Server.MediaState:
        return this.events.media(messages.readMediaState(fields));
      case messages.Server.Record:
        return this.events.recording(messages.readRecord(fields));
      case messages.Server.Notification:
        return this.events.notification(messages.readNotification(fields));
      case messages.Server.Chat:
        return this.events.chat(messages.readChat(fields));
      case messages.Server.Clipboard:
        return this.#pushed(fields);
      case messages.Server.Drag: {
        const news = messages.readDrag(fields);
        return news ? this.events.drag(news) : undefined;
      }
      default:
        return;
    }
  }

  /** The desktop copied something. The primary selection stays there: browsers have none. */
  #pushed(fields: Fields): void {
    if (text(fields, "direction") !== "push" || text(fields, "selection") === "primary") return;
    const type = text(fields, "mimeType") ?? "text/plain";
    const content = text(fields, "text");
    if (type === "image/png") {
      const data = bytes(fields, "data");
      if (data) this.events.clipboard({ type, data });
    } else if (content !== undefined && (type === "text/html" || type.startsWith("text/plain"))) {
      this.events.clipboard({ type: type === "text/html" ? type : "text/plain", text: content });
    }
  }

  #handshake(body: Bytes): void {
    const handshake = messages.readHandshake(body);
    if (!handshake) {
      this.events.failed("the server's handshake is not readable");
      return;
    }
    this.#encoding = handshake.encoding === "cbor" ? "cbor" : "json";
    this.capabilities = new Set(handshake.capabilities.filter((capability) => this.offered.includes(capability)));
    this.viewport = handshake.viewport;
    this.events.ready(handshake);
  }

  #state(state: State): void {
    if (state.viewport) {
      this.viewport = state.viewport;
      this.events.viewport(state.viewport);
    }
    if (state.mode) this.#granted(state.mode);
    this.events.state(state);
  }

  #shared(share: ShareState): void {
    this.share = share;
    const self = share.participants.find((participant) => participant.id === share.self);
    if (share.driver === share.self && self?.mode === "interact") this.#granted("interact");
    else if (self && self.mode !== "interact" && this.mode === "interact") this.#granted("view");
    this.events.share(share);
  }

  #granted(mode: Mode): void {
    if (mode !== "interact" && this.mode === "interact") this.#closeInput();
    if (this.wanted === mode) this.wanted = null;
    this.mode = mode;
    // The floor may also be handed over without a wish; the input channels are then still to be opened.
    if (mode === "interact") void this.#openInput();
    if (mode !== "view") this.#openClips();
    this.events.mode();
  }

  async #openInput(): Promise<void> {
    if (this.#button || this.#opening) return;
    this.#opening = true;
    const opened = await Promise.allSettled([this.connection.open(lossy("pointer")), this.connection.open(reliable("button"))]);
    this.#opening = false;
    const [pointer, button] = opened.map((one) => (one.status === "fulfilled" ? one.value : null));
    if (pointer && button) {
      this.#adopt(pointer, button);
      return;
    }
    pointer?.close();
    button?.close();
    const refused = opened.find((one) => one.status === "rejected")?.reason as unknown;
    if (!(refused instanceof ChannelRejected)) throw refused;
    if (!TOLD_BY_SERVER.has(refused.code)) {
      this.events.notification({ type: "warning", text: refused.message, ref: undefined, code: refused.code, timestamp: undefined, notice: undefined });
    }
    this.refused(refused.code);
  }

  /** Whoever looks on has no clipboard, so its channel comes with the first interaction and stays. */
  #openClips(): void {
    if (this.#clips?.isOpen || this.#clipsOpening || !this.has("clipboard-channel")) return;
    const opened = this.connection.open(reliable("clipboard")).then(
      (channel) => void (this.#clips = new Clips(channel, { rules: (rules) => this.events.clipRules(rules), offered: (offer) => this.events.offered(offer) })),
      // Without it there is still channel 0.
      (error: unknown) => {
        if (!(error instanceof ChannelRejected)) throw error;
      },
    );
    this.#clipsOpening = opened.finally(() => (this.#clipsOpening = null));
  }

  #adopt(pointer: Channel, button: Channel): void {
    if (this.wanted !== "interact" && this.mode !== "interact") {
      pointer.close();
      button.close();
      return;
    }
    this.#pointer = pointer;
    this.#button = button;
    const lost = (_: string, byPeer: boolean): void => {
      this.#pointer = null;
      this.#button = null;
      if (byPeer && this.mode === "interact") this.#granted("view");
    };
    pointer.onclose = lost;
    button.onclose = lost;
    // A server without STATE `mode` and without sharing answers MODE only by accepting the channels.
    if (!this.has("sharing") && this.wanted === "interact") this.#granted("interact");
    this.events.mode();
  }

  #closeInput(): void {
    const [pointer, button] = [this.#pointer, this.#button];
    this.#pointer = null;
    this.#button = null;
    pointer?.close();
    button?.close();
  }

  #send(type: number, fields: Fields): void {
    this.connection.sendControl(type, encodeFields(fields, this.#encoding));
  }
}
