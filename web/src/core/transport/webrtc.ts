/** The mux on the data channels of one peer connection, with the picture and sound beside them. */
import type { Bytes } from "../bytes.ts";
import type { ChannelSpec } from "../mux/channel.ts";
import type { Link, LinkEvents } from "../mux/link.ts";
import { LANE_BUFFER_MAX } from "../mux/link.ts";
import type { Signalling } from "./signalling.ts";

const PROTOCOL = "xumux/0.1";
/** Where servers help to find candidates, they have this long before the offer leaves; later ones are posted. */
const GATHER_MS = 250;
/** A connection that reports `disconnected` for this long is given up. */
export const DISCONNECTED_MAX_MS = 3_000;

/** True when the browser can receive H264 over WebRTC. */
export function receivesH264(): boolean {
  return h264Codecs().length > 0;
}

/** H264 first by constrained baseline in packetization mode 1, which is what the server prefers. */
function h264Codecs(): RTCRtpCodec[] {
  if (typeof RTCRtpReceiver === "undefined") return [];
  const codecs = RTCRtpReceiver.getCapabilities("video")?.codecs ?? [];
  const rank = (codec: RTCRtpCodec): number => {
    const line = codec.sdpFmtpLine ?? "";
    return (line.includes("packetization-mode=1") ? 0 : 2) + (line.includes("profile-level-id=42e0") ? 0 : 1);
  };
  const h264 = codecs.filter((codec) => codec.mimeType.toLowerCase() === "video/h264");
  return h264.sort((a, b) => rank(a) - rank(b));
}

function retransmission(): RTCRtpCodec[] {
  const codecs = RTCRtpReceiver.getCapabilities("video")?.codecs ?? [];
  return codecs.filter((codec) => codec.mimeType.toLowerCase() === "video/rtx");
}

export class WebRtcLink implements Link {
  readonly kind = "perChannel";
  /** The remote picture. */
  readonly stream = new MediaStream();
  readonly receiver: RTCRtpReceiver;
  readonly #audio: RTCRtpTransceiver;
  readonly #lanes = new Map<string, RTCDataChannel>();
  #closed = false;
  #disconnected: ReturnType<typeof setTimeout> | null = null;

  private constructor(
    readonly peer: RTCPeerConnection,
    private readonly events: () => LinkEvents | null,
  ) {
    const video = peer.addTransceiver("video", { direction: "recvonly" });
    video.setCodecPreferences([...h264Codecs(), ...retransmission()]);
    const audio = peer.addTransceiver("audio", { direction: "sendrecv" });
    this.receiver = video.receiver;
    this.stream.addTrack(video.receiver.track);
    this.#audio = audio;
    this.#adopt("control", peer.createDataChannel("omux/control", { negotiated: true, id: 0, ordered: true, protocol: PROTOCOL }));
  }

  /** Offers, waits for the answer and for `omux/control`; rejects after `timeoutMs` or when the server says no. */
  static async open(signalling: Signalling, timeoutMs: number, events: () => LinkEvents | null): Promise<WebRtcLink> {
    const iceServers = await signalling.iceServers();
    const peer = new RTCPeerConnection({ iceServers, bundlePolicy: "max-bundle" });
    const link = new WebRtcLink(peer, events);
    // Without them there are only addresses of this machine, which browsers hide for a tenth of a second and which the
    // server sees anyway when it is tried from there.
    const gathers = iceServers.length > 0;
    try {
      await withTimeout(link.#connect(signalling, gathers), timeoutMs, "no WebRTC connection came up");
      link.#watch();
      return link;
    } catch (error) {
      link.close();
      throw error;
    }
  }

  /** The remote sound, or null when the server has none. */
  sound(): MediaStream | null {
    const direction = this.#audio.currentDirection;
    if (direction !== "recvonly" && direction !== "sendrecv") return null;
    minimiseBuffer(this.#audio.receiver);
    return new MediaStream([this.#audio.receiver.track]);
  }

  /** True when the server takes what is said. */
  get canSpeak(): boolean {
    const direction = this.#audio.currentDirection;
    return direction === "sendonly" || direction === "sendrecv";
  }

  /** Sends this track, or nothing. */
  async speak(track: MediaStreamTrack | null): Promise<void> {
    if (!this.#closed) await this.#audio.sender.replaceTrack(track);
  }

  writable(lane: string): boolean {
    const channel = this.#lanes.get(lane);
    return channel?.readyState === "open" && channel.bufferedAmount < LANE_BUFFER_MAX;
  }

  send(lane: string, frame: Bytes): void {
    this.#lanes.get(lane)?.send(frame);
  }

  openLane(spec: ChannelSpec): void {
    const options: RTCDataChannelInit = { ordered: spec.ordered, protocol: PROTOCOL };
    if (spec.maxRetransmits !== undefined) options.maxRetransmits = spec.maxRetransmits;
    this.#adopt(spec.name, this.peer.createDataChannel(`omux/${spec.name}`, options));
  }

  closeLane(name: string): void {
    const channel = this.#lanes.get(name);
    this.#lanes.delete(name);
    channel?.close();
  }

  close(): void {
    this.#closed = true;
    if (this.#disconnected !== null) clearTimeout(this.#disconnected);
    this.peer.close();
  }

  async #connect(signalling: Signalling, gathers: boolean): Promise<void> {
    const opened = this.#controlOpened();
    opened.catch(() => undefined); // It may fail while the offer is still under way.
    const early: RTCIceCandidateInit[] = [];
    let connection: string | null = null;
    this.peer.onicecandidate = ({ candidate }) => {
      if (!candidate?.candidate) return;
      if (connection === null) early.push(candidate.toJSON());
      else void signalling.candidate(connection, candidate.toJSON()).catch(() => undefined);
    };
    const offer = await this.peer.createOffer();
    await this.peer.setLocalDescription({ type: "offer", sdp: inStereo(offer.sdp ?? "") });
    if (gathers) await this.#gathered();
    const sent = early.length;
    const answer = await signalling.offer(this.peer.localDescription?.sdp ?? "", early.slice(0, sent));
    connection = answer.connection;
    for (const late of early.slice(sent)) void signalling.candidate(connection, late).catch(() => undefined);
    await this.peer.setRemoteDescription({ type: "answer", sdp: answer.sdp });
    await this.#addCandidates(answer.candidates);
    if (answer.candidates.length === 0 && connection !== "") void this.#trickle(signalling, connection);
    await opened;
  }

  #controlOpened(): Promise<void> {
    const control = this.#lanes.get("control");
    return new Promise((resolve, reject) => {
      if (control) control.onopen = () => resolve();
      this.peer.onconnectionstatechange = () => {
        if (this.peer.connectionState === "failed") reject(new Error("WebRTC found no way to the server"));
      };
    });
  }

  #gathered(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, GATHER_MS);
      this.peer.onicegatheringstatechange = () => {
        if (this.peer.iceGatheringState !== "complete") return;
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #addCandidates(candidates: RTCIceCandidateInit[]): Promise<void> {
    for (const candidate of candidates) await this.peer.addIceCandidate(candidate).catch(() => undefined);
  }

  /** Fetches the server's candidates while the connection is still being made. */
  async #trickle(signalling: Signalling, connection: string): Promise<void> {
    let since = 0;
    while (!this.#closed && this.peer.connectionState !== "connected") {
      try {
        const more = await signalling.candidates(connection, since);
        await this.#addCandidates(more.candidates);
        since = more.next;
        if (more.done) return;
      } catch {
        return;
      }
    }
  }

  #watch(): void {
    this.peer.onconnectionstatechange = () => {
      const state = this.peer.connectionState;
      if (state === "failed" || state === "closed") this.#lost("the WebRTC connection failed");
      else if (state === "disconnected") {
        this.#disconnected ??= setTimeout(() => this.#lost("the WebRTC connection was lost"), DISCONNECTED_MAX_MS);
      } else if (this.#disconnected !== null) {
        clearTimeout(this.#disconnected);
        this.#disconnected = null;
      }
    };
  }

  #lost(reason: string): void {
    if (!this.#closed) this.events()?.closed(reason);
  }

  #adopt(name: string, channel: RTCDataChannel): void {
    channel.binaryType = "arraybuffer";
    channel.bufferedAmountLowThreshold = LANE_BUFFER_MAX / 2;
    channel.onbufferedamountlow = () => this.events()?.writable();
    channel.onopen = () => this.events()?.writable();
    channel.onmessage = (event: MessageEvent<ArrayBuffer | string>) => {
      if (typeof event.data === "string") this.events()?.text();
      else this.events()?.message(name, new Uint8Array(event.data));
    };
    channel.onclose = () => {
      // A lane that was closed and opened again must not report the end of its predecessor.
      if (this.#closed || this.#lanes.get(name) !== channel) return;
      this.#lanes.delete(name);
      this.events()?.laneClosed(name);
    };
    this.#lanes.set(name, channel);
  }
}

/** Asks for no jitter buffer, in the standard way and in Chromium's older one. */
export function minimiseBuffer(receiver: RTCRtpReceiver & { jitterBufferTarget?: number | null; playoutDelayHint?: number | null }): void {
  if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = 0;
  if ("playoutDelayHint" in receiver) receiver.playoutDelayHint = 0;
}

/** The offer with Opus in stereo: browsers receive it in mono unless they say otherwise. */
function inStereo(sdp: string): string {
  const payload = /a=rtpmap:(\d+) opus\/48000\/2/i.exec(sdp)?.[1];
  return payload ? sdp.replace(`a=fmtp:${payload} `, `a=fmtp:${payload} stereo=1;`) : sdp;
}

function withTimeout<T>(work: Promise<T>, timeoutMs: number, reason: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(reason)), timeoutMs);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
