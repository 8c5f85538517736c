// Several people at one terminal: who drives, who asks, who hands over, and that everybody can see it.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { openDesk, openPage } from './desk.mjs';
import { OUT, until } from './harness.mjs';

/** Two pages at one terminal; the first drives. */
async function pair(t) {
  const { daemon, instance, viewer, terminal } = await openDesk(t);
  await terminal.type('mark=$((40+2)); echo first-$mark\n');
  await terminal.shows('first-42');
  const second = await openPage(t, instance, daemon);
  // There is a terminal already, so the page asks which one is wanted.
  await second.page.locator('.sessionlist .join').first().click();
  const shared = await until('the same terminal', async () => {
    const [only] = await second.hook('terminals');
    return only?.state === 'running' && second.terminal(only.id);
  });
  await shared.shows('first-42');
  await until('two people', async () => (await viewer.page.getByRole('button', { name: 'Share, 2 people here' }).count()) === 1);
  return { viewer, terminal, second, shared };
}

const mayType = async (viewer) => (await viewer.hook('terminals'))[0].mayType;
const strip = (viewer) => viewer.page.locator('vroom-strip');

test('who joins watches, says so, and types nothing', async (t) => {
  const { viewer, terminal, second, shared } = await pair(t);
  assert.equal(await mayType(viewer), true);
  assert.equal(await mayType(second), false);
  assert.match(await strip(second).textContent(), /drives this terminal/);
  assert.equal(await strip(viewer).isVisible(), false);
  await shared.select();
  await second.page.keyboard.type('echo intruder\n');
  await terminal.type('echo driver-$((1+1))\n');
  await shared.shows('driver-2');
  assert.doesNotMatch(await terminal.everything(), /intruder/);
  mkdirSync(OUT, { recursive: true });
  await second.screenshot(join(OUT, 'watching.png'));
});

test('control is asked for and handed over', async (t) => {
  const { viewer, terminal, second, shared } = await pair(t);
  await strip(second).getByRole('button', { name: 'Ask for control' }).click();
  await strip(viewer).getByText('asks for control').waitFor();
  await viewer.screenshot(join(OUT, 'asked.png'));
  assert.equal(await mayType(second), false, 'asking changes nothing');
  await strip(viewer).getByRole('button', { name: 'Hand over' }).click();
  await until('the second to drive', () => mayType(second));
  await until('the first to watch', async () => !(await mayType(viewer)));
  await shared.type('echo second-$((20+3))\n');
  await terminal.shows('second-23');
});

test('a request can be turned down', async (t) => {
  const { viewer, second } = await pair(t);
  await strip(second).getByRole('button', { name: 'Ask for control' }).click();
  await strip(viewer).getByRole('button', { name: 'Keep control' }).click();
  await until('the strip to go', async () => !(await strip(viewer).isVisible()));
  assert.equal(await mayType(second), false);
  assert.equal(await mayType(viewer), true);
});

test('control is taken, released, and the list of people says who drives and who types', async (t) => {
  const { viewer, terminal, second, shared } = await pair(t);
  await strip(second).getByRole('button', { name: 'Take control' }).click();
  await until('the second to drive', () => mayType(second));
  await until('the first to see it', async () => (await strip(viewer).isVisible()) && /drives this terminal/.test(await strip(viewer).textContent()));
  await viewer.page.getByRole('button', { name: 'Share, 2 people here' }).click();
  const people = viewer.page.locator('.sharepeople li');
  await until('two in the list', async () => (await people.count()) === 2);
  await shared.select();
  await until('the driver to be seen typing', async () => {
    await second.page.keyboard.press('ArrowLeft');
    return (await people.filter({ hasText: 'drives' }).first().textContent()).includes('types');
  });
  await viewer.screenshot(join(OUT, 'people.png'));
  assert.equal(await people.filter({ hasText: '(you)' }).filter({ hasText: 'drives' }).count(), 0);
  await viewer.page.keyboard.press('Escape');

  await second.page.getByRole('button', { name: 'Share, 2 people here' }).click();
  await second.page.locator('.sharepeople').getByRole('button', { name: 'Release' }).click();
  await second.page.keyboard.press('Escape');
  await until('anybody may type', () => mayType(viewer));
  await terminal.type('echo free-$((30+4))\n');
  await shared.shows('free-34');
});

test('the driver rules the size, and who watches sees all of it', async (t) => {
  const { viewer, terminal, second, shared } = await pair(t);
  await second.page.setViewportSize({ width: 700, height: 500 });
  const cells = (view, at) => view.page.evaluate((id) => document.getElementById(`pane-${id}`).cells(), at.id);
  const wide = await cells(viewer, terminal);
  await until('the driver’s size', async () => (await cells(second, shared)).cols === wide.cols);
  await terminal.type(`printf '%${wide.cols - 1}s\\n' edge\n`);
  await shared.shows(/ {20}edge$/m);
  const box = await shared.pane.locator('.xterm-screen').boundingBox();
  assert.ok(box.width <= 700, `${box.width} px wide`);
  await second.screenshot(join(OUT, 'watching-small.png'));
  // A phone, for which that is many times too wide.
  await second.page.setViewportSize({ width: 390, height: 780 });
  const place = () => second.page.evaluate(() => {
    const [screen, rows] = ['.screen', '.xterm-screen'].map((part) => document.querySelector(`vroom-terminal ${part}`));
    return { left: rows.getBoundingClientRect().left, right: rows.getBoundingClientRect().right, scrolls: screen.scrollWidth - screen.clientWidth };
  });
  await until('all of it on a phone', async () => {
    const at = await place();
    if (at.left < 0 || at.right > 390 || at.scrolls > 0) throw new Error(JSON.stringify(at));
    return true;
  });
  assert.equal((await cells(second, shared)).cols, wide.cols);
  for (const button of await strip(second).getByRole('button').all()) {
    const { x, width } = await button.boundingBox();
    assert.ok(x >= 0 && x + width <= 390, 'what can be done about it is seen, too');
  }
  await second.screenshot(join(OUT, 'watching-phone.png'));
});
