/** The icons: 16 px line drawings in the text's own colour, drawn for this page. */
import { svg } from "./dom.ts";

const paths = {
  mark: "M2.5 4 6 12.5 8.8 6.3M9.6 12.5h4",
  desktop: "M2 3.5h12v7.5H2zM6 13.5h4M8 11v2.5",
  terminal: "M2 3h12v10H2zM4.5 6l2 2-2 2M8.5 10.2h3",
  plus: "M8 3.5v9M3.5 8h9",
  close: "M4.5 4.5l7 7M11.5 4.5l-7 7",
  view: "M1.8 8S4 4 8 4s6.2 4 6.2 4S12 12 8 12 1.8 8 1.8 8zM8 9.8a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6z",
  interact: "M3.5 2.5l9 5.2-4 1.1-1.7 3.9z",
  voice: "M8 2.2a1.8 1.8 0 0 1 1.8 1.8v3.6a1.8 1.8 0 0 1-3.6 0V4A1.8 1.8 0 0 1 8 2.2zM3.8 7.6a4.2 4.2 0 0 0 8.4 0M8 11.8v2",
  settings: "M2.5 5h6M11.5 5h2M2.5 11h2M7.5 11h6M10 3.4v3.2M6 9.4v3.2",
  chart: "M2.5 13.5v-11M2.5 13.5h11M5 10.5l2.6-3.2 2.2 1.8 3.2-4.6",
  help: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM6.2 6.3a1.8 1.8 0 1 1 2.6 1.6c-.6.3-.8.6-.8 1.2M8 11.2v.1",
  fullscreen: "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10",
  keyboard: "M1.8 4h12.4v8H1.8zM4 6.6h.1M6.6 6.6h.1M9.3 6.6h.1M12 6.6h.1M5 9.6h6",
  signout: "M6.5 2.5h-4v11h4M6.5 8h7M10.8 5.2 13.5 8l-2.7 2.8",
  warning: "M8 2.5 14.5 13.5h-13zM8 6.6v3.2M8 11.7v.1",
  link: "M6.6 9.4 9.4 6.6M7 4.6l1.2-1.2a3 3 0 0 1 4.3 4.3L11.3 9M9 11.4l-1.2 1.2a3 3 0 0 1-4.3-4.3L4.7 7",
  copy: "M5.5 5.5h7v8h-7zM3.5 10.5v-8h7",
  check: "M3.2 8.4 6.4 11.5 12.8 4.8",
  up: "M4 10l4-4 4 4",
  down: "M4 6l4 4 4-4",
  search: "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.4 10.4l3.4 3.4",
  splitright: "M2 3h12v10H2zM8 3v10M11 6.4v3.2M9.4 8h3.2",
  splitdown: "M2 3h12v10H2zM2 8h12M8 9v3M6.5 10.5h3",
  share: "M11.5 5.5a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6zM4.5 9.8a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6zM11.5 14.1a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6zM6.1 7.1l3.8-2.2M6.1 8.9l3.8 2.2",
  sessions: "M5.5 4h8M5.5 8h8M5.5 12h8M2.5 4h.1M2.5 8h.1M2.5 12h.1",
  files: "M2 4.5v8.5h12V5.5H8L6.5 3.5H2z",
  upload: "M8 10.5v-7M5 6l3-3 3 3M2.5 10.5v3h11v-3",
  download: "M8 3v7M5 7.5l3 3 3-3M2.5 10.5v3h11v-3",
  pencil: "M3 13l.6-2.6 7-7 2 2-7 7zM9.4 4.6l2 2",
  sound: "M2.5 6.2h2.3L8 3.5v9L4.8 9.8H2.5zM10.3 6a2.8 2.8 0 0 1 0 4M12 4.2a5.3 5.3 0 0 1 0 7.6",
  muted: "M2.5 6.2h2.3L8 3.5v9L4.8 9.8H2.5zM10.5 6.3l3.4 3.4M13.9 6.3l-3.4 3.4",
  microphone: "M8 2.2a1.8 1.8 0 0 1 1.8 1.8v3.6a1.8 1.8 0 0 1-3.6 0V4A1.8 1.8 0 0 1 8 2.2zM3.8 7.6a4.2 4.2 0 0 0 8.4 0M8 11.8v2M5.8 13.8h4.4",
  nomicrophone: "M6.2 7.6V4A1.8 1.8 0 0 1 9.8 4v2.4M3.8 7.6a4.2 4.2 0 0 0 6.8 3.3M12.2 7.6a4.2 4.2 0 0 1-.3 1.5M8 11.8v2M5.8 13.8h4.4M2.8 2.8l10.4 10.4",
  stop: "M4 4h8v8H4z",
  camera: "M2 5h3l1.2-1.8h3.6L11 5h3v8H2zM8 11.2a2.4 2.4 0 1 0 0-4.8 2.4 2.4 0 0 0 0 4.8z",
  record: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 10.4a2.4 2.4 0 1 0 0-4.8 2.4 2.4 0 0 0 0 4.8z",
  chat: "M2.5 3h11v8H7.5L4.5 13.5V11h-2zM5 6h6M5 8.4h4",
  bell: "M8 2.2a3.6 3.6 0 0 0-3.6 3.6c0 3.4-1.4 4.4-1.4 5.2h10c0-.8-1.4-1.8-1.4-5.2A3.6 3.6 0 0 0 8 2.2zM6.6 13.2a1.5 1.5 0 0 0 2.8 0",
  globe: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM2 8h12M8 2c2 2 2.6 4 2.6 6S10 12 8 14C6 12 5.4 10 5.4 8S6 4 8 2z",
  text: "M3 4.5v-1h10v1M8 3.5v9M6 12.5h4",
} as const;

export type IconName = keyof typeof paths;

/** A decorative icon; whatever contains it carries the name. */
export function icon(name: IconName): SVGElement {
  const shape = svg("path", {
    d: paths[name],
    fill: "none",
    stroke: "currentColor",
    "stroke-width": 1.4,
    "stroke-linecap": "round",
    "stroke-linejoin": "round",
  });
  return svg("svg", { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true" }, shape);
}
