/** What the page needs of a terminal engine, so that the engine can be replaced. */
import type { Bytes } from "../core/bytes.ts";
import type { EngineCapabilities, Selected } from "../core/terminal/capabilities.ts";
import type { TerminalSize } from "../core/terminal/client.ts";

/** What an engine reports. */
export interface TerminalViewEvents {
  /** Bytes for the program: keys, paste, mouse, answers to queries. */
  bytes(bytes: Uint8Array): void;
  title(title: string): void;
  /** Somebody wants to follow a link; it has passed the scheme check already. */
  link(url: string): void;
  /** The program sets the clipboard (OSC 52); only when that was selected. */
  clipboard(content: string): void;
  /** Progress in percent (OSC 9;4), or null when there is none. */
  progress(percent: number | null): void;
  bell(): void;
}

export interface TerminalView {
  /** Shows the terminal in an element and finds out what the engine can do. */
  open(parent: HTMLElement): Promise<EngineCapabilities>;
  /** Takes over what was selected; what was not, the engine no longer does. */
  select(selected: Selected): void;
  write(bytes: Bytes, done: () => void): void;
  /** Fills the element and returns the size that resulted. */
  fit(): TerminalSize;
  focus(): void;
  selection(): string;
  paste(content: string): void;
  setScreenReader(on: boolean): void;
  setTheme(dark: boolean): void;
  dispose(): void;
}
