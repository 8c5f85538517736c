/** What the page needs of a terminal engine, so that the engine can be replaced. */
import type { Bytes } from "../core/bytes.ts";
import type { EngineCapabilities, Selected } from "../core/terminal/capabilities.ts";
import type { TerminalSize } from "../core/terminal/client.ts";
import type { ThemeName } from "./theme.ts";

/** What an engine reports. */
export interface TerminalViewEvents {
  /** Bytes for the program: keys, mouse, answers to queries. */
  bytes(bytes: Uint8Array): void;
  /** Somebody wants to paste or drop text; nothing is sent before {@link TerminalView.paste}. */
  pasted(content: string): void;
  title(title: string): void;
  /** Somebody wants to follow a link; it has passed the scheme check already. */
  link(url: string): void;
  /** The pointer is on a link, or on none. */
  pointed(url: string | null): void;
  /** The program sets the clipboard (OSC 52); only when that was selected. */
  clipboard(content: string): void;
  /** Progress in percent (OSC 9;4), or null when there is none. */
  progress(percent: number | null): void;
  /** The program says which folder it is in (OSC 7). */
  folder(path: string): void;
  bell(): void;
  /** Matches of the search: place of the present one from 1, or 0, and how many there are. */
  found(place: number, count: number): void;
  /** A key was pressed on the key row or the keyboard; sticky modifiers are used up. */
  modifiersUsed(): void;
}

/** How a terminal looks. */
export interface Look {
  theme: ThemeName;
  fontFamily: string;
  fontSizePx: number;
  screenReader: boolean;
}

/** A key of the key row, by its `KeyboardEvent` names. */
export interface RowKey {
  key: string;
  code: string;
  keyCode: number;
}

/** Modifiers that stay down until the next key. */
export interface Sticky {
  ctrl: boolean;
  alt: boolean;
}

export interface TerminalView {
  /** Shows the terminal in an element and finds out what the engine can do. */
  open(parent: HTMLElement): Promise<EngineCapabilities>;
  /** Takes over what was selected; what was not, the engine no longer does. */
  select(selected: Selected): void;
  write(bytes: Bytes, done: () => void): void;
  /** What the engine shows goes on elsewhere: input is applied up to an offset, and `pending` bytes are sent again. */
  joined(applied: number | undefined, pending: number): void;
  /** Bytes on their way to the program, which may be shown before it answers. */
  sent(bytes: Uint8Array): void;
  /** Input was applied up to this offset. */
  applied(offset: number): void;
  /** A measured round trip of the connection. */
  setLink(rttMs: number): void;
  /** The modes of the terminal, as PTY_MODE has them. */
  setMode(bits: number): void;
  /** Fills the element and returns the size that resulted. */
  fit(): TerminalSize;
  /** Shows exactly this many cells, with smaller letters where they do not fit. */
  fix(rows: number, cols: number): void;
  focus(): void;
  selection(): string;
  /** Everything that can be scrolled to; a line that was wrapped is one line. */
  everything(): string;
  readonly cells: { rows: number; cols: number };
  /** True while the program brackets pastes, so that it can tell them from typing. */
  readonly bracketsPaste: boolean;
  /** The bytes of a paste, harmless and bracketed where the program wants that. */
  pasteBytes(content: string): Uint8Array;
  press(key: RowKey): void;
  setSticky(sticky: Sticky): void;
  /** Looks for text; an empty one ends the search. */
  search(term: string, direction: "next" | "previous" | "here"): void;
  setLook(look: Look): void;
  setInputEnabled(enabled: boolean): void;
  dispose(): void;
}
