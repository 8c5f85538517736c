// Five thousand hostile outputs through the real page: none may make it do anything but draw.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { CANARY, TITLE, escapes } from './corpus.mjs';
import { FarSide } from './far-side.mjs';
import { Daemon, browser, scratch, until } from './harness.mjs';
import { Viewer } from './page.mjs';
import { Watch, observe } from './watch.mjs';

const CASES = 5_000;
const SEED = 52;
/** Cases that are written before somebody looks at the page. */
const BATCH = 50;

/** What one case may cost the page's thread, in its own processor time, on the average of a batch. */
const BUSY_MS = 100;

/** All that a terminal may type by itself: answers made of numbers, and of words of its own. */
const ANSWERS = [
  /^\x1b\[[?>=]?[\d;]*[cnRuxS]/, // device and graphics attributes, status, cursor, keyboard flags
  /^\x1b\[\??[\d;]+\$y/, // modes
  /^\x1b\[[IO]/, // focus
  /^\x1b\[\?997;[12]n/, // appearance
  /^\x1b\](?:1[0-9]|4;\d+);rgb:[0-9a-f]{1,4}\/[0-9a-f]{1,4}\/[0-9a-f]{1,4}(?:\x1b\\|\x07)/, // colours
  /^\x1b\]1337;ReportCellSize=[\d.;]+(?:\x1b\\|\x07)/, // the size of a cell
  /^\x1bP[01]\$r[\d;:]*[ "'*$]?[a-z|]?\x1b\\/, // settings
  /^\x1bP[01]\+r(?:[0-9A-Fa-f]*(?:=[0-9A-Fa-f]*)?;?)*\x1b\\/, // capabilities
  /^\x1bP>\|[A-Za-z][\w.-]*(?:[ (][\w.-]+\)?)?\x1b\\/, // its name and version
  /^\x1bP!\|[0-9A-Fa-f]{8}\x1b\\/, // its unit
  /^\x1b_Gi=(?:\d+|NaN)(?:,[Ip]=\d+)*;(?:OK|E[A-Z]+(?::[\w :.,'()=-]{0,80})?)\x1b\\/, // images
];

async function open(t) {
  const daemon = await Daemon.start(t, { args: ['--size', '640x480', '--desktop', 'none'] });
  const viewer = await Viewer.open(t, await browser(t), daemon, { connected: false, script: observe });
  await viewer.becomes('state', 'connected');
  const terminal = await viewer.openTerminal();
  const far = await FarSide.start(t, terminal);
  await marker(far, 0);
  await terminal.shows(label(0));
  return { viewer, terminal, far, watch: await Watch.start(viewer) };
}

/** Tells each time how long the page's thread has worked since the last time; waiting for a processor does not count. */
async function busyTime({ context, page }) {
  const session = await context.newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const total = async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'TaskDuration').value * 1000;
  };
  let last = await total();
  return async () => {
    const now = await total();
    const spent = now - last;
    last = now;
    return spent;
  };
}

const label = (number) => `mark-${number}-${'+'.repeat(10 + (number % 50))}`;

/** What a person types when a terminal is in disorder, a line to see, and a question that proves it was drawn. */
const recovery = (number) => `\x18\x1b\\\x1bc${label(number)}\x1b[6n`;
const proof = (number) => `\x1b[1;${label(number).length + 1}R`;

async function marker(far, number) {
  await far.write(recovery(number));
  await far.reads(proof(number));
}

/** Takes one answer after the other off what was typed; gives what is none. */
function strange(typed) {
  let rest = typed;
  while (rest !== '') {
    const answer = ANSWERS.map((each) => each.exec(rest)?.[0]).find(Boolean);
    if (!answer) return rest;
    rest = rest.slice(answer.length);
  }
  return '';
}

const show = (text) => JSON.stringify(text.length > 300 ? `${text.slice(0, 300)}…` : text);

function checkAnswers(typed, cases) {
  const described = () => cases.map(({ kind, bytes }) => `${kind} ${show(bytes.toString('latin1'))}`).join('\n');
  const odd = strange(typed);
  assert.equal(show(odd), '""', `not an answer that a terminal gives, after\n${described()}`);
  for (const word of [CANARY, TITLE]) {
    for (const form of [word, Buffer.from(word).toString('hex'), Buffer.from(word).toString('base64').slice(0, 12)]) {
      assert.ok(!typed.toLowerCase().includes(form.toLowerCase()), `output came back as typed text: ${show(typed)} after\n${described()}`);
    }
  }
  assert.doesNotMatch(typed, /[\r\n]/, `a line end was typed: ${show(typed)} after\n${described()}`);
}

test(`${CASES} hostile outputs do nothing but draw`, async (t) => {
  const { terminal, far, watch, viewer } = await open(t);
  far.take();
  const corpus = escapes(CASES, SEED);
  assert.equal(corpus.length, CASES);
  const busy = await busyTime(viewer);
  let worst = 0;
  for (let first = 0; first < CASES; first += BATCH) {
    const cases = corpus.slice(first, first + BATCH);
    const what = `cases ${first} to ${first + BATCH - 1}`;
    for (const [place, each] of cases.entries()) {
      for (const piece of each.pieces) await far.write(piece);
      await far.write(recovery(first + place));
    }
    const last = first + cases.length - 1;
    // What the page skipped is answered by the server, whose answers may come after the page's.
    for (const place of cases.keys()) await far.reads(proof(first + place)).catch(() => undefined);
    const typed = far.take().toString('latin1');
    for (const [place, { kind, bytes }] of cases.entries()) {
      assert.ok(typed.includes(proof(first + place)), `no line was drawn after case ${first + place}: ${kind} ${show(bytes.toString('latin1'))}`);
    }
    await terminal.shows(label(last));
    checkAnswers(typed, cases);
    await watch.check(what);
    const spent = await busy();
    assert.ok(spent < BATCH * BUSY_MS, `${what}: the page's thread worked for ${spent.toFixed(0)} ms`);
    worst = Math.max(worst, spent);
  }
  const { stall } = await viewer.page.evaluate(() => window.testSeen);
  t.diagnostic(`${BATCH} cases kept the page's thread busy for ${worst.toFixed(0)} ms at most; it was away for ${stall.toFixed(0)} ms at most`);
  // Clipboard writes belong to another test; here there is nothing that should lead to one.
  assert.deepEqual(await viewer.page.evaluate(() => window.testSeen.writes), []);
});

test('files that output names are neither read nor removed', async (t) => {
  const { far, watch, terminal } = await open(t);
  const folder = scratch(t);
  const past = new Date(Date.now() - 3_600_000);
  const age = (path) => utimesSync(path, past, past);
  const untouched = (path) => Math.abs(statSync(path).atimeMs - past.getTime()) < 1000;
  const control = join(folder, 'control');
  const secret = join(folder, 'tty-graphics-protocol-secret');
  for (const path of [control, secret]) {
    writeFileSync(path, Buffer.alloc(3, CANARY));
    age(path);
  }
  readFileSync(control);
  if (untouched(control)) t.diagnostic('NOT TESTED: this file system does not tell when a file was read');
  const name = Buffer.from(secret).toString('base64');
  for (const medium of ['f', 't', 's']) {
    for (const action of ['t', 'T', 'q']) {
      await far.write(`\x1b_Ga=${action},f=24,s=1,v=1,i=9,t=${medium};${name}\x1b\\`);
    }
  }
  await far.write(`\x1b]1337;File=inline=1;name=${name}:\x07\x1b]8;;file://${secret}\x07x\x1b]8;;\x07`);
  await marker(far, 1);
  await terminal.shows(label(1));
  assert.ok(existsSync(secret), 'it is still there');
  assert.ok(untouched(secret), 'and nobody read it');
  const typed = far.take().toString('latin1');
  assert.doesNotMatch(typed, /\x1b_G[^;]*;OK/, `an image came from a file: ${show(typed)}`);
  await watch.check('files');
});

test('exactly one side answers a question', async (t) => {
  const { far } = await open(t);
  far.take();
  await far.write(`\x1b[c\x1b[>c\x1b[?2026$p${recovery(3)}`);
  await far.reads(proof(3));
  // A second answer would come from elsewhere, and later: another question makes a round of all.
  await marker(far, 4);
  const typed = far.take().toString('latin1');
  assert.equal(typed.match(/\x1b\[\?[\d;]*c/g)?.length, 1, show(typed));
  assert.equal(typed.match(/\x1b\[>[\d;]*c/g)?.length, 1, show(typed));
  assert.equal(typed.match(/\x1b\[\?2026;\d\$y/g)?.length, 1, show(typed));
  assert.equal(typed.split(proof(4)).length, 2, show(typed));
});

test('links of other schemes cannot be followed', async (t) => {
  const { far, watch, terminal, viewer } = await open(t);
  const schemes = ['javascript:alert(1)', 'file:///etc/passwd', 'data:text/html,x', 'vbscript:x', 'ssh://-oProxyCommand=x', 'blob:null/x'];
  const screen = viewer.page.locator('.xterm-screen').last();
  for (const [number, uri] of schemes.entries()) {
    await far.write(`\x18\x1bc\x1b]8;;${uri}\x07click here\x1b]8;;\x07\r\n${label(number)}`);
    await terminal.shows(label(number));
    await screen.click({ position: { x: 200, y: 100 } });
    await screen.click({ position: { x: 20, y: 8 } });
    await screen.click({ position: { x: 20, y: 8 }, modifiers: ['Control'] });
    await marker(far, 10 + number);
  }
  await watch.check('links');
  assert.equal(await viewer.page.locator('dialog[open]').count(), 0, 'not even a question');
  await far.write(`\x18\x1bc\x1b]8;;https://example.org/a\x07click here\x1b]8;;\x07\r\n${label(99)}`);
  await terminal.shows(label(99));
  await until('an allowed link asks first', async () => {
    const box = await screen.boundingBox();
    await viewer.page.mouse.move(box.x + 200, box.y + 100);
    await viewer.page.mouse.move(box.x + 20, box.y + 8);
    await viewer.page.mouse.click(box.x + 20, box.y + 8);
    return (await viewer.page.locator('dialog[open]').count()) === 1;
  });
  assert.match(await viewer.page.locator('dialog[open]').textContent(), /https:\/\/example\.org\/a/);
  await watch.check('an allowed link');
});
