/** The statistics overlay: one key, every number that tells where time goes. */
import type { Quantiles } from "../core/graphical/messages.ts";
import { el, setText, svg } from "./dom.ts";

/** What is shown; null where nothing is known. */
export interface Statistics {
  transport: string | null;
  pair: string | null;
  rttMs: number | null;
  fps: number | null;
  bitrateKbps: number | null;
  codec: string | null;
  encoder: string | null;
  /** Why each encoder that would be better is not used. */
  declined: string[];
  size: string | null;
  decodeMs: number | null;
  jitterMs: number | null;
  dropped: number | null;
  /** How long each stage takes. */
  stages: { [stage: string]: Quantiles };
}

export const NO_STATISTICS: Statistics = {
  transport: null,
  pair: null,
  rttMs: null,
  fps: null,
  bitrateKbps: null,
  codec: null,
  encoder: null,
  declined: [],
  size: null,
  decodeMs: null,
  jitterMs: null,
  dropped: null,
  stages: {},
};

/** Samples kept for the curve. */
const SAMPLES = 60;
const CURVE = { width: 232, height: 36 };
/** Stages in the order in which a picture passes them. */
const STAGES = ["capture", "convert", "encode", "packetise", "network", "decode", "present"] as const;

const ROWS: readonly [label: string, read: (statistics: Statistics) => string][] = [
  ["Round trip", (s) => ms(s.rttMs)],
  ["Frames", (s) => (s.fps === null ? "–" : `${s.fps.toFixed(s.fps < 10 ? 1 : 0)} fps`)],
  ["Bitrate", (s) => bitrate(s.bitrateKbps)],
  ["Size", (s) => s.size ?? "–"],
  ["Codec", (s) => s.codec ?? "–"],
  ["Encoder", (s) => s.encoder ?? "–"],
  ["Decode", (s) => ms(s.decodeMs)],
  ["Jitter buffer", (s) => ms(s.jitterMs)],
  ["Dropped", (s) => (s.dropped === null ? "–" : String(s.dropped))],
  ["Transport", (s) => s.transport ?? "–"],
  ["Path", (s) => s.pair ?? "–"],
];

/** `<vroom-statistics>`. */
export class StatisticsPanel extends HTMLElement {
  readonly #cells = ROWS.map(() => el("td"));
  readonly #curve = svg("polyline", { fill: "none", stroke: "currentColor", "stroke-width": 1.5, "stroke-linejoin": "round", points: "" });
  readonly #bar = svg("svg", { class: "stages", viewBox: `0 0 ${CURVE.width} 8`, role: "img", "aria-label": "Time per stage" });
  readonly #legend = el("ul", { class: "legend" });
  readonly #fps: number[] = [];

  connectedCallback(): void {
    if (this.childElementCount > 0) return;
    this.setAttribute("role", "region");
    this.setAttribute("aria-label", "Statistics");
    const rows = ROWS.map(([label], place) => el("tr", {}, el("th", { scope: "row" }, label), this.#cells[place]));
    this.append(
      svg("svg", { class: "curve", viewBox: `0 0 ${CURVE.width} ${CURVE.height}`, role: "img", "aria-label": "Frames per second over the last minute" }, this.#curve),
      el("table", {}, el("tbody", {}, ...rows)),
      this.#bar,
      this.#legend,
    );
  }

  /** Takes one sample, once a second; draws only while it is visible. */
  add(statistics: Statistics): void {
    this.#fps.push(statistics.fps ?? 0);
    if (this.#fps.length > SAMPLES) this.#fps.shift();
    if (!this.hidden) this.show(statistics);
  }

  /** Draws the numbers and the curve. */
  show(statistics: Statistics): void {
    ROWS.forEach(([, read], place) => {
      const cell = this.#cells[place];
      if (cell) setText(cell, read(statistics));
    });
    const encoder = this.#cells[ROWS.findIndex(([label]) => label === "Encoder")];
    if (encoder) encoder.title = statistics.declined.join("\n");
    this.#drawCurve();
    this.#drawStages(statistics);
  }

  #drawCurve(): void {
    const top = Math.max(10, ...this.#fps);
    const step = CURVE.width / (SAMPLES - 1);
    const offset = SAMPLES - this.#fps.length;
    const points = this.#fps.map((fps, place) => `${((offset + place) * step).toFixed(1)},${(CURVE.height - 2 - (fps / top) * (CURVE.height - 4)).toFixed(1)}`);
    this.#curve.setAttribute("points", points.join(" "));
  }

  #drawStages(statistics: Statistics): void {
    const times = statistics.stages;
    const known = STAGES.filter((stage) => times[stage] !== undefined);
    const half = (stage: string): number => times[stage]?.[0] ?? 0;
    const total = known.reduce((sum, stage) => sum + half(stage), 0);
    let x = 0;
    const parts = known.map((stage) => {
      const width = total > 0 ? (half(stage) / total) * CURVE.width : 0;
      const part = svg("rect", { class: `stage-${stage}`, x: x.toFixed(1), y: 0, width: Math.max(0, width - 1).toFixed(1), height: 8 });
      x += width;
      return part;
    });
    this.#bar.replaceChildren(...parts);
    const row = (stage: string, name: string, quantiles: (number | null)[]): Node =>
      el("li", { class: `stage-${stage}` }, el("span", {}, name), ...quantiles.map((value) => el("b", {}, value === null ? "–" : bare(value))));
    const head = el("li", { class: "head" }, el("span", {}, "ms"), ...["p50", "p95", "p99"].map((each) => el("b", {}, each)));
    const rows = known.map((stage) => row(stage, stage, times[stage] ?? []));
    // The whole way is measured for each picture; where it is not, the halves are a guess at its half.
    this.#legend.replaceChildren(head, ...rows, row("all", "all", times["total"] ?? [total, null, null]));
  }
}

function bare(value: number): string {
  return value < 10 ? value.toFixed(1) : String(Math.round(value));
}

function ms(value: number | null): string {
  return value === null ? "–" : `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}

function bitrate(kbps: number | null): string {
  if (kbps === null) return "–";
  return kbps < 1000 ? `${Math.round(kbps)} kbit/s` : `${(kbps / 1000).toFixed(1)} Mbit/s`;
}

customElements.define("vroom-statistics", StatisticsPanel);
