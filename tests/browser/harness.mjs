// Starts the real vroomd, real Wayland programs and a real browser, and looks at what they do.

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
export const VROOMD = process.env.VROOMD ?? join(ROOT, 'target/release/vroomd');
export const PROBE = process.env.VROOM_PROBE ?? join(ROOT, 'target/release/vroom-probe');
export const PROBE_X11 = join(dirname(PROBE), 'vroom-probe-x11');
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
  /** Starts it and waits for the ready line. `t` ends it with the test, and every terminal that it kept. */
  static async start(t, { binary = VROOMD, args = [], command = [], env = {}, config = '' } = {}) {
    if (!existsSync(binary)) throw new Error(`${binary} is missing: run make build`);
    const daemon = new Daemon();
    daemon.dir = scratch();
    t?.after(() => daemon.remove());
    const runtime = join(daemon.dir, 'run');
    mkdirSync(runtime, { mode: 0o700 });
    // A shell that reads and writes nothing of whoever runs the tests.
    const shell = join(daemon.dir, 'shell');
    writeFileSync(shell, `#!/bin/sh\nexport HOME='${daemon.dir}' PS1='$ '\nunset HISTFILE\ncd\nexec bash --norc --noprofile -i\n`, { mode: 0o755 });
    const file = join(daemon.dir, 'vroomd.toml');
    writeFileSync(file, `${config}\n[terminal]\nshell = "${shell}"\n`);
    const all = ['--token-file', join(daemon.dir, 'token'), '--config', file];
    if (!args.includes('--files-root')) all.push('--files-root', daemon.dir);
    all.push(...args);
    if (command.length > 0) all.push('--', ...command);
    daemon.spawn = (listen) =>
      spawn(binary, ['--listen', listen, ...all], {
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
    await daemon.#begin('127.0.0.1:0');
    return daemon;
  }

  async #begin(listen) {
    this.process = this.spawn(listen);
    this.stdout = '';
    this.stderr = '';
    this.process.stdout.on('data', (data) => (this.stdout += data));
    this.process.stderr.on('data', (data) => (this.stderr += data));
    const { process } = this;
    this.exited = new Promise((done) => process.on('exit', (code, signal) => done({ code, signal })));
    await until('the ready line', () => {
      if (process.exitCode !== null) throw new Error(`vroomd ended: ${this.stderr}`);
      return this.stdout.includes('\n');
    });
    const ready = /^vroomd ready: (\S+)\n$/.exec(this.stdout);
    if (!ready) throw new Error(`not the ready line: ${this.stdout}`);
    this.url = ready[1];
    this.origin = new URL(this.url).origin;
    this.port = Number(new URL(this.url).port);
    this.token = new URLSearchParams(new URL(this.url).hash.slice(1)).get('token');
  }

  get pid() {
    return this.process.pid;
  }

  /** Ends it by a signal and starts it again on the same port; what it kept is kept. */
  async restart(signal) {
    this.process.kill(signal);
    await this.exited;
    await this.#begin(`127.0.0.1:${this.port}`);
  }

  async stop() {
    if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill('SIGTERM');
    return this.exited;
  }

  /** Ends it and every terminal that was to outlive it, and removes what it kept. */
  async remove() {
    if (this.process) await this.stop();
    await endTerminals(this.dir);
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Ends the terminals whose sockets lie below a folder, and waits until they are gone. */
export async function endTerminals(dir) {
  const sockets = readdirSync(dir, { recursive: true }).filter((path) => /(^|\/)terminals\/[^/]+\.sock$/.test(path));
  const ids = new Set(sockets.map((path) => basename(path, '.sock')));
  if (ids.size === 0) return;
  // A holder is called by the name of its terminal.
  const holders = processes().filter((pid) => {
    const [program, id] = read(`/proc/${pid}/cmdline`).split('\0');
    return basename(program) === 'vroom-hold' && ids.has(id);
  });
  for (const pid of holders) {
    // Some programs of tests are deaf to everything else.
    for (const child of read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean)) end(Number(child), 'SIGKILL');
    end(pid, 'SIGTERM');
  }
  await until('the terminals are gone', () => holders.every((pid) => !isAlive(pid)));
}

function processes() {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number);
}

/** Whether a process is there and no zombie. */
function isAlive(pid) {
  const stat = read(`/proc/${pid}/stat`);
  const state = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
  return stat !== '' && state !== 'Z' && state !== 'X';
}

function end(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch {
    // It has gone by itself meanwhile.
  }
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
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
      // A page that a test took from a folder counts as from elsewhere.
      ...(process.env.PAGE ? ['--disable-features=LocalNetworkAccessChecks'] : []),
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
