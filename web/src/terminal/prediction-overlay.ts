/** Predicted cells and the predicted cursor, drawn over the terminal in its font, size and colours. */
import type { IDisposable, Terminal } from "@xterm/xterm";

/** A cell to draw. */
export interface PredictedCell {
  readonly row: number;
  readonly col: number;
  readonly text: string;
  /** Columns that it covers. */
  readonly columns: number;
  /** Marked as a guess. */
  readonly underline: boolean;
}

/** Colours of a terminal whose theme leaves them out, as the engine has them. */
const FOREGROUND = "#ffffff";
const BACKGROUND = "#000000";

export class PredictionOverlay {
  readonly #layer = document.createElement("div");
  readonly #listening: IDisposable[] = [];
  #cells: readonly PredictedCell[] = [];
  #cursor: { row: number; col: number } | null = null;

  constructor(private readonly terminal: Terminal) {
    const { style } = this.#layer;
    this.#layer.setAttribute("aria-hidden", "true");
    this.#layer.className = "predictions";
    style.position = "absolute";
    style.inset = "0";
    style.overflow = "hidden";
    style.pointerEvents = "none";
    style.zIndex = "5";
    terminal.element?.querySelector(".xterm-screen")?.append(this.#layer);
    // The screen moves under the predictions when it is scrolled, and changes its size with the font.
    this.#listening.push(terminal.onRender(() => this.#layer.firstChild && this.#place()));
  }

  /** Draws these cells and nothing else; a cursor of null leaves the engine's own as it is. */
  draw(cells: readonly PredictedCell[], cursor: { row: number; col: number } | null): void {
    this.#cells = cells;
    this.#cursor = cursor;
    this.#place();
  }

  dispose(): void {
    for (const listener of this.#listening) listener.dispose();
    this.#layer.remove();
  }

  #place(): void {
    const { terminal } = this;
    const { active } = terminal.buffer;
    const screen = this.#layer.parentElement;
    // Whoever looks at earlier lines does not see the cursor's.
    if (!screen || active.viewportY !== active.baseY || (this.#cells.length === 0 && !this.#cursor)) {
      this.#layer.replaceChildren();
      return;
    }
    const width = screen.clientWidth / terminal.cols;
    const height = screen.clientHeight / terminal.rows;
    const { fontFamily, fontSize, theme } = terminal.options;
    this.#layer.style.font = `${fontSize ?? 15}px/${height}px ${fontFamily ?? "monospace"}`;
    const colours = { foreground: theme?.foreground ?? FOREGROUND, background: theme?.background ?? BACKGROUND, cursor: theme?.cursor ?? theme?.foreground ?? FOREGROUND };
    const spans = this.#cells.map((cell) => span(cell, width, height, colours));
    const cursor = this.#cursor;
    if (cursor) {
      // The engine's cursor is where the echo is; what is predicted stands there now, or what the screen has.
      const [row, col] = [active.cursorY, Math.min(active.cursorX, terminal.cols - 1)];
      if (!this.#cells.some((cell) => cell.row === row && cell.col <= col && col < cell.col + cell.columns)) {
        const line = active.getLine(active.baseY + row)?.getCell(col);
        const cell = { row, col, text: line?.getChars() ?? "", columns: Math.max(1, line?.getWidth() ?? 1), underline: false };
        spans.push(span(cell, width, height, colours));
      }
      spans.push(this.#caret(cursor, width, height, colours.cursor));
    }
    this.#layer.replaceChildren(...spans);
  }

  #caret(cursor: { row: number; col: number }, width: number, height: number, colour: string): HTMLElement {
    const element = document.createElement("div");
    element.className = "prediction-cursor";
    const { style } = element;
    style.position = "absolute";
    style.left = `${Math.min(cursor.col, this.terminal.cols - 1) * width}px`;
    style.top = `${cursor.row * height}px`;
    style.width = `${width}px`;
    style.height = `${height}px`;
    // As the engine draws its own.
    if (document.activeElement === this.terminal.textarea) {
      style.background = colour;
      style.opacity = "0.75";
    } else {
      style.outline = `1px solid ${colour}`;
      style.outlineOffset = "-1px";
    }
    return element;
  }
}

function span(cell: PredictedCell, width: number, height: number, colours: { foreground: string; background: string }): HTMLElement {
  const element = document.createElement("div");
  element.className = "prediction";
  element.textContent = cell.text;
  const { style } = element;
  style.position = "absolute";
  style.left = `${cell.col * width}px`;
  style.top = `${cell.row * height}px`;
  style.width = `${cell.columns * width}px`;
  style.height = `${height}px`;
  style.overflow = "hidden";
  style.whiteSpace = "pre";
  style.color = colours.foreground;
  style.background = colours.background;
  if (cell.underline) style.textDecoration = "underline";
  return element;
}
