/** Plays the sound of the desktop, as loud as the person wants it, and has the microphone beside it. */
import type { MediaState } from "../core/graphical/messages.ts";
import type { ShellFrame } from "../ui/shell.ts";
import type { Hearing, SoundControl } from "../ui/sound.ts";
import type { Live } from "./line.ts";
import { Microphone } from "./microphone.ts";

const KEY = "vroom.sound";

export class DesktopSound {
  readonly #element = new Audio();
  readonly #microphone: Microphone;
  readonly #control: SoundControl;
  #live: Live | null = null;

  constructor(frame: Pick<ShellFrame, "sound" | "microphone" | "announcer">) {
    const control = frame.sound;
    this.#control = control;
    this.#microphone = new Microphone(frame.microphone, frame.announcer);
    control.hearing = stored();
    control.addEventListener("change", () => this.#changed());
    // Browsers play nothing before the person did something; then it starts by itself.
    for (const event of ["pointerdown", "keydown"]) document.addEventListener(event, () => this.#retry(), { capture: true, passive: true });
  }

  /** Goes on with the sound of this connection, where there is one. */
  attach(live: Live): void {
    this.#live = live;
    const sound = live.webrtc?.sound() ?? null;
    this.#element.srcObject = sound;
    this.#control.hidden = sound === null;
    this.#apply();
    if (this.#control.hearing.muted) live.graphical?.media({ speaker: false });
    this.#microphone.attach(live);
  }

  /** The link is gone; it may come back. */
  interrupt(): void {
    this.#microphone.interrupt();
  }

  /** What the server says of picture and sound. */
  told(media: MediaState): void {
    this.#microphone.receive(media);
  }

  /** The server refused something; true when it was to listen. */
  refused(code: number): boolean {
    return this.#microphone.refused(code);
  }

  detach(): void {
    this.#live = null;
    this.#element.srcObject = null;
    this.#control.hidden = true;
    this.#microphone.detach();
  }

  #changed(): void {
    localStorage.setItem(KEY, JSON.stringify(this.#control.hearing));
    // What nobody hears is not sent.
    this.#live?.graphical?.media({ speaker: !this.#control.hearing.muted });
    this.#apply();
  }

  #apply(): void {
    const { muted, level } = this.#control.hearing;
    this.#element.muted = muted;
    this.#element.volume = level;
    if (this.#element.srcObject) void this.#play();
  }

  #retry(): void {
    if (this.#element.srcObject && this.#element.paused) void this.#play();
  }

  async #play(): Promise<void> {
    try {
      await this.#element.play();
      this.#control.setBlocked(false);
    } catch (error) {
      this.#control.setBlocked(error instanceof DOMException && error.name === "NotAllowedError");
    }
  }
}

function stored(): Hearing {
  try {
    const { muted, level } = (JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Hearing> | null) ?? {};
    return { muted: muted === true, level: typeof level === "number" && level >= 0 && level <= 1 ? level : 1 };
  } catch {
    return { muted: false, level: 1 };
  }
}
