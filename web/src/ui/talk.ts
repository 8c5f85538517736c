/** What people say to one another: a button with the number of unread lines, and the panel that it opens. */
import type { Chat } from "../core/graphical/messages.ts";
import { el, setText } from "./dom.ts";
import { icon } from "./icons.ts";
import { face } from "./people.ts";

/** Lines that are shown; the oldest goes. */
const LINES_MAX = 200;
/** Characters of one line; in UTF-8 they fit the 16 KiB of a message. */
const LENGTH_MAX = 4_000;

/** A line with what is known of its speaker. */
export interface Said extends Chat {
  own: boolean;
  /** The place among the participants, which gives the tint. */
  place: number;
}

/** `<vroom-talk>`: the panel; fires `say` with a line in `detail`, and `open`. */
export class TalkPanel extends HTMLElement {
  readonly button = el("button", { class: "quiet counted", type: "button", hidden: true, "aria-expanded": "false", "aria-controls": "talk", onclick: () => this.toggle() }, icon("chat"));
  readonly #count = el("span", { class: "count", "aria-hidden": "true" });
  readonly #lines = el("ul");
  readonly #log = el("div", { class: "talklines", role: "log", "aria-label": "Conversation", tabindex: 0 }, this.#lines);
  readonly #empty = el("p", { class: "muted" }, "Nothing was said yet. Everybody who is here reads what you write.");
  readonly #field = el("textarea", { id: "talk-line", rows: 2, placeholder: "Message to everybody", maxlength: LENGTH_MAX, autocomplete: "off" });
  #unread = 0;

  constructor() {
    super();
    this.button.append(this.#count);
    this.#draw();
  }

  connectedCallback(): void {
    if (this.childElementCount > 0) return;
    this.id = "talk";
    this.hidden = true;
    this.setAttribute("role", "region");
    this.setAttribute("aria-label", "Chat");
    const close = el("button", { class: "quiet", type: "button", "aria-label": "Close chat", onclick: () => this.close() }, icon("close"));
    const send = el("button", { class: "button small primary", type: "submit" }, "Send");
    const form = el("form", { onsubmit: (event: Event) => this.#submit(event) }, el("label", { class: "visually-hidden", for: "talk-line" }, "Message to everybody"), this.#field, send);
    this.append(el("header", { class: "row" }, el("h2", {}, "Chat"), close), this.#empty, this.#log, form);
    this.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
    this.#field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) this.#submit(event);
    });
  }

  get unread(): number {
    return this.#unread;
  }

  toggle(): void {
    if (this.hidden) this.open();
    else this.close();
  }

  /** Shows the panel and puts the keyboard into it; all is read then. */
  open(): void {
    this.hidden = false;
    this.#unread = 0;
    this.#draw();
    this.#log.scrollTop = this.#log.scrollHeight;
    this.#field.focus();
    this.dispatchEvent(new Event("open"));
  }

  close(): void {
    const had = this.contains(document.activeElement);
    this.hidden = true;
    this.#draw();
    if (had) this.button.focus();
  }

  /** Offers the button, or not. */
  offer(offered: boolean): void {
    this.button.hidden = !offered;
    if (!offered) this.close();
  }

  get isEmpty(): boolean {
    return this.#lines.childElementCount === 0;
  }

  add(line: Said, unread: boolean): void {
    const atEnd = this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight < 8;
    const time = line.timestamp === undefined ? "" : new Date(line.timestamp * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    const who = line.own ? "You" : line.name || "Somebody";
    this.#lines.append(
      el("li", { "data-own": line.own }, face(line.name, line.place, false), el("p", { class: "who" }, el("b", {}, who), " ", el("span", { class: "muted" }, time)), el("p", { class: "line" }, line.text)),
    );
    while (this.#lines.childElementCount > LINES_MAX) this.#lines.firstElementChild?.remove();
    this.#empty.hidden = true;
    if (atEnd || line.own) this.#log.scrollTop = this.#log.scrollHeight;
    if (unread && this.hidden) this.#unread += 1;
    this.#draw();
  }

  clear(): void {
    this.#lines.replaceChildren();
    this.#empty.hidden = false;
    this.#unread = 0;
    this.#draw();
  }

  #submit(event: Event): void {
    event.preventDefault();
    const line = this.#field.value.trim();
    if (line === "") return;
    this.#field.value = "";
    this.dispatchEvent(new CustomEvent("say", { detail: line }));
  }

  #draw(): void {
    setText(this.#count, this.#unread === 0 ? "" : this.#unread > 99 ? "99+" : String(this.#unread));
    this.button.setAttribute("aria-label", this.#unread === 0 ? "Chat" : `Chat, ${this.#unread} unread`);
    this.button.title = "Chat";
    this.button.setAttribute("aria-expanded", String(!this.hidden));
  }
}

customElements.define("vroom-talk", TalkPanel);
