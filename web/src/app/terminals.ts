/** The terminal tabs of the page, several at once on the same connection. */
import type { Connection } from "../core/mux/connection.ts";
import type { ShellFrame } from "../ui/shell.ts";
import { TerminalPane } from "../ui/terminal-pane.ts";
import { onAppearance } from "../ui/theme.ts";
import { offerCopy } from "./clipboard.ts";
import * as store from "./store.ts";

/** Terminals on one page; the server's own limit per connection is 64. */
const TERMINALS_MAX = 32;

export class Terminals {
  readonly #panes = new Map<string, TerminalPane>();
  #opened = 0;
  /** Channel keys are not used twice on a connection, so that late frames find no stranger. */
  readonly #keys = new WeakMap<Connection, number>();

  constructor(
    private readonly frame: ShellFrame,
    private readonly connection: () => Connection | null,
  ) {
    frame.tabs.addEventListener("add", () => this.open());
    frame.tabs.addEventListener("closetab", (event) => this.close((event as CustomEvent<string>).detail));
    onAppearance((dark) => {
      for (const pane of this.#panes.values()) pane.setTheme(dark);
    });
  }

  /** Opens a terminal and shows it. */
  open(): void {
    const connection = this.connection();
    if (!connection) {
      this.frame.announcer.notice("Not connected; a terminal can be opened when the connection is back.", "warning");
      return;
    }
    if (this.#panes.size >= TERMINALS_MAX) {
      this.frame.announcer.notice(`${TERMINALS_MAX} terminals are open; close one first.`, "warning");
      return;
    }
    const key = (this.#keys.get(connection) ?? 0) + 1;
    this.#keys.set(connection, key);
    this.#opened += 1;
    const id = `terminal-${this.#opened}`;
    const name = `Terminal ${this.#opened}`;
    const pane = new TerminalPane();
    pane.id = `panel-${id}`;
    this.#panes.set(id, pane);
    this.frame.panels.append(pane);
    this.frame.tabs.addTab(id, "terminal", { title: name }, pane, true);
    this.frame.tabs.select(id);
    pane.focusTerminal();
    void pane.run(name, key, connection, {
      look: (look) => this.frame.tabs.look(id, look),
      notice: (message, copy) => (copy === undefined ? this.frame.announcer.notice(message) : offerCopy(message, copy, this.frame.announcer)),
      screenReader: store.loadScreenReader,
      again: () => {
        this.close(id);
        this.open();
      },
      close: () => this.close(id),
    });
  }

  close(id: string): void {
    const pane = this.#panes.get(id);
    if (!pane) return;
    this.#panes.delete(id);
    pane.dispose();
    this.frame.tabs.removeTab(id);
  }

  closeAll(): void {
    for (const id of [...this.#panes.keys()]) this.close(id);
  }

  focus(id: string): void {
    this.#panes.get(id)?.focusTerminal();
  }

  setScreenReader(on: boolean): void {
    for (const pane of this.#panes.values()) pane.setScreenReader(on);
  }

  /** What the test hook shows. */
  list(): { id: string; title: string; state: string }[] {
    return [...this.#panes].map(([id, pane]) => ({ id, title: pane.heading, state: pane.state }));
  }
}
