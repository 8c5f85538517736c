// Fingers and pens: a program gets them with all that the browser knows of them.

import assert from 'node:assert/strict';
import test from 'node:test';
import { driving, near } from './driving.mjs';
import { until } from './harness.mjs';

const [BTN_LEFT, BTN_RIGHT] = [0x110, 0x111];
const [BTN_STYLUS, BTN_STYLUS2] = [0x14b, 0x14c];
/** Buttons of a mouse as the browser counts them, which are those of a pen. */
const [TIP, LOWER, UPPER] = [1, 2, 4];

/** A pen in the person's hand. */
async function penOf(viewer) {
  const cdp = await viewer.context.newCDPSession(viewer.page);
  const say = async (type, x, y, more) => {
    const place = await viewer.at(x, y);
    await cdp.send('Input.dispatchMouseEvent', { type, ...place, pointerType: 'pen', ...more });
  };
  return {
    hover: (x, y, how = {}) => say('mouseMoved', x, y, { button: 'none', buttons: 0, ...how }),
    draw: (x, y, how = {}) => say('mouseMoved', x, y, { button: 'none', buttons: TIP, force: 0.5, ...how }),
    press: (x, y, how = {}) => say('mousePressed', x, y, { button: 'left', buttons: TIP, force: 0.5, clickCount: 1, ...how }),
    lift: (x, y, how = {}) => say('mouseReleased', x, y, { button: 'left', buttons: 0, force: 0, clickCount: 1, ...how }),
    /** Away from the picture. */
    leave: () => cdp.send('Input.dispatchMouseEvent', { type: 'mouseMoved', x: 3, y: 3, pointerType: 'pen', button: 'none', buttons: 0 }),
  };
}

/** What the probe's tools were told, put together as they would be by a program. */
function tools(lines) {
  const state = { near: false, down: false, buttons: [], x: null, y: null, pressure: null, tilt: null, rotation: null };
  const seen = [];
  for (const line of lines) {
    if (line.what === 'in') state.near = true;
    else if (line.what === 'out') state.near = false;
    else if (line.what === 'down') state.down = true;
    else if (line.what === 'up') state.down = false;
    else if (line.what === 'motion') [state.x, state.y] = [line.x, line.y];
    else if (line.what === 'tilt') state.tilt = [line.x, line.y];
    else if (line.what === 'pressure' || line.what === 'rotation') state[line.what] = line.value;
    else if (line.what === 'button') state.buttons = line.down ? [...state.buttons, line.code] : state.buttons.filter((code) => code !== line.code);
    else if (line.what === 'frame') seen.push({ tool: line.tool, ...structuredClone(state) });
  }
  return seen;
}

test('two fingers arrive with their places, each by its number', async (t) => {
  const { viewer, of } = await driving(t, { context: { hasTouch: true } });
  const cdp = await viewer.context.newCDPSession(viewer.page);
  const touch = async (type, ...points) => {
    const touchPoints = await Promise.all(points.map(async ([id, x, y]) => ({ id, force: 0.5, ...(await viewer.at(x, y)) })));
    await cdp.send('Input.dispatchTouchEvent', { type, touchPoints });
  };
  const down = (count) => {
    if (of('touch').length === count) return true;
    throw new Error(JSON.stringify(of('touch', 'touchmove', 'touchup', 'button')));
  };
  await touch('touchStart', [1, 200, 100]);
  await until('a finger', () => down(1));
  await touch('touchStart', [1, 200, 100], [2, 600, 500]);
  await until('two fingers', () => down(2));
  const [first, second] = of('touch');
  assert.ok(near(first, 200, 100) && near(second, 600, 500), JSON.stringify([first, second]));
  assert.notEqual(first.id, second.id);

  await touch('touchMove', [1, 240, 140], [2, 560, 460]);
  await until('both moved', () => of('touchmove').some((each) => each.id === first.id) && of('touchmove').some((each) => each.id === second.id));
  assert.ok(near(of('touchmove').findLast((each) => each.id === first.id), 240, 140));
  assert.ok(near(of('touchmove').findLast((each) => each.id === second.id), 560, 460));

  // Here the ones that are lifted are named.
  await touch('touchEnd', [1, 240, 140]);
  await until('the first was lifted', () => of('touchup').length === 1);
  assert.equal(of('touchup')[0].id, first.id);
  await touch('touchEnd');
  await until('the second, too', () => of('touchup').length === 2);
  assert.deepEqual(of('pen', 'button'), [], 'fingers are no pens and no mouse');
});

test('a pen arrives with place, pressure, tilt, rotation and buttons as sent', async (t) => {
  const { viewer, of } = await driving(t);
  const pen = await penOf(viewer);
  const last = () => tools(of('pen')).at(-1);
  await pen.hover(300, 200, { tiltX: 10, tiltY: -20 });
  const hovering = await until('a pen that hovers', () => last()?.tilt?.[0] === 10 && last());
  assert.deepEqual([hovering.near, hovering.down, hovering.pressure, hovering.tilt], [true, false, 0, [10, -20]]);
  assert.ok(near(hovering, 300.5, 200.5), JSON.stringify(hovering));

  await pen.press(300, 200, { force: 0.25, tiltX: 30, tiltY: -45, twist: 270 });
  await until('contact', () => last()?.down);
  const strokes = [[310, 205, 0.5], [340, 230, 0.75], [400, 300, 1]];
  for (const [x, y, force] of strokes) await pen.draw(x, y, { force, tiltX: 30, tiltY: -45, twist: 90 });
  await until('full pressure', () => last()?.pressure === 65535);
  const drawn = tools(of('pen')).filter((each) => each.down);
  for (const [x, y, force] of [[300, 200, 0.25], ...strokes]) {
    const point = drawn.find((each) => near(each, x + 0.5, y + 0.5) && each.pressure === Math.round(force * 65535));
    assert.ok(point, `no point at ${x}, ${y} with ${force}: ${JSON.stringify(drawn)}`);
    assert.deepEqual(point.tilt, [30, -45]);
  }
  assert.deepEqual([drawn[0].rotation, drawn.at(-1).rotation], [270, 90]);

  await pen.lift(400, 300);
  await until('the pen is lifted', () => last()?.down === false);
  await pen.leave();
  await until('and gone', () => last()?.near === false);
  assert.deepEqual(of('motion', 'button', 'touch'), [], 'nothing came twice');
});

test('the buttons of a pen are those of a pen', async (t) => {
  const { viewer, of } = await driving(t);
  const pen = await penOf(viewer);
  const last = () => tools(of('pen')).at(-1);
  await pen.hover(300, 200);
  await pen.press(300, 200, { button: 'right', buttons: LOWER, force: 0 });
  const held = await until('a button', () => last()?.buttons.length === 1 && last());
  assert.deepEqual([held.buttons, held.down], [[BTN_STYLUS], false], 'while it hovers');
  await pen.press(300, 200, { buttons: LOWER | TIP });
  await pen.press(300, 200, { button: 'middle', buttons: LOWER | TIP | UPPER });
  const all = await until('both', () => last()?.buttons.length === 2 && last());
  assert.deepEqual([all.buttons, all.down], [[BTN_STYLUS, BTN_STYLUS2], true]);
  await pen.lift(300, 200, { buttons: LOWER | UPPER });
  await pen.lift(300, 200, { button: 'right', buttons: UPPER });
  await pen.lift(300, 200, { button: 'middle' });
  const free = await until('nothing', () => last()?.buttons.length === 0 && last());
  assert.deepEqual([free.near, free.down], [true, false]);
});

test('where a program takes no tablets the pen is its mouse', async (t) => {
  const { viewer, of } = await driving(t, { probe: ['--no-tablet'] });
  const pen = await penOf(viewer);
  await pen.hover(300, 200);
  await until('the pointer', () => of('enter', 'motion').some((each) => near(each, 300.5, 200.5)));
  await pen.press(300, 200);
  await pen.draw(420, 260);
  await pen.lift(420, 260);
  await until('a drag', () => of('button').length === 2);
  assert.deepEqual(of('button').map((each) => [each.code, each.down]), [[BTN_LEFT, true], [BTN_LEFT, false]]);
  const events = of('button', 'motion');
  const between = events.slice(events.findIndex((each) => each.event === 'button') + 1, events.findLastIndex((each) => each.event === 'button'));
  assert.ok(between.some((each) => near(each, 420.5, 260.5)), JSON.stringify(events));
  await pen.press(420, 260, { button: 'right', buttons: LOWER, force: 0 });
  await pen.lift(420, 260, { button: 'right' });
  await until('a click of the button', () => of('button').length === 4);
  assert.deepEqual(of('button').slice(2).map((each) => each.code), [BTN_RIGHT, BTN_RIGHT]);
});

for (const [title, stop] of [
  ['leaving Interact lifts the pen, lets go of its buttons and takes it away', async (viewer) => viewer.page.evaluate(() => document.querySelector('vroom-segments [data-value="view"]').click())],
  ['losing the focus of the window lifts the pen and takes it away', async (viewer) => viewer.page.evaluate(() => window.dispatchEvent(new Event('blur')))],
  ['a page that goes away lifts the pen and takes it away', async (viewer) => viewer.context.close()],
]) {
  test(title, async (t) => {
    const { viewer, of } = await driving(t);
    const pen = await penOf(viewer);
    await pen.hover(300, 200);
    await pen.press(300, 200);
    await pen.press(300, 200, { button: 'right', buttons: TIP | LOWER });
    await until('a stroke', () => {
      const now = tools(of('pen')).at(-1);
      if (now?.down && now.buttons.length === 1) return true;
      throw new Error(JSON.stringify(now));
    });
    await stop(viewer);
    const last = await until('it is gone', () => tools(of('pen')).at(-1)?.near === false && tools(of('pen')).at(-1));
    assert.deepEqual([last.down, last.buttons], [false, []]);
  });
}
