/**
 * Shows what is typed before its echo arrives: the page's side of the predictor in `client/predict`.
 *
 * The predictor is a module of its own for each terminal. The rows of the screen that it has to look at (the cursor's and
 * those with predictions) pass through its memory, and the cells to draw come back the same way.
 */
import type { IBuffer, IBufferCell, Terminal } from "@xterm/xterm";
import type { PredictedCell } from "./prediction-overlay.ts";
import { PredictionOverlay } from "./prediction-overlay.ts";
import moduleUrl from "./predict.wasm?url";

/** What the module offers; see `client/predict/wasm`. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  exchange(words: number): number;
  set_preference(preference: number): void;
  set_link(rttMs: number): void;
  set_mode(bits: number): void;
  restart(applied: number, sent: number): void;
  set_screen(rows: number, cols: number, cursorRow: number, cursorCol: number): void;
  set_row(row: number): void;
  typed(nowMs: number, bytes: number): void;
  acknowledged(nowMs: number, inputOffset: number): void;
  confirm(nowMs: number): void;
  deadline(): number;
  is_idle(): number;
  rows(): number;
  overlay_cells(): number;
  cursor(): number;
}

/** When predictions are shown; adaptive is when the link is slow enough for them to help. */
export type PredictionPreference = "never" | "adaptive" | "always";

/** What is used of the terminal. */
export type PredictedTerminal = Pick<Terminal, "rows" | "cols" | "buffer" | "modes" | "write">;

/** Where predictions are drawn. */
export interface PredictionView {
  draw(cells: readonly PredictedCell[], cursor: { row: number; col: number } | null): void;
  dispose(): void;
}

const PREFERENCES: readonly PredictionPreference[] = ["never", "adaptive", "always"];
/** Characters of a cell that the module takes; one word each. */
const CELL_WORDS = 4;
/** Words of a cell to draw: row, column, underlined, and the cell. */
const OVERLAY_WORDS = 3 + CELL_WORDS;
const WIDTH_SHIFT = 24;
const CODE_POINT = (1 << WIDTH_SHIFT) - 1;
/** As the row of the cursor: it is hidden. */
const HIDDEN = 0xffff_ffff;
/** Bytes typed at once beyond which the module does not look at them, only counts them. */
const TYPED_MAX = 4096;

let loading: Promise<WebAssembly.Module> | null = null;

/** The module, loaded once for the page. */
function load(): Promise<WebAssembly.Module> {
  loading ??= WebAssembly.compileStreaming(fetch(moduleUrl));
  // A failure is not kept: the next terminal tries again.
  loading.catch(() => (loading = null));
  return loading;
}

export class Prediction {
  #timer: ReturnType<typeof setTimeout> | null = null;
  #disposed = false;
  #drawn = false;
  #cell: IBufferCell | undefined;

  private constructor(
    private readonly terminal: PredictedTerminal,
    private readonly module: Exports,
    private readonly view: PredictionView,
    private readonly now: () => number,
  ) {}

  /** A predictor for a terminal that is open. */
  static async open(terminal: Terminal): Promise<Prediction> {
    return Prediction.start(await load(), terminal, new PredictionOverlay(terminal), () => performance.now());
  }

  /** A predictor of a loaded module. */
  static async start(module: WebAssembly.Module, terminal: PredictedTerminal, view: PredictionView, now: () => number): Promise<Prediction> {
    const instance = await WebAssembly.instantiate(module, {});
    return new Prediction(terminal, instance.exports as unknown as Exports, view, now);
  }

  setPreference(preference: PredictionPreference): void {
    this.module.set_preference(PREFERENCES.indexOf(preference));
    this.parsed();
  }

  /** Takes a measured round trip of the connection; acknowledgements are measured besides. */
  setLink(rttMs: number): void {
    this.module.set_link(rttMs);
  }

  /** Takes the bits of PTY_MODE; nothing is predicted before the first ones. */
  setMode(bits: number): void {
    this.module.set_mode(bits & 0x0f);
    this.#confirm();
  }

  /** Starts over: the terminal was joined, input is applied up to an offset, and `pending` bytes are sent again. */
  restart(applied: number, pending: number): void {
    this.module.restart(applied, applied + pending);
    this.#confirm();
  }

  /** Takes bytes that are sent to the program, all of them and in order. */
  typed(bytes: Uint8Array): void {
    if (this.#disposed) return;
    for (let from = 0; from < bytes.length; from += TYPED_MAX) {
      const part = bytes.subarray(from, from + TYPED_MAX);
      this.#handScreen();
      const address = this.module.exchange(TYPED_MAX / 4);
      new Uint8Array(this.module.memory.buffer, address, part.length).set(part);
      this.module.typed(this.now(), part.length);
    }
    this.#show();
  }

  /** Takes the input offset that the server acknowledged, when the message arrives. */
  acknowledged(inputOffset: number): void {
    // What arrived before it has to be on the screen first.
    this.terminal.write("", () => {
      if (this.#disposed) return;
      this.module.acknowledged(this.now(), inputOffset);
      this.#confirm();
    });
  }

  /** The terminal has parsed output: to be called from its write callback. */
  parsed(): void {
    if (!this.#disposed && (this.#drawn || this.module.is_idle() === 0)) this.#confirm();
  }

  dispose(): void {
    this.#disposed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.view.dispose();
  }

  #confirm(): void {
    if (this.#disposed) return;
    this.#handScreen();
    this.module.confirm(this.now());
    this.#show();
  }

  /** Hands over the rows that the module will look at. */
  #handScreen(): void {
    const { terminal, module } = this;
    const { rows, cols } = terminal;
    const buffer = terminal.buffer.active;
    module.set_screen(rows, cols, terminal.modes.showCursor ? buffer.cursorY : HIDDEN, buffer.cursorX);
    const range = module.rows();
    const predicted = range < 0 ? [] : [range >>> 16, range & 0xffff];
    const first = Math.min(buffer.cursorY, ...predicted);
    // A line that is typed may go on in the next row.
    const last = Math.min(Math.max(buffer.cursorY, ...predicted) + 1, rows - 1);
    for (let row = first; row <= last; row += 1) {
      const address = module.exchange(cols * CELL_WORDS);
      if (address === 0) return;
      this.#writeRow(buffer, row, cols, new Uint32Array(module.memory.buffer, address, cols * CELL_WORDS));
      module.set_row(row);
    }
  }

  #writeRow(buffer: IBuffer, row: number, cols: number, words: Uint32Array): void {
    const line = buffer.getLine(buffer.baseY + row);
    words.fill(0);
    for (let col = 0; col < cols; col += 1) {
      const cell = line?.getCell(col, this.#cell);
      this.#cell ??= cell;
      let place = col * CELL_WORDS;
      const end = place + CELL_WORDS;
      for (const character of cell?.getChars() ?? "") if (place < end) words[place++] = character.codePointAt(0) ?? 0;
      words[col * CELL_WORDS] = (words[col * CELL_WORDS] ?? 0) | ((cell?.getWidth() ?? 1) << WIDTH_SHIFT);
    }
  }

  /** Draws what the module says, and sees to the next deadline. */
  #show(): void {
    const { module } = this;
    const count = module.overlay_cells();
    const at = module.cursor();
    const cursor = at < 0 ? null : { row: at >>> 16, col: at & 0xffff };
    if (count > 0 || cursor || this.#drawn) {
      const words = new Uint32Array(module.memory.buffer, module.exchange(0), count * OVERLAY_WORDS);
      this.view.draw(cellsOf(words), cursor);
      this.#drawn = count > 0 || cursor !== null;
    }
    if (this.#timer !== null) clearTimeout(this.#timer);
    const deadline = module.deadline();
    // The module counts whole milliseconds, rounded down.
    this.#timer = deadline < 0 ? null : setTimeout(() => this.#confirm(), Math.max(0, deadline - this.now()) + 1);
  }
}

function cellsOf(words: Uint32Array): PredictedCell[] {
  const cells: PredictedCell[] = [];
  for (let start = 0; start < words.length; start += OVERLAY_WORDS) {
    const [row = 0, col = 0, underline = 0, ...cell] = words.subarray(start, start + OVERLAY_WORDS);
    const characters = cell.map((word) => word & CODE_POINT).filter((character) => character !== 0);
    cells.push({ row, col, text: String.fromCodePoint(...characters), columns: (cell[0] ?? 0) >>> WIDTH_SHIFT, underline: underline !== 0 });
  }
  return cells;
}
