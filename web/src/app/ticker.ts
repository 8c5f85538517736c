/** Calls a function again and again, but only while that is wanted. */
export class Ticker {
  #timer: ReturnType<typeof setInterval> | null = null;

  constructor(
    private readonly everyMs: number,
    private readonly run: () => void,
  ) {}

  set(wanted: boolean): void {
    if (wanted === (this.#timer !== null)) return;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = wanted ? setInterval(this.run, this.everyMs) : null;
  }
}
