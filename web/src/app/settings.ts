/** How terminals look: the person's choices, kept with the browser. */
import { FONTS } from "../terminal/theme.ts";
import type { ThemeName } from "../terminal/theme.ts";
import type { Look } from "../terminal/view.ts";
import * as store from "./store.ts";

const KEY = "vroom.terminal-look";
export const FONT_SIZE_MIN = 8;
export const FONT_SIZE_MAX = 32;
const FONT_SIZE = 14;

interface Choices {
  theme: ThemeName;
  font: string;
  sizePx: number;
}

/** The choices as they are now. */
export function choices(): Choices {
  let stored: { [key: string]: unknown } = {};
  try {
    stored = (JSON.parse(localStorage.getItem(KEY) ?? "{}") as { [key: string]: unknown } | null) ?? {};
  } catch {
    // What another version or a person wrote there is replaced with the next choice.
  }
  const theme = stored["theme"];
  const size = stored["sizePx"];
  return {
    theme: theme === "dark" || theme === "light" || theme === "contrast" ? theme : "auto",
    font: FONTS.some(({ name }) => name === stored["font"]) ? String(stored["font"]) : "System",
    sizePx: typeof size === "number" && size >= FONT_SIZE_MIN && size <= FONT_SIZE_MAX ? size : FONT_SIZE,
  };
}

/** Keeps some choices. */
export function choose(changed: Partial<Choices>): void {
  localStorage.setItem(KEY, JSON.stringify({ ...choices(), ...changed }));
}

/** Makes the letters larger or smaller, or gives them their usual size. */
export function zoom(by: 1 | -1 | 0): void {
  const { sizePx } = choices();
  choose({ sizePx: by === 0 ? FONT_SIZE : Math.min(FONT_SIZE_MAX, Math.max(FONT_SIZE_MIN, sizePx + by)) });
}

/** The choices as a terminal takes them. */
export function look(): Look {
  const { theme, font, sizePx } = choices();
  const stack = FONTS.find(({ name }) => name === font)?.stack ?? FONTS[0]?.stack ?? "monospace";
  return { theme, fontFamily: stack, fontSizePx: sizePx, screenReader: store.loadScreenReader() };
}
