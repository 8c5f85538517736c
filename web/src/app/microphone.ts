/** Speaks into the desktop: asks the server first, then the browser, and only when the person pressed the button. */
import type { MediaState } from "../core/graphical/messages.ts";
import { Code } from "../core/mux/codes.ts";
import type { MicrophoneControl, MicrophoneState } from "../ui/microphone.ts";
import type { Announcer } from "../ui/announce.ts";
import type { Live } from "./line.ts";

/** The server answers within this time, or does not listen. */
const ANSWER_MS = 5_000;

export class Microphone {
  #live: Live | null = null;
  #state: MicrophoneState = "off";
  #heard: (heard: boolean) => void = () => undefined;
  #stream: MediaStream | null = null;
  #meter: Meter | null = null;

  constructor(
    private readonly control: MicrophoneControl,
    private readonly announcer: Announcer,
  ) {
    control.addEventListener("toggle", () => (this.#state === "off" ? void this.#open() : this.close()));
  }

  /** Offers the microphone where the desktop of this connection has one. */
  attach(live: Live): void {
    this.close();
    this.#live = live;
    this.control.hidden = live.graphical?.has("microphone") !== true;
    this.control.reason = reason(live);
  }

  detach(): void {
    this.close();
    this.#live = null;
    this.control.hidden = true;
  }

  /** The link is gone: what is said is heard no more, also when it comes back. */
  interrupt(): void {
    if (this.#state !== "off") this.announcer.notice("The microphone is off: the connection was lost.", "warning");
    this.close();
  }

  /** What the server says of this connection. */
  receive(media: MediaState): void {
    if (this.#state === "asking" && media.mic === true) this.#heard(true);
    else if (this.#state === "live" && media.mic === false) {
      this.close();
      this.announcer.notice("The microphone is off: the desktop does not listen to you any more.");
    }
  }

  /** The server refused something, and says itself why; true when it was to listen. */
  refused(code: number): boolean {
    const refused = this.#state === "asking" && (code === Code.NotAllowed || code === Code.DriverBusy);
    if (refused) this.#heard(false);
    return refused;
  }

  /** Turns it off, here first. */
  close(): void {
    if (this.#state === "off") return;
    this.#show("off");
    this.#heard(false);
    this.#meter?.close();
    this.#meter = null;
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = null;
    void this.#live?.webrtc?.speak(null);
    this.#live?.graphical?.media({ mic: false });
  }

  async #open(): Promise<void> {
    const live = this.#live;
    if (!live?.graphical || !live.webrtc) return;
    this.#show("asking");
    if (!(await this.#askServer(live))) {
      this.close();
      return;
    }
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true } });
    } catch (error) {
      if (this.#state !== "asking") return;
      this.close();
      this.announcer.notice(`The microphone stays off: ${explain(error)}`, "warning");
      return;
    }
    // Meanwhile the person may have changed their mind, or the server its own.
    if (this.#state !== "asking" || this.#live !== live) {
      for (const track of stream.getTracks()) track.stop();
      return;
    }
    const [track] = stream.getAudioTracks();
    if (!track) return this.close();
    this.#stream = stream;
    track.addEventListener("ended", () => this.#stream === stream && this.close());
    await live.webrtc.speak(track);
    if (this.#stream !== stream) return;
    this.#meter = new Meter(stream, (level) => (this.control.level = level));
    this.#show("live");
    this.announcer.say("The microphone is on. The desktop hears you.");
  }

  async #askServer(live: Live): Promise<boolean> {
    const answer = new Promise<boolean>((resolve) => (this.#heard = resolve));
    const timer = setTimeout(() => this.#heard(false), ANSWER_MS);
    live.graphical?.media({ mic: true });
    const heard = await answer;
    clearTimeout(timer);
    return heard && this.#state === "asking";
  }

  #show(state: MicrophoneState): void {
    this.#state = state;
    this.control.state = state;
  }
}

/** Why nobody can speak over this connection, or empty. */
function reason(live: Live): string {
  if (!live.webrtc) return "The microphone needs a WebRTC connection";
  if (!live.webrtc.canSpeak) return "The server takes no sound over this connection";
  return navigator.mediaDevices === undefined ? "Browsers lend the microphone to pages over HTTPS only" : "";
}

function explain(error: unknown): string {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError") return "the browser does not let this page use it.";
  if (name === "NotFoundError") return "the browser finds none.";
  return name === "NotReadableError" ? "another program uses it." : String(error);
}

/** Tells how loud a stream is, once for each picture. */
class Meter {
  readonly #context = new AudioContext();
  readonly #analyser = this.#context.createAnalyser();
  readonly #samples: Float32Array<ArrayBuffer>;
  #frame = 0;

  constructor(stream: MediaStream, private readonly report: (level: number) => void) {
    this.#analyser.fftSize = 1024;
    this.#samples = new Float32Array(this.#analyser.fftSize);
    this.#context.createMediaStreamSource(stream).connect(this.#analyser);
    this.#look();
  }

  close(): void {
    cancelAnimationFrame(this.#frame);
    void this.#context.close();
  }

  #look(): void {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    const power = this.#samples.reduce((sum, value) => sum + value * value, 0) / this.#samples.length;
    // From silence at -60 dB to as loud as it gets.
    this.report(Math.min(1, Math.max(0, 1 + Math.log10(power + 1e-12) / 6)));
    this.#frame = requestAnimationFrame(() => this.#look());
  }
}
