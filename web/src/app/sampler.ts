/** Takes the numbers of the statistics once a second, from the connection, the browser and the server's reports. */
import type { MediaState, Quantiles } from "../core/graphical/messages.ts";
import type { CanvasCounters } from "../video/canvas.ts";
import type { Shown } from "../video/shown.ts";
import type { StreamCounters } from "../video/stream.ts";
import type { Statistics } from "../ui/statistics.ts";
import { NO_STATISTICS } from "../ui/statistics.ts";
import { transportName } from "../ui/status.ts";
import type { Live } from "./line.ts";

/** Samples are this far apart while terminals rest and nobody looks at the numbers. */
const RESTING_MS = 15_000;

/** Where the sampler finds what is shown now. */
export interface Sources {
  live(): Live | null;
  canvas(): CanvasCounters | null;
  stream(): StreamCounters | null;
  /** The pictures shown since the last time. */
  shown(): Shown[];
  media(): MediaState | null;
  pictureSize(): string | null;
}

/** What is kept between two samples, to take differences. */
interface Before {
  at: number;
  bytes: number;
  frames: number;
  decodeMs: number;
  decoded: number;
  jitterMs: number;
  emitted: number;
}

export class Sampler {
  statistics: Statistics = NO_STATISTICS;
  #before: Before | null = null;
  /** When the connection was last found busy or asked at rest, and what it had carried then. */
  #last = { at: -Infinity, carried: 0 };

  constructor(private readonly sources: Sources) {}

  /** Forgets the past; another connection begins. */
  reset(): void {
    this.#before = null;
    this.statistics = NO_STATISTICS;
  }

  /** False while a sample would only wake everybody up: no desktop, no bytes, no eyes. */
  isDue(live: Live, watched: boolean, now: number): boolean {
    const { carried } = live.connection;
    const rests = live.graphical === null && !watched && carried === this.#last.carried;
    if (rests && now - this.#last.at < RESTING_MS) return false;
    this.#last = { at: now, carried };
    return true;
  }

  /** The stages behind the server as far as they are known here; what the server tells of the same pictures is better. */
  #browserStages(report: { rttMs: number | null } | null): { [stage: string]: Quantiles } {
    const rttMs = this.sources.live()?.connection.keepalive.rttMs ?? report?.rttMs ?? null;
    const stream = this.sources.stream();
    const stages: { [stage: string]: Quantiles | null } = {
      network: rttMs === null ? null : [rttMs / 2, null, null],
      decode: (stream ?? this.sources.canvas())?.decode.quantiles() ?? null,
      present: stream?.present.quantiles() ?? null,
    };
    return Object.fromEntries(Object.entries(stages).filter((stage): stage is [string, Quantiles] => stage[1] !== null));
  }

  /** Takes one sample. */
  async sample(now: number): Promise<Statistics> {
    const live = this.sources.live();
    if (!live) {
      this.reset();
      return this.statistics;
    }
    const media = this.sources.media();
    const report = live.webrtc ? await rtcReport(live.webrtc.peer) : null;
    const counted = report ?? canvasReport(this.sources.canvas(), live.received());
    const stream = this.sources.stream();
    const frames = stream ? stream.shown : (counted?.frames ?? 0);
    const current: Before = { at: now, frames, ...pick(counted) };
    const before = this.#before;
    this.#before = current;
    const elapsed = before ? (now - before.at) / 1000 : 0;
    const per = (field: "bytes" | "frames"): number | null => (before && elapsed > 0 ? Math.max(0, current[field] - before[field]) / elapsed : null);
    const bytesPerSecond = per("bytes");
    this.statistics = {
      transport: `${transportName(live.transport)}${live.note === "" ? "" : ` (${live.note})`}`,
      pair: report?.pair ?? null,
      rttMs: live.connection.keepalive.rttMs ?? report?.rttMs ?? null,
      fps: per("frames"),
      bitrateKbps: bytesPerSecond === null ? null : (bytesPerSecond * 8) / 1000,
      codec: report?.codec || counted?.codec || media?.codec || null,
      encoder: media?.encoder ?? null,
      declined: media?.declined ?? [],
      size: this.sources.pictureSize(),
      decodeMs: mean(before, current, "decodeMs", "decoded"),
      jitterMs: report ? mean(before, current, "jitterMs", "emitted") : null,
      dropped: counted?.dropped ?? null,
      stages: { ...this.#browserStages(report), ...(media?.latency ?? {}) },
    };
    return this.statistics;
  }
}

interface Counted {
  bytes: number;
  frames: number;
  decodeMs: number;
  decoded: number;
  jitterMs: number;
  emitted: number;
  dropped: number;
  codec: string;
}

function pick(counted: Counted | null): Omit<Before, "at" | "frames"> {
  return {
    bytes: counted?.bytes ?? 0,
    decodeMs: counted?.decodeMs ?? 0,
    decoded: counted?.decoded ?? 0,
    jitterMs: counted?.jitterMs ?? 0,
    emitted: counted?.emitted ?? 0,
  };
}

/** The mean over the last second, or null when nothing passed. */
function mean(before: Before | null, current: Before, sum: "decodeMs" | "jitterMs", count: "decoded" | "emitted"): number | null {
  if (!before) return null;
  const passed = current[count] - before[count];
  return passed > 0 ? (current[sum] - before[sum]) / passed : null;
}

function canvasReport(canvas: CanvasCounters | null, received: number): Counted | null {
  if (!canvas) return null;
  return { bytes: received, frames: canvas.shown, decodeMs: canvas.decodeMs, decoded: canvas.shown, jitterMs: 0, emitted: 0, dropped: canvas.dropped, codec: canvas.codec };
}

type Report = { [field: string]: unknown; id: string; type: string };

async function rtcReport(peer: RTCPeerConnection): Promise<Counted & { pair: string | null; rttMs: number | null }> {
  const reports = new Map<string, Report>();
  (await peer.getStats()).forEach((report: Report) => reports.set(report.id, report));
  const all = [...reports.values()];
  const inbound = all.find((report) => report.type === "inbound-rtp" && report["kind"] === "video");
  const transport = all.find((report) => report.type === "transport");
  const pair = reports.get(String(transport?.["selectedCandidatePairId"] ?? "")) ?? all.find((report) => report.type === "candidate-pair" && report["nominated"] === true);
  const codec = reports.get(String(inbound?.["codecId"] ?? ""));
  const rtt = pair?.["currentRoundTripTime"];
  return {
    bytes: count(inbound, "bytesReceived"),
    frames: count(inbound, "framesDecoded"),
    decodeMs: count(inbound, "totalDecodeTime") * 1000,
    decoded: count(inbound, "framesDecoded"),
    jitterMs: count(inbound, "jitterBufferDelay") * 1000,
    emitted: count(inbound, "jitterBufferEmittedCount"),
    dropped: count(inbound, "framesDropped"),
    codec: codec ? `${String(codec["mimeType"]).replace("video/", "")}${profile(codec)}` : "",
    pair: pair ? candidatePair(reports, pair) : null,
    rttMs: typeof rtt === "number" ? rtt * 1000 : null,
  };
}

function profile(codec: Report): string {
  const found = /profile-level-id=([0-9a-fA-F]{6})/.exec(String(codec["sdpFmtpLine"] ?? ""));
  return found ? ` ${found[1]}` : "";
}

function candidatePair(reports: Map<string, Report>, pair: Report): string {
  const side = (id: unknown): string => {
    const candidate = reports.get(String(id));
    if (!candidate) return "?";
    return `${String(candidate["candidateType"])} ${String(candidate["protocol"])}`;
  };
  return `${side(pair["localCandidateId"])} → ${side(pair["remoteCandidateId"])}`;
}

function count(report: Report | undefined, field: string): number {
  const value = report?.[field];
  return typeof value === "number" ? value : 0;
}
