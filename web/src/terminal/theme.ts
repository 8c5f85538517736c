/** The colours and letters of the terminal; the palettes sit with the page's own. */
import type { ITheme } from "@xterm/xterm";

/** The palettes that can be chosen; `auto` follows the page. */
export type ThemeName = "auto" | "dark" | "light" | "contrast";

/** System fonts that can be chosen, each with its stack. */
export const FONTS: readonly { name: string; stack: string }[] = [
  { name: "System", stack: 'ui-monospace, "JetBrains Mono", "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace' },
  { name: "JetBrains Mono", stack: '"JetBrains Mono", monospace' },
  { name: "Fira Code", stack: '"Fira Code", "Fira Mono", monospace' },
  { name: "Cascadia", stack: '"Cascadia Mono", "Cascadia Code", monospace' },
  { name: "Menlo", stack: "Menlo, Monaco, monospace" },
  { name: "Consolas", stack: "Consolas, monospace" },
  { name: "Source Code Pro", stack: '"Source Code Pro", monospace' },
  { name: "Ubuntu Mono", stack: '"Ubuntu Mono", monospace' },
  { name: "Noto Sans Mono", stack: '"Noto Sans Mono", monospace' },
  { name: "DejaVu Sans Mono", stack: '"DejaVu Sans Mono", monospace' },
  { name: "Liberation Mono", stack: '"Liberation Mono", "Courier New", monospace' },
];

const dark: ITheme = {
  background: "#0f1211",
  foreground: "#dfe3de",
  cursor: "#e9b44c",
  cursorAccent: "#0f1211",
  selectionBackground: "#3a4643",
  black: "#1b1f1e",
  red: "#e2766a",
  green: "#8fbf7f",
  yellow: "#e2b866",
  blue: "#7fa8c9",
  magenta: "#bf93b8",
  cyan: "#79b8b0",
  white: "#c9cec8",
  brightBlack: "#68716d",
  brightRed: "#f2958a",
  brightGreen: "#aed89f",
  brightYellow: "#f2d08a",
  brightBlue: "#a2c6e2",
  brightMagenta: "#d9b3d3",
  brightCyan: "#9dd6ce",
  brightWhite: "#f4f6f3",
};

const light: ITheme = {
  background: "#fbfbf8",
  foreground: "#242826",
  cursor: "#a35c00",
  cursorAccent: "#fbfbf8",
  selectionBackground: "#dcdcd2",
  black: "#242826",
  red: "#b23c2e",
  green: "#3f7a34",
  yellow: "#8f6400",
  blue: "#2f648f",
  magenta: "#8a4a82",
  cyan: "#1f756c",
  white: "#6d746f",
  brightBlack: "#59605c",
  brightRed: "#94291c",
  brightGreen: "#2c6222",
  brightYellow: "#744f00",
  brightBlue: "#1d4f78",
  brightMagenta: "#70346a",
  brightCyan: "#0e5d55",
  brightWhite: "#242826",
};

const contrast: ITheme = {
  background: "#000000",
  foreground: "#ffffff",
  cursor: "#ffd75e",
  cursorAccent: "#000000",
  selectionBackground: "#ffffff",
  selectionForeground: "#000000",
  black: "#000000",
  red: "#ff8a80",
  green: "#8dff9a",
  yellow: "#ffe566",
  blue: "#9cc7ff",
  magenta: "#ffa6f6",
  cyan: "#7ff4ff",
  white: "#ffffff",
  brightBlack: "#b8b8b8",
  brightRed: "#ffb3ab",
  brightGreen: "#b9ffc1",
  brightYellow: "#fff0a3",
  brightBlue: "#c4deff",
  brightMagenta: "#ffccfa",
  brightCyan: "#b8f9ff",
  brightWhite: "#ffffff",
};

/** The palette of a name; `pageIsDark` decides what `auto` is. */
export function terminalTheme(name: ThemeName, pageIsDark: boolean): ITheme {
  if (name === "contrast") return contrast;
  const isDark = name === "auto" ? pageIsDark : name === "dark";
  return isDark ? dark : light;
}

/** Text that keeps this contrast against its background whatever the program chose. */
export function contrastRatio(name: ThemeName): number {
  return name === "contrast" ? 7 : 4.5;
}

/** Colours of search matches, as the search addon wants them. */
export function matchColours(name: ThemeName, pageIsDark: boolean) {
  const isDark = name === "dark" || name === "contrast" || (name === "auto" && pageIsDark);
  const [match, active] = isDark ? ["#3f4a37", "#8a6a1f"] : ["#e8e2b8", "#f0c060"];
  return { matchBackground: match, activeMatchBackground: active, matchOverviewRuler: match, activeMatchColorOverviewRuler: active };
}
