// A working day of eight hours in a minute or two: what somebody does in it, one after the other and without the
// pauses. At the end of the day `vroomd` needs no more memory, threads and files than in the morning.

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { Daemon, PROBE, browser, probeLog, rssMib, scratch, until } from './harness.mjs';
import { Viewer } from './page.mjs';
import { Raw, frame, keyDown, keyUp, mouseDown, mouseMove, mouseUp } from './raw.mjs';

const HOURS = Number(process.env.HOURS ?? 8);

/** The hour by which everything has been used once. */
const MORNING = 3;

const SIZES = [[1280, 720], [1024, 768], [1600, 900], [800, 600]];

/**
 * How much the memory at rest differs from one time to the next, in MiB: what is free in the allocator's heaps lies
 * in other places each time. Buffers that are kept at each change of size cost a hundred in an hour.
 */
const NOISE_MIB = 6;

/** Somebody who watches by WebSocket and drives. */
class Person {
  static async come(t, daemon) {
    const person = new Person();
    person.raw = await Raw.join(t, daemon, { capabilities: ['pointer', 'keyboard', 'text', 'clipboard', 'video-h264'] });
    const { raw } = person;
    raw.send(frame(0, 0x81, { mode: 'interact', take: true }));
    await raw.next('interact', 0, 0x91, (state) => state.mode === 'interact');
    [person.pointer, person.button, person.video] = [await raw.channel('pointer'), await raw.channel('button'), await raw.channel('video')];
    person.units = 0;
    raw.socket.on('message', (data) => {
      // Of a fragmented unit the last piece counts.
      if (data[0] !== person.video || data[1] !== 0x03 || (data[2] & 0x02 && !(data[2] & 0x04))) return;
      person.units += 1;
      const ack = Buffer.alloc(4);
      ack.writeUInt32BE(person.units);
      raw.send(frame(person.video, 0x10, ack));
    });
    await until('a picture', () => person.units > 0);
    return person;
  }

  /** What somebody does in a minute; ends when the server has taken all of it. */
  async work(minute) {
    const { raw, button, pointer } = this;
    for (let step = 0; step < 100; step++) raw.send(mouseMove(pointer, (minute * 37 + step * 11) % 800, (step * 7) % 600));
    for (let key = 0; key < 30; key++) {
      raw.send(keyDown(button, 'a', 'KeyA'));
      raw.send(keyUp(button, 'a', 'KeyA'));
    }
    for (let click = 0; click < 4; click++) {
      raw.send(mouseDown(button, 300 + click, 300, 0));
      raw.send(mouseUp(button, 300 + click, 300, 0));
    }
    raw.send(frame(0, 0x83, { direction: 'set', text: `minute ${minute} ${'x'.repeat(2000)}` }));
    if (minute % 5 === 0) {
      const [width, height] = SIZES[(minute / 5) % SIZES.length];
      raw.send(frame(0, 0x82, { width, height }));
      await raw.next('the new size', 0, 0x91, (state) => state.viewport?.width === width && state.viewport?.height === height);
    }
    raw.forget();
    raw.send(frame(0, 0x81, { mode: 'interact' }));
    await raw.next('the answer', 0, 0x91, (state) => state.mode === 'interact');
  }

  async leave() {
    this.raw.socket.close();
    await until('the end of the connection', () => this.raw.closed);
  }
}

/** What the daemon has: MiB, threads and files. */
function has(pid) {
  return {
    mib: rssMib(pid),
    threads: Number(/Threads:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]),
    files: readdirSync(`/proc/${pid}/fd`).length,
  };
}

/** Whether what viewers had is still being given back. */
function tidies(pid) {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.some((thread) => readFileSync(`/proc/${pid}/task/${thread}/comm`, 'utf8') === 'encode-end\n');
}

/** Waits until viewers that left are gone and what they had is given back. */
async function rest(pid) {
  let before = has(pid);
  return until('rest', async () => {
    await new Promise((done) => setTimeout(done, 3000));
    const now = has(pid);
    const rests = !tidies(pid) && now.threads === before.threads && now.files === before.files && Math.abs(now.mib - before.mib) < 0.1;
    before = now;
    return rests ? now : null;
  });
}

/** Waits until it has no more than in the morning: libraries end threads that are idle in their own time. */
async function restAsIn(morning, pid) {
  return until(`as little as ${JSON.stringify(morning)}`, async () => {
    const now = await rest(pid);
    if (now.mib - morning.mib < NOISE_MIB && now.threads <= morning.threads && now.files <= morning.files) return now;
    throw new Error(JSON.stringify(now));
  });
}

test('after a day of work nothing is left of it', async (t) => {
  const dir = scratch(t);
  const orders = join(dir, 'orders');
  execFileSync('mkfifo', [orders]);
  const log = join(dir, 'main.jsonl');
  // One program all day, and another that comes and goes as it is told.
  const session = `'${PROBE}' --log '${log}' &
    while read order <&3; do case $order in
      open) '${PROBE}' --title second --log '${dir}/second.jsonl' & second=$! ;;
      close) kill $second; wait $second; echo closed >> '${dir}/closed' ;;
    esac; done 3<>'${orders}'`;
  const daemon = await Daemon.start(t, { args: ['--size', '1280x720'], command: ['sh', '-c', session] });
  await until('the program', () => probeLog(log).some((each) => each.event === 'focus'));
  const instance = await browser(t);
  const hours = [];
  for (let hour = 0; hour < HOURS; hour++) {
    const person = await Person.come(t, daemon);
    for (let minute = 0; minute < 60; minute++) {
      await person.work(hour * 60 + minute);
      if (minute % 10 === 0) {
        writeFileSync(orders, 'open\n');
        await until('the second window', () => probeLog(join(dir, 'second.jsonl')).some((each) => each.event === 'focus'));
        writeFileSync(orders, 'close\n');
        const closed = hour * 6 + minute / 10 + 1;
        await until('its end', () => readFileSync(join(dir, 'closed'), 'utf8').split('\n').length - 1 === closed);
      }
      if (minute % 20 === 19) {
        // Somebody looks in with a browser, and somebody else takes over.
        const viewer = await Viewer.open(t, instance, daemon, { size: { width: 900, height: 700 } });
        await viewer.context.close();
        const guest = await Person.come(t, daemon);
        await guest.work(minute);
        await guest.leave();
        person.raw.send(frame(0, 0x81, { mode: 'interact', take: true }));
        await person.raw.next('the floor again', 0, 0x91, (state) => state.mode === 'interact');
        [person.pointer, person.button] = [await person.raw.channel('pointer'), await person.raw.channel('button')];
      }
    }
    await person.leave();
    const now = hour + 1 === MORNING ? await rest(daemon.pid) : has(daemon.pid);
    hours.push(now);
    t.diagnostic(`hour ${hour + 1}: ${now.mib.toFixed(1)} MiB, ${now.threads} threads, ${now.files} files`);
  }
  const evening = await restAsIn(hours[MORNING - 1], daemon.pid);
  t.diagnostic(`evening: ${evening.mib.toFixed(1)} MiB, ${evening.threads} threads, ${evening.files} files`);
});
