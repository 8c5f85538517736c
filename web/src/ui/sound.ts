/** The control of the sound: a button that mutes, and the level beside it. */
import { el } from "./dom.ts";
import { icon } from "./icons.ts";

/** How the person wants to hear. */
export interface Hearing {
  muted: boolean;
  /** 0 to 1. */
  level: number;
}

/** `<vroom-sound>`; its `change` event says that `hearing` is another. */
export class SoundControl extends HTMLElement {
  readonly #button = el("button", { class: "quiet", type: "button" });
  readonly #level = el("input", { type: "range", min: 0, max: 100, step: 1, "aria-label": "Volume" });
  #hearing: Hearing = { muted: false, level: 1 };

  constructor() {
    super();
    this.hidden = true;
    this.#button.addEventListener("click", () => this.#change({ muted: !this.#hearing.muted }));
    this.#level.addEventListener("input", () => this.#change({ level: this.#level.valueAsNumber / 100, muted: this.#level.valueAsNumber === 0 }));
  }

  connectedCallback(): void {
    if (this.childElementCount === 0) this.append(this.#button, this.#level);
    this.#draw();
  }

  get hearing(): Hearing {
    return this.#hearing;
  }

  set hearing(hearing: Hearing) {
    this.#hearing = hearing;
    this.#draw();
  }

  /** Says that the browser plays nothing before the person did something on the page. */
  setBlocked(blocked: boolean): void {
    this.toggleAttribute("data-blocked", blocked);
    this.#draw();
  }

  #change(changed: Partial<Hearing>): void {
    this.hearing = { ...this.#hearing, ...changed };
    this.dispatchEvent(new Event("change"));
  }

  #draw(): void {
    const { muted, level } = this.#hearing;
    const silent = muted || this.hasAttribute("data-blocked");
    this.#button.replaceChildren(icon(silent ? "muted" : "sound"));
    this.#button.setAttribute("aria-label", muted ? "Unmute" : "Mute");
    this.#button.setAttribute("aria-pressed", String(muted));
    this.#button.title = this.hasAttribute("data-blocked") ? "Click anywhere to hear the desktop" : muted ? "Unmute" : "Mute";
    this.#level.value = String(muted ? 0 : Math.round(level * 100));
  }
}

customElements.define("vroom-sound", SoundControl);
