/** PING, PONG and the verdict that nobody is there any more. */
import type { Bytes } from "../bytes.ts";
import { view } from "../bytes.ts";

const WRAP = 2 ** 32;
/** Pings whose answers may still come. */
const ASKED_MAX = 8;
/** Two clocks drift apart by at most this much, in milliseconds per millisecond. */
const DRIFT = 0.0001;

/** Measures the round trip and notices silence. Times are milliseconds of a monotonic clock. */
export class Keepalive {
  /** Silence after which a PING is due; 0 switches it off. */
  intervalMs = 30_000;
  /** Silence after a PING after which the transport counts as dead. */
  timeoutMs = 10_000;
  /** Last measured round trip, or null before the first PONG. */
  rttMs: number | null = null;
  readonly #start: number;
  #heard: number;
  #asked: number | null = null;
  #patienceMs: number | null = null;
  /** What the last PINGs said, and exactly when they went out. */
  #pings: { clock: number; at: number }[] = [];
  /** By how much the peer's clock is ahead of ours: at least and at most, as it was known at a time. */
  #ahead: { least: number; most: number; at: number } | null = null;

  constructor(now: number) {
    this.#start = now;
    this.#heard = now;
  }

  /** Another transport carries the connection now; nothing is asked on it yet. */
  restart(now: number): void {
    this.heard(now);
    this.rttMs = null;
    this.#pings = [];
    this.#ahead = null;
  }

  /** What the peer's clock, that of its PONGs, shows at a moment of ours, in milliseconds; null before the first PONG. */
  peerTime(at: number): number | null {
    return this.#ahead === null ? null : at + (this.#ahead.least + this.#ahead.most) / 2;
  }

  /** Any frame of the peer proves that it is there. */
  heard(now: number): void {
    this.#heard = now;
    this.#asked = null;
    this.#patienceMs = null;
  }

  /** The payload of a PING sent now; with `patienceMs` silence counts as death sooner than usual. */
  ping(now: number, patienceMs?: number): Bytes {
    if (patienceMs !== undefined) this.#patienceMs = now - (this.#asked ?? now) + patienceMs;
    this.#asked ??= now;
    const clock = this.#clock(now);
    this.#pings.push({ clock, at: now });
    if (this.#pings.length > ASKED_MAX) this.#pings.shift();
    const payload = new Uint8Array(4);
    view(payload).setUint32(0, clock);
    return payload;
  }

  /** The payload of the PONG for a PING, or null when the PING is malformed. */
  answer(ping: Bytes, now: number): Bytes | null {
    if (ping.length !== 4) return null;
    const payload = new Uint8Array(8);
    payload.set(ping);
    view(payload).setUint32(4, this.#clock(now));
    return payload;
  }

  /** Takes a PONG; false when it is malformed. */
  pong(payload: Bytes, now: number): boolean {
    if (payload.length !== 8) return false;
    const echo = view(payload).getUint32(0);
    this.rttMs = (this.#clock(now) - echo + WRAP) % WRAP;
    const asked = this.#pings.find(({ clock }) => clock === echo);
    if (asked) this.#compare(asked.at, now, view(payload).getUint32(4));
    return true;
  }

  /**
   * Learns from an answer: the peer's clock, which tells whole milliseconds, showed `theirs` at some moment between
   * the question and the answer. What several answers leave possible is less than any of them.
   */
  #compare(asked: number, answered: number, theirs: number): void {
    const known = this.#ahead;
    const drift = known === null ? 0 : (answered - known.at) * DRIFT;
    const least = Math.max(theirs - answered, known === null ? -Infinity : known.least - drift);
    const most = Math.min(theirs + 1 - asked, known === null ? Infinity : known.most + drift);
    // A clock that jumped, or wrapped after 49 days, is learnt anew.
    this.#ahead = least <= most ? { least, most, at: answered } : { least: theirs - answered, most: theirs + 1 - asked, at: answered };
  }

  /** What is due now. */
  due(now: number): "nothing" | "ping" | "dead" {
    if (this.#asked !== null) return now - this.#asked >= Math.min(this.timeoutMs, this.#patienceMs ?? Infinity) ? "dead" : "nothing";
    return this.intervalMs > 0 && now - this.#heard >= this.intervalMs ? "ping" : "nothing";
  }

  #clock(now: number): number {
    return Math.floor(now - this.#start) % WRAP;
  }
}
