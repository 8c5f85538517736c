/** PING, PONG and the verdict that nobody is there any more. */
import type { Bytes } from "../bytes.ts";
import { view } from "../bytes.ts";

const WRAP = 2 ** 32;

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

  constructor(now: number) {
    this.#start = now;
    this.#heard = now;
  }

  /** Another transport carries the connection now; nothing is asked on it yet. */
  restart(now: number): void {
    this.heard(now);
    this.rttMs = null;
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
    const payload = new Uint8Array(4);
    view(payload).setUint32(0, this.#clock(now));
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
    this.rttMs = (this.#clock(now) - view(payload).getUint32(0) + WRAP) % WRAP;
    return true;
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
