// What a page with a terminal costs: nothing at rest, and never the person's patience.

import assert from 'node:assert/strict';
import test from 'node:test';
import { openDesk } from './desk.mjs';
import { until } from './harness.mjs';

/** Work of the page so far: layouts, styles, and pictures that were put together. */
async function work(session) {
  const { metrics } = await session.send('Performance.getMetrics');
  const of = (name) => metrics.find((metric) => metric.name === name)?.value ?? 0;
  return { layouts: of('LayoutCount'), styles: of('RecalcStyleCount'), script: of('ScriptDuration') };
}

const REST_MS = 10_000;

test('an idle page lays out, draws and sends nothing', async (t) => {
  const { viewer, terminal, network } = await openDesk(t);
  await terminal.type('echo settled-$((2+2))\n');
  await terminal.shows('settled-4');
  const session = await viewer.context.newCDPSession(viewer.page);
  await session.send('Performance.enable');
  // Until everything that was begun has come to rest.
  await until('rest', async () => {
    const [before, said] = [await work(session), network.sent.length];
    await new Promise((done) => setTimeout(done, 2_000));
    const after = await work(session);
    return after.layouts === before.layouts && network.sent.length === said;
  });
  const [before, sent, received] = [await work(session), network.sent.length, network.received.length];
  await new Promise((done) => setTimeout(done, REST_MS));
  const after = await work(session);
  t.diagnostic(`${((after.script - before.script) * 1000).toFixed(1)} ms of script in ${REST_MS / 1000} s`);
  // One measurement of the round trip may fall into any ten seconds, and change one number on the page.
  assert.ok(after.layouts - before.layouts <= 1, `${after.layouts - before.layouts} layouts`);
  assert.ok(after.styles - before.styles <= 2, `${after.styles - before.styles} times styles`);
  assert.ok(network.sent.length - sent <= 1, `${network.sent.length - sent} messages sent`);
  assert.ok(network.received.length - received <= 1, `${network.received.length - received} messages received`);
});

test('a flood of 100 MB leaves the page to its person', async (t) => {
  const { viewer, terminal, network } = await openDesk(t);
  await viewer.page.evaluate(() => {
    window.testTurns = { longest: 0 };
    let last = performance.now();
    setInterval(() => {
      const now = performance.now();
      window.testTurns.longest = Math.max(window.testTurns.longest, now - last - 10);
      last = now;
    }, 10);
  });
  const from = network.received.length;
  const began = performance.now();
  await terminal.type("clear; yes 'a line of a flood that has a hundred and one letters in it, so that a million make a hundred MB.' | head -c 100000000; echo; echo flood-$((50+1))\n");
  await until('the flood', async () => /a line of a flood/.test(await terminal.text()));
  // While it runs the page answers: a menu opens, a sheet lists sessions, a second shell runs a command.
  await viewer.page.getByRole('button', { name: 'Settings and help' }).click();
  await viewer.page.getByText('Help and shortcuts').waitFor();
  await viewer.page.keyboard.press('Escape');
  await viewer.page.getByRole('button', { name: 'New terminal' }).click();
  const second = await until('a second terminal', async () => {
    const [, other] = await viewer.hook('terminals');
    return other?.state === 'running' && viewer.terminal(other.id);
  });
  await second.shows(/\$\s*$/);
  await second.type('echo meanwhile-$((3*3))\n');
  await second.shows('meanwhile-9');
  await terminal.select();
  await terminal.shows('flood-51');
  const bytes = network.received.slice(from).reduce((sum, frame) => sum + frame.length, 0);
  const { longest } = await viewer.page.evaluate(() => window.testTurns);
  t.diagnostic(`${((performance.now() - began) / 1000).toFixed(1)} s, ${(bytes / 1e6).toFixed(1)} MB came, the page was away for ${longest.toFixed(0)} ms at most`);
  assert.ok((await terminal.everything()).length < 2_000_000, 'what is kept is bounded');
});

test('Ctrl+C in a flood is obeyed at once, and typing goes on', async (t) => {
  const { viewer, terminal } = await openDesk(t);
  await terminal.type('yes\n');
  await terminal.shows(/y\ny\ny/);
  await viewer.page.keyboard.press('Control+c');
  await viewer.page.keyboard.type('echo stopped-$((4+4))\n');
  await terminal.shows('stopped-8');
});
