/** One terminal: the engine, its shell, and what is said about both. */
import type { Connection } from "../core/mux/connection.ts";
import type { PtyGrant } from "../core/terminal/client.ts";
import type { Attach, Shell, ShellEnd } from "../core/terminal/shell.ts";
import type { ShareAction, ShareState } from "../core/terminal/share.ts";
import type { Look, RowKey, Sticky, TerminalView } from "../terminal/view.ts";
import { ControlStrip } from "./control-strip.ts";
import { el, setText } from "./dom.ts";
import { followLink } from "./links.ts";
import { lookAtPaste, needsLook } from "./paste.ts";
import { SearchBar } from "./search.ts";
import type { TabLook } from "./tabs.ts";

/** Window sizes are told to the program when they have kept still this long. */
const RESIZE_MS = 80;
/** The mark of a bell stays this long on a pane that is looked at. */
const BELL_MS = 900;

/** Where a terminal stands. */
export type PaneState = "loading" | "starting" | "running" | "away" | "exited" | "lost" | "failed";

/** What a pane asks of the page. */
export interface PaneHost {
  /** Title, badge or progress changed. */
  look(): void;
  notice(message: string, copy?: string): void;
  settings(): Look;
  /** The terminal can be joined by its id from now on, or no longer. */
  kept(): void;
  shared(share: ShareState): void;
  focused(): void;
  sticky(sticky: Sticky): void;
  files(files: File[]): void;
  again(): void;
  close(): void;
}

/** `<vroom-terminal>`. */
export class TerminalPane extends HTMLElement {
  state: PaneState = "loading";
  /** The title that the program has set, or empty. */
  heading = "";
  /** The folder that the program says it is in (OSC 7), or null. */
  folder: string | null = null;
  share: ShareState | null = null;
  readonly search = new SearchBar();
  readonly #screen = el("div", { class: "screen" });
  readonly #strip = new ControlStrip((action) => this.ask(action));
  readonly #message = el("p");
  readonly #again = el("button", { class: "button small primary", type: "button" }, "New terminal");
  readonly #close = el("button", { class: "button small", type: "button" }, "Close");
  readonly #bar = el("div", { class: "endbar", role: "status", hidden: true }, this.#message, this.#again, this.#close);
  readonly #address = el("div", { class: "address-hint", role: "status", hidden: true });
  #name = "";
  #host: PaneHost | null = null;
  #view: TerminalView | null = null;
  #shell: Shell | null = null;
  #resizing: ReturnType<typeof setTimeout> | null = null;
  #progress: number | null = null;
  #bell = false;
  #badge = "";
  #wantsFocus = false;
  #full = false;
  /** Size that somebody else gave the terminal. */
  #theirs: { rows: number; cols: number } | null = null;
  #grant: PtyGrant | null = null;

  /** Loads the engine; the shell starts, or is joined, with {@link TerminalPane.connect}. */
  async run(name: string, attach: Attach | null, host: PaneHost): Promise<void> {
    this.#name = name;
    this.#host = host;
    this.append(this.#strip, this.search, this.#screen, this.#address, this.#bar);
    this.search.connect({ search: (term, direction) => this.#view?.search(term, direction), closed: () => this.#view?.focus() });
    this.#again.addEventListener("click", () => host.again());
    this.#close.addEventListener("click", () => host.close());
    this.addEventListener("focusin", () => this.#seen());
    this.#acceptFiles();
    this.dataset["theme"] = host.settings().theme;
    host.look();
    try {
      await this.#open(attach);
    } catch (error) {
      this.#ended("failed", `The terminal could not be loaded: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** What the terminal is joined by, or null while that is not known. */
  get terminalId(): string | null {
    return this.#shell?.terminalId ?? null;
  }

  get title(): string {
    return this.heading || this.#name;
  }

  /** The name people gave it, as far as it is not the engine's own title. */
  get label(): string {
    return this.#name;
  }

  set label(name: string) {
    this.#name = name;
    this.#host?.look();
  }

  /** True when keys of this page reach the program. */
  get mayType(): boolean {
    if (this.#shell?.readonly !== false) return false;
    return !this.share || this.share.driver === null || this.share.driver === this.share.self;
  }

  get role(): string {
    return this.#grant?.role ?? "owner";
  }

  /** True while the shell has no pair of channels but could have one. */
  get wantsConnection(): boolean {
    return this.#shell !== null && !this.#shell.isConnected && (this.state === "starting" || this.state === "away");
  }

  /** Starts or joins the shell on a connection; `key` names the pair. */
  connect(connection: Connection, key: number): void {
    if (this.wantsConnection) this.#shell?.connect(connection, key);
  }

  /** The connection is gone and nothing of it is kept. */
  disconnected(): void {
    if (this.state === "starting" && this.terminalId === null) this.#ended("lost", "The connection was lost before the shell started.");
  }

  /** Takes a measured round trip of the connection. */
  setLink(rttMs: number): void {
    this.#view?.setLink(rttMs);
  }

  focusTerminal(): void {
    this.#wantsFocus = true;
    if (!this.#bar.hidden) this.#again.focus();
    else this.#view?.focus();
  }

  ask(action: ShareAction): void {
    this.#shell?.share(action);
  }

  paste(content: string): void {
    void this.#paste(content);
  }

  press(key: RowKey): void {
    this.#view?.press(key);
  }

  setSticky(sticky: Sticky): void {
    this.#view?.setSticky(sticky);
  }

  /** Everything that can be scrolled to, as text. */
  everything(): string {
    return this.#view?.everything() ?? "";
  }

  /** Rows and columns that are shown. */
  cells(): { rows: number; cols: number } {
    return this.#view?.cells ?? { rows: 0, cols: 0 };
  }

  selection(): string {
    return this.#view?.selection() ?? "";
  }

  applyLook(): void {
    if (!this.#host) return;
    this.#view?.setLook(this.#host.settings());
    this.dataset["theme"] = this.#host.settings().theme;
    this.#fitSoon();
  }

  get tabLook(): TabLook {
    const over = this.state === "exited" || this.state === "lost" || this.state === "failed";
    return {
      title: this.title,
      badge: this.#badge,
      tone: this.state === "failed" || this.state === "lost" ? "failed" : over ? "ended" : "plain",
      progress: over ? null : this.#progress,
      bell: this.#bell,
    };
  }

  /** Leaves the terminal and frees the engine. */
  dispose(): void {
    this.#shell?.close();
    this.#shell = null;
    this.#view?.dispose();
    this.#view = null;
    this.remove();
  }

  async #open(attach: Attach | null): Promise<void> {
    const [{ XtermView }, { Shell }] = await Promise.all([import("../terminal/xterm.ts"), import("../core/terminal/shell.ts")]);
    const host = this.#host;
    if (!host || !this.isConnected) return;
    const view = new XtermView(
      {
        bytes: (bytes) => this.#type(bytes),
        pasted: (content) => void this.#paste(content),
        title: (title) => {
          this.heading = title;
          host.look();
        },
        link: (url) => void followLink(url),
        pointed: (url) => this.#point(url),
        clipboard: (content) => this.#copy(content),
        progress: (percent) => {
          this.#progress = percent;
          host.look();
        },
        folder: (path) => (this.folder = path),
        bell: () => this.#ring(),
        found: (place, count) => this.search.found(place, count),
        modifiersUsed: () => host.sticky({ ctrl: false, alt: false }),
      },
      host.settings(),
    );
    this.#view = view;
    const engine = await view.open(this.#screen);
    if (this.#view !== view) return;
    this.#shell = new Shell(engine, view.fit(), view, attach, {
      selected: (selected) => view.select(selected),
      joined: (grant) => this.#joined(grant),
      started: () => this.#enter("running"),
      resized: (rows, cols) => {
        this.#theirs = { rows, cols };
        this.#place();
      },
      mode: (bits) => view.setMode(bits),
      applied: (offset) => view.applied(offset),
      shared: (share) => this.#shared(share),
      warned: (reason) => host.notice(`${this.title}: ${reason}`),
      away: () => this.#enter("away"),
      ended: (end) => this.#shellEnded(end),
    });
    new ResizeObserver(() => this.#fitSoon()).observe(this.#screen);
    if (this.#wantsFocus) view.focus();
    this.#enter("starting");
    host.kept();
  }

  #enter(state: PaneState): void {
    this.state = state;
    this.#host?.look();
  }

  #joined(grant: PtyGrant): void {
    this.#grant = grant;
    if (grant.name !== "") this.#name = grant.name;
    this.#theirs = grant.attached && grant.rows && grant.cols ? { rows: grant.rows, cols: grant.cols } : null;
    this.#full = false;
    this.#view?.joined(grant.inputOffset, this.#shell?.pendingInput ?? 0);
    this.#place();
    this.#host?.kept();
    this.#host?.look();
  }

  #shared(share: ShareState): void {
    this.share = share;
    if (share.reason !== "") this.#host?.notice(share.reason);
    this.#place();
    this.#host?.shared(share);
  }

  /** Who drives rules the size; everybody else sees that size, smaller where it does not fit. */
  #place(): void {
    const view = this.#view;
    if (!view || this.#screen.clientWidth === 0) return;
    const mayType = this.#shell === null || this.mayType;
    view.setInputEnabled(mayType);
    this.#strip.show(this.share, this.#shell?.readonly === true, this.role);
    if (!mayType && this.#theirs) view.fix(this.#theirs.rows, this.#theirs.cols);
    else {
      const size = view.fit();
      this.#shell?.resize(size);
    }
    this.toggleAttribute("data-letterbox", !mayType && this.#theirs !== null);
  }

  #fitSoon(): void {
    if (this.#resizing !== null) clearTimeout(this.#resizing);
    this.#resizing = setTimeout(() => {
      this.#resizing = null;
      this.#place();
    }, RESIZE_MS);
  }

  #type(bytes: Uint8Array): void {
    if (!this.mayType || !this.#shell) return;
    const kept = this.#shell.write(bytes);
    if (kept) this.#view?.sent(bytes);
    if (!kept && !this.#full) this.#host?.notice(`${this.title}: too much waits to be sent; what you type now is not kept.`);
    this.#full = !kept;
  }

  async #paste(content: string): Promise<void> {
    const view = this.#view;
    if (!view || !this.mayType || content === "") return;
    if (needsLook(content, view.bracketsPaste) && !(await lookAtPaste(content, view.bracketsPaste))) return view.focus();
    this.#type(view.pasteBytes(content));
    view.focus();
  }

  #shellEnded(end: ShellEnd): void {
    this.#shell?.close();
    this.#shell = null;
    this.#view?.setInputEnabled(false);
    if (end.kind === "lost") this.#ended("lost", "The connection was lost; this shell ended.");
    else if (end.kind === "gone") this.#ended("lost", `This terminal is no longer there${end.reason === "" ? "" : `: ${end.reason}`}.`);
    else if (end.kind === "failed") this.#ended("failed", end.reason);
    else {
      const { exitCode, signalName, reason } = end.status;
      this.#badge = exitCode === null ? (signalName ?? "ended") : exitCode === 0 ? "done" : `exit ${exitCode}`;
      const how = exitCode === null ? `was ended by ${signalName ?? "an unknown signal"}` : `ended with status ${exitCode}`;
      this.#ended("exited", `The shell ${how}${reason === undefined ? "" : ` (${reason})`}.`);
    }
    this.#host?.kept();
  }

  #ended(state: PaneState, message: string): void {
    if (state === "lost") this.#badge = "lost";
    if (state === "failed") this.#badge = "failed";
    setText(this.#message, message);
    const hadFocus = this.contains(document.activeElement);
    this.#bar.hidden = false;
    this.#strip.hidden = true;
    if (hadFocus) this.#again.focus();
    this.#enter(state);
  }

  #seen(): void {
    this.#host?.focused();
    if (!this.#bell) return;
    this.#bell = false;
    this.#host?.look();
  }

  #ring(): void {
    this.removeAttribute("data-bell");
    requestAnimationFrame(() => this.setAttribute("data-bell", ""));
    this.#bell = true;
    this.#host?.look();
    if (this.contains(document.activeElement)) setTimeout(() => this.#seen(), BELL_MS);
  }

  #point(url: string | null): void {
    this.#address.hidden = url === null;
    setText(this.#address, url ?? "");
  }

  #copy(content: string): void {
    const told = `${this.title} put ${content.length} characters on your clipboard.`;
    navigator.clipboard?.writeText(content).then(
      () => this.#host?.notice(told),
      () => this.#host?.notice(`${this.title} wants to set your clipboard.`, content),
    );
  }

  #acceptFiles(): void {
    const over = (event: DragEvent): void => {
      if (event.dataTransfer?.types.includes("Files") !== true || !this.mayType) return;
      event.preventDefault();
      this.toggleAttribute("data-drop", true);
    };
    this.addEventListener("dragenter", over);
    this.addEventListener("dragover", over);
    this.addEventListener("dragleave", (event) => !this.contains(event.relatedTarget as Node | null) && this.removeAttribute("data-drop"));
    this.addEventListener("drop", (event) => {
      this.removeAttribute("data-drop");
      if (!event.dataTransfer || event.dataTransfer.files.length === 0) return;
      event.preventDefault();
      if (this.mayType) this.#host?.files([...event.dataTransfer.files]);
    });
  }
}

customElements.define("vroom-terminal", TerminalPane);
