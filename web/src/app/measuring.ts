/** Measures once a second how things flow, and shows and reports it. */
import type { ShellFrame } from "../ui/shell.ts";
import type { Statistics } from "../ui/statistics.ts";
import { report } from "../video/shown.ts";
import type { Sources } from "./sampler.ts";
import { Sampler } from "./sampler.ts";

const SAMPLE_MS = 1_000;

export class Measuring {
  readonly #sampler: Sampler;

  constructor(
    private readonly frame: ShellFrame,
    private readonly sources: Sources,
    /** Takes a measured round trip. */
    private readonly rtt: (ms: number | null) => void,
  ) {
    this.#sampler = new Sampler(sources);
    setInterval(() => void this.#sample(), SAMPLE_MS);
  }

  get statistics(): Statistics {
    return this.#sampler.statistics;
  }

  /** Forgets the past; another connection begins. */
  reset(): void {
    this.#sampler.reset();
  }

  /** Shows the panel with the numbers, or hides it. */
  toggle(): void {
    const panel = this.frame.statistics;
    panel.hidden = !panel.hidden;
    if (!panel.hidden) panel.show(this.statistics);
    this.frame.announcer.say(panel.hidden ? "Statistics hidden." : "Statistics shown.");
  }

  async #sample(): Promise<void> {
    const [live, now] = [this.sources.live(), performance.now()];
    if (!live || document.hidden || !this.#sampler.isDue(live, !this.frame.statistics.hidden, now)) return;
    live.connection.ping(now);
    const statistics = await this.#sampler.sample(now);
    this.frame.status.setRtt(live.connection.keepalive.rttMs);
    this.rtt(live.connection.keepalive.rttMs);
    this.frame.statistics.add(statistics);
    const pictures = this.sources.shown();
    const shown = report(pictures, (at) => live.connection.keepalive.peerTime(at));
    live.graphical?.feedback({
      fps: Math.round(statistics.fps ?? 0),
      rtt: Math.round(statistics.rttMs ?? 0),
      jitter: Math.round(statistics.jitterMs ?? 0),
      decode: Math.round(statistics.decodeMs ?? 0),
      dropped: statistics.dropped ?? 0,
      ...(shown.length > 0 ? { shown } : {}),
    });
  }
}
