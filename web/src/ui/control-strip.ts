/** The strip over a terminal that somebody else drives: who that is, and what one can do about it. */
import type { ShareAction, ShareState } from "../core/terminal/share.ts";
import { el, setText } from "./dom.ts";
import { icon } from "./icons.ts";

/** `<vroom-strip>`; hidden while this page may type. */
export class ControlStrip extends HTMLElement {
  readonly #text = el("span", { class: "who", role: "status" });
  readonly #request = el("button", { class: "button small", type: "button" }, "Ask for control");
  readonly #take = el("button", { class: "button small", type: "button" }, "Take control");
  readonly #grant = el("button", { class: "button small drive", type: "button" }, "Hand over");
  readonly #deny = el("button", { class: "button small", type: "button" }, "Keep control");
  #asker: string | null = null;

  constructor(private readonly ask: (action: ShareAction) => void) {
    super();
    this.#request.addEventListener("click", () => this.ask({ action: "request" }));
    this.#take.addEventListener("click", () => this.ask({ action: "take" }));
    this.#grant.addEventListener("click", () => this.#answer("grant"));
    this.#deny.addEventListener("click", () => this.#answer("deny"));
  }

  connectedCallback(): void {
    if (this.childElementCount > 0) return;
    this.append(icon("view"), this.#text, this.#request, this.#take, this.#grant, this.#deny);
    this.hidden = true;
  }

  /** Shows where control is. */
  show(share: ShareState | null, readonly: boolean, role: string): void {
    const name = (id: string | null): string => share?.participants.find((participant) => participant.id === id)?.name || "Somebody";
    const mine = !readonly && (!share || share.driver === null || share.driver === share.self);
    this.#asker = mine ? (share?.requestedBy ?? null) : null;
    this.hidden = mine && this.#asker === null;
    const driver = share?.driver ?? null;
    const viewer = readonly || role === "viewer";
    const watching = driver === null || driver === share?.self ? "" : ` ${name(driver)} drives.`;
    setText(this.#text, this.#asker !== null ? `${name(this.#asker)} asks for control.` : viewer ? `View only.${watching}` : `${name(driver)} drives this terminal.`);
    this.#request.hidden = mine || viewer;
    this.#take.hidden = mine || viewer;
    this.#grant.hidden = this.#asker === null;
    this.#deny.hidden = this.#asker === null;
    this.dataset["kind"] = this.#asker !== null ? "asked" : "watching";
  }

  #answer(action: "grant" | "deny"): void {
    const to = this.#asker;
    if (to !== null) this.ask({ action, to });
    this.#asker = null;
    this.hidden = true;
  }
}

customElements.define("vroom-strip", ControlStrip);
