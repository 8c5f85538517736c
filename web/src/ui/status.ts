/** The connection in words: the pill of the top bar and the card over the desktop. */
import { el, setText } from "./dom.ts";
import { icon } from "./icons.ts";

/** Where the connection stands. */
export type Link =
  | { kind: "connecting"; step: "webrtc" | "websocket" | "session"; until: number; note: string }
  | { kind: "connected"; transport: "webrtc" | "websocket"; note: string }
  | { kind: "waiting"; until: number; reason: string }
  | { kind: "signed-out"; reason: string };

/** The name of a transport as people write it. */
export function transportName(transport: "webrtc" | "websocket"): string {
  return transport === "webrtc" ? "WebRTC" : "WebSocket";
}

/** `<vroom-status>`: a button that says how things are; pressing it opens the statistics. */
export class StatusPill extends HTMLElement {
  readonly #text = el("span");
  readonly #rtt = el("span", { class: "rtt" });

  connectedCallback(): void {
    if (this.childElementCount > 0) return;
    const button = el("button", { class: "pill", type: "button", title: "Statistics (Ctrl+Alt+Shift+S)" }, el("span", { class: "dot", "aria-hidden": "true" }), this.#text, " ", this.#rtt);
    button.addEventListener("click", () => this.dispatchEvent(new CustomEvent("open")));
    this.append(button);
  }

  show(link: Link, now: number): void {
    this.dataset["state"] = link.kind;
    setText(this.#text, pillText(link, now));
    if (link.kind !== "connected") this.setRtt(null);
  }

  setRtt(ms: number | null): void {
    setText(this.#rtt, ms === null ? "" : `${ms < 1 ? "<1" : Math.round(ms)} ms`);
  }
}

function pillText(link: Link, now: number): string {
  switch (link.kind) {
    case "connecting":
      return "Connecting";
    case "connected":
      return transportName(link.transport);
    case "waiting":
      return `Reconnecting in ${seconds(link.until, now)} s`;
    case "signed-out":
      return "Signed out";
  }
}

function seconds(until: number, now: number): number {
  return Math.max(0, Math.ceil((until - now) / 1000));
}

/** What the card can ask for. */
export interface CardActions {
  reconnect(): void;
}

/** The card over the stage while there is no picture to show. */
export class ConnectionCard extends HTMLElement {
  readonly #title = el("h2");
  readonly #detail = el("p");
  readonly #bar = el("div", { class: "progress", "aria-hidden": "true" }, el("span"));
  readonly #button = el("button", { class: "button primary", type: "button" }, "Reconnect now");

  connect(actions: CardActions): void {
    this.#button.addEventListener("click", () => actions.reconnect());
    this.classList.add("card");
    this.append(el("span", { class: "emblem" }, icon("mark")), this.#title, this.#detail, this.#bar, this.#button);
  }

  /** Shows the state; hides itself while a picture is there, or behind a terminal. */
  show(link: Link, now: number, ended: string | null, hasPicture: boolean, covers: boolean): void {
    const content = covers ? cardContent(link, now, ended, hasPicture) : null;
    this.toggleAttribute("hidden", content === null);
    if (content === null) return;
    setText(this.#title, content.title);
    setText(this.#detail, content.detail);
    this.#bar.toggleAttribute("hidden", !content.busy);
    this.#button.toggleAttribute("hidden", !content.retry);
    this.dataset["state"] = ended !== null ? "ended" : link.kind;
  }
}

interface CardContent {
  title: string;
  detail: string;
  busy: boolean;
  retry: boolean;
}

function cardContent(link: Link, now: number, ended: string | null, hasPicture: boolean): CardContent | null {
  if (link.kind === "connected") {
    if (ended !== null) return { title: "The desktop session ended", detail: ended, busy: false, retry: false };
    return hasPicture ? null : { title: "Connected", detail: "Waiting for the first picture of the desktop.", busy: true, retry: false };
  }
  if (link.kind === "connecting") return { ...connecting(link, now), busy: true, retry: false };
  if (link.kind === "signed-out") return { title: "Signed out", detail: link.reason, busy: false, retry: false };
  return { title: "Not connected", detail: `${sentence(link.reason)} Trying again in ${seconds(link.until, now)} s.`, busy: false, retry: true };
}

function connecting(link: { step: string; until: number; note: string }, now: number): { title: string; detail: string } {
  if (link.step === "webrtc") {
    return { title: "Connecting", detail: `Looking for a direct WebRTC path; WebSocket follows in ${seconds(link.until, now)} s at the latest.` };
  }
  const why = link.note === "" ? "" : `${sentence(link.note)} `;
  if (link.step === "websocket") return { title: "Connecting", detail: `${why}Opening a WebSocket.` };
  return { title: "Connecting", detail: `${why}Agreeing on the session.` };
}

/** A reason as a sentence of its own. */
export function sentence(reason: string): string {
  const trimmed = reason.trim();
  if (trimmed === "") return "";
  const first = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}

customElements.define("vroom-status", StatusPill);
customElements.define("vroom-card", ConnectionCard);
