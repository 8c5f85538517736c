/** What is shown where no terminal is open: how to get one. */
import { el } from "./dom.ts";
import { icon } from "./icons.ts";

/** `<vroom-empty>`; fires `add` and `sessions`. */
export class EmptyState extends HTMLElement {
  readonly #sessions = el("button", { class: "button", type: "button", onclick: () => this.dispatchEvent(new CustomEvent("sessions")) }, "Sessions");

  connectedCallback(): void {
    if (this.childElementCount > 0) return;
    this.classList.add("card");
    this.append(
      el("span", { class: "emblem" }, icon("terminal")),
      el("h2", {}, "No terminal is open"),
      el("p", {}, "Open a new one, or go on in one that runs on the server."),
      el("div", { class: "row" }, el("button", { class: "button primary", type: "button", onclick: () => this.dispatchEvent(new CustomEvent("add")) }, "New terminal"), this.#sessions),
    );
    this.hidden = true;
  }

  /** Shows or hides it; `keeps` where the server has terminals that outlive a page. */
  show(shown: boolean, keeps: boolean): void {
    this.hidden = !shown;
    this.#sessions.hidden = !keeps;
  }
}

customElements.define("vroom-empty", EmptyState);
