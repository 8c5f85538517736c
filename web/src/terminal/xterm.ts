/** The terminal engine: xterm.js behind {@link TerminalView}. Loaded on demand, with its style sheet. */
import { FitAddon } from "@xterm/addon-fit";
import { ImageAddon } from "@xterm/addon-image";
import { SearchAddon } from "@xterm/addon-search";
import { UnicodeGraphemesAddon } from "@xterm/addon-unicode-graphemes";
import { WebLinksAddon } from "@xterm/addon-web-links";
import { Terminal } from "@xterm/xterm";
import "@xterm/xterm/css/xterm.css";
import type { Bytes } from "../core/bytes.ts";
import { utf8 } from "../core/bytes.ts";
import type { EngineCapabilities, Selected } from "../core/terminal/capabilities.ts";
import type { TerminalSize } from "../core/terminal/client.ts";
import { SCROLLBACK_LINES } from "../core/terminal/shell.ts";
import { isDark } from "../ui/theme.ts";
import { guardOutput } from "./guard.ts";
import { pasteText, safeLink, titleText } from "./policy.ts";
import { Prediction } from "./predict.ts";
import { probe } from "./probe.ts";
import { selectedText } from "./selection.ts";
import { strictDocument } from "./strict-document.ts";
import { contrastRatio, matchColours, terminalTheme } from "./theme.ts";
import { Typing } from "./typing.ts";
import type { Look, RowKey, Sticky, TerminalView, TerminalViewEvents } from "./view.ts";

/** Pixels of one image; larger ones are not drawn. */
const IMAGE_PIXELS_MAX = 4 * 1024 * 1024;
/** Megabytes of images kept per terminal; the oldest go first. */
const IMAGE_STORE_MB = 32;
/** Bytes of one image sequence; longer ones are dropped. */
const IMAGE_BYTES_MAX = 8 * 1024 * 1024;
/** Matches of a search that are marked; more are counted but not marked. */
const MATCHES_MAX = 1_000;
/** Letters of a terminal that somebody else sized get no smaller than this, in pixels: it is seen whole, and enlarged by pinching. */
const FONT_SIZE_MIN = 1;
/** Room for the scroll bar beside the columns, in pixels. */
const SCROLLBAR = 14;

export class XtermView implements TerminalView {
  readonly #terminal: Terminal;
  readonly #fit = new FitAddon();
  readonly #search = new SearchAddon({ highlightLimit: MATCHES_MAX });
  readonly #images = new ImageAddon({
    enableSizeReports: false,
    pixelLimit: IMAGE_PIXELS_MAX,
    storageLimit: IMAGE_STORE_MB,
    sixelSizeLimit: IMAGE_BYTES_MAX,
    iipSizeLimit: IMAGE_BYTES_MAX,
    kittySizeLimit: IMAGE_BYTES_MAX,
  });
  #typing: Typing | null = null;
  /** Missing where it cannot be loaded: then the echo is waited for. */
  #prediction: Prediction | null = null;
  #probing: string | null = "";
  #clipboard = false;
  #enabled = true;

  constructor(
    private readonly events: TerminalViewEvents,
    private look: Look,
  ) {
    this.#terminal = new Terminal({
      allowProposedApi: true,
      documentOverride: strictDocument(document),
      cursorBlink: false,
      fontFamily: look.fontFamily,
      fontSize: look.fontSizePx,
      lineHeight: 1.15,
      linkHandler: { activate: (_, uri) => this.#link(uri), hover: (_, uri) => this.#pointed(uri), leave: () => events.pointed(null), allowNonHttpProtocols: true },
      macOptionIsMeta: false,
      minimumContrastRatio: contrastRatio(look.theme),
      rescaleOverlappingGlyphs: true,
      screenReaderMode: look.screenReader,
      scrollback: SCROLLBACK_LINES,
      theme: terminalTheme(look.theme, isDark()),
      vtExtensions: { kittyKeyboard: true },
    });
  }

  get bracketsPaste(): boolean {
    return this.#terminal.modes.bracketedPasteMode;
  }

  async open(parent: HTMLElement): Promise<EngineCapabilities> {
    const terminal = this.#terminal;
    terminal.loadAddon(this.#fit);
    terminal.loadAddon(this.#search);
    terminal.loadAddon(new UnicodeGraphemesAddon());
    terminal.loadAddon(new WebLinksAddon((_, uri) => this.#link(uri), { hover: (_, uri) => this.#pointed(uri), leave: () => this.events.pointed(null) }));
    terminal.open(parent);
    terminal.loadAddon(this.#images);
    guardOutput(terminal, { clipboard: (content) => this.#clipboard && this.events.clipboard(content), progress: (percent) => this.events.progress(percent), folder: (path) => this.events.folder(path) });
    if (terminal.textarea) {
      this.#typing = new Typing(terminal.textarea, parent, {
        text: (content) => this.#typed(content),
        pasted: (content) => this.#enabled && this.events.pasted(content),
        selected: () => this.selection(),
        modifiersUsed: () => this.events.modifiersUsed(),
      });
    }
    terminal.attachCustomKeyEventHandler((event) => this.#key(event));
    terminal.onData((data) => this.#bytes(utf8(data)));
    terminal.onBinary((data) => this.#bytes(Uint8Array.from(data, (character) => character.charCodeAt(0) & 0xff)));
    terminal.onTitleChange((title) => this.events.title(titleText(title)));
    terminal.onBell(() => this.events.bell());
    this.#search.onDidChangeResults(({ resultIndex, resultCount }) => this.events.found(resultIndex + 1, resultCount));
    const capabilities = await this.#probe();
    this.#prediction = await Prediction.open(terminal).catch(() => null);
    terminal.reset();
    this.#probing = null;
    return capabilities;
  }

  select(selected: Selected): void {
    this.#clipboard = selected.osc52;
    this.#terminal.options.vtExtensions = { kittyKeyboard: selected.kittyLevel > 0 };
    // What was not selected is not drawn: the server sends something in its place.
    if (!selected.graphics && !selected.sixel) this.#images.dispose();
  }

  write(bytes: Bytes, done: () => void): void {
    this.#terminal.write(bytes, () => {
      this.#prediction?.parsed();
      done();
    });
  }

  joined(applied: number | undefined, pending: number): void {
    // Who acknowledges no input cannot confirm a prediction either.
    this.#prediction?.setPreference(applied === undefined ? "never" : "adaptive");
    this.#prediction?.restart(applied ?? 0, pending);
  }

  sent(bytes: Uint8Array): void {
    this.#prediction?.typed(bytes);
  }

  applied(offset: number): void {
    this.#prediction?.acknowledged(offset);
  }

  setLink(rttMs: number): void {
    this.#prediction?.setLink(rttMs);
  }

  setMode(bits: number): void {
    this.#prediction?.setMode(bits);
  }

  fit(): TerminalSize {
    if (this.#terminal.options.fontSize !== this.look.fontSizePx) this.#terminal.options.fontSize = this.look.fontSizePx;
    this.#fit.fit();
    const screen = this.#screen;
    return {
      rows: this.#terminal.rows,
      cols: this.#terminal.cols,
      widthPx: Math.round(screen?.width ?? 0),
      heightPx: Math.round(screen?.height ?? 0),
    };
  }

  fix(rows: number, cols: number): void {
    const terminal = this.#terminal;
    if (terminal.rows !== rows || terminal.cols !== cols) terminal.resize(cols, rows);
    terminal.options.fontSize = this.look.fontSizePx;
    const [space, screen] = [terminal.element?.parentElement?.getBoundingClientRect(), this.#screen];
    if (!space || !screen || screen.width === 0 || screen.height === 0) return;
    const scale = Math.min(1, space.width / (screen.width + SCROLLBAR), space.height / screen.height);
    // Whole and half pixels only: letters in between are blurred. Cells are whole pixels of the screen, so small letters
    // may need more room than their share.
    let size = Math.floor(this.look.fontSizePx * scale * 2) / 2;
    do {
      terminal.options.fontSize = Math.max(FONT_SIZE_MIN, size);
      size -= 0.5;
    } while (size >= FONT_SIZE_MIN && !this.#fitsInto(space));
  }

  focus(): void {
    this.#terminal.focus();
  }

  selection(): string {
    return selectedText(this.#terminal);
  }

  everything(): string {
    const buffer = this.#terminal.buffer.active;
    let text = "";
    for (let place = 0; place < buffer.length; place += 1) {
      const line = buffer.getLine(place);
      text += `${place === 0 || line?.isWrapped ? "" : "\n"}${line?.translateToString(true) ?? ""}`;
    }
    return text.trimEnd();
  }

  get cells(): { rows: number; cols: number } {
    return { rows: this.#terminal.rows, cols: this.#terminal.cols };
  }

  pasteBytes(content: string): Uint8Array {
    this.#terminal.scrollToBottom();
    return utf8(pasteText(content, this.bracketsPaste));
  }

  press(key: RowKey): void {
    this.#typing?.press(key);
  }

  setSticky(sticky: Sticky): void {
    this.#typing?.setSticky(sticky);
  }

  search(term: string, direction: "next" | "previous" | "here"): void {
    if (term === "") {
      this.#search.clearDecorations();
      this.#terminal.clearSelection();
      this.events.found(0, 0);
      return;
    }
    // While a term is typed the newest match is shown: what one looks for is above, and the last one is nearest.
    if (direction === "here") this.#terminal.clearSelection();
    const options = { decorations: matchColours(this.look.theme, isDark()) };
    const found = direction === "next" ? this.#search.findNext(term, options) : this.#search.findPrevious(term, options);
    if (!found) this.events.found(0, 0);
  }

  setLook(look: Look): void {
    this.look = look;
    const { options } = this.#terminal;
    options.theme = terminalTheme(look.theme, isDark());
    options.minimumContrastRatio = contrastRatio(look.theme);
    options.fontFamily = look.fontFamily;
    options.fontSize = look.fontSizePx;
    options.screenReaderMode = look.screenReader;
  }

  setInputEnabled(enabled: boolean): void {
    this.#enabled = enabled;
    this.#terminal.options.disableStdin = !enabled;
    this.#terminal.options.cursorInactiveStyle = enabled ? "outline" : "none";
  }

  dispose(): void {
    // An engine that is gone before it has answered proves nothing.
    if (this.#probing !== null) proven = null;
    this.#prediction?.dispose();
    this.#terminal.dispose();
  }

  get #screen(): DOMRect | undefined {
    return this.#terminal.element?.querySelector(".xterm-screen")?.getBoundingClientRect();
  }

  #fitsInto(space: DOMRect): boolean {
    const screen = this.#screen;
    return !screen || (screen.width + SCROLLBAR <= space.width && screen.height <= space.height);
  }

  /** One engine answers like another, so only the first of a page is asked. */
  #probe(): Promise<EngineCapabilities> {
    const terminal = this.#terminal;
    proven ??= probe({
      write: (query, done) => terminal.write(query, done),
      take: () => {
        const answer = this.#probing ?? "";
        this.#probing = "";
        return answer;
      },
      truecolor: () => keepsTruecolor(terminal),
      unicodeVersion: /^\d+(\.\d+)*/.exec(terminal.unicode.activeVersion)?.[0] ?? "6",
    });
    return proven;
  }

  #typed(content: string): void {
    if (!this.#enabled) return;
    this.#terminal.scrollToBottom();
    this.#bytes(utf8(content));
  }

  #bytes(bytes: Uint8Array): void {
    if (this.#probing !== null) this.#probing += String.fromCharCode(...bytes);
    else if (this.#enabled) this.events.bytes(bytes);
  }

  #link(uri: string): void {
    const url = safeLink(uri);
    if (url !== null) this.events.link(url);
  }

  #pointed(uri: string): void {
    this.events.pointed(safeLink(uri) ?? "This link is of a kind that is not opened.");
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

/** What the engine of this page has answered. */
let proven: Promise<EngineCapabilities> | null = null;

/** Whether a cell written in a 24-bit colour still has it. */
function keepsTruecolor(terminal: Terminal): boolean {
  const cell = terminal.buffer.active.getLine(0)?.getCell(0);
  return cell?.isFgRGB() === true && cell.getFgColor() === 0x010203;
}
