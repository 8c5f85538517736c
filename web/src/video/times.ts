/** How long one stage took for each of the last pictures. */
import type { Quantiles } from "../core/graphical/messages.ts";

/** Pictures that quantiles are taken over: four seconds at the highest usual rate. */
const SAMPLES = 240;

export class Times {
  readonly #samples: number[] = [];
  #next = 0;

  /** Notes one picture, in milliseconds. */
  add(ms: number): void {
    if (!Number.isFinite(ms) || ms < 0) return;
    this.#samples[this.#next] = ms;
    this.#next = (this.#next + 1) % SAMPLES;
  }

  /** Null before the first picture. */
  quantiles(): Quantiles | null {
    const sorted = [...this.#samples].sort((a, b) => a - b);
    const at = (part: number): number => sorted[Math.floor((sorted.length - 1) * part)] ?? 0;
    return sorted.length === 0 ? null : [at(0.5), at(0.95), at(0.99)];
  }
}
