/** One terminal tab: the engine, its shell, and what is said when the shell has ended. */
import { utf8 } from "../core/bytes.ts";
import type { Connection } from "../core/mux/connection.ts";
import { OutputQueue } from "../core/terminal/output.ts";
import type { ShellEnd } from "../core/terminal/shell.ts";
import { Shell } from "../core/terminal/shell.ts";
import type { TerminalView } from "../terminal/view.ts";
import { ask } from "./dialog.ts";
import { el, setText } from "./dom.ts";
import { icon } from "./icons.ts";
import type { TabLook } from "./tabs.ts";
import { isDark } from "./theme.ts";

/** Window sizes are told to the program when they have kept still this long. */
const RESIZE_MS = 80;

/** Where a terminal stands. */
export type PaneState = "loading" | "starting" | "running" | "exited" | "lost" | "failed";

/** What a pane asks of the page. */
export interface PaneHost {
  look(look: TabLook): void;
  notice(message: string, copy?: string): void;
  /** Whether screen readers shall read the output. */
  screenReader(): boolean;
  again(): void;
  close(): void;
}

/** `<vroom-terminal>`. */
export class TerminalPane extends HTMLElement {
  state: PaneState = "loading";
  /** The title that the program has set, or empty. */
  heading = "";
  readonly #screen = el("div", { class: "screen" });
  readonly #message = el("p");
  readonly #again = el("button", { class: "button small primary", type: "button" }, "New terminal");
  readonly #close = el("button", { class: "button small", type: "button" }, "Close tab");
  readonly #bar = el("div", { class: "endbar", role: "status", hidden: true }, this.#message, this.#again, this.#close);
  #name = "";
  #host: PaneHost | null = null;
  #view: TerminalView | null = null;
  #shell: Shell | null = null;
  #resizing: ReturnType<typeof setTimeout> | null = null;
  #progress: number | null = null;
  #badge = "";
  #wantsFocus = false;

  /** Loads the engine and opens a shell on the connection. */
  async run(name: string, key: number, connection: Connection, host: PaneHost): Promise<void> {
    this.#name = name;
    this.#host = host;
    this.append(this.#screen, this.#bar);
    this.#again.addEventListener("click", () => host.again());
    this.#close.addEventListener("click", () => host.close());
    this.#look();
    try {
      await this.#open(key, connection);
    } catch (error) {
      this.#ended("failed", `The terminal could not be loaded: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  focusTerminal(): void {
    this.#wantsFocus = true;
    if (!this.#bar.hidden) this.#again.focus();
    else this.#view?.focus();
  }

  setTheme(dark: boolean): void {
    this.#view?.setTheme(dark);
  }

  setScreenReader(on: boolean): void {
    this.#view?.setScreenReader(on);
  }

  /** Ends the shell and frees the engine. */
  dispose(): void {
    this.#shell?.close();
    this.#shell = null;
    this.#view?.dispose();
    this.#view = null;
    this.remove();
  }

  async #open(key: number, connection: Connection): Promise<void> {
    const { XtermView } = await import("../terminal/xterm.ts");
    const host = this.#host;
    if (!host || !this.isConnected) return;
    const view = new XtermView(
      {
        bytes: (bytes) => this.#shell?.write(bytes),
        title: (title) => this.#titled(title),
        link: (url) => void followLink(url),
        clipboard: (content) => this.#copy(content),
        progress: (percent) => this.#progressed(percent),
        bell: () => this.#flash(),
      },
      isDark(),
      host.screenReader(),
    );
    this.#view = view;
    const engine = await view.open(this.#screen);
    if (this.#view !== view) return;
    const queue = new OutputQueue(view, (bytes) => utf8(`\x18\r\n\x1b[0;7m ${bytes} bytes of output skipped: they came faster than they could be shown \x1b[0m\r\n`));
    this.state = "starting";
    this.#shell = new Shell(connection, key, engine, view.fit(), {
      output: (bytes) => queue.push(bytes),
      selected: (selected) => view.select(selected),
      started: () => {
        this.state = "running";
        this.#look();
      },
      warned: (reason) => host.notice(`${this.#name}: ${reason}`),
      ended: (end) => this.#shellEnded(end),
    });
    new ResizeObserver(() => this.#resized()).observe(this.#screen);
    if (this.#wantsFocus) view.focus();
    await this.#shell.start();
  }

  #resized(): void {
    if (this.#resizing !== null) clearTimeout(this.#resizing);
    this.#resizing = setTimeout(() => {
      this.#resizing = null;
      if (this.#view && this.#screen.clientWidth > 0) this.#shell?.resize(this.#view.fit());
    }, RESIZE_MS);
  }

  #shellEnded(end: ShellEnd): void {
    this.#shell = null;
    if (end.kind === "lost") this.#ended("lost", "The connection was lost; this shell ended.");
    else if (end.kind === "failed") this.#ended("failed", end.reason);
    else {
      const { exitCode, signalName, reason } = end.status;
      this.#badge = exitCode === null ? (signalName ?? "ended") : exitCode === 0 ? "done" : `exit ${exitCode}`;
      const how = exitCode === null ? `was ended by ${signalName ?? "an unknown signal"}` : `ended with status ${exitCode}`;
      this.#ended("exited", `The shell ${how}${reason === undefined ? "" : ` (${reason})`}.`);
    }
  }

  #ended(state: PaneState, message: string): void {
    this.state = state;
    if (state === "lost") this.#badge = "lost";
    if (state === "failed") this.#badge = "failed";
    setText(this.#message, message);
    const hadFocus = this.contains(document.activeElement);
    this.#bar.hidden = false;
    if (hadFocus) this.#again.focus();
    this.#look();
  }

  #titled(title: string): void {
    this.heading = title;
    this.#look();
  }

  #progressed(percent: number | null): void {
    this.#progress = percent;
    this.#look();
  }

  #look(): void {
    const over = this.state === "exited" || this.state === "lost" || this.state === "failed";
    this.#host?.look({
      title: this.heading || this.#name,
      badge: this.#badge,
      tone: this.state === "failed" || this.state === "lost" ? "failed" : over ? "ended" : "plain",
      progress: over ? null : this.#progress,
    });
  }

  #copy(content: string): void {
    const told = `${this.heading || this.#name} put ${content.length} characters on your clipboard.`;
    navigator.clipboard?.writeText(content).then(
      () => this.#host?.notice(told),
      () => this.#host?.notice(`${this.heading || this.#name} wants to set your clipboard.`, content),
    );
  }

  #flash(): void {
    this.removeAttribute("data-bell");
    requestAnimationFrame(() => this.setAttribute("data-bell", ""));
  }
}

/** Shows where a link leads before anything opens. */
async function followLink(url: string): Promise<void> {
  const choice = await ask("Open this link?", [el("p", { class: "address" }, icon("link"), el("span", {}, url)), el("p", { class: "muted" }, "The terminal shows it; its text may say something else than its address.")], [
    { label: "Copy", value: "copy" as const },
    { label: "Cancel", value: null },
    { label: "Open", value: "open" as const, kind: "primary" },
  ]);
  if (choice === "open") window.open(url, "_blank", "noopener,noreferrer");
  if (choice === "copy") await navigator.clipboard?.writeText(url).catch(() => undefined);
}

customElements.define("vroom-terminal", TerminalPane);
