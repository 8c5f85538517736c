/** The picture of a WebRTC connection: a video element tuned for the shortest way to the screen. */

/** Counters for the statistics; they only grow. */
export interface StreamCounters {
  shown: number;
  /** Sum of the browser's own processing times, in milliseconds. */
  processingMs: number;
}

export class StreamVideo {
  readonly counters: StreamCounters = { shown: 0, processingMs: 0 };
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
      this.counters.processingMs += (frame.processingDuration ?? 0) * 1000;
      this.onframe();
      this.element.requestVideoFrameCallback(seen);
    };
    this.element.requestVideoFrameCallback(seen);
  }
}

/** Asks for no jitter buffer, in the standard way and in Chromium's older one. */
function minimiseBuffer(receiver: RTCRtpReceiver & { jitterBufferTarget?: number | null; playoutDelayHint?: number | null }): void {
  if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = 0;
  if ("playoutDelayHint" in receiver) receiver.playoutDelayHint = 0;
}
