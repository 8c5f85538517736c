// A program that holds the pointer: it gets distances, and the person gets the pointer back.

import assert from 'node:assert/strict';
import test from 'node:test';
import { driving, near } from './driving.mjs';
import { until } from './harness.mjs';

const lockedHere = (viewer) => viewer.page.evaluate(() => document.pointerLockElement !== null);

/** Clicks, so that the probe holds the pointer and the browser gives it. */
async function playing(t) {
  const all = await driving(t, { probe: ['--lock'] });
  const { viewer, of } = all;
  await viewer.moveTo(640, 360);
  await until('the pointer', () => of('enter', 'motion').some((each) => near(each, 640, 360)));
  await viewer.page.mouse.down();
  await viewer.page.mouse.up();
  await until('the lock of the program', () => of('lock').at(-1)?.locked);
  await until('the lock of the browser', () => lockedHere(viewer));
  return all;
}

/** What the mouse was moved by, as the browser told the page. */
async function movements(viewer) {
  await viewer.page.evaluate(() => {
    window.testMoves = [];
    document.addEventListener('mousemove', (event) => window.testMoves.push([event.movementX, event.movementY]), { capture: true });
  });
  return () => viewer.page.evaluate(() => window.testMoves);
}

const total = (moves) => moves.reduce(([x, y], [dx, dy]) => [x + dx, y + dy], [0, 0]);

test('a program that locks its pointer gets distances as the mouse told them', async (t) => {
  const { viewer, of } = await playing(t);
  const before = of('motion').length;
  const moved = await movements(viewer);
  const { x, y } = await viewer.at(640, 360);
  let at = { x, y };
  for (const [dx, dy] of [[7, -3], [40, 25], [-90, 4], [1, 1], [-300, 0], [500, -120]]) {
    at = { x: at.x + dx, y: at.y + dy };
    await viewer.page.mouse.move(at.x, at.y);
  }
  await until('all of it', async () => {
    const [told, sent] = [total(of('relative').map((each) => [each.dx, each.dy])), total(await moved())];
    if (sent[0] !== 0 && told[0] === sent[0] && told[1] === sent[1]) return true;
    throw new Error(`told ${told}, moved ${sent}`);
  });
  assert.ok(of('relative').every((each) => each.dx === each.rawDx && each.dy === each.rawDy), 'nothing was accelerated');
  assert.equal(of('motion').length, before, 'its place never changed');

  // Presses have a place, but make no distance.
  const distances = of('relative').length;
  await viewer.page.mouse.down();
  await viewer.page.mouse.up();
  await until('the click', () => of('button').length === 4);
  assert.equal(of('relative').length, distances);
});

test('a program that lets go of the pointer gives it back', async (t) => {
  const { viewer, of } = await playing(t);
  await viewer.page.keyboard.press('u');
  await until('the browser let go, too', async () => !(await lockedHere(viewer)));
  await viewer.moveTo(200, 100);
  await until('places again', () => of('motion').some((each) => near(each, 200, 100)));
});

test('Escape gives the pointer back, and a press gives it to the program again', async (t) => {
  const { viewer, of } = await playing(t);
  await viewer.page.keyboard.press('Escape');
  await until('the pointer is back', async () => !(await lockedHere(viewer)));
  await viewer.page.getByText('The pointer is yours again.').first().waitFor();
  const shape = await viewer.page.evaluate(() => document.querySelector('vroom-desktop .surface').style.cursor);
  assert.equal(shape, 'default', 'and it is seen');
  assert.ok(of('lock').at(-1).locked, 'the program still waits for it');
  assert.deepEqual(of('key'), [], 'and was not told of the key');
  await viewer.page.keyboard.press('Escape');
  await until('the next one', () => of('key').length === 2);
  await viewer.moveTo(640, 360);
  await viewer.page.mouse.down();
  await viewer.page.mouse.up();
  await until('the lock of the browser', () => lockedHere(viewer));
});

test('leaving Interact gives the pointer back', async (t) => {
  const { viewer } = await playing(t);
  await viewer.page.evaluate(() => document.querySelector('vroom-segments [data-value="view"]').click());
  await viewer.becomes('mode', 'view');
  await until('the pointer is back', async () => !(await lockedHere(viewer)));
});

test('a confined pointer stays where the program wants it', async (t) => {
  const { viewer, of } = await driving(t, { probe: ['--confine'] });
  await viewer.moveTo(200, 360);
  await until('the confinement', () => of('confine').at(-1)?.confined);
  for (const [x, y] of [[500, 360], [900, 360], [600, 300]]) await viewer.moveTo(x, y);
  await until('the pointer inside', () => of('motion').some((each) => near(each, 600, 300)));
  assert.ok(of('motion').every((each) => each.x < 640), JSON.stringify(of('motion')));
  assert.deepEqual(of('leave'), []);
  assert.equal(await lockedHere(viewer), false, 'the browser keeps its pointer');
});
