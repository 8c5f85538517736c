/** What a terminal engine can do, as offered to the server and as selected by it. */
import type { Fields } from "../encoding.ts";
import { flag, map, texts } from "../fields.ts";

/** What the loaded engine has shown to answer. */
export interface EngineCapabilities {
  unicodeVersion: string;
  truecolor: boolean;
  /** Kitty keyboard flags that the engine reports back after a push of all of them. */
  kittyFlags: number;
  kittyGraphics: boolean;
  sixel: boolean;
  synchronizedOutput: boolean;
  mouse: string[];
  features: string[];
}

/** The flag mask that each kitty keyboard level guarantees. */
export const KITTY_LEVELS: readonly [level: number, mask: number][] = [
  [1, 1],
  [2, 3],
  [3, 15],
];

/** CAPABILITY_OFFER: nothing in it that the engine did not answer. */
export function offer(engine: EngineCapabilities): Fields {
  const levels = KITTY_LEVELS.filter(([, mask]) => (engine.kittyFlags & mask) === mask).map(([level]) => level);
  return {
    protocol_version: 1,
    terminal: { name: "vroom", unicode_version: engine.unicodeVersion, truecolor: engine.truecolor },
    kitty: {
      keyboard: { supported_levels: levels, preferred_level: levels.at(-1) ?? 0 },
      graphics: engine.kittyGraphics,
      sixel: engine.sixel,
      synchronized_output: engine.synchronizedOutput,
    },
    mouse: engine.mouse,
    features: engine.features,
    extensions: { structured_keys: false, reconnect: true, zstd_compression: true, flow_control: true, sharing: true },
  };
}

/** The part of CAPABILITY_SELECT that this client acts upon. */
export interface Selected {
  kittyLevel: number;
  osc52: boolean;
  truecolor: boolean;
  graphics: boolean;
  sixel: boolean;
  /** Output comes by credit, with REPAINT and ACK on the PTY channel. */
  flowControl: boolean;
  /** SHARE may be asked and SHARE_STATE comes. */
  sharing: boolean;
}

/** Reads CAPABILITY_SELECT. */
export function readSelect(fields: Fields): Selected {
  const kitty = map(fields, "kitty") ?? {};
  const keyboard = map(kitty, "keyboard") ?? {};
  const extensions = map(fields, "extensions") ?? {};
  const level = keyboard["preferred_level"];
  return {
    kittyLevel: typeof level === "number" ? level : 0,
    osc52: texts(fields, "features").includes("osc52_clipboard"),
    truecolor: flag(map(fields, "terminal") ?? {}, "truecolor") ?? false,
    graphics: flag(kitty, "graphics") ?? false,
    sixel: flag(kitty, "sixel") ?? false,
    flowControl: flag(extensions, "flow_control") ?? false,
    sharing: flag(extensions, "sharing") ?? false,
  };
}
