// Starts the real vroomd, real Wayland programs and a real browser, and looks at what they do.

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
export const VROOMD = process.env.VROOMD ?? join(ROOT, 'target/release/vroomd');
export const PROBE = process.env.VROOM_PROBE ?? join(ROOT, 'target/release/vroom-probe');
export const OUT = join(ROOT, 'tests/out');

/** How long anything may take on a slow and busy machine. */
export const PATIENCE_MS = 30_000;

/** Waits until `look` gives something true, looking again each time the event loop is idle. */
export async function until(what, look, patienceMs = PATIENCE_MS) {
  const deadline = performance.now() + patienceMs;
  let last;
  for (;;) {
    try {
      last = await look();
      if (last) return last;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) {
      throw new Error(`${what}: not within ${patienceMs} ms; last seen: ${describe(last)}`);
    }
    await new Promise((done) => setTimeout(done, 15));
  }
}

function describe(value) {
  if (value instanceof Error) return value.message;
  return JSON.stringify(value);
}

/** A scratch directory that goes away with the test. */
export function scratch(t) {
  const dir = mkdtempSync(join(tmpdir(), 'vroom-test-'));
  t?.after(() => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }));
  return dir;
}

/** One running vroomd. */
export class Daemon {
  /** Starts it and waits for the ready line. `t` ends it with the test. */
  static async start(t, { binary = VROOMD, args = [], command = [], env = {}, config } = {}) {
    if (!existsSync(binary)) throw new Error(`${binary} is missing: run make build`);
    const daemon = new Daemon();
    daemon.dir = scratch(t);
    const runtime = join(daemon.dir, 'run');
    mkdirSync(runtime, { mode: 0o700 });
    const all = ['--listen', '127.0.0.1:0', '--token-file', join(daemon.dir, 'token')];
    if (config) {
      writeFileSync(join(daemon.dir, 'vroomd.toml'), config);
      all.push('--config', join(daemon.dir, 'vroomd.toml'));
    }
    all.push(...args);
    if (command.length > 0) all.push('--', ...command);
    daemon.process = spawn(binary, all, {
      env: {
        ...process.env,
        XDG_RUNTIME_DIR: runtime,
        XDG_STATE_HOME: daemon.dir,
        XDG_CONFIG_HOME: daemon.dir,
        HOME: daemon.dir,
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    daemon.stdout = '';
    daemon.stderr = '';
    daemon.process.stdout.on('data', (data) => (daemon.stdout += data));
    daemon.process.stderr.on('data', (data) => (daemon.stderr += data));
    daemon.exited = new Promise((done) => daemon.process.on('exit', (code, signal) => done({ code, signal })));
    t?.after(() => daemon.stop());
    await until('the ready line', () => {
      if (daemon.process.exitCode !== null) throw new Error(`vroomd ended: ${daemon.stderr}`);
      return daemon.stdout.includes('\n');
    });
    const ready = /^vroomd ready: (\S+)\n$/.exec(daemon.stdout);
    if (!ready) throw new Error(`not the ready line: ${daemon.stdout}`);
    daemon.url = ready[1];
    daemon.origin = new URL(daemon.url).origin;
    daemon.port = Number(new URL(daemon.url).port);
    daemon.token = new URLSearchParams(new URL(daemon.url).hash.slice(1)).get('token');
    return daemon;
  }

  get pid() {
    return this.process.pid;
  }

  async stop() {
    if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill('SIGTERM');
    return this.exited;
  }
}

/** Starts the browser; `t` closes it with the test. */
export async function browser(t, { args = [], executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium' } = {}) {
  const instance = await chromium.launch({
    executablePath,
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--autoplay-policy=no-user-gesture-required',
      ...args,
    ],
  });
  t?.after(() => instance.close());
  return instance;
}

/** What the probe wrote on its log so far, one object per event. */
export function probeLog(path) {
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line));
}

/** CPU seconds that a process and its threads have used. */
export function cpuSeconds(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Resident memory of a process, in MiB. */
export function rssMib(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)[1]) / 1024;
}
