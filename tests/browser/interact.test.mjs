// Taking over: what is pressed in the page is what the program gets.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { Daemon, PROBE, browser, probeLog, scratch, until } from './harness.mjs';
import { Viewer } from './page.mjs';

const [BTN_LEFT, BTN_RIGHT, BTN_MIDDLE] = [0x110, 0x111, 0x112];

async function driving(t, { query } = {}) {
  const log = join(scratch(t), 'probe.jsonl');
  const daemon = await Daemon.start(t, { args: ['--size', '1280x720'], command: [PROBE, '--log', log] });
  await until('the probe to be focused', () => probeLog(log).some((each) => each.event === 'focus'));
  const viewer = await Viewer.open(t, await browser(t), daemon, { query });
  await viewer.setMode('interact');
  return { daemon, viewer, log: () => probeLog(log), of: (...kinds) => probeLog(log).filter((each) => kinds.includes(each.event)) };
}

/** Wayland tells positions in 1/256 px, the wire in whole ones. */
const near = (event, x, y) => Math.abs(event.x - x) <= 1.5 && Math.abs(event.y - y) <= 1.5;

test('buttons, drags and the wheel arrive where they were made', async (t) => {
  const { viewer, of } = await driving(t);
  await viewer.moveTo(300, 200);
  await until('the motion', () => of('motion', 'enter').some((each) => near(each, 300, 200)));
  for (const button of ['left', 'middle', 'right']) {
    await viewer.page.mouse.down({ button });
    await viewer.page.mouse.up({ button });
  }
  await until('three clicks', () => of('button').length === 6);
  assert.deepEqual(of('button').map((each) => [each.code, each.down]), [
    [BTN_LEFT, true], [BTN_LEFT, false], [BTN_MIDDLE, true], [BTN_MIDDLE, false], [BTN_RIGHT, true], [BTN_RIGHT, false],
  ]);

  await viewer.page.mouse.down();
  for (const [x, y] of [[320, 220], [400, 300], [500, 350]]) await viewer.moveTo(x, y);
  await viewer.page.mouse.up();
  await until('the end of the drag', () => of('button').length === 8);
  const events = of('button', 'motion');
  const press = events.findLastIndex((each) => each.event === 'button' && each.down);
  const release = events.findLastIndex((each) => each.event === 'button' && !each.down);
  const between = events.slice(press + 1, release);
  assert.ok(between.some((each) => near(each, 500, 350)), `the drag ends where it was let go: ${JSON.stringify(between)}`);

  await viewer.page.mouse.wheel(0, 120);
  await viewer.page.mouse.wheel(0, -240);
  await viewer.page.mouse.wheel(60, 0);
  await until('the wheel', () => of('axis120').reduce((sum, each) => sum + Math.abs(each.value), 0) >= 420);
  const turned = (vertical, sign) => of('axis120').filter((each) => each.vertical === vertical && Math.sign(each.value) === sign).reduce((sum, each) => sum + each.value, 0);
  assert.deepEqual([turned(true, 1), turned(true, -1), turned(false, 1)], [120, -240, 60]);
});

test('input shows in the picture', async (t) => {
  const { viewer } = await driving(t);
  const before = await until('a barcode', () => viewer.barcode().then((code) => code ?? -1).then((code) => code >= 0 && { code }));
  await viewer.page.keyboard.press('a');
  await until('the count of the key', async () => (await viewer.barcode()) >= before.code + 2);
});

test('leaving Interact with keys and buttons held leaves none held', async (t) => {
  const { viewer, of } = await driving(t);
  await viewer.moveTo(640, 360);
  await viewer.page.mouse.down();
  for (const key of ['Shift', 'Control', 'a', 'ArrowLeft']) await viewer.page.keyboard.down(key);
  await until('five held', () => of('key', 'button').filter((each) => each.down).length === 5);
  // The mode is changed by keyboard focus on the page's own control, with everything still down.
  await viewer.page.evaluate(() => document.querySelector('vroom-segments [data-value="view"]').click());
  await viewer.becomes('mode', 'view');
  await until('all released', () => of('key', 'button').filter((each) => !each.down).length >= 5);
  await assertNothingHeld(of);
});

test('a page that goes away leaves nothing held', async (t) => {
  const { viewer, of } = await driving(t);
  await viewer.page.keyboard.down('Shift');
  await viewer.page.keyboard.down('ArrowDown');
  await until('two held', () => of('key').filter((each) => each.down).length === 2);
  await viewer.context.close();
  await until('all released', () => of('key').filter((each) => !each.down).length >= 2);
  await assertNothingHeld(of);
});

test('losing the focus of the window releases what was held', async (t) => {
  const { viewer, of } = await driving(t);
  await viewer.page.keyboard.down('Control');
  await viewer.page.keyboard.down('c');
  await until('two held', () => of('key').filter((each) => each.down).length === 2);
  await viewer.page.evaluate(() => window.dispatchEvent(new Event('blur')));
  await until('all released', () => of('key').filter((each) => !each.down).length >= 2);
  await assertNothingHeld(of);
});

async function assertNothingHeld(of) {
  const held = new Set();
  for (const { event, code, down } of of('key', 'button')) down ? held.add(`${event} ${code}`) : held.delete(`${event} ${code}`);
  assert.deepEqual([...held], []);
  // Wayland tells the modifiers after the key that changed them.
  await until('no modifier to be held', () => of('modifiers').at(-1)?.held === 0);
}
