/** The terminal engine: xterm.js behind {@link TerminalView}. Loaded on demand, with its style sheet. */
import { FitAddon } from "@xterm/addon-fit";
import { ImageAddon } from "@xterm/addon-image";
import { UnicodeGraphemesAddon } from "@xterm/addon-unicode-graphemes";
import { WebLinksAddon } from "@xterm/addon-web-links";
import { Terminal } from "@xterm/xterm";
import "@xterm/xterm/css/xterm.css";
import type { Bytes } from "../core/bytes.ts";
import { utf8 } from "../core/bytes.ts";
import type { EngineCapabilities, Selected } from "../core/terminal/capabilities.ts";
import type { TerminalSize } from "../core/terminal/client.ts";
import { clipboardWrite, pasteText, progressOf, safeLink, titleText } from "./policy.ts";
import { probe } from "./probe.ts";
import { strictDocument } from "./strict-document.ts";
import { terminalTheme } from "./theme.ts";
import type { TerminalView, TerminalViewEvents } from "./view.ts";

/** Pixels of one image; larger ones are not drawn. */
const IMAGE_PIXELS_MAX = 4 * 1024 * 1024;
/** Megabytes of images kept per terminal; the oldest go first. */
const IMAGE_STORE_MB = 32;
/** Bytes of one image sequence; longer ones are dropped. */
const IMAGE_BYTES_MAX = 8 * 1024 * 1024;
/** Lines kept above the screen; the oldest go first. */
const SCROLLBACK_LINES = 5_000;

const FONT = 'ui-monospace, "JetBrains Mono", "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace';

export class XtermView implements TerminalView {
  readonly #terminal: Terminal;
  readonly #fit = new FitAddon();
  #probing: string | null = "";
  #clipboard = false;

  constructor(
    private readonly events: TerminalViewEvents,
    dark: boolean,
    screenReader: boolean,
  ) {
    this.#terminal = new Terminal({
      allowProposedApi: true,
      documentOverride: strictDocument(document),
      cursorBlink: false,
      fontFamily: FONT,
      fontSize: 14,
      lineHeight: 1.15,
      linkHandler: { activate: (_, uri) => this.#link(uri), allowNonHttpProtocols: true },
      macOptionIsMeta: false,
      minimumContrastRatio: 4.5,
      rescaleOverlappingGlyphs: true,
      screenReaderMode: screenReader,
      scrollback: SCROLLBACK_LINES,
      theme: terminalTheme(dark),
      vtExtensions: { kittyKeyboard: true },
    });
  }

  async open(parent: HTMLElement): Promise<EngineCapabilities> {
    const terminal = this.#terminal;
    terminal.loadAddon(this.#fit);
    terminal.loadAddon(new UnicodeGraphemesAddon());
    terminal.loadAddon(new WebLinksAddon((_, uri) => this.#link(uri)));
    terminal.open(parent);
    terminal.loadAddon(
      new ImageAddon({
        enableSizeReports: false,
        pixelLimit: IMAGE_PIXELS_MAX,
        storageLimit: IMAGE_STORE_MB,
        sixelSizeLimit: IMAGE_BYTES_MAX,
        iipSizeLimit: IMAGE_BYTES_MAX,
        kittySizeLimit: IMAGE_BYTES_MAX,
      }),
    );
    this.#guardOutput();
    this.#guardInput();
    terminal.onData((data) => this.#bytes(utf8(data)));
    terminal.onBinary((data) => this.#bytes(Uint8Array.from(data, (character) => character.charCodeAt(0) & 0xff)));
    terminal.onTitleChange((title) => this.events.title(titleText(title)));
    terminal.onBell(() => this.events.bell());
    const capabilities = await probe({
      write: (query, done) => terminal.write(query, done),
      take: () => {
        const answer = this.#probing ?? "";
        this.#probing = "";
        return answer;
      },
      truecolor: () => keepsTruecolor(terminal),
      unicodeVersion: /^\d+(\.\d+)*/.exec(terminal.unicode.activeVersion)?.[0] ?? "6",
    });
    terminal.reset();
    this.#probing = null;
    return capabilities;
  }

  select(selected: Selected): void {
    this.#clipboard = selected.osc52;
    this.#terminal.options.vtExtensions = { kittyKeyboard: selected.kittyLevel > 0 };
  }

  write(bytes: Bytes, done: () => void): void {
    this.#terminal.write(bytes, done);
  }

  fit(): TerminalSize {
    this.#fit.fit();
    const screen = this.#terminal.element?.querySelector(".xterm-screen")?.getBoundingClientRect();
    return {
      rows: this.#terminal.rows,
      cols: this.#terminal.cols,
      widthPx: Math.round(screen?.width ?? 0),
      heightPx: Math.round(screen?.height ?? 0),
    };
  }

  focus(): void {
    this.#terminal.focus();
  }

  selection(): string {
    return this.#terminal.getSelection();
  }

  paste(content: string): void {
    if (content === "") return;
    this.#terminal.scrollToBottom();
    this.#bytes(utf8(pasteText(content, this.#terminal.modes.bracketedPasteMode)));
  }

  setScreenReader(on: boolean): void {
    this.#terminal.options.screenReaderMode = on;
  }

  setTheme(dark: boolean): void {
    this.#terminal.options.theme = terminalTheme(dark);
  }

  dispose(): void {
    this.#terminal.dispose();
  }

  #bytes(bytes: Uint8Array): void {
    if (this.#probing !== null) this.#probing += String.fromCharCode(...bytes);
    else this.events.bytes(bytes);
  }

  #link(uri: string): void {
    const url = safeLink(uri);
    if (url !== null) this.events.link(url);
  }

  /** Sequences that this client answers itself or refuses, whatever the engine would do. */
  #guardOutput(): void {
    const parser = this.#terminal.parser;
    parser.registerOscHandler(52, (payload) => {
      const content = this.#clipboard ? clipboardWrite(payload) : null;
      if (content !== null) this.events.clipboard(content);
      return true;
    });
    parser.registerOscHandler(9, (payload) => {
      const progress = progressOf(payload);
      if (progress !== undefined) this.events.progress(progress);
      return true;
    });
    // Reports of titles and window manipulation could be made to type.
    parser.registerCsiHandler({ final: "t" }, () => true);
  }

  #guardInput(): void {
    const area = this.#terminal.textarea;
    if (!area) return;
    area.addEventListener(
      "paste",
      (event) => {
        event.preventDefault();
        event.stopImmediatePropagation();
        this.paste(event.clipboardData?.getData("text/plain") ?? "");
      },
      true,
    );
    // Tab belongs to the program; Ctrl+Alt+Shift is the way out for the keyboard.
    area.addEventListener("keydown", (event) => event.key === "Tab" && event.preventDefault(), true);
    this.#terminal.attachCustomKeyEventHandler((event) => this.#key(event));
  }

  /** False for keys that are not for the program. */
  #key(event: KeyboardEvent): boolean {
    if (event.ctrlKey && event.altKey && event.shiftKey) return false;
    if (!event.ctrlKey || !event.shiftKey || event.altKey || event.metaKey) return true;
    if (event.code === "KeyV") return false; // The browser pastes, and the paste filter takes it from there.
    if (event.code !== "KeyC" || this.selection() === "") return true;
    event.preventDefault();
    if (event.type === "keydown") void navigator.clipboard?.writeText(this.selection()).catch(() => undefined);
    return false;
  }
}

/** Whether a cell written in a 24-bit colour still has it. */
function keepsTruecolor(terminal: Terminal): boolean {
  const cell = terminal.buffer.active.getLine(0)?.getCell(0);
  return cell?.isFgRGB() === true && cell.getFgColor() === 0x010203;
}
