// Notifications of a real program on the desktop.

import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Runs `notify-send` (package libnotify-bin) in the session; what it prints once somebody saw to it. */
export function notify(t, daemon, ...args) {
  const run = join(daemon.dir, 'run');
  const bus = readdirSync(run).map((name) => join(run, name, 'bus')).find(existsSync);
  const program = spawn('notify-send', ['--wait', ...args], { env: { ...process.env, DBUS_SESSION_BUS_ADDRESS: `unix:path=${bus}` }, stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => program.kill());
  let printed = '';
  program.stdout.on('data', (data) => (printed += data));
  return new Promise((done, fail) => {
    program.on('error', () => fail(new Error('notify-send is missing: install libnotify-bin')));
    program.on('exit', () => done(printed.trim()));
  });
}
