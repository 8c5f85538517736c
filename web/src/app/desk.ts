/** Everything around the terminals: tools, sessions, sharing, the key row. Joins what is seen to the connection. */
import type { Connection } from "../core/mux/connection.ts";
import type { SessionEntry } from "../core/mux/sessions.ts";
import type { RowKey, Sticky } from "../terminal/view.ts";
import { SessionSheet } from "../ui/sessions.ts";
import { ShareSheet } from "../ui/share.ts";
import type { ShellFrame } from "../ui/shell.ts";
import type { TerminalPane } from "../ui/terminal-pane.ts";
import type { Tool } from "../ui/terminal-tools.ts";
import { showText } from "../ui/text.ts";
import * as settings from "./settings.ts";
import { Recordings } from "./recordings.ts";
import type { RecordingsHost } from "./recordings.ts";
import { Terminals } from "./terminals.ts";
import { Transfers } from "./transfers.ts";

/** What the desk needs from the page. */
export interface DeskHost extends RecordingsHost {
  connection(): Connection | null;
  /** The terminal that this page was given by a share link, or null for a page of one's own. */
  guestOf(): string | null;
  /** A terminal is what this page is for. */
  terminalsOnly(): boolean;
}

export class Desk {
  readonly terminals: Terminals;
  readonly #sessions: SessionSheet;
  readonly #share: ShareSheet;
  readonly transfers: Transfers;
  readonly recordings: Recordings;
  /** The list of sessions is awaited to bring back the tabs that were open. */
  #restoring = false;
  #connected = false;
  readonly #touch = window.matchMedia("(pointer: coarse)");

  constructor(
    private readonly frame: ShellFrame,
    private readonly host: DeskHost,
  ) {
    this.recordings = new Recordings(frame, host);
    this.terminals = new Terminals(frame, {
      connection: () => host.connection(),
      active: (pane) => this.#active(pane),
      files: (pane, files) => this.transfers.drop(files, pane.folder),
    });
    this.transfers = new Transfers(frame.files, { connection: () => host.connection(), notice: (message) => frame.announcer.notice(message, "warning") });
    this.#sessions = new SessionSheet({
      refresh: () => host.connection()?.requestSessions(),
      attach: (entry) => this.#attach(entry),
      rename: (sessionId, name) => {
        host.connection()?.controlSession({ action: "rename", sessionId, name });
        const pane = this.terminals.paneOf(sessionId);
        if (pane && name !== "") pane.label = name;
      },
      end: (sessionId) => host.connection()?.controlSession({ action: "end", sessionId }),
      open: () => this.terminals.open(),
      isHere: (sessionId) => this.terminals.paneOf(sessionId) !== null,
    });
    this.#share = new ShareSheet(
      (action) => this.terminals.active?.ask(action),
      (message) => frame.announcer.notice(message),
    );
    frame.tabs.addEventListener("sessions", () => this.openSessions());
    frame.empty.addEventListener("add", () => this.openTerminal());
    frame.empty.addEventListener("sessions", () => this.openSessions());
    frame.tools.addEventListener("tool", (event) => this.use((event as CustomEvent<Tool>).detail));
    frame.keyRow.addEventListener("press", (event) => this.terminals.press((event as CustomEvent<RowKey>).detail));
    frame.keyRow.addEventListener("paste", () => void this.#paste());
    frame.keyRow.addEventListener("sticky", (event) => this.terminals.setSticky((event as CustomEvent<Sticky>).detail));
  }

  /** Says how to get a terminal where there is nothing else to look at. */
  draw(connected = this.#connected): void {
    this.#connected = connected;
    const bare = connected && this.host.terminalsOnly() && this.host.guestOf() === null && this.terminals.isEmpty && !this.#restoring;
    this.frame.empty.show(bare, this.host.connection()?.has("session-persistence") === true);
  }

  /** A new session is up: terminals go on with it, or come back from the last page. */
  up(connection: Connection): void {
    this.frame.tabs.setSessionsEnabled(connection.has("session-persistence"));
    this.#active(this.terminals.active);
    const guest = this.host.guestOf();
    if (guest !== null && this.terminals.isEmpty) this.terminals.open({ terminalId: guest, readonly: true }, "Shared terminal");
    else this.terminals.connect();
    if (guest !== null || !this.terminals.isEmpty) return;
    this.#restoring = connection.has("session-persistence");
    if (this.#restoring) connection.requestSessions();
    else if (this.host.terminalsOnly()) this.terminals.open();
  }

  down(): void {
    this.frame.tabs.setSessionsEnabled(false);
    this.recordings.forget();
    this.terminals.disconnected();
  }

  /** The server's list of sessions. */
  listed(entries: SessionEntry[]): void {
    this.#sessions.show(entries);
    if (!this.#restoring) return;
    this.#restoring = false;
    if (!this.terminals.isEmpty || this.terminals.restore(entries) || !this.host.terminalsOnly()) return;
    const idle = entries.some((entry) => entry.kind === "terminal" && entry.exit === null);
    if (!idle) return this.terminals.open();
    this.draw();
    this.openSessions();
    this.#sessions.show(entries);
  }

  /** The server refused something that was asked about a session. */
  refused(reason: string): void {
    if (this.#sessions.isOpen && reason !== "") this.frame.announcer.notice(reason, "warning");
  }

  openSessions(): void {
    if (this.host.connection()?.has("session-persistence") === true) this.#sessions.open();
  }

  openTerminal(): void {
    if (this.host.guestOf() === null && this.host.connection()) this.terminals.open();
  }

  use(tool: Tool): void {
    const pane = this.terminals.active;
    if (this.frame.tools.hidden) return;
    if (tool === "files") return this.transfers.toggle(pane?.folder ?? null);
    if (!pane) return;
    if (tool === "search") pane.search.open();
    else if (tool === "splitright") this.terminals.split("row");
    else if (tool === "splitdown") this.terminals.split("column");
    else if (tool === "text") showText(pane.title, pane.everything(), (message) => this.frame.announcer.notice(message, "warning"));
    else if (tool === "share") this.#share.open(pane.title, pane.share, pane.role);
  }

  /** Pastes where there are no keys for it; the browser asks first whether this page may read the clipboard. */
  async #paste(): Promise<void> {
    const content = await navigator.clipboard?.readText().catch(() => null);
    if (typeof content === "string") this.terminals.active?.paste(content);
    else this.frame.announcer.notice("The browser does not let this page read the clipboard; hold a finger on the terminal and paste from there.", "warning");
  }

  zoom(by: 1 | -1 | 0): void {
    settings.zoom(by);
    this.terminals.applyLook();
  }

  #attach(entry: SessionEntry): void {
    this.terminals.open({ terminalId: entry.sessionId, readonly: entry.role === "viewer" }, entry.name || undefined);
  }

  #active(pane: TerminalPane | null): void {
    this.draw();
    this.recordings.showTerminal(pane?.share?.recording ?? null);
    const tools: Tool[] = [];
    if (pane) {
      tools.push("search", "text");
      if (this.host.guestOf() === null) tools.push("splitright", "splitdown");
    }
    if (this.transfers.isOffered && this.host.guestOf() === null && (pane || this.frame.tabs.selected === "desktop")) tools.push("files");
    if (pane?.share) tools.push("share");
    if (pane) this.#share.show(pane.share, pane.role);
    this.frame.tools.show(tools, pane?.share?.participants.length ?? 0);
    this.frame.keyRow.hidden = pane === null || !this.#touch.matches || !pane.mayType;
  }
}
