/** The sheet with all sessions of the server: join, rename, end, or begin one. */
import type { SessionEntry } from "../core/mux/sessions.ts";
import { ask, sheet } from "./dialog.ts";
import { el, setText } from "./dom.ts";
import { icon } from "./icons.ts";

/** What the sheet can do. */
export interface SessionActions {
  refresh(): void;
  attach(entry: SessionEntry): void;
  rename(sessionId: string, name: string): void;
  end(sessionId: string): void;
  open(): void;
  /** True for a session that is on this page already. */
  isHere(sessionId: string): boolean;
}

/** The list is asked for anew this often while it is looked at. */
const REFRESH_MS = 3_000;
/** Names are cut to this length. */
const NAME_MAX = 64;

export class SessionSheet {
  readonly #list = el("ul", { class: "sessionlist" });
  readonly #empty = el("p", { class: "muted" }, "Asking the server.");
  #close: (() => void) | null = null;
  #timer: ReturnType<typeof setInterval> | null = null;
  /** The name that is being changed; the list keeps still meanwhile. */
  #renaming: string | null = null;
  /** A list has come since the sheet was opened. */
  #shown = false;

  constructor(private readonly actions: SessionActions) {}

  get isOpen(): boolean {
    return this.#close !== null;
  }

  open(): void {
    if (this.#close) return;
    const begin = el("button", { class: "button small primary", type: "button", onclick: () => this.#leave(() => this.actions.open()) }, "New terminal");
    const dialog = sheet("Sessions", el("p", {}, "Terminals run on the server until they end or you end them, whoever is connected."), this.#list, this.#empty, el("div", { class: "row end" }, begin));
    dialog.classList.add("wide");
    this.#close = () => dialog.close();
    dialog.addEventListener("close", () => {
      this.#close = null;
      this.#renaming = null;
      this.#shown = false;
      if (this.#timer !== null) clearInterval(this.#timer);
    });
    this.actions.refresh();
    this.#timer = setInterval(() => this.#renaming === null && this.actions.refresh(), REFRESH_MS);
  }

  /** Shows the server's list. */
  show(entries: SessionEntry[]): void {
    if (!this.#close || this.#renaming !== null) return;
    const terminals = entries.filter((entry) => entry.kind === "terminal").sort((a, b) => b.lastActivity - a.lastActivity);
    const focused = this.#list.contains(document.activeElement) ? (document.activeElement as HTMLElement).dataset["focus"] : undefined;
    this.#list.replaceChildren(...terminals.map((entry) => this.#row(entry)));
    this.#empty.hidden = terminals.length > 0;
    setText(this.#empty, "No terminal is running.");
    if (!this.#shown) this.#list.querySelector("button")?.focus();
    this.#shown = true;
    if (focused !== undefined) this.#list.querySelector<HTMLElement>(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
  }

  #row(entry: SessionEntry): HTMLElement {
    const here = this.actions.isHere(entry.sessionId);
    const title = entry.name || entry.title || "Terminal";
    const mayEnd = entry.role !== "viewer";
    const button = (label: string, symbol: "pencil" | "stop", run: () => void): HTMLElement =>
      el("button", { class: "quiet", type: "button", "aria-label": `${label} ${title}`, title: label, "data-focus": `${entry.sessionId} ${label}`, onclick: run }, icon(symbol));
    const row = el(
      "li",
      { "data-ended": entry.exit !== null },
      el(
        "button",
        { class: "join", type: "button", "data-focus": `${entry.sessionId} join`, onclick: () => this.#leave(() => this.actions.attach(entry)) },
        el("span", { class: "name" }, icon("terminal"), el("b", {}, title), entry.name !== "" && entry.title !== "" && el("span", { class: "muted" }, entry.title)),
        el("span", { class: "facts" }, facts(entry, here)),
      ),
      mayEnd && button("Rename", "pencil", () => this.#rename(row, entry)),
      mayEnd && button("End", "stop", () => void this.#end(entry, title)),
    );
    return row;
  }

  #rename(row: HTMLElement, entry: SessionEntry): void {
    this.#renaming = entry.sessionId;
    const field = el("input", { type: "text", "aria-label": "Name of this terminal", maxlength: NAME_MAX, autocomplete: "off", spellcheck: "false", value: entry.name });
    const done = (): void => {
      this.#renaming = null;
      this.actions.refresh();
    };
    const form = el("form", { class: "rename", onsubmit: (event: SubmitEvent) => {
      event.preventDefault();
      const name = field.value.trim();
      if (name !== entry.name) this.actions.rename(entry.sessionId, name);
      done();
    } }, field, el("button", { class: "button small primary", type: "submit" }, "Rename"), el("button", { class: "button small", type: "button", onclick: done }, "Cancel"));
    form.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      done();
    });
    row.replaceChildren(form);
    field.select();
  }

  async #end(entry: SessionEntry, title: string): Promise<void> {
    if (entry.exit === null) {
      const others = entry.attachedClients > (this.actions.isHere(entry.sessionId) ? 1 : 0);
      const body = `Its programs are told to stop. ${others ? "Somebody else is attached. " : ""}This cannot be undone.`;
      const sure = await ask(`End ${title}?`, [el("p", {}, body)], [
        { label: "Cancel", value: false, first: true },
        { label: "End it", value: true, kind: "danger" },
      ]);
      if (sure !== true) return;
    }
    this.actions.end(entry.sessionId);
    this.actions.refresh();
  }

  #leave(then: () => void): void {
    this.#close?.();
    then();
  }
}

/** What is worth knowing about a session, in one line. */
export function facts(entry: SessionEntry, here: boolean, nowS = Date.now() / 1000): string {
  const attached = entry.attachedClients === 0 ? "nobody attached" : entry.attachedClients === 1 ? (here ? "attached here" : "1 attached") : `${entry.attachedClients} attached`;
  const state = entry.exit !== null ? `ended with status ${entry.exit}` : attached;
  const size = entry.cols > 0 ? `${entry.cols}\u00a0×\u00a0${entry.rows}` : "";
  return [state, entry.created > 0 ? `${age(nowS - entry.created)} old` : "", size, entry.role === "owner" ? "" : entry.role].filter((part) => part !== "").join(" · ");
}

/** A time span in its largest unit. */
export function age(seconds: number): string {
  if (seconds < 60) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 3_600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 48 * 3_600) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}
