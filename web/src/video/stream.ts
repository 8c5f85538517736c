/** The picture of a WebRTC connection: a video element tuned for the shortest way to the screen. */
import { minimiseBuffer } from "../core/transport/webrtc.ts";
import { ShownPictures } from "./shown.ts";
import { Times } from "./times.ts";

/** Counters for the statistics; they only grow. */
export interface StreamCounters {
  shown: number;
  /** Sum of the browser's own processing times, in milliseconds. */
  processingMs: number;
  /** From the last packet of a picture to the picture, and from there to the screen. */
  readonly decode: Times;
  readonly present: Times;
}

export class StreamVideo {
  readonly counters: StreamCounters = { shown: 0, processingMs: 0, decode: new Times(), present: new Times() };
  /** Pictures with the times of each, where the browser tells them. */
  readonly pictures = new ShownPictures();
  #closed = false;

  constructor(
    private readonly element: HTMLVideoElement,
    stream: MediaStream,
    receiver: RTCRtpReceiver,
    private readonly onframe: () => void,
  ) {
    element.srcObject = stream;
    minimiseBuffer(receiver);
    void element.play().catch(() => undefined);
    this.#watch();
  }

  close(): void {
    this.#closed = true;
    this.element.srcObject = null;
  }

  #watch(): void {
    if (!("requestVideoFrameCallback" in this.element)) {
      (this.element as HTMLVideoElement).addEventListener("playing", () => this.onframe(), { once: true });
      return;
    }
    const seen = (_: number, frame: VideoFrameCallbackMetadata): void => {
      if (this.#closed) return;
      this.counters.shown += 1;
      const processingMs = (frame.processingDuration ?? 0) * 1000;
      this.counters.processingMs += processingMs;
      if (frame.receiveTime !== undefined) {
        this.counters.decode.add(processingMs);
        this.counters.present.add(frame.expectedDisplayTime - frame.receiveTime - processingMs);
        if (frame.rtpTimestamp !== undefined) {
          const decoded = frame.receiveTime + processingMs;
          // Like a canvas it counts as shown with the frame of the page that has it; browsers only guess when that is visible.
          this.pictures.add({ rtpTime: frame.rtpTimestamp, received: frame.receiveTime, decoded, presented: performance.now() });
        }
      }
      this.onframe();
      this.element.requestVideoFrameCallback(seen);
    };
    this.element.requestVideoFrameCallback(seen);
  }
}
