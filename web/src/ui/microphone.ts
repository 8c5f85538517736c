/** The control of the microphone: a button, a light while it is open, and how loud one speaks. */
import { el } from "./dom.ts";
import { icon } from "./icons.ts";

/** `off`, `asking` the server or the browser, or `live`: what is said reaches the desktop. */
export type MicrophoneState = "off" | "asking" | "live";

const LABELS: Record<MicrophoneState, string> = { off: "Turn the microphone on", asking: "Turning the microphone on", live: "Turn the microphone off" };

/** `<vroom-microphone>`; its `toggle` event says that the person pressed it. */
export class MicrophoneControl extends HTMLElement {
  readonly #button = el("button", { class: "quiet", type: "button" });
  readonly #live = el("span", { class: "live" }, "Live");
  readonly #level = el("meter", { min: 0, max: 1, low: 0, high: 1, optimum: 1, "aria-label": "How loud you speak" });
  #state: MicrophoneState = "off";
  /** Why it cannot be turned on, or empty. */
  #reason = "";

  constructor() {
    super();
    this.hidden = true;
    this.#button.addEventListener("click", () => this.dispatchEvent(new Event("toggle")));
  }

  connectedCallback(): void {
    if (this.childElementCount === 0) this.append(this.#button, this.#live, this.#level);
    this.#draw();
  }

  set state(state: MicrophoneState) {
    this.#state = state;
    this.level = 0;
    this.#draw();
  }

  /** Says why it cannot be turned on; empty where it can. */
  set reason(reason: string) {
    this.#reason = reason;
    this.#draw();
  }

  /** How loud it is, 0 to 1. */
  set level(level: number) {
    this.#level.value = level;
  }

  #draw(): void {
    const live = this.#state === "live";
    this.dataset["state"] = this.#state;
    const label = this.#reason === "" ? LABELS[this.#state] : this.#reason;
    this.#button.replaceChildren(icon(live ? "microphone" : "nomicrophone"));
    this.#button.setAttribute("aria-label", label);
    this.#button.setAttribute("aria-pressed", String(live));
    this.#button.title = label;
    this.#button.disabled = this.#reason !== "";
    this.#live.hidden = this.#level.hidden = !live;
  }
}

customElements.define("vroom-microphone", MicrophoneControl);
