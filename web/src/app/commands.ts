/** The shortcuts and the menu: what each key and each choice does. */
import { detectPlatform } from "../input/platform.ts";
import type { Layout } from "../ui/desktop.ts";
import { showHelp } from "../ui/help.ts";
import type { ShellFrame } from "../ui/shell.ts";
import { appearance, setAppearance } from "../ui/theme.ts";
import type { Desk } from "./desk.ts";
import { toggleFullscreen } from "./fullscreen.ts";
import * as settings from "./settings.ts";
import * as store from "./store.ts";

/** What commands need of the page. */
export interface CommandHost {
  frame: ShellFrame;
  desk: Desk;
  toggleMode(): void;
  showDesktop(): void;
  setLayout(layout: Layout): void;
  statistics(): void;
  openAddress(): void;
  reconnect(): void;
  signOut(): void;
}

/** Runs the shortcut of a key, by its `KeyboardEvent` code. */
export function runShortcut(code: string, host: CommandHost): void {
  const { frame, desk } = host;
  const place = /^Digit([1-9])$/.exec(code)?.[1];
  if (place !== undefined) return frame.tabs.at(Number(place) - 1);
  if (code.startsWith("Arrow")) return desk.terminals.step(code);
  const actions: { [code: string]: () => void } = {
    KeyI: () => host.toggleMode(),
    KeyD: () => host.showDesktop(),
    KeyT: () => desk.openTerminal(),
    KeyW: () => void desk.terminals.closeActive(),
    KeyE: () => desk.use("splitright"),
    KeyO: () => desk.use("splitdown"),
    KeyU: () => desk.use("files"),
    KeyL: () => desk.openSessions(),
    KeyX: () => desk.use("text"),
    Slash: () => desk.use("search"),
    Equal: () => desk.zoom(1),
    Minus: () => desk.zoom(-1),
    Digit0: () => desk.zoom(0),
    BracketLeft: () => frame.tabs.step(-1),
    BracketRight: () => frame.tabs.step(1),
    KeyP: () => void desk.recordings.picture(),
    KeyS: () => host.statistics(),
    KeyF: toggleFullscreen,
    KeyR: () => host.reconnect(),
    KeyH: showHelp,
  };
  actions[code]?.();
}

/** Fills the menu. */
export function wireMenu(layout: Layout, host: CommandHost): void {
  const { frame, desk } = host;
  frame.menu.connect(
    { layout, appearance: appearance(), screenReader: store.loadScreenReader(), superCommand: detectPlatform(navigator).mac ? store.loadSuperCommand() : null, ...settings.choices() },
    {
      layout: (chosen) => host.setLayout(chosen),
      appearance: setAppearance,
      screenReader: (on) => {
        store.saveScreenReader(on);
        desk.terminals.applyLook();
      },
      superCommand: (on) => {
        store.saveSuperCommand(on);
        frame.desktop.setSuperCommand(on);
      },
      terminal: (changed) => {
        settings.choose(changed);
        desk.terminals.applyLook();
      },
      screenshot: () => void desk.recordings.picture(),
      record: () => void desk.recordings.toggle(),
      recordings: () => void desk.recordings.list(),
      statistics: () => host.statistics(),
      fullscreen: toggleFullscreen,
      help: showHelp,
      address: () => host.openAddress(),
      signOut: () => host.signOut(),
    },
  );
}
