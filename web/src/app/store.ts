/** What outlives a reload: the session key with the tab, the person's choices with the browser. */
import type { Size } from "../core/graphical/messages.ts";
import type { Layout } from "../ui/desktop.ts";

/** A signed-in session. The key is a secret and goes nowhere but into requests. */
export interface Identity {
  key: string;
  user: string;
  role: string;
  desktop: string;
  size: Size | null;
  /** The one terminal that this session is for, or null. */
  terminal: string | null;
}

const IDENTITY = "vroom.session";
const LAYOUT = "vroom.layout";
const SCREEN_READER = "vroom.screen-reader";
const SUPER_COMMAND = "vroom.super-command";
const OUTSIDE = "vroom.outside-notifications";

export function loadIdentity(): Identity | null {
  try {
    const stored: unknown = JSON.parse(sessionStorage.getItem(IDENTITY) ?? "null");
    return typeof stored === "object" && stored !== null && "key" in stored ? (stored as Identity) : null;
  } catch {
    return null;
  }
}

export function saveIdentity(identity: Identity): void {
  sessionStorage.setItem(IDENTITY, JSON.stringify(identity));
}

export function forgetIdentity(): void {
  sessionStorage.removeItem(IDENTITY);
}

export function loadLayout(): Layout {
  const stored = localStorage.getItem(LAYOUT);
  return stored === "actual" || stored === "match" ? stored : "fit";
}

export function saveLayout(layout: Layout): void {
  localStorage.setItem(LAYOUT, layout);
}

export function loadScreenReader(): boolean {
  return localStorage.getItem(SCREEN_READER) === "on";
}

export function saveScreenReader(on: boolean): void {
  localStorage.setItem(SCREEN_READER, on ? "on" : "off");
}

/** Whether the browser shows, too, what programs notify of. */
export function loadOutside(): boolean {
  return localStorage.getItem(OUTSIDE) === "on";
}

export function saveOutside(on: boolean): void {
  localStorage.setItem(OUTSIDE, on ? "on" : "off");
}

/** Whether Cmd of macOS is Super on the desktop. */
export function loadSuperCommand(): boolean {
  return localStorage.getItem(SUPER_COMMAND) === "on";
}

export function saveSuperCommand(on: boolean): void {
  localStorage.setItem(SUPER_COMMAND, on ? "on" : "off");
}

/** Takes the token out of the address bar before anything else can see it. */
export function takeCredential(): { token: string } | { share: string } | null {
  const [, kind, encoded] = /^#(token|share)=(.+)$/.exec(location.hash) ?? [];
  if (encoded === undefined) return null;
  history.replaceState(null, "", location.pathname + location.search);
  try {
    const token = decodeURIComponent(encoded);
    return kind === "share" ? { share: token } : { token };
  } catch {
    return null;
  }
}

/** Switches for tests, given in the query: never a secret, never an address. */
export interface Switches {
  transport: "webrtc" | "websocket" | null;
  jpeg: boolean;
}

export function switches(): Switches {
  const query = new URLSearchParams(location.search);
  const transport = query.get("transport");
  return {
    transport: transport === "webrtc" || transport === "websocket" ? transport : null,
    jpeg: query.get("video") === "jpeg",
  };
}
