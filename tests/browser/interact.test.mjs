// Taking over: what is pressed in the page is what the program gets.

import assert from 'node:assert/strict';
import test from 'node:test';
import { driving, near } from './driving.mjs';
import { until } from './harness.mjs';

const [BTN_LEFT, BTN_RIGHT, BTN_MIDDLE, BTN_SIDE, BTN_EXTRA] = [0x110, 0x111, 0x112, 0x113, 0x114];

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

test('all five buttons of a mouse arrive, also those that leave a page', async (t) => {
  const { viewer, of } = await driving(t);
  const { x, y } = await viewer.at(300, 200);
  const cdp = await viewer.context.newCDPSession(viewer.page);
  const kinds = [['left', 1], ['right', 2], ['middle', 4], ['back', 8], ['forward', 16]];
  for (const [button, buttons] of kinds) {
    await cdp.send('Input.dispatchMouseEvent', { type: 'mousePressed', x, y, button, buttons, clickCount: 1 });
    await cdp.send('Input.dispatchMouseEvent', { type: 'mouseReleased', x, y, button, buttons: 0, clickCount: 1 });
  }
  await until('five clicks', () => of('button').length === 10);
  const expected = [BTN_LEFT, BTN_RIGHT, BTN_MIDDLE, BTN_SIDE, BTN_EXTRA].flatMap((code) => [[code, true], [code, false]]);
  assert.deepEqual(of('button').map((each) => [each.code, each.down]), expected);
  assert.equal(await viewer.hook('state'), 'connected', 'the page stays');
});

test('buttons that are held together arrive one by one', async (t) => {
  const { viewer, of } = await driving(t);
  await viewer.moveTo(300, 200);
  const steps = [['down', 'left'], ['down', 'right'], ['down', 'middle'], ['up', 'right'], ['up', 'left'], ['up', 'middle']];
  for (const [index, [way, button]] of steps.entries()) {
    await viewer.page.mouse[way]({ button });
    await until(`step ${index}`, () => of('button').length === index + 1);
  }
  const codes = { left: BTN_LEFT, right: BTN_RIGHT, middle: BTN_MIDDLE };
  assert.deepEqual(of('button').map((each) => [each.down ? 'down' : 'up', each.code]), steps.map(([way, button]) => [way, codes[button]]));
});

test('parts of a notch arrive on both axes', async (t) => {
  const { viewer, of } = await driving(t);
  await viewer.moveTo(300, 200);
  await until('the pointer', () => of('enter', 'motion').length > 0);
  for (let step = 0; step < 6; step++) await viewer.page.mouse.wheel(-5, 7);
  const sum = (kind, vertical) => of(kind).filter((each) => each.vertical === vertical).reduce((all, each) => all + each.value, 0);
  await until('the wheel', () => sum('axis120', true) >= 42 && sum('axis120', false) <= -30);
  assert.deepEqual([sum('axis120', true), sum('axis120', false)], [42, -30]);
  assert.deepEqual([sum('axis', true), sum('axis', false)].map((value) => Math.round(value * 8)), [42, -30], 'in the units of programs, too');
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
