// Sound for tests: programs that play and record in a session, and what a page hears.

import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PROBE } from './harness.mjs';

export const RATE = 48_000;

/** A program that flashes and beeps at once, twice a second. */
export const FLASH = ['sh', '-c', `"${PROBE}" --flash --log /dev/null | pacat --raw --format=s16le --rate=48000 --channels=2 --latency-msec=10`];

/** The time that everybody here has, in milliseconds. */
export const clock = () => performance.timeOrigin + performance.now();

/** A sound file with another tone on each side. */
export function tones(path, left, right, seconds, amplitude) {
  const samples = RATE * seconds;
  const wav = Buffer.alloc(44 + samples * 4);
  wav.write('RIFF', 0);
  wav.writeUInt32LE(wav.length - 8, 4);
  wav.write('WAVEfmt ', 8);
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(2, 22);
  wav.writeUInt32LE(RATE, 24);
  wav.writeUInt32LE(RATE * 4, 28);
  wav.writeUInt16LE(4, 32);
  wav.writeUInt16LE(16, 34);
  wav.write('data', 36);
  wav.writeUInt32LE(samples * 4, 40);
  for (let n = 0; n < samples; n++) {
    [left, right].forEach((hz, side) => wav.writeInt16LE(Math.round(32767 * amplitude * Math.sin((2 * Math.PI * hz * n) / RATE)), 44 + n * 4 + side * 2));
  }
  writeFileSync(path, wav);
}

/** The loudest frequency of samples between two, to a tenth of a hertz or better, and their level. */
export function analyse(samples, from = 300, to = 1200) {
  const power = (hz) => {
    let [re, im] = [0, 0];
    for (let n = 0; n < samples.length; n++) {
      const hann = 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / samples.length);
      re += samples[n] * hann * Math.cos((2 * Math.PI * hz * n) / RATE);
      im += samples[n] * hann * Math.sin((2 * Math.PI * hz * n) / RATE);
    }
    return re * re + im * im;
  };
  const best = (low, high, step) => {
    let [hz, most] = [low, -1];
    for (let each = low; each <= high; each += step) {
      const found = power(each);
      if (found > most) [hz, most] = [each, found];
    }
    return hz;
  };
  const rough = best(from, to, 4);
  return { hz: best(rough - 4, rough + 4, 0.1), rms: Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length) };
}

/** What the programs of a session have in their environment to find its sound server. */
export function soundEnv(daemon) {
  const played = readdirSync(join(daemon.dir, 'run'), { recursive: true }).find((path) => path.endsWith('sound/played'));
  const { PULSE_SERVER: _, ...env } = process.env;
  return { ...env, XDG_RUNTIME_DIR: join(daemon.dir, 'run', dirname(dirname(played))), PULSE_COOKIE: join(daemon.dir, 'cookie') };
}

/** Fails where a program is missing, and names its package. */
export function need(program, debian) {
  if (spawnSync('which', [program]).status !== 0) throw new Error(`${program} is missing: install ${debian}`);
}

/** A program that records what it finds by default, as one that calls somebody does. */
export class Recorder {
  /** Starts it; `t` ends it with the test. */
  static start(t, daemon) {
    need('parec', 'pulseaudio-utils');
    const recorder = new Recorder();
    const args = ['--raw', '--format=s16le', `--rate=${RATE}`, '--channels=1', '--latency-msec=10'];
    recorder.process = spawn('parec', args, { env: soundEnv(daemon), stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => recorder.process.kill());
    recorder.blocks = [];
    recorder.length = 0;
    let odd = Buffer.alloc(0);
    recorder.process.stdout.on('data', (data) => {
      const at = clock();
      const bytes = Buffer.concat([odd, data]);
      odd = bytes.subarray(bytes.length & ~1);
      const samples = Float32Array.from({ length: bytes.length >> 1 }, (_, n) => bytes.readInt16LE(n * 2) / 32768);
      recorder.blocks.push({ at, first: recorder.length, samples });
      recorder.length += samples.length;
    });
    return recorder;
  }

  /** The newest of what it recorded, so many samples of it. */
  last(count) {
    const all = [];
    for (let n = this.blocks.length - 1; n >= 0 && all.length < count; n--) all.unshift(...this.blocks[n].samples);
    return all.slice(-count);
  }

  /** How loud the newest 100 ms are. */
  level() {
    const samples = this.last(RATE / 10);
    return samples.length === 0 ? 0 : Math.max(...samples.map(Math.abs));
  }

  /** When the first sound after this moment came out of it, or null. */
  heardAfter(moment, loud = 0.05) {
    for (const { at, samples } of this.blocks) if (at >= moment && samples.some((value) => Math.abs(value) > loud)) return at;
    return null;
  }
}

/** Runs in the page before it starts: a voice that the test makes, in the place of a microphone. */
export function lendVoice() {
  window.testAsked = 0;
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    window.testAsked++;
    if (!wanted.audio || wanted.video) throw new Error('not what was to be asked for');
    const context = new AudioContext({ sampleRate: 48000, latencyHint: 'interactive' });
    const tone = new OscillatorNode(context, { frequency: 700 });
    const loud = new GainNode(context, { gain: 0 });
    const out = new MediaStreamAudioDestinationNode(context, { channelCount: 1, channelCountMode: 'explicit' });
    tone.connect(loud).connect(out);
    tone.start();
    await context.resume();
    window.testVoice = { context, tone, loud, track: out.stream.getAudioTracks()[0] };
    return out.stream;
  };
}

/**
 * Runs in the page: notes when a beep begins, in milliseconds of the clock that everybody has.
 *
 * That is when the browser has decoded it and hands it to whatever plays it, as a picture is seen when the browser
 * hands it to the screen. An audio graph would add the queue in front of it, which grows to 0.1 s and stays.
 */
export async function watchForSound() {
  const track = window.testPeers.at(-1).getReceivers().find((each) => each.track.kind === 'audio').track;
  const source = `onmessage = async ({ data }) => {
    const reader = data.getReader();
    let loud = false;
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const now = performance.timeOrigin + performance.now();
      const samples = new Float32Array(value.numberOfFrames);
      value.copyTo(samples, { planeIndex: 0, format: 'f32-planar' });
      const first = samples.findIndex((sample) => Math.abs(sample) > 0.05);
      // A wave is above the level in every block.
      if (first >= 0 && !loud) postMessage(now + (first / value.sampleRate) * 1000);
      loud = first >= 0;
      value.close();
    }
  };`;
  const worker = new Worker(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })));
  window.testBeeps = [];
  worker.onmessage = ({ data }) => window.testBeeps.push(data);
  const { readable } = new MediaStreamTrackProcessor({ track });
  worker.postMessage(readable, [readable]);
}

/** Runs in the page: notes when the picture turns white, by the clock that everybody has. */
export function watchForFlashes() {
  const video = document.querySelector('vroom-desktop video');
  const canvas = new OffscreenCanvas(1, 1);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  window.testFlashes = [];
  let white = true;
  const look = (now, { presentationTime }) => {
    context.drawImage(video, video.videoWidth / 2, video.videoHeight / 2, 1, 1, 0, 0, 1, 1);
    const bright = context.getImageData(0, 0, 1, 1).data[0] > 128;
    if (bright && !white) window.testFlashes.push(performance.timeOrigin + presentationTime);
    white = bright;
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
}

/** How much later each flash was heard than seen, by the beep next to it. */
export function apart(flashes, beeps) {
  const nearest = (flash) => beeps.map((beep) => beep - flash).sort((a, b) => Math.abs(a) - Math.abs(b))[0];
  return flashes.map(nearest).filter((offset) => Math.abs(offset) < 250);
}

export const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
