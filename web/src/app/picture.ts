/** Brings the picture of a connection to the page: a media track, or the `video` channel drawn on a canvas. */
import { Video, videoAck } from "../core/graphical/video.ts";
import type { Channel } from "../core/mux/channel.ts";
import { ChannelRejected } from "../core/mux/channel.ts";
import { Patches, patchAck } from "../core/graphical/patches.ts";
import type { DesktopView } from "../ui/desktop.ts";
import { CanvasVideo } from "../video/canvas.ts";
import { PatchLayer } from "../video/patches.ts";
import type { Shown } from "../video/shown.ts";
import { StreamVideo } from "../video/stream.ts";
import type { Live } from "./line.ts";

/** What the picture reports. */
export interface PictureEvents {
  /** The first picture is on the page. */
  first(): void;
  failed(reason: string): void;
  /** WebCodecs cannot decode what comes; only JPEG is left. */
  undecodable(): void;
}

export class Picture {
  canvas: CanvasVideo | null = null;
  stream: StreamVideo | null = null;
  /** True once there is something to see. */
  shown = false;
  /** WebCodecs failed on this page, so only JPEG is left. */
  #jpegOnly = false;
  #channel: Channel | null = null;
  #patches: { channel: Channel; layer: PatchLayer } | null = null;

  constructor(
    private readonly view: DesktopView,
    private readonly events: PictureEvents,
  ) {}

  /** Starts showing the picture of a connection whose handshake is done. */
  async attach(live: Live): Promise<void> {
    if (live.graphical?.has("patches")) void this.#attachPatches(live);
    if (live.webrtc) {
      // Frames are only reported for an element that is laid out; the card covers it until the first one.
      this.view.showPicture("video");
      this.stream = new StreamVideo(this.view.video, live.webrtc.stream, live.webrtc.receiver, () => this.#seen("video"));
      return;
    }
    await this.#open(live);
  }

  /** WebCodecs cannot go on: the picture comes as JPEG instead, over the same connection. */
  async replace(live: Live): Promise<void> {
    this.#jpegOnly = true;
    const channel = this.#channel;
    this.#channel = null;
    this.canvas?.close();
    channel?.close("going on with JPEG");
    await this.#open(live);
  }

  async #open(live: Live): Promise<void> {
    try {
      this.#show(await live.openVideo(this.#jpegOnly), live);
    } catch (error) {
      if (!(error instanceof ChannelRejected)) throw error;
      this.events.failed(error.message);
    }
  }

  /** Size of the picture as it is decoded. */
  get size(): string | null {
    const [width, height] = this.stream ? [this.view.video.videoWidth, this.view.video.videoHeight] : [this.view.canvas.width, this.view.canvas.height];
    return this.shown && width > 0 ? `${width} × ${height}` : null;
  }

  /** Pictures shown so far. */
  get frames(): number {
    return this.stream?.counters.shown ?? this.canvas?.counters.shown ?? 0;
  }

  /** The pictures shown since the last time, with the times of each. */
  takeShown(): Shown[] {
    return (this.stream ?? this.canvas)?.pictures.take() ?? [];
  }

  /** Lets go of a link that was replaced; the last picture stays until the first over the new link. */
  release(): void {
    const channels = [this.#channel, this.#patches?.channel];
    this.detach();
    for (const channel of channels) channel?.close("the link was replaced");
  }

  detach(): void {
    this.stream?.close();
    this.canvas?.close();
    this.stream = null;
    this.canvas = null;
    this.#channel = null;
    this.#patches?.layer.close();
    this.#patches = null;
    this.shown = false;
  }

  /** Still parts come exactly; without them the video is all there is, and nobody has to be told. */
  async #attachPatches(live: Live): Promise<void> {
    const channel = await live.openPatches().catch(() => null);
    if (!channel) return;
    this.#patches?.layer.close();
    const layer = new PatchLayer(this.view.patches, (count) => channel.send(Patches.Ack, patchAck(count)));
    this.#patches = { channel, layer };
    channel.onmessage = (type, payload) => layer.receive(type, payload);
    channel.onclose = () => layer.close();
  }

  #show(channel: Channel, live: Live): void {
    this.#channel = channel;
    const canvas = new CanvasVideo(this.view.canvas, {
      acknowledge: (count) => {
        this.#channel?.send(Video.Ack, videoAck(count));
        this.#seen("canvas");
      },
      keyFrame: () => live.graphical?.media({ keyframe: true }),
      undecodable: () => this.events.undecodable(),
    });
    this.canvas = canvas;
    channel.onmessage = (type, payload) => canvas.receive(type, payload);
    channel.onclose = (reason, byPeer) => {
      if (this.#channel !== channel) return;
      this.#channel = null;
      if (byPeer && live.connection.isOpen) this.events.failed(reason || "the server ended the picture");
    };
  }

  #seen(which: "video" | "canvas"): void {
    if (this.shown || (which === "canvas" && this.canvas?.counters.shown === 0)) return;
    this.shown = true;
    this.view.showPicture(which);
    this.events.first();
  }
}
