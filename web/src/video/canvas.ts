/** Draws the pictures of the `video` channel: H264 through WebCodecs, JPEG through the image decoder. */
import type { Bytes } from "../core/bytes.ts";
import { codecOf, decodeVideo } from "../core/graphical/video.ts";
import { ShownPictures, rtpTime } from "./shown.ts";
import { Times } from "./times.ts";

/** The codec that has to work before H264 is asked for; streams of other levels name theirs in each key frame. */
export const BASE_CODEC = "avc1.42e01f";
/** Pictures that may wait in the decoder; more are dropped up to the next key frame. */
const DECODE_QUEUE_MAX = 8;

/** What the drawing side reports. */
export interface CanvasEvents {
  /** `count` video messages have been shown or given up so far. */
  acknowledge(count: number): void;
  /** A key frame is needed to go on. */
  keyFrame(): void;
  /** This browser cannot decode H264 after all. */
  undecodable(): void;
}

/** Counters for the statistics; they only grow. */
export interface CanvasCounters {
  shown: number;
  dropped: number;
  bytes: number;
  decodeMs: number;
  readonly decode: Times;
  codec: string;
}

/** True when WebCodecs decodes the H264 that the server sends. */
export async function decodesH264(): Promise<boolean> {
  if (typeof VideoDecoder === "undefined") return false;
  try {
    const { supported } = await VideoDecoder.isConfigSupported({ codec: BASE_CODEC, optimizeForLatency: true });
    return supported === true;
  } catch {
    return false;
  }
}

export class CanvasVideo {
  readonly counters: CanvasCounters = { shown: 0, dropped: 0, bytes: 0, decodeMs: 0, decode: new Times(), codec: "" };
  /** Pictures of H264 with the times of each. */
  readonly pictures = new ShownPictures();
  readonly #context: CanvasRenderingContext2D | null;
  #decoder: VideoDecoder | null = null;
  #codec = "";
  #waitsForKey = true;
  #failures = 0;
  #received = 0;
  #done = 0;
  #started = new Map<number, number>();
  /** Pictures that are drawn and that the next frame of the page shows. */
  #drawn: { rtpTime: number; received: number; decoded: number }[] = [];
  #jpegs: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly events: CanvasEvents,
  ) {
    this.#context = canvas.getContext("2d", { alpha: false, desynchronized: true });
  }

  /** Takes one message of the `video` channel. */
  receive(type: number, payload: Bytes): void {
    this.#received += 1;
    this.counters.bytes += payload.length;
    const message = decodeVideo(type, payload);
    if (!message) this.#skip();
    else if (message.kind === "jpeg") this.#jpeg(message.data, null);
    else if (message.kind === "tile") this.#jpeg(message.data, message);
    else this.#h264(message.keyFrame, message.ptsUs, message.data);
  }

  close(): void {
    this.#closed = true;
    if (this.#decoder && this.#decoder.state !== "closed") this.#decoder.close();
    this.#decoder = null;
  }

  /** Draws a JPEG: the whole picture, or the part of it at a place. */
  #jpeg(data: Bytes, place: { x: number; y: number } | null): void {
    const started = performance.now();
    this.counters.codec = "JPEG";
    // In turn, so that an older picture never overtakes a newer one.
    this.#jpegs = this.#jpegs.then(async () => {
      try {
        const bitmap = await createImageBitmap(new Blob([data], { type: "image/jpeg" }));
        if (place) this.#context?.drawImage(bitmap, place.x, place.y);
        else this.#draw(bitmap, bitmap.width, bitmap.height);
        bitmap.close();
        this.#took(performance.now() - started);
        this.#shown();
      } catch {
        this.#skip();
      }
    });
  }

  #h264(keyFrame: boolean, ptsUs: number, unit: Bytes): void {
    if (keyFrame && !this.#configure(unit)) return;
    const decoder = this.#decoder;
    if (!decoder || (this.#waitsForKey && !keyFrame) || decoder.decodeQueueSize > DECODE_QUEUE_MAX) {
      if (!this.#waitsForKey || !decoder) this.events.keyFrame();
      this.#waitsForKey = true;
      this.#skip();
      return;
    }
    this.#waitsForKey = false;
    this.#started.set(ptsUs, performance.now());
    decoder.decode(new EncodedVideoChunk({ type: keyFrame ? "key" : "delta", timestamp: ptsUs, data: unit }));
  }

  #configure(keyUnit: Bytes): boolean {
    const codec = codecOf(keyUnit) ?? BASE_CODEC;
    if (this.#decoder?.state === "configured" && this.#codec === codec) return true;
    try {
      if (this.#decoder && this.#decoder.state !== "closed") this.#decoder.close();
      this.#decoder = new VideoDecoder({
        output: (frame) => this.#decoded(frame),
        error: () => this.#failed(),
      });
      this.#decoder.configure({ codec, optimizeForLatency: true });
      this.#codec = codec;
      this.counters.codec = `H264 ${codec}`;
      return true;
    } catch {
      this.#failed();
      this.#skip();
      return false;
    }
  }

  #decoded(frame: VideoFrame): void {
    const started = this.#started.get(frame.timestamp);
    this.#started.delete(frame.timestamp);
    const decoded = performance.now();
    if (started !== undefined) this.#took(decoded - started);
    if (!this.#closed) this.#draw(frame, frame.displayWidth, frame.displayHeight);
    if (started !== undefined) this.#presents({ rtpTime: rtpTime(frame.timestamp), received: started, decoded });
    frame.close();
    this.#failures = 0;
    this.#shown();
  }

  /** What was drawn is shown with the next frame of the page. */
  #presents(picture: { rtpTime: number; received: number; decoded: number }): void {
    this.#drawn.push(picture);
    if (this.#drawn.length > 1) return;
    requestAnimationFrame(() => {
      const presented = performance.now();
      for (const each of this.#drawn.splice(0)) this.pictures.add({ ...each, presented });
    });
  }

  #took(ms: number): void {
    this.counters.decodeMs += ms;
    this.counters.decode.add(ms);
  }

  #failed(): void {
    if (this.#closed) return;
    const lost = this.#started.size;
    this.#started.clear();
    for (let n = 0; n < lost; n++) this.#skip();
    this.#decoder = null;
    this.#waitsForKey = true;
    this.#failures += 1;
    if (this.#failures > 2) this.events.undecodable();
    else this.events.keyFrame();
  }

  #draw(picture: CanvasImageSource, width: number, height: number): void {
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    this.#context?.drawImage(picture, 0, 0);
  }

  #shown(): void {
    this.counters.shown += 1;
    this.#acknowledge();
  }

  #skip(): void {
    this.counters.dropped += 1;
    this.#acknowledge();
  }

  #acknowledge(): void {
    this.#done = Math.min(this.#done + 1, this.#received);
    if (!this.#closed) this.events.acknowledge(this.#done);
  }
}
