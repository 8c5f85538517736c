// A person who drives the desktop, and the program on it that tells what reached it.

import { join } from 'node:path';
import { Daemon, PROBE, browser, probeLog, scratch, until } from './harness.mjs';
import { Viewer } from './page.mjs';

/** Starts the probe with these options on a desktop of 1280x720, and takes over. */
export async function driving(t, { query, probe = [], ...open } = {}) {
  const log = join(scratch(t), 'probe.jsonl');
  const daemon = await Daemon.start(t, { args: ['--size', '1280x720'], command: [PROBE, '--log', log, ...probe] });
  await until('the probe to be focused', () => probeLog(log).some((each) => each.event === 'focus'));
  const viewer = await Viewer.open(t, await browser(t), daemon, { query, ...open });
  await viewer.setMode('interact');
  return { daemon, viewer, log: () => probeLog(log), of: (...kinds) => probeLog(log).filter((each) => kinds.includes(each.event)) };
}

/** Wayland tells positions in 1/256 px, the wire in whole ones. */
export const near = (event, x, y) => Math.abs(event.x - x) <= 1.5 && Math.abs(event.y - y) <= 1.5;
