/** The colours of the terminal in both appearances; they sit with the page's own. */
import type { ITheme } from "@xterm/xterm";

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

/** The palette for an appearance. */
export function terminalTheme(isDark: boolean): ITheme {
  return isDark ? dark : light;
}
