/** What of the terminal is selected, as a person sees it. */
import type { IBufferCell, Terminal } from "@xterm/xterm";
import { copyText } from "./policy.ts";

/** The part of an engine that is read. */
export type Selectable = Pick<Terminal, "buffer" | "getSelection" | "getSelectionPosition">;

/** The selected text without what the program concealed: nobody copies what cannot be seen. */
export function selectedText(terminal: Selectable): string {
  const range = terminal.getSelectionPosition();
  const lines = range ? cellsOf(terminal, range) : [];
  const conceals = lines.some(({ cells }) => cells.some((cell) => cell.concealed));
  if (!conceals) return copyText(terminal.getSelection());
  const text = lines.map(({ cells, wrapped }, place) => {
    const seen = cells.map((cell) => (cell.concealed ? "" : cell.text)).join("");
    return `${place === 0 || wrapped ? "" : "\n"}${seen.trimEnd()}`;
  });
  return copyText(text.join(""));
}

interface Cell {
  text: string;
  concealed: boolean;
}

function cellsOf(terminal: Selectable, { start, end }: { start: { x: number; y: number }; end: { x: number; y: number } }): { cells: Cell[]; wrapped: boolean }[] {
  const buffer = terminal.buffer.active;
  const lines: { cells: Cell[]; wrapped: boolean }[] = [];
  let reused: IBufferCell | undefined;
  for (let row = start.y; row <= end.y; row += 1) {
    const line = buffer.getLine(row);
    const cells: Cell[] = [];
    const last = row === end.y ? end.x : (line?.length ?? 0);
    for (let col = row === start.y ? start.x : 0; col < last; col += 1) {
      reused = line?.getCell(col, reused);
      if (!reused || reused.getWidth() === 0) continue;
      cells.push({ text: reused.getChars() || " ", concealed: reused.isInvisible() !== 0 });
    }
    lines.push({ cells, wrapped: line?.isWrapped === true });
  }
  return lines;
}
