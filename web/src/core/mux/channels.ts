/** The channels of one connection: opened, carrying messages, closed, and taken along to another link. */
import type { Bytes } from "../bytes.ts";
import { jsonFields } from "../encoding.ts";
import { integer, text } from "../fields.ts";
import type { ChannelSpec, Merge } from "./channel.ts";
import { Channel, ChannelRejected } from "./channel.ts";
import { Closing } from "./closing.ts";
import { CONTROL, Code, Mux } from "./codes.ts";
import type { Frame } from "./frame.ts";
import { FrameError } from "./frame.ts";
import type { Link } from "./link.ts";
import * as messages from "./messages.ts";
import type { Outbox } from "./outbox.ts";
import { OutboxFull } from "./outbox.ts";
import { Reassembly, TooLarge, messageMax } from "./reassembly.ts";
import type { Request } from "./requests.ts";
import { Requests } from "./requests.ts";
import type { Resumption } from "./resume.ts";

/** Channels whose messages are worth nothing over another link. */
const UNNUMBERED: ReadonlySet<string> = new Set(["video", "patches", "clipboard"]);

/** What the channels need of their connection. */
export interface ChannelsOwner {
  link(): Link;
  now(): number;
  /** True while messages can leave. */
  isOpen(): boolean;
  resumption(): Resumption | null;
  sendControl(type: number, payload: Bytes): void;
  error(code: number, channel: number, reason: string): void;
  /** A message came in; an acknowledgement may be due. */
  received(): void;
}

export class Channels {
  /** Frames and messages of channels other than control so far, both ways. */
  carried = 0;
  readonly #open = new Map<number, Channel>();
  readonly #reassembly = new Reassembly();
  readonly #closing = new Closing();
  readonly #requests = new Requests();

  constructor(
    private readonly owner: ChannelsOwner,
    private readonly outbox: Outbox,
  ) {
    outbox.onsent = (lane) => {
      for (const channel of this.#open.values()) if (channel.name === lane) channel.onsent();
    };
  }

  get names(): string[] {
    return [...this.#open.values()].map((channel) => channel.name);
  }

  /** Specifications of all channels that need a lane. */
  get lanes(): ChannelSpec[] {
    return [...[...this.#open.values()].map((channel) => channel.spec), ...this.#requests.all().map(([, { spec }]) => spec)];
  }

  /** Asks for a channel; OPEN_CHANNEL leaves now, or when the session goes on. */
  request(spec: ChannelSpec, hasLink: boolean): Promise<Channel> {
    const { id, answer } = this.#requests.add(spec);
    if (hasLink) this.owner.link().openLane(spec);
    if (this.owner.isOpen()) this.owner.sendControl(Mux.OpenChannel, messages.openChannel(id, spec));
    return answer;
  }

  /** Takes a frame; null unless it completes a message of channel 0. */
  receive(lane: string | null, frame: Frame): Bytes | null {
    if (frame.channel === CONTROL) return this.#reassemble(frame, "control");
    this.carried += 1;
    const channel = this.#open.get(frame.channel) ?? this.#closing.draining(frame.channel);
    if (!channel) {
      this.#unknown(lane, frame);
      return null;
    }
    if (lane !== null && lane !== channel.name) {
      this.owner.error(Code.ChannelNotFound, frame.channel, "frame of another channel");
      return null;
    }
    if (frame.part !== "whole" && !(channel.spec.reliable && channel.spec.ordered)) {
      throw new FrameError(Code.ProtocolError, true, "fragment on a lossy channel");
    }
    const whole = this.#reassemble(frame, channel.name);
    const content = whole && this.#isNumbered(channel.spec) ? this.#denumber(whole) : whole;
    // An empty message of type 0 says nothing: it fills the gap that a closed channel left.
    if (content && (frame.type !== 0 || content.length > 0)) channel.deliver(frame.type, content);
    return null;
  }

  /** CHANNEL_ACK. */
  acknowledged(payload: Bytes): void {
    const fields = jsonFields(payload);
    const id = integer(fields, "id", 1, 254);
    const request = id === undefined || this.#open.has(id) ? null : this.#requests.take(integer(fields, "requestId"));
    if (!request || id === undefined) this.owner.error(Code.InvalidMessage, CONTROL, "acknowledgement of nothing asked");
    else this.#opened(id, request);
  }

  /** CHANNEL_REJECT. */
  rejected(payload: Bytes): void {
    const { requestId, code, reason } = messages.verdict(payload);
    const request = this.#requests.take(requestId);
    if (!request) return;
    this.owner.link().closeLane(request.spec.name);
    request.reject(new ChannelRejected(request.spec.name, code, reason));
  }

  /** OPEN_CHANNEL of the server, which this client has no use for. */
  refuse(payload: Bytes): void {
    const requestId = integer(jsonFields(payload), "requestId");
    if (requestId === undefined) this.owner.error(Code.InvalidMessage, CONTROL, "OPEN_CHANNEL without requestId");
    else this.owner.sendControl(Mux.ChannelReject, messages.channelReject(requestId, Code.Unsupported, "not expected"));
  }

  /** CLOSE_CHANNEL. */
  closedByPeer(payload: Bytes): void {
    const fields = jsonFields(payload);
    const id = integer(fields, "id", 0, 255);
    const reason = text(fields, "reason") ?? "";
    const channel = id === undefined ? undefined : this.#open.get(id);
    if (id === CONTROL) this.owner.error(Code.ProtocolError, CONTROL, "channel 0 cannot be closed");
    else if (id === undefined) this.owner.error(Code.InvalidMessage, CONTROL, "CLOSE_CHANNEL without id");
    else if (!channel) {
      if (!this.#closing.rests(id, this.owner.now())) this.owner.error(Code.ChannelNotFound, id, "no such channel");
    } else if (this.owner.link().kind === "perChannel" && channel.spec.reliable) {
      this.#open.delete(id);
      this.#closing.drain(channel, reason, this.owner.now());
    } else this.#forget(channel, reason, true);
  }

  /** Closes a channel for both sides; nothing happens when it is closed already. */
  close(channel: Channel, reason?: string): void {
    if (this.#open.get(channel.id) !== channel) return;
    // Without a link the server learns it from the list of channels when the session goes on.
    if (this.owner.isOpen()) this.owner.sendControl(Mux.CloseChannel, messages.closeChannel(channel.id, reason));
    this.#forget(channel, reason ?? "", false);
  }

  /** A data channel is gone. */
  laneClosed(name: string): void {
    this.finishDraining(name);
    for (const channel of this.#open.values()) if (channel.name === name) this.close(channel, "data channel closed");
  }

  /** Ends the channels whose time to deliver is over. */
  finishDraining(lane?: string): void {
    for (const { channel, reason } of this.#closing.drained(this.owner.now(), lane)) this.#forget(channel, reason, true);
  }

  /** The link is gone; what it carried in pieces comes again as a whole. */
  suspend(): void {
    this.#reassembly.clear();
    for (const channel of this.#closing.clear()) this.#forget(channel, "the connection was lost", true);
  }

  /** Goes on with the channels that the server lists, and sends again what it has missed. */
  resume(listed: { name: string; id: number }[] | null, missed: Parameters<Outbox["replay"]>[0]): void {
    if (listed) this.#takeOver(listed);
    const numbered = [...this.#open.values()].find((channel) => this.#isNumbered(channel.spec));
    this.outbox.replay(missed, (id) => {
      const channel = (id === null ? undefined : this.#open.get(id)) ?? numbered;
      return channel ? { lane: channel.name, channel: channel.id } : null;
    });
    for (const [id, { spec }] of this.#requests.all()) this.owner.sendControl(Mux.OpenChannel, messages.openChannel(id, spec));
  }

  /** Ends everything. */
  end(reason: string, byPeer: boolean): void {
    this.#requests.rejectAll(Code.GoingAway, "the connection ended");
    const channels = [...this.#open.values(), ...this.#closing.clear()];
    this.#open.clear();
    for (const channel of channels) channel.onclose(reason, byPeer);
  }

  #takeOver(listed: { name: string; id: number }[]): void {
    for (const channel of [...this.#open.values()]) {
      if (!listed.some(({ name, id }) => id === channel.id && name === channel.name)) this.#forget(channel, "it was not resumed", true);
    }
    for (const { name, id } of listed) {
      if (this.#open.has(id)) continue;
      const asked = this.#requests.takeNamed(name);
      if (asked) this.#opened(id, asked);
      else this.owner.sendControl(Mux.CloseChannel, messages.closeChannel(id, "it was not asked for"));
    }
  }

  #opened(id: number, { spec, early, resolve }: Request): void {
    this.#closing.wake(id);
    this.#reassembly.forget(id);
    const channel = new Channel(id, spec, {
      send: (from, type, body, merge) => this.#send(from, type, body, merge),
      close: (from, reason) => this.close(from, reason),
      waiting: (from) => this.outbox.waiting(from.name),
    });
    this.#open.set(id, channel);
    resolve(channel);
    for (const frame of early) this.receive(spec.name, frame);
  }

  /** A frame can overtake the CHANNEL_ACK of its channel where each channel has its own lane. */
  #unknown(lane: string | null, frame: Frame): void {
    if (this.#closing.rests(frame.channel, this.owner.now())) {
      // Dropped, but received: its number must not leave a gap.
      const whole = this.#closing.numbered(frame.channel) ? this.#reassemble(frame, "") : null;
      if (whole) this.#denumber(whole);
      return;
    }
    if (!this.#requests.keepEarly(lane, frame)) this.owner.error(Code.ChannelNotFound, frame.channel, "no such channel");
  }

  #isNumbered(spec: ChannelSpec): boolean {
    return this.owner.resumption() !== null && spec.reliable && !UNNUMBERED.has(spec.name);
  }

  /** Takes the number off a message; null when it came before. */
  #denumber(whole: Bytes): Bytes | null {
    const content = this.owner.resumption()?.take(whole, this.owner.now()) ?? null;
    if (content === "fault") throw new FrameError(Code.ProtocolError, true, "sequence numbers do not fit");
    this.owner.received();
    return content;
  }

  #reassemble(frame: Frame, name: string): Bytes | null {
    try {
      return this.#reassembly.push(frame, messageMax(name));
    } catch (error) {
      if (!(error instanceof TooLarge)) throw error;
      if (frame.channel === CONTROL) throw new FrameError(Code.MessageTooLarge, true, error.message);
      this.owner.error(Code.MessageTooLarge, frame.channel, error.message);
      const channel = this.#open.get(frame.channel);
      if (channel) this.close(channel, error.message);
      return null;
    }
  }

  #forget(channel: Channel, reason: string, byPeer: boolean): void {
    const numbered = this.#isNumbered(channel.spec);
    this.#open.delete(channel.id);
    // The rest of a numbered message that has begun is still counted.
    if (!numbered) this.#reassembly.forget(channel.id);
    this.outbox.forget(channel.name);
    this.owner.resumption()?.numbering.blank(channel.id);
    this.#closing.rest(channel.id, this.owner.now(), numbered);
    this.owner.link().closeLane(channel.name);
    channel.onclose(reason, byPeer);
  }

  #send(channel: Channel, type: number, payload: Uint8Array, merge?: Merge): void {
    if (this.#open.get(channel.id) !== channel) return;
    this.carried += 1;
    try {
      this.outbox.push(channel.name, channel.id, type, payload as Bytes, this.#isNumbered(channel.spec), merge);
    } catch (error) {
      if (!(error instanceof OutboxFull)) throw error;
      this.close(channel, "too much is waiting to be sent");
    }
  }
}
