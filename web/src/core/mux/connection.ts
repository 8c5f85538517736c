/**
 * The client's side of one mux connection.
 *
 * It does no I/O of its own and reads no clock: frames come in through {@link Connection.receive}, leave through the
 * {@link Link}, and time is an argument of {@link Connection.tick}.
 */
import type { Bytes } from "../bytes.ts";
import { EncodingError, jsonFields } from "../encoding.ts";
import { integer, text } from "../fields.ts";
import type { ChannelSpec, Merge } from "./channel.ts";
import { Channel, ChannelRejected } from "./channel.ts";
import { Closing } from "./closing.ts";
import { CONTROL, Code, Mux } from "./codes.ts";
import type { Frame } from "./frame.ts";
import { FrameError, decodeFrame } from "./frame.ts";
import { Keepalive } from "./keepalive.ts";
import type { Link } from "./link.ts";
import type { Auth, Welcome } from "./messages.ts";
import * as messages from "./messages.ts";
import { Outbox, OutboxFull } from "./outbox.ts";
import { Reassembly, TooLarge, messageMax } from "./reassembly.ts";

/** WELCOME has to come within this time of HELLO. */
export const WELCOME_TIMEOUT_MS = 10_000;
/** Frames that may arrive on a data channel before its CHANNEL_ACK; later ones are dropped. */
export const EARLY_FRAMES_MAX = 64;

/** Why a connection ended. */
export interface Closed {
  code: number;
  reason: string;
  byPeer: boolean;
}

/** What a connection reports. */
export interface ConnectionEvents {
  welcome(welcome: Welcome): void;
  /** A VROOM message on the control channel, type 0x80 and above. */
  control(type: number, payload: Bytes): void;
  /** The peer reports an error that closes nothing. */
  error(code: number, reason: string, channel: number | undefined): void;
  /** The last event. */
  closed(closed: Closed): void;
}

interface Pending {
  spec: ChannelSpec;
  early: Bytes[];
  resolve(channel: Channel): void;
  reject(error: Error): void;
}

/** Channels, keepalive and close of one connection. */
export class Connection {
  readonly keepalive: Keepalive;
  readonly #outbox: Outbox;
  readonly #reassembly = new Reassembly();
  readonly #channels = new Map<number, Channel>();
  readonly #closing = new Closing();
  readonly #pending = new Map<number, Pending>();
  #requests = 0;
  #maxMessageSize = messages.MAX_MESSAGE_SIZE_EARLY;
  #state: "new" | "hello" | "open" | "closed" = "new";
  #helloAt = 0;
  #now: number;

  constructor(
    private readonly link: Link,
    private readonly events: ConnectionEvents,
    now: number,
  ) {
    this.#now = now;
    this.keepalive = new Keepalive(now);
    this.#outbox = new Outbox(link);
  }

  /** True between WELCOME and the end. */
  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** Names of the channels that are open now. */
  get channelNames(): string[] {
    return [...this.#channels.values()].map((channel) => channel.name);
  }

  /** Sends HELLO; called once, when the transport is up. */
  start(auth: Auth, now: number): void {
    this.#now = now;
    this.#helloAt = now;
    this.#state = "hello";
    this.#sendControl(Mux.Hello, messages.hello(auth));
  }

  /** Opens a channel; rejects with {@link ChannelRejected} when the server does not want it. */
  open(spec: ChannelSpec): Promise<Channel> {
    if (this.#state !== "open") return Promise.reject(new ChannelRejected(spec.name, Code.GoingAway, "not connected"));
    const requestId = ++this.#requests;
    const opened = new Promise<Channel>((resolve, reject) => {
      this.#pending.set(requestId, { spec, early: [], resolve, reject });
    });
    this.link.openLane(spec);
    this.#sendControl(Mux.OpenChannel, messages.openChannel(requestId, spec));
    return opened;
  }

  /** Sends a VROOM message on the control channel. */
  sendControl(type: number, payload: Bytes): void {
    if (this.#state === "open") this.#sendControl(type, payload);
  }

  /** Sends a PING beyond those of the keepalive, to measure the round trip. */
  ping(now: number): void {
    this.#now = now;
    if (this.#state === "open") this.#sendControl(Mux.Ping, this.keepalive.ping(now));
  }

  /** Ends the connection in order. */
  close(code: number, reason: string): void {
    if (this.#state === "closed") return;
    if (this.#state !== "new") this.#sendControl(Mux.Close, messages.close(code, reason));
    this.#end({ code, reason, byPeer: false });
  }

  /** The transport ended by itself. */
  lost(reason: string): void {
    this.#end({ code: Code.GoingAway, reason, byPeer: true });
  }

  /** The link can take more. */
  flush(): void {
    this.#outbox.flush();
  }

  /** Moves timers; called about once a second. */
  tick(now: number): void {
    this.#now = now;
    if (this.#state === "hello" && now - this.#helloAt >= WELCOME_TIMEOUT_MS) {
      this.close(Code.HelloTimeout, "the server did not answer");
      return;
    }
    this.#finishDraining();
    if (this.#state !== "open") return;
    const due = this.keepalive.due(now);
    if (due === "ping") this.ping(now);
    if (due === "dead") this.lost("the server stopped answering");
  }

  /** A lane of a per-channel link is gone. */
  laneClosed(name: string, now: number): void {
    this.#now = now;
    if (name === "control") {
      this.lost("the control channel closed");
      return;
    }
    this.#finishDraining(name);
    for (const channel of this.#channels.values()) {
      if (channel.name === name) this.closeChannel(channel, "data channel closed");
    }
  }

  /** Takes one message of the transport, which is one frame. */
  receive(lane: string | null, message: Bytes, now: number): void {
    if (this.#state === "closed") return;
    this.#now = now;
    this.keepalive.heard(now);
    try {
      const frame = decodeFrame(message);
      if (frame.payload.length > this.#maxMessageSize) {
        throw new FrameError(Code.MessageTooLarge, true, "frame above the agreed size");
      }
      this.#frame(lane, frame, message);
    } catch (error) {
      this.#misbehaved(error);
    }
  }

  #misbehaved(error: unknown): void {
    if (error instanceof FrameError && error.fatal) this.close(error.code, error.message);
    else if (error instanceof FrameError) this.#error(error.code, CONTROL, error.message);
    else if (error instanceof EncodingError) this.#error(Code.InvalidMessage, CONTROL, error.message);
    else throw error;
  }

  #frame(lane: string | null, frame: Frame, message: Bytes): void {
    if (frame.channel === CONTROL) {
      const whole = this.#reassemble(frame, "control");
      if (whole) this.#control(frame.type, whole);
      return;
    }
    const channel = this.#channels.get(frame.channel) ?? this.#closing.draining(frame.channel);
    if (!channel) {
      this.#unknown(lane, frame.channel, message);
      return;
    }
    if (lane !== null && lane !== channel.name) {
      this.#error(Code.ChannelNotFound, frame.channel, "frame of another channel");
      return;
    }
    if (frame.part !== "whole" && !(channel.spec.reliable && channel.spec.ordered)) {
      throw new FrameError(Code.ProtocolError, true, "fragment on a lossy channel");
    }
    const whole = this.#reassemble(frame, channel.name);
    if (whole) channel.deliver(frame.type, whole);
  }

  #reassemble(frame: Frame, name: string): Bytes | null {
    try {
      return this.#reassembly.push(frame, messageMax(name));
    } catch (error) {
      if (!(error instanceof TooLarge)) throw error;
      if (frame.channel === CONTROL) throw new FrameError(Code.MessageTooLarge, true, error.message);
      this.#error(Code.MessageTooLarge, frame.channel, error.message);
      const channel = this.#channels.get(frame.channel);
      if (channel) this.closeChannel(channel, error.message);
      return null;
    }
  }

  /** A frame can overtake the CHANNEL_ACK of its channel where each channel has its own lane. */
  #unknown(lane: string | null, id: number, message: Bytes): void {
    if (this.#closing.rests(id, this.#now)) return;
    for (const pending of this.#pending.values()) {
      if (lane === null || pending.spec.name !== lane) continue;
      if (pending.early.length < EARLY_FRAMES_MAX) pending.early.push(message);
      return;
    }
    this.#error(Code.ChannelNotFound, id, "no such channel");
  }

  #control(type: number, payload: Bytes): void {
    if (this.#state === "hello" && type !== Mux.Welcome && type !== Mux.Close && type !== Mux.Error) {
      throw new FrameError(Code.ProtocolError, true, "a message before WELCOME");
    }
    switch (type) {
      case Mux.Welcome:
        return this.#welcome(payload);
      case Mux.ChannelAck:
        return this.#acknowledged(payload);
      case Mux.ChannelReject:
        return this.#rejected(payload);
      case Mux.CloseChannel:
        return this.#closedByPeer(payload);
      case Mux.OpenChannel:
        return this.#refuse(payload);
      case Mux.Ping: {
        const pong = this.keepalive.answer(payload, this.#now);
        if (pong) this.#sendControl(Mux.Pong, pong);
        else this.#error(Code.InvalidMessage, CONTROL, "malformed PING");
        return;
      }
      case Mux.Pong:
        if (!this.keepalive.pong(payload, this.#now)) this.#error(Code.InvalidMessage, CONTROL, "malformed PONG");
        return;
      case Mux.Close: {
        const { code, reason } = messages.verdict(payload);
        this.#sendControl(Mux.Close, messages.close(Code.Normal, ""));
        this.#end({ code, reason, byPeer: true });
        return;
      }
      case Mux.Error: {
        const { code, reason, channel } = messages.verdict(payload);
        this.events.error(code, reason, channel);
        return;
      }
      default:
        if (type >= 0x80) this.events.control(type, payload);
        else this.#error(Code.Unsupported, CONTROL, "unknown message");
    }
  }

  #welcome(payload: Bytes): void {
    if (this.#state !== "hello") throw new FrameError(Code.ProtocolError, true, "a second WELCOME");
    const welcome = messages.welcome(payload);
    if (!welcome) {
      this.close(Code.VersionMismatch, "another major version");
      return;
    }
    this.#state = "open";
    this.#maxMessageSize = welcome.maxMessageSize;
    this.keepalive.intervalMs = welcome.pingIntervalMs;
    this.keepalive.timeoutMs = welcome.pingTimeoutMs;
    this.events.welcome(welcome);
  }

  #acknowledged(payload: Bytes): void {
    const fields = jsonFields(payload);
    const requestId = integer(fields, "requestId") ?? -1;
    const id = integer(fields, "id", 1, 254);
    const pending = this.#pending.get(requestId);
    if (!pending || id === undefined || this.#channels.has(id)) {
      this.#error(Code.InvalidMessage, CONTROL, "acknowledgement of nothing asked");
      return;
    }
    this.#pending.delete(requestId);
    this.#closing.wake(id);
    const channel = new Channel(id, pending.spec, {
      send: (from, type, body, merge) => this.#send(from, type, body, merge),
      close: (from, reason) => this.closeChannel(from, reason),
    });
    this.#channels.set(id, channel);
    pending.resolve(channel);
    for (const early of pending.early) this.receive(pending.spec.name, early, this.#now);
  }

  #rejected(payload: Bytes): void {
    const { requestId, code, reason } = messages.verdict(payload);
    const pending = this.#pending.get(requestId ?? -1);
    if (!pending || requestId === undefined) return;
    this.#pending.delete(requestId);
    this.link.closeLane(pending.spec.name);
    pending.reject(new ChannelRejected(pending.spec.name, code, reason));
  }

  #refuse(payload: Bytes): void {
    const requestId = integer(jsonFields(payload), "requestId");
    if (requestId === undefined) this.#error(Code.InvalidMessage, CONTROL, "OPEN_CHANNEL without requestId");
    else this.#sendControl(Mux.ChannelReject, messages.channelReject(requestId, Code.Unsupported, "not expected"));
  }

  #closedByPeer(payload: Bytes): void {
    const fields = jsonFields(payload);
    const id = integer(fields, "id", 0, 255);
    const reason = text(fields, "reason") ?? "";
    const channel = id === undefined ? undefined : this.#channels.get(id);
    if (id === CONTROL) this.#error(Code.ProtocolError, CONTROL, "channel 0 cannot be closed");
    else if (id === undefined) this.#error(Code.InvalidMessage, CONTROL, "CLOSE_CHANNEL without id");
    else if (!channel) {
      if (!this.#closing.rests(id, this.#now)) this.#error(Code.ChannelNotFound, id, "no such channel");
    } else if (this.link.kind === "perChannel" && channel.spec.reliable) {
      this.#channels.delete(id);
      this.#closing.drain(channel, reason, this.#now);
    } else this.#forget(channel, reason, true);
  }

  #finishDraining(lane?: string): void {
    for (const { channel, reason } of this.#closing.drained(this.#now, lane)) this.#forget(channel, reason, true);
  }

  /** Closes a channel for both sides; nothing happens when it is closed already. */
  closeChannel(channel: Channel, reason?: string): void {
    if (this.#channels.get(channel.id) !== channel) return;
    this.#sendControl(Mux.CloseChannel, messages.closeChannel(channel.id, reason));
    this.#forget(channel, reason ?? "", false);
  }

  #forget(channel: Channel, reason: string, byPeer: boolean): void {
    this.#channels.delete(channel.id);
    this.#reassembly.forget(channel.id);
    this.#outbox.forget(channel.name);
    this.#closing.rest(channel.id, this.#now);
    this.link.closeLane(channel.name);
    channel.onclose(reason, byPeer);
  }

  #send(channel: Channel, type: number, payload: Uint8Array, merge?: Merge): void {
    if (this.#channels.get(channel.id) !== channel) return;
    try {
      this.#outbox.push(channel.name, channel.id, type, payload as Bytes, this.#maxMessageSize, merge);
    } catch (error) {
      if (!(error instanceof OutboxFull)) throw error;
      this.closeChannel(channel, "too much is waiting to be sent");
    }
  }

  #sendControl(type: number, payload: Bytes): void {
    try {
      this.#outbox.push("control", CONTROL, type, payload, this.#maxMessageSize);
    } catch (error) {
      if (!(error instanceof OutboxFull)) throw error;
      this.lost("too much is waiting to be sent");
    }
  }

  #error(code: number, channel: number, reason: string): void {
    if (this.#state === "open") this.#sendControl(Mux.Error, messages.error(code, channel, reason));
  }

  #end(closed: Closed): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    for (const pending of this.#pending.values()) {
      pending.reject(new ChannelRejected(pending.spec.name, Code.GoingAway, "the connection ended"));
    }
    this.#pending.clear();
    const channels = [...this.#channels.values(), ...this.#closing.clear()];
    this.#channels.clear();
    for (const channel of channels) channel.onclose(closed.reason, closed.byPeer);
    this.events.closed(closed);
    this.link.close();
  }
}
