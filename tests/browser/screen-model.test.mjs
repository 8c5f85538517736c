// The server's model of a screen against another terminal: one terminal reads a whole stream, another one reads a
// snapshot of the model and what comes after it. Both show the same in the end.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import headless from '@xterm/headless';

const FOLDER = fileURLToPath(new URL('../out/streams/', import.meta.url));
const SIZE = { rows: 24, cols: 80, scrollback: 10_000 };

/** A terminal that has read these bytes, one piece after the other. */
async function terminal(...pieces) {
  const engine = new headless.Terminal({ ...SIZE, allowProposedApi: true, vtExtensions: { kittyKeyboard: true } });
  for (const piece of pieces) await new Promise((done) => engine.write(piece, done));
  return engine;
}

/** Everything that tells two terminals apart: lines with their looks, the cursor, the modes, the keyboard flags. */
function state(engine) {
  const core = engine._core;
  const { normal, alternate, active } = engine.buffer;
  return {
    shown: active.type,
    normal: lines(normal, engine.cols),
    alternate: active.type === 'alternate' ? lines(alternate, engine.cols) : [],
    cursor: [active.cursorX, active.cursorY],
    modes: engine.modes,
    hidden: core.coreService.isCursorHidden,
    keyboard: core.coreService.kittyKeyboard,
    region: [core.buffer.scrollTop, core.buffer.scrollBottom],
    charset: core._charsetService?.glevel,
    mouse: [core.mouseStateService?.activeProtocol, core.mouseStateService?.activeEncoding],
    pen: look(core._inputHandler._curAttrData),
  };
}

function lines(buffer, cols) {
  const cell = buffer.getNullCell();
  return Array.from({ length: buffer.length }, (_, at) => {
    const line = buffer.getLine(at);
    const cells = [];
    for (let col = 0; col < cols; col += 1) {
      line.getCell(col, cell);
      if (cell.getWidth() === 0) continue;
      cells.push(`${cell.getChars() || ' '}${look(cell)}`);
    }
    const blank = ` ${look(buffer.getNullCell())}`;
    while (cells.at(-1) === blank) cells.pop();
    return cells.join('');
  });
}

/** How a cell or the pen looks, in a few letters. */
function look(cell) {
  const flags = [
    cell.isBold() && 'b', cell.isDim() && 'd', cell.isItalic() && 'i', cell.isUnderline() && 'u', cell.isBlink() && 'k',
    cell.isInverse() && 'r', cell.isInvisible() && 'h', cell.isStrikethrough() && 's',
  ].filter(Boolean).join('');
  return `<${flags},${cell.getFgColorMode()}:${cell.getFgColor()},${cell.getBgColorMode()}:${cell.getBgColor()}>`
    .replace('<,0:-1,0:-1>', '');
}

/** Where two states differ, in as few words as it takes to find the place. */
function difference(left, right) {
  for (const key of Object.keys(left)) {
    if (!Array.isArray(left[key])) continue;
    const at = left[key].findIndex((line, place) => line !== right[key][place]);
    if (at >= 0 || left[key].length !== right[key].length) {
      return `${key} ${at} of ${left[key].length} and ${right[key].length}:\n- ${left[key][at]}\n+ ${right[key][at]}`;
    }
  }
  return 'settings';
}

const streams = existsSync(FOLDER)
  ? readdirSync(FOLDER).filter((name) => name.endsWith('.stream')).map((name) => name.slice(0, -'.stream'.length))
  : [];

test('there are streams to compare', () => {
  assert.ok(
    streams.length >= 10,
    `no streams in ${FOLDER}: run cargo run -p vroom-terminal --example screen_streams -- ${FOLDER}`,
  );
});

for (const name of streams) {
  test(`a snapshot of ${name} shows what the stream shows`, async () => {
    const stream = readFileSync(`${FOLDER}${name}.stream`);
    const whole = state(await terminal(stream));
    const cuts = readdirSync(FOLDER)
      .map((file) => file.match(/^(.+)\.(\d+)\.snapshot$/))
      .filter((match) => match?.[1] === name)
      .map((match) => Number(match[2]))
      .sort((left, right) => left - right);
    assert.ok(cuts.length > 10, `${cuts.length} cuts`);
    for (const cut of cuts) {
      const snapshot = readFileSync(`${FOLDER}${name}.${cut}.snapshot`);
      const other = state(await terminal(snapshot, stream.subarray(cut)));
      assert.deepEqual(other, whole, `cut at ${cut}: ${difference(whole, other)}`);
    }
  });
}
