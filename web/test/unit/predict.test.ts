import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { IBuffer, IBufferCell, IBufferLine } from "@xterm/xterm";
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { utf8 } from "../../src/core/bytes.ts";
import type { PredictedTerminal } from "../../src/terminal/predict.ts";
import { Prediction } from "../../src/terminal/predict.ts";
import type { PredictedCell } from "../../src/terminal/prediction-overlay.ts";

const MODULE = fileURLToPath(new URL("../../src/terminal/predict.wasm", import.meta.url));
const RAW = 0;
const PASSWORD = 2;
const ROUND_TRIP_MS = 100;

/** A screen that a test writes on. */
class Screen {
  readonly rows = 24;
  readonly cols = 80;
  readonly modes = { showCursor: true } as PredictedTerminal["modes"];
  readonly lines: [text: string, width: number][][] = Array.from({ length: 24 }, () => []);
  cursor = { row: 0, col: 0 };
  readonly buffer = { active: this.#buffer() } as PredictedTerminal["buffer"];

  show(text: string): void {
    for (const character of text) {
      const width = character >= "\u1100" ? 2 : 1;
      const line = this.lines[this.cursor.row] ?? [];
      line[this.cursor.col] = [character, width];
      if (width === 2) line[this.cursor.col + 1] = ["", 0];
      this.cursor.col += width;
    }
  }

  write(_: string | Uint8Array, done?: () => void): void {
    done?.();
  }

  #buffer(): IBuffer {
    const screen = this;
    return {
      type: "normal",
      baseY: 100,
      viewportY: 100,
      length: 124,
      get cursorX() {
        return screen.cursor.col;
      },
      get cursorY() {
        return screen.cursor.row;
      },
      getLine: (y: number) => line(screen.lines[y - 100] ?? []),
      getNullCell: () => cell(undefined),
    };
  }
}

function line(cells: [string, number][]): IBufferLine {
  return { isWrapped: false, length: 80, getCell: (col: number) => cell(cells[col]) } as unknown as IBufferLine;
}

function cell(content: [string, number] | undefined): IBufferCell {
  return { getChars: () => content?.[0] ?? "", getWidth: () => content?.[1] ?? 1 } as unknown as IBufferCell;
}

let module: WebAssembly.Module;
let screen: Screen;
let drawn: { cells: readonly PredictedCell[]; cursor: { row: number; col: number } | null };
let prediction: Prediction;
let sent: number;

beforeAll(async () => {
  if (!existsSync(MODULE)) throw new Error("src/terminal/predict.wasm is missing; run packaging/build-predict.sh");
  module = await WebAssembly.compile(readFileSync(MODULE));
});

beforeEach(async () => {
  vi.useFakeTimers();
  vi.clearAllTimers();
  screen = new Screen();
  drawn = { cells: [], cursor: null };
  sent = 0;
  const view = { draw: (cells: readonly PredictedCell[], cursor: { row: number; col: number } | null) => (drawn = { cells, cursor }), dispose: () => undefined };
  prediction = await Prediction.start(module, screen, view, () => Date.now());
  screen.show("$ ");
  prediction.setLink(ROUND_TRIP_MS);
  prediction.setMode(RAW);
});

afterEach(() => {
  vi.useRealTimers();
});

function type(text: string): void {
  sent += utf8(text).length;
  prediction.typed(utf8(text));
}

/** The server answers what was typed, and shows this. */
function answer(text: string): void {
  vi.advanceTimersByTime(ROUND_TRIP_MS);
  prediction.acknowledged(sent);
  screen.show(text);
  prediction.parsed();
}

function texts(): string[] {
  return drawn.cells.map((cell) => `${cell.row}:${cell.col}:${cell.text}`);
}

describe("prediction", () => {
  test("nothing is shown before the first echo, and everything after it", () => {
    type("a");
    expect(texts()).toEqual([]);
    answer("a");
    type("b");
    type("漢");
    expect(texts()).toEqual(["0:3:b", "0:4:漢"]);
    expect(drawn.cells.map((cell) => [cell.columns, cell.underline])).toEqual([
      [1, true],
      [2, true],
    ]);
    expect(drawn.cursor).toEqual({ row: 0, col: 6 });
    answer("b漢");
    expect(drawn).toEqual({ cells: [], cursor: null });
  });

  test("what is not echoed is taken back without new output", () => {
    type("a");
    answer("a");
    type("x");
    expect(texts()).toEqual(["0:3:x"]);
    answer("");
    expect(texts()).toEqual(["0:3:x"]);
    vi.advanceTimersByTime(50 + ROUND_TRIP_MS + 2);
    expect(drawn).toEqual({ cells: [], cursor: null });
    vi.advanceTimersByTime(60_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("while a password is read nothing is shown", () => {
    type("a");
    answer("a");
    prediction.setMode(PASSWORD);
    type("secret");
    expect(texts()).toEqual([]);
    answer("");
    prediction.setMode(RAW);
    expect(texts()).toEqual([]);
  });

  test("text inside a line moves, and an erased cell is drawn blank", () => {
    type("a");
    answer("a");
    type("bc");
    answer("bc");
    type("\x1b[D");
    expect(drawn.cursor).toEqual({ row: 0, col: 4 });
    type("X");
    expect(texts()).toEqual(["0:4:X", "0:5:c"]);
    type("\x7f");
    expect(texts()).toEqual([]);
    type("\x7f");
    expect(texts()).toEqual(["0:3:c", "0:4: "]);
  });

  test("a terminal that was joined starts over, with what is sent again", () => {
    type("a");
    answer("a");
    type("b");
    prediction.restart(1, 1);
    expect(texts()).toEqual([]);
    answer("b");
    vi.advanceTimersByTime(1_000);
    type("c");
    answer("c");
    type("d");
    expect(texts()).toEqual(["0:5:d"]);
  });

  test("a large paste is counted and not shown", () => {
    type("a");
    answer("a");
    type("x".repeat(10_000));
    expect(texts()).toEqual([]);
    prediction.acknowledged(10_001);
    vi.advanceTimersByTime(1_000);
    screen.cursor = { row: 5, col: 0 };
    type("b");
    answer("b");
    type("c");
    expect(texts()).toEqual(["5:1:c"]);
  });

  test("a hidden cursor is not typed at", () => {
    (screen.modes as { showCursor: boolean }).showCursor = false;
    type("a");
    answer("a");
    type("b");
    expect(texts()).toEqual([]);
  });

  test("never means never, and an end is an end", () => {
    type("a");
    answer("a");
    prediction.setPreference("never");
    type("b");
    expect(texts()).toEqual([]);
    prediction.setPreference("adaptive");
    prediction.dispose();
    type("c");
    prediction.parsed();
    expect(vi.getTimerCount()).toBe(0);
  });
});
