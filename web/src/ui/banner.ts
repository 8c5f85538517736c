/** A calm line over the terminals while the connection is away. */
import { el, setText } from "./dom.ts";
import type { Link } from "./status.ts";
import { sentence } from "./status.ts";

/** A loss shorter than this is not worth a word. */
export const CALM_MS = 700;

/** `<vroom-banner>`; fires `reconnect`. */
export class Banner extends HTMLElement {
  readonly #text = el("span");
  readonly #button = el("button", { class: "button small", type: "button", onclick: () => this.dispatchEvent(new CustomEvent("reconnect")) }, "Reconnect now");
  #since: number | null = null;

  connectedCallback(): void {
    if (this.childElementCount > 0) return;
    this.append(el("span", { class: "dot", "aria-hidden": "true" }), this.#text, this.#button);
    this.setAttribute("role", "status");
    this.hidden = true;
  }

  /** Shows how the connection is; hidden while it is up, and where the card says it already. */
  show(link: Link, now: number, wanted: boolean): void {
    const away = wanted && (link.kind === "waiting" || link.kind === "connecting");
    this.#since = away ? (this.#since ?? now) : null;
    this.hidden = !away || this.#since === null || now - this.#since < CALM_MS;
    if (this.hidden) return;
    if (link.kind === "waiting") {
      const seconds = Math.max(0, Math.ceil((link.until - now) / 1000));
      setText(this.#text, `${sentence(link.reason)} Trying again ${seconds === 0 ? "now" : `in ${seconds} s`}. What you type is kept and sent then.`);
    } else setText(this.#text, "Reconnecting. What you type is kept and sent then.");
    this.#button.hidden = link.kind !== "waiting";
  }
}

customElements.define("vroom-banner", Banner);
