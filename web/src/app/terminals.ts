/** The terminal tabs of the page and the panes in them, several at once on the same connection. */
import type { Connection } from "../core/mux/connection.ts";
import type { SessionEntry } from "../core/mux/sessions.ts";
import type { Attach } from "../core/terminal/shell.ts";
import type { RowKey, Sticky } from "../terminal/view.ts";
import { ask } from "../ui/dialog.ts";
import { el } from "../ui/dom.ts";
import type { ShellFrame } from "../ui/shell.ts";
import type { Direction } from "../ui/split.ts";
import { SplitView } from "../ui/split.ts";
import { TerminalPane } from "../ui/terminal-pane.ts";
import { onAppearance } from "../ui/theme.ts";
import { offerCopy } from "./clipboard.ts";
import * as memory from "./memory.ts";
import * as settings from "./settings.ts";

/** Terminals on one page; the server's own limit per connection is 64. */
const TERMINALS_MAX = 32;

/** What the terminals need from the page. */
export interface TerminalsHost {
  connection(): Connection | null;
  /** The pane that tools act on is another one, or changed. */
  active(pane: TerminalPane | null): void;
  files(pane: TerminalPane, files: File[]): void;
}

/** One tab. */
interface Group {
  id: string;
  split: SplitView;
  panes: TerminalPane[];
  active: TerminalPane;
}

export class Terminals {
  readonly #groups = new Map<string, Group>();
  readonly #ids = new Map<TerminalPane, string>();
  #opened = 0;
  /** Channel keys are not used twice on a connection, so that late frames find no stranger. */
  readonly #keys = new WeakMap<Connection, number>();
  #restoring = false;

  constructor(
    private readonly frame: ShellFrame,
    private readonly host: TerminalsHost,
  ) {
    frame.tabs.addEventListener("add", () => this.open());
    frame.tabs.addEventListener("closetab", (event) => void this.closeTab((event as CustomEvent<string>).detail));
    onAppearance(() => this.applyLook());
  }

  /** The pane that has the keyboard, or would have it. */
  get active(): TerminalPane | null {
    return this.#groups.get(this.frame.tabs.selected)?.active ?? null;
  }

  get isEmpty(): boolean {
    return this.#groups.size === 0;
  }

  /** Opens a tab with a new terminal, or with one that runs already. */
  open(attach: Attach | null = null, name?: string): void {
    const known = attach && this.#paneOf(attach.terminalId);
    if (known) return this.show(known);
    const pane = this.#makePane();
    if (pane) this.#addGroup([pane], (split) => split.place(pane), true, () => this.#start(pane, attach, name));
  }

  /** Puts a new terminal beside or below the active one. */
  split(direction: Direction): void {
    const group = this.#groups.get(this.frame.tabs.selected);
    const pane = group && this.#makePane();
    if (!group || !pane) return;
    group.panes.push(pane);
    group.split.split(group.active, pane, direction);
    this.#start(pane, null);
    this.#focus(group, pane);
    pane.focusTerminal();
  }

  /** Brings back the tabs that were open, as far as their terminals are still there; true when there are any. */
  restore(entries: SessionEntry[]): boolean {
    const { tabs, own } = memory.recall();
    const there = new Map(entries.filter((entry) => entry.kind === "terminal" && (own || entry.attachedClients === 0)).map((entry) => [entry.sessionId, entry]));
    this.#restoring = true;
    for (const tab of tabs) {
      const ids = memory.leaves(tab.arrangement).filter((id) => there.has(id) && !this.#paneOf(id));
      const made = new Map(ids.map((id) => [id, this.#makePane()]));
      const panes = [...made.values()].filter((pane) => pane !== null);
      if (panes.length === 0) continue;
      const arrange = (split: SplitView): void => split.arrange(tab.arrangement, (id) => made.get(id) ?? null);
      this.#addGroup(panes, arrange, tab.selected, () => {
        for (const [id, pane] of made) if (pane) this.#start(pane, { terminalId: id, readonly: false }, there.get(id)?.name || undefined);
      });
    }
    this.#restoring = false;
    return !this.isEmpty;
  }

  /** Starts or joins everything that has no connection; called when one is up. */
  connect(): void {
    for (const pane of this.#panes()) this.#connect(pane);
  }

  /** The connection is gone with its session. */
  disconnected(): void {
    for (const pane of this.#panes()) pane.disconnected();
  }

  show(pane: TerminalPane): void {
    const group = this.#groupOf(pane);
    if (!group) return;
    this.#focus(group, pane);
    this.frame.tabs.select(group.id);
    pane.focusTerminal();
  }

  /** Closes the active pane, or a tab with all of its panes, after asking what shall become of what runs there. */
  async closeTab(id: string): Promise<void> {
    const group = this.#groups.get(id);
    if (group) await this.#close(group.panes);
  }

  async closeActive(): Promise<void> {
    if (this.active) await this.#close([this.active]);
  }

  /** Moves the keyboard to the pane in a direction of the arrow keys. */
  step(towards: string): void {
    const group = this.#groups.get(this.frame.tabs.selected);
    const next = group?.split.neighbour(group.active, group.panes, towards);
    if (next instanceof TerminalPane) this.show(next);
  }

  closeAll(): void {
    for (const pane of this.#panes()) this.#drop(pane);
    memory.forget();
  }

  focus(tab: string): void {
    const group = this.#groups.get(tab);
    group?.active.focusTerminal();
    this.host.active(group?.active ?? null);
    this.#remember();
  }

  applyLook(): void {
    for (const pane of this.#panes()) pane.applyLook();
  }

  /** Takes a measured round trip of the connection. */
  setLink(rttMs: number | null): void {
    if (rttMs === null) return;
    for (const pane of this.#panes()) pane.setLink(rttMs);
  }

  press(key: RowKey): void {
    this.active?.press(key);
  }

  setSticky(sticky: Sticky): void {
    this.active?.setSticky(sticky);
  }

  paneOf(terminalId: string): TerminalPane | null {
    return this.#paneOf(terminalId);
  }

  /** What the test hook shows. */
  list(): { id: string; title: string; state: string; terminal: string | null; tab: string; mayType: boolean }[] {
    return this.#panes().map((pane) => ({
      id: this.#ids.get(pane) ?? "",
      title: pane.heading,
      state: pane.state,
      terminal: pane.terminalId,
      tab: this.#groupOf(pane)?.id ?? "",
      mayType: pane.mayType,
    }));
  }

  #panes(): TerminalPane[] {
    return [...this.#groups.values()].flatMap((group) => group.panes);
  }

  #paneOf(terminalId: string): TerminalPane | null {
    return this.#panes().find((pane) => pane.terminalId === terminalId) ?? null;
  }

  #groupOf(pane: TerminalPane): Group | undefined {
    return [...this.#groups.values()].find((group) => group.panes.includes(pane));
  }

  #makePane(): TerminalPane | null {
    if (this.#panes().length >= TERMINALS_MAX) {
      this.frame.announcer.notice(`${TERMINALS_MAX} terminals are open; close one first.`, "warning");
      return null;
    }
    const pane = new TerminalPane();
    this.#opened += 1;
    const id = `terminal-${this.#opened}`;
    pane.id = `pane-${id}`;
    this.#ids.set(pane, id);
    return pane;
  }

  #addGroup(panes: TerminalPane[], arrange: (split: SplitView) => void, select: boolean, start: () => void): void {
    const [first] = panes;
    if (!first) return;
    const id = this.#ids.get(first) ?? "";
    const split = new SplitView();
    split.id = `panel-${id}`;
    const group: Group = { id, split, panes: [...panes], active: first };
    this.#groups.set(id, group);
    arrange(split);
    this.frame.panels.append(split);
    split.addEventListener("arranged", () => this.#remember());
    this.frame.tabs.addTab(id, "terminal", { title: "Terminal" }, split, true);
    start();
    this.#look(group);
    if (!select) return;
    this.frame.tabs.select(id);
    first.focusTerminal();
  }

  #start(pane: TerminalPane, attach: Attach | null, name?: string): void {
    const id = this.#ids.get(pane) ?? "";
    void pane.run(name ?? `Terminal ${id.replace("terminal-", "")}`, attach, {
      look: () => {
        const group = this.#groupOf(pane);
        if (group) this.#look(group);
      },
      notice: (message, copy) => (copy === undefined ? this.frame.announcer.notice(message) : offerCopy(message, copy, this.frame.announcer)),
      settings: settings.look,
      kept: () => {
        this.#connect(pane);
        this.#remember();
        this.#tellActive(pane);
      },
      shared: () => this.#tellActive(pane),
      focused: () => {
        const group = this.#groupOf(pane);
        if (group && group.active !== pane) this.#focus(group, pane);
      },
      sticky: (sticky) => this.frame.keyRow.setSticky(sticky),
      files: (files) => this.host.files(pane, files),
      again: () => this.#replace(pane),
      close: () => this.#drop(pane),
    });
  }

  #tellActive(pane: TerminalPane): void {
    if (pane === this.active) this.host.active(pane);
  }

  #connect(pane: TerminalPane): void {
    const connection = this.host.connection();
    if (!connection || !pane.wantsConnection) return;
    const key = (this.#keys.get(connection) ?? 0) + 1;
    this.#keys.set(connection, key);
    pane.connect(connection, key);
  }

  #focus(group: Group, pane: TerminalPane): void {
    group.active = pane;
    for (const each of group.panes) each.toggleAttribute("data-active", each === pane && group.panes.length > 1);
    this.#look(group);
    this.host.active(pane);
  }

  #look(group: Group): void {
    const look = group.active.tabLook;
    this.frame.tabs.look(group.id, { ...look, bell: group.panes.some((pane) => pane.tabLook.bell === true) });
  }

  /** A new terminal in the place of one that ended. */
  #replace(old: TerminalPane): void {
    const group = this.#groupOf(old);
    const pane = group && this.#makePane();
    if (!group || !pane) return;
    group.panes[group.panes.indexOf(old)] = pane;
    old.replaceWith(pane);
    old.dispose();
    this.#start(pane, null);
    this.#focus(group, pane);
    pane.focusTerminal();
  }

  async #close(panes: TerminalPane[]): Promise<void> {
    const running = panes.filter((pane) => pane.state === "running" && pane.terminalId !== null && pane.mayType);
    const fate = running.length === 0 ? "keep" : await askFate(running);
    if (fate === null) return;
    for (const pane of [...panes]) {
      if (fate === "end" && pane.terminalId !== null) this.host.connection()?.controlSession({ action: "end", sessionId: pane.terminalId });
      this.#drop(pane);
    }
  }

  #drop(pane: TerminalPane): void {
    const group = this.#groupOf(pane);
    if (!group) return;
    group.panes = group.panes.filter((each) => each !== pane);
    group.split.takeOut(pane);
    pane.dispose();
    const [left] = group.panes;
    if (left) {
      this.#focus(group, left);
      left.focusTerminal();
    } else {
      this.#groups.delete(group.id);
      this.frame.tabs.removeTab(group.id);
      group.split.remove();
      this.host.active(this.active);
    }
    this.#remember();
  }

  #remember(): void {
    if (this.#restoring) return;
    const tabs = [...this.#groups.values()].flatMap((group) => {
      const arrangement = group.split.arrangement((pane) => (pane instanceof TerminalPane && pane.state !== "exited" ? pane.terminalId : null));
      return arrangement === null ? [] : [{ arrangement, selected: group.id === this.frame.tabs.selected }];
    });
    memory.remember(tabs);
  }
}

/** Asks whether what runs shall go on without this page; null when nothing shall happen. */
function askFate(panes: TerminalPane[]): Promise<"keep" | "end" | null> {
  const [first] = panes;
  const [what, it] = panes.length > 1 ? [`${panes.length} terminals are`, "them"] : [`${first?.title ?? "This terminal"} is`, "it"];
  return ask(`Close, or leave ${it} running?`, [el("p", {}, `${what} still running. Left running, you find ${it} in the list of sessions, from any browser.`)], [
    { label: "Cancel", value: null },
    { label: `End ${it}`, value: "end" as const, kind: "danger" },
    { label: `Leave ${it} running`, value: "keep" as const, kind: "primary" },
  ]);
}
