/** Finds out what a terminal engine answers, so that nothing else is ever offered. */
import type { EngineCapabilities } from "../core/terminal/capabilities.ts";

/** The engine as the probe sees it. */
export interface Probed {
  /** Feeds a query and calls back when the engine has worked through it. */
  write(query: string, done: () => void): void;
  /** Everything the engine answered since the last call. */
  take(): string;
  truecolor(): boolean;
  unicodeVersion: string;
}

/** An engine that does not call back within this time answers nothing. */
const ANSWER_MS = 1_000;

/** Features that live in this client, around the engine. */
const OWN_FEATURES = ["osc52_clipboard", "hyperlinks", "progress_indicator"];

/** Asks the engine everything and puts it back as it was. */
export async function probe(engine: Probed): Promise<EngineCapabilities> {
  const ask = (query: string): Promise<string> => answerTo(engine, query);
  const kitty = await ask("\x1b[>31u\x1b[?u\x1b[<u");
  const attributes = await ask("\x1b[c");
  const graphics = await ask("\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\");
  const synchronized = await ask("\x1b[?2026$p");
  const mouse = await ask("\x1b[?1006$p");
  const paste = await ask("\x1b[?2004$p");
  const focus = await ask("\x1b[?1004$p");
  await ask("\x1b[H\x1b[38;2;1;2;3mx\x1b[m");
  const features = [...OWN_FEATURES];
  if (modeKnown(focus, 1004)) features.unshift("focus_reporting");
  if (modeKnown(paste, 2004)) features.unshift("bracketed_paste");
  return {
    unicodeVersion: engine.unicodeVersion,
    truecolor: engine.truecolor(),
    kittyFlags: kittyFlags(kitty),
    kittyGraphics: /\x1b_Gi=31;OK\x1b\\/.test(graphics),
    sixel: deviceAttributes(attributes).includes(4),
    synchronizedOutput: modeKnown(synchronized, 2026),
    mouse: modeKnown(mouse, 1006) ? ["sgr", "xterm"] : ["xterm"],
    features,
  };
}

/** The flags in a `CSI ? flags u` report, 0 without one. */
export function kittyFlags(answer: string): number {
  return Number(/\x1b\[\?(\d+)u/.exec(answer)?.[1] ?? 0);
}

/** The attributes in a DA1 report. */
export function deviceAttributes(answer: string): number[] {
  const report = /\x1b\[\?([\d;]+)c/.exec(answer);
  return report?.[1]?.split(";").map(Number) ?? [];
}

/** Whether a DECRPM report says that the mode exists: set, reset or fixed. */
export function modeKnown(answer: string, mode: number): boolean {
  const report = /\x1b\[\?(\d+);(\d)\$y/.exec(answer);
  return report !== null && Number(report[1]) === mode && report[2] !== "0" && report[2] !== "4";
}

async function answerTo(engine: Probed, query: string): Promise<string> {
  engine.take();
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ANSWER_MS);
    engine.write(query, () => {
      clearTimeout(timer);
      resolve();
    });
  });
  return engine.take();
}
