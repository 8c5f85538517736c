/** What programs of the desktop notify of: cards that come and go, and the list of what is not over. */
import type { Notice } from "../core/graphical/messages.ts";
import { el, setText } from "./dom.ts";
import { icon } from "./icons.ts";

/** The list is drawn no more often than this. */
const DRAW_MS = 50;

/** What a person does with a notice. */
export interface NoticeActions {
  /** Chooses an answer. */
  answer(id: number, action: string): void;
  /** Puts it away without one. */
  dismiss(id: number): void;
}

/** `<vroom-bell>`: a button with the number of notices, and their list; fires `outside` with what the person chose. */
export class Bell extends HTMLElement {
  readonly #count = el("span", { class: "count", "aria-hidden": "true" });
  readonly #button = el("button", { class: "quiet counted", type: "button", popovertarget: "notices" }, icon("bell"), this.#count);
  readonly #list = el("ul", { class: "noticelist" });
  readonly #outside = el("input", { type: "checkbox", onchange: () => this.dispatchEvent(new CustomEvent("outside", { detail: this.#outside.checked })) });
  readonly #sheet = el("div", { class: "noticesheet", id: "notices", popover: "auto", role: "region", "aria-label": "Notifications of the desktop" }, el("h2", {}, "Notifications"), this.#list, el("label", { class: "check" }, this.#outside, el("span", {}, "Show new ones outside of this page, too, while it is not in front")));

  #notices: Notice[] = [];
  #actions: NoticeActions = { answer: () => undefined, dismiss: () => undefined };
  #drawing = 0;

  connectedCallback(): void {
    if (this.childElementCount > 0) return;
    this.hidden = true;
    this.append(this.#button, this.#sheet);
    this.#sheet.addEventListener("beforetoggle", (event) => (event as ToggleEvent).newState === "open" && this.#draw());
  }

  /** Says whether notices are also shown by the browser. */
  set outside(on: boolean) {
    this.#outside.checked = on;
  }

  /** Shows what is not over, the newest first; hidden while there is nothing. */
  show(notices: Iterable<Notice>, actions: NoticeActions): void {
    this.#notices = [...notices].reverse();
    this.#actions = actions;
    const count = this.#notices.length;
    if (count === 0) this.#sheet.hidePopover();
    this.hidden = count === 0;
    setText(this.#count, count === 0 ? "" : String(count));
    this.#button.setAttribute("aria-label", `Notifications, ${count}`);
    this.#button.title = "Notifications";
    // Programs may notify faster than anybody reads.
    if (this.#drawing === 0 && this.#sheet.matches(":popover-open")) this.#drawing = window.setTimeout(() => this.#draw(), DRAW_MS);
  }

  #draw(): void {
    clearTimeout(this.#drawing);
    this.#drawing = 0;
    const had = this.#list.contains(document.activeElement);
    this.#list.replaceChildren(...this.#notices.map((notice) => el("li", { "data-urgent": notice.urgent }, ...content(notice, this.#actions))));
    if (had) (this.#list.querySelector("button") ?? this.#outside).focus();
  }
}

/** A card for a notice that has just come. */
export function noticeCard(notice: Notice, actions: NoticeActions): HTMLElement {
  return el("div", { class: "notice program", "data-urgent": notice.urgent }, ...content(notice, actions));
}

/** A notice in words, for those who hear the page. */
export function spoken(notice: Notice): string {
  return [notice.app, notice.title, notice.body].filter((words) => words !== "").join(". ");
}

function content(notice: Notice, actions: NoticeActions): HTMLElement[] {
  const { id } = notice;
  const buttons = notice.actions.map(({ key, label }) => el("button", { class: "button small", type: "button", onclick: () => actions.answer(id, key) }, label !== "" ? label : key === "default" ? "Open" : key));
  const title = notice.title || notice.app || "Notification";
  return [
    el("div", { class: "words" }, notice.app !== "" && notice.app !== title && el("p", { class: "muted" }, notice.app), el("p", { class: "title" }, title), notice.body !== "" && el("p", { class: "body" }, notice.body)),
    el("button", { class: "quiet", type: "button", "aria-label": `Dismiss ${title}`, onclick: () => actions.dismiss(id) }, icon("close")),
    ...(buttons.length > 0 ? [el("div", { class: "answers" }, ...buttons)] : []),
  ];
}

customElements.define("vroom-bell", Bell);
