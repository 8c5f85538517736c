/**
 * The client's side of one mux connection.
 *
 * It does no I/O of its own and reads no clock: frames come in through {@link Connection.receive}, leave through the
 * {@link Link}, and time is an argument of {@link Connection.tick}. Where session-resume was agreed it outlives its link:
 * it is suspended, and {@link Connection.resume} goes on over another one.
 */
import type { Bytes } from "../bytes.ts";
import { view } from "../bytes.ts";
import { EncodingError } from "../encoding.ts";
import type { Channel, ChannelSpec } from "./channel.ts";
import { ChannelRejected } from "./channel.ts";
import { Channels } from "./channels.ts";
import { CONTROL, Code, Mux } from "./codes.ts";
import { FrameError, decodeFrame } from "./frame.ts";
import { Keepalive } from "./keepalive.ts";
import type { Link } from "./link.ts";
import type { Auth, Resumed, Welcome } from "./messages.ts";
import * as messages from "./messages.ts";
import { Outbox, OutboxFull } from "./outbox.ts";
import { Resumption } from "./resume.ts";
import type { SessionAction, SessionEntry } from "./sessions.ts";
import { sessionControl, sessionList } from "./sessions.ts";

/** WELCOME, or the answer to a wish to resume, has to come within this time. */
export const WELCOME_TIMEOUT_MS = 10_000;

/** Why a connection ended. */
export interface Closed {
  code: number;
  reason: string;
  byPeer: boolean;
}

/** What a connection reports. */
export interface ConnectionEvents {
  welcome(welcome: Welcome): void;
  /** The link is gone and the session is kept: {@link Connection.resume} may follow. */
  suspended(reason: string): void;
  /** The session goes on; nothing was lost on reliable channels. */
  resumed(): void;
  /** The last event where the session is gone but the link lives: a new connection may say HELLO on it. */
  resumeRefused(code: number, reason: string): void;
  /** A VROOM message on the control channel, type 0x80 and above. */
  control(type: number, payload: Bytes): void;
  /** The server's list of sessions. */
  sessions(entries: SessionEntry[]): void;
  /** The peer reports an error that closes nothing. */
  error(code: number, reason: string, channel: number | undefined): void;
  /** The last event; the link is closed too. */
  closed(closed: Closed): void;
}

type State = "new" | "hello" | "open" | "suspended" | "resuming" | "closed";

/** Channels, keepalive, resume and close of one connection. */
export class Connection {
  readonly keepalive: Keepalive;
  readonly #outbox: Outbox;
  readonly #channels: Channels;
  #resumption: Resumption | null = null;
  #extensions: ReadonlySet<string> = new Set();
  #maxMessageSize = messages.MAX_MESSAGE_SIZE_EARLY;
  #state: State = "new";
  /** When the state was entered that has a time limit. */
  #since = 0;
  #now: number;

  constructor(
    private link: Link,
    private readonly events: ConnectionEvents,
    now: number,
  ) {
    this.#now = now;
    this.keepalive = new Keepalive(now);
    this.#outbox = new Outbox(link);
    const owner = {
      link: () => this.link,
      now: () => this.#now,
      isOpen: () => this.isOpen,
      resumption: () => this.#resumption,
      sendControl: (type: number, payload: Bytes) => this.#sendControl(type, payload),
      error: (code: number, channel: number, reason: string) => this.#error(code, channel, reason),
      received: () => this.#acknowledge(),
    };
    this.#channels = new Channels(owner, this.#outbox);
  }

  /** True between WELCOME and the end, while a link is there. */
  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** True while the session waits for another link. */
  get isSuspended(): boolean {
    return this.#state === "suspended";
  }

  /** Names of the channels that are open now. */
  get channelNames(): string[] {
    return this.#channels.names;
  }

  /** Grows with everything that channels carry; pings do not count. */
  get carried(): number {
    return this.#channels.carried;
  }

  /** What the server agreed to. */
  get extensions(): string[] {
    return [...this.#extensions];
  }

  /** True when the server agreed to this extension. */
  has(extension: string): boolean {
    return this.#extensions.has(extension);
  }

  /** True for the link that carries the connection now; others may be forgotten. */
  isOn(link: Link): boolean {
    return this.link === link;
  }

  /** Sends HELLO; called once, when the transport is up. */
  start(auth: Auth, now: number): void {
    this.#now = now;
    this.#since = now;
    this.#state = "hello";
    this.#sendControl(Mux.Hello, messages.hello(auth));
  }

  /** Goes on over another link; false when there is nothing to go on with. */
  resume(link: Link, auth: Auth, now: number): boolean {
    const grant = this.#resumption?.grant;
    if (this.#state !== "suspended" || !this.#resumption || !grant) return false;
    this.#now = now;
    this.#since = now;
    this.#state = "resuming";
    this.link = link;
    this.#outbox.restart(link);
    this.keepalive.restart(now);
    for (const spec of this.#channels.lanes) link.openLane(spec);
    this.#sendControl(Mux.ResumeRequest, messages.resumeRequest(grant.sessionId, this.#resumption.received.contiguous, auth));
    this.#resumption.received.acknowledged();
    return true;
  }

  /** Opens a channel; rejects with {@link ChannelRejected} when the server does not want it. */
  open(spec: ChannelSpec): Promise<Channel> {
    if (this.#state === "new" || this.#state === "hello" || this.#state === "closed") {
      return Promise.reject(new ChannelRejected(spec.name, Code.GoingAway, "not connected"));
    }
    return this.#channels.request(spec, this.#state !== "suspended");
  }

  /** Sends a VROOM message on the control channel. */
  sendControl(type: number, payload: Bytes): void {
    if (this.#state === "open") this.#sendControl(type, payload);
  }

  /** Asks for the list of sessions; `sessions` is the answer. */
  requestSessions(): void {
    if (this.has("session-persistence")) this.sendControl(Mux.SessionListRequest, new Uint8Array(0));
  }

  /** Renames or ends a session; a fresh list or an error is the answer. */
  controlSession(action: SessionAction): void {
    this.sendControl(Mux.SessionControl, sessionControl(action));
  }

  /** Sends a PING beyond those of the keepalive, to measure the round trip or to doubt a silent link. */
  ping(now: number, patienceMs?: number): void {
    this.#now = now;
    if (this.#state === "open") this.#sendControl(Mux.Ping, this.keepalive.ping(now, patienceMs));
  }

  /** Ends the connection in order. */
  close(code: number, reason: string): void {
    if (this.#state === "closed") return;
    if (this.#state !== "new" && this.#state !== "suspended") this.#sendControl(Mux.Close, messages.close(code, reason));
    this.#end({ code, reason, byPeer: false });
  }

  /** The transport ended by itself. */
  lost(reason: string): void {
    if (this.#resumption?.grant && (this.#state === "open" || this.#state === "resuming")) this.#suspend(reason);
    else if (this.#state !== "suspended") this.#end({ code: Code.GoingAway, reason, byPeer: true });
  }

  /** The link can take more. */
  flush(): void {
    this.#outbox.flush();
  }

  /** Moves timers; called about twice a second. */
  tick(now: number): void {
    this.#now = now;
    if (this.#state === "suspended") {
      const timeout = this.#resumption?.grant?.timeoutMs ?? 0;
      if (now - this.#since >= timeout) this.#end({ code: Code.SessionExpired, reason: "the connection was away for too long", byPeer: true });
      return;
    }
    if ((this.#state === "hello" || this.#state === "resuming") && now - this.#since >= WELCOME_TIMEOUT_MS) {
      if (this.#state === "resuming") this.lost("the server did not answer");
      else this.close(Code.HelloTimeout, "the server did not answer");
      return;
    }
    this.#channels.finishDraining();
    if (this.#state !== "open") return;
    this.#acknowledge();
    const due = this.keepalive.due(now);
    if (due === "ping") this.ping(now);
    if (due === "dead") this.lost("the server stopped answering");
  }

  #suspend(reason: string): void {
    const link = this.link;
    this.#state = "suspended";
    this.#since = this.#now;
    this.#outbox.held = true;
    this.#channels.suspend();
    link.close();
    this.events.suspended(reason);
  }

  /** A lane of a per-channel link is gone. */
  laneClosed(name: string, now: number): void {
    this.#now = now;
    if (name === "control") {
      this.lost("the control channel closed");
      return;
    }
    this.#channels.laneClosed(name);
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
      const control = this.#channels.receive(lane, frame);
      if (control) this.#control(frame.type, control);
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

  #acknowledge(): void {
    const acknowledgement = this.#state === "open" ? this.#resumption?.due(this.#now) : null;
    if (acknowledgement) this.#sendControl(Mux.SequenceAck, acknowledgement);
  }

  #control(type: number, payload: Bytes): void {
    const awaited = this.#state === "hello" ? Mux.Welcome : this.#state === "resuming" ? Mux.ResumeResponse : null;
    if (awaited !== null && type !== awaited && type !== Mux.Close && type !== Mux.Error) {
      throw new FrameError(Code.ProtocolError, true, "a message before the answer");
    }
    switch (type) {
      case Mux.Welcome:
        return this.#welcome(payload);
      case Mux.SessionId:
        if (this.#resumption) this.#resumption.grant = messages.sessionGrant(payload);
        return;
      case Mux.ResumeResponse:
        return this.#resumed(messages.resumeResponse(payload));
      case Mux.SequenceAck:
        return this.#acknowledgedUpTo(payload);
      case Mux.SessionListResponse:
        return this.events.sessions(sessionList(payload));
      case Mux.ChannelAck:
        return this.#channels.acknowledged(payload);
      case Mux.ChannelReject:
        return this.#channels.rejected(payload);
      case Mux.CloseChannel:
        return this.#channels.closedByPeer(payload);
      case Mux.OpenChannel:
        return this.#channels.refuse(payload);
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
    this.#agree(welcome.maxMessageSize, welcome.pingIntervalMs, welcome.pingTimeoutMs);
    this.#extensions = welcome.extensions;
    if (this.has("session-resume")) this.#resumption = new Resumption(this.has("vroom-seq-ack"));
    this.#outbox.numbering = this.#resumption?.numbering ?? null;
    this.events.welcome(welcome);
  }

  #agree(maxMessageSize: number | null, pingIntervalMs: number | null, pingTimeoutMs: number | null): void {
    this.#maxMessageSize = maxMessageSize ?? this.#maxMessageSize;
    this.#outbox.frameMax = this.#maxMessageSize;
    this.keepalive.intervalMs = pingIntervalMs ?? this.keepalive.intervalMs;
    this.keepalive.timeoutMs = pingTimeoutMs ?? this.keepalive.timeoutMs;
  }

  #resumed(answer: Resumed | { code: number; reason: string }): void {
    const resumption = this.#resumption;
    if (this.#state !== "resuming" || !resumption) throw new FrameError(Code.ProtocolError, true, "an answer to nothing asked");
    if ("code" in answer) return this.#refused(answer.code, answer.reason);
    const missed = answer.lastSequence === null ? [] : resumption.numbering.replay(answer.lastSequence);
    if (missed === null) {
      // What the server misses is gone here; only a new session can go on.
      this.close(Code.BufferOverflow, "messages that are needed are no longer there");
      return;
    }
    if (answer.lastSequence !== null) resumption.numbering.acknowledged(answer.lastSequence);
    this.#state = "open";
    this.#agree(answer.maxMessageSize, answer.pingIntervalMs, answer.pingTimeoutMs);
    this.#channels.resume(answer.channels, missed);
    this.events.resumed();
  }

  #acknowledgedUpTo(payload: Bytes): void {
    const sequence = payload.length === 8 ? Number(view(payload).getBigUint64(0)) : -1;
    if (sequence < 0 || this.#resumption?.numbering.acknowledged(sequence) !== true) {
      this.#error(Code.InvalidMessage, CONTROL, "acknowledgement of nothing sent");
    }
  }

  #sendControl(type: number, payload: Bytes): void {
    try {
      this.#outbox.push("control", CONTROL, type, payload);
    } catch (error) {
      if (!(error instanceof OutboxFull)) throw error;
      this.lost("too much is waiting to be sent");
    }
  }

  #error(code: number, channel: number, reason: string): void {
    if (this.#state === "open") this.#sendControl(Mux.Error, messages.error(code, channel, reason));
  }

  /** The session is gone, the link is not: it is left to whoever hears of it. */
  #refused(code: number, reason: string): void {
    for (const spec of this.#channels.lanes) this.link.closeLane(spec.name);
    this.#state = "closed";
    this.#channels.end(reason, true);
    this.events.resumeRefused(code, reason);
  }

  #end(closed: Closed): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#channels.end(closed.reason, closed.byPeer);
    this.events.closed(closed);
    this.link.close();
  }
}
