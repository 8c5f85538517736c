/** `window.vroom`: a small, stable, read-only look at the page for tests. It holds no secrets. */
import type { Statistics } from "../ui/statistics.ts";

export interface Hook {
  /** `connecting`, `connected`, `waiting` or `signed-out`. */
  readonly state: string;
  /** `webrtc`, `websocket` or null. */
  readonly transport: string | null;
  /** The mode that the server granted. */
  readonly mode: string;
  /** True while input leaves this page. */
  readonly driving: boolean;
  /** Participant id of the driver, or null. */
  readonly driver: string | null;
  /** Own participant id, or null. */
  readonly self: string | null;
  readonly viewport: { readonly width: number; readonly height: number };
  /** Extensions that the server agreed to. */
  readonly extensions: readonly string[];
  /** Names of the open channels, without `control`. */
  readonly channels: readonly string[];
  /** Video frames shown so far. */
  readonly frames: number;
  readonly stats: Statistics;
  /** `terminal` is what joins it, or null; `tab` the tab it is in; `mayType` whether keys reach it. */
  readonly terminals: readonly { readonly id: string; readonly title: string; readonly state: string; readonly terminal: string | null; readonly tab: string; readonly mayType: boolean }[];
}

/** Publishes the hook; every property is read anew. */
export function publish(read: { [K in keyof Hook]: () => Hook[K] }): void {
  const hook = {};
  for (const [name, get] of Object.entries(read)) Object.defineProperty(hook, name, { get, enumerable: true });
  Object.defineProperty(window, "vroom", { value: Object.freeze(hook), enumerable: false });
}
