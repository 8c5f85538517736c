/** VROOM-Graphical control messages as this client writes and reads them. */
import type { Bytes } from "../bytes.ts";
import type { Value } from "../cbor.ts";
import { Float } from "../cbor.ts";
import type { Fields } from "../encoding.ts";
import { decodeFields } from "../encoding.ts";
import { bytes, flag, integer, map, maps, number, text, texts } from "../fields.ts";

export const Client = {
  Handshake: 0x80,
  Mode: 0x81,
  Resize: 0x82,
  Clipboard: 0x83,
  Navigate: 0x84,
  Command: 0x85,
  Paste: 0x86,
  Share: 0x87,
  Media: 0x88,
  Feedback: 0x89,
  Drag: 0x8b,
  Notice: 0x8d,
  Record: 0x8e,
  Chat: 0x93,
} as const;

export const Server = {
  Handshake: 0x80,
  Clipboard: 0x83,
  Drag: 0x8b,
  Record: 0x8e,
  Cursor: 0x90,
  State: 0x91,
  Notification: 0x92,
  Chat: 0x93,
  ShareState: 0x94,
  MediaState: 0x95,
} as const;

export type Mode = "view" | "interact" | "voice";

/** A size in whole pixels. */
export interface Size {
  width: number;
  height: number;
}

export interface ServerHandshake {
  version: string;
  encoding: string | undefined;
  capabilities: string[];
  viewport: Size;
  agent: string | undefined;
}

export interface Cursor {
  type: string;
  x: number;
  y: number;
  visible: boolean;
  image: CursorImage | undefined;
  /** A program holds the pointer in place and wants distances. */
  locked: boolean;
}

/** A cursor picture; after the first use only its id comes. */
export interface CursorImage {
  id: number;
  png: Bytes | undefined;
  width: number;
  height: number;
  hotspotX: number;
  hotspotY: number;
}

export interface State {
  state: string;
  mode: Mode | undefined;
  viewport: Size | undefined;
  title: string | undefined;
  desktop: { kind: string | undefined; ended: string | undefined } | undefined;
}

export interface Notification {
  type: string;
  text: string;
  ref: string | undefined;
  code: number | undefined;
  /** Unix seconds. */
  timestamp: number | undefined;
  notice: Notice | undefined;
}

/** What a program of the desktop notifies of, or that one of these is over. */
export interface Notice {
  id: number;
  app: string;
  title: string;
  body: string;
  actions: { key: string; label: string }[];
  /** It stays in sight until somebody saw to it. */
  urgent: boolean;
  /** It was there before this page came. */
  earlier: boolean;
  /** It is over; nothing but the id counts. */
  closed: boolean;
}

/** A line of conversation. */
export interface Chat {
  text: string;
  /** The participant's id and what they are called; they may be gone. */
  from: string;
  name: string;
  /** Unix seconds. */
  timestamp: number | undefined;
  /** Counts the lines of the session; undefined where the server does not count. */
  id: number | undefined;
  /** It was said before this page came. */
  earlier: boolean;
}

export interface Participant {
  id: string;
  name: string;
  role: string;
  mode: string;
}

export interface ShareState {
  self: string;
  driver: string | undefined;
  participants: Participant[];
  reason: string | undefined;
}

/** What becomes of files that are dragged: held over the desktop, dropped there, or taken out of it. */
export type Drag = { action: "enter"; x: number; y: number } | { action: "drop"; x: number; y: number; paths: string[] } | { action: "leave" } | { action: "take" };

/** How a drag of files goes. */
export type DragNews =
  | { action: "begin" }
  /** What was taken, as paths of `file-transfer`; `elsewhere` counts those that it does not reach. */
  | { action: "files"; paths: string[]; elsewhere: number }
  | { action: "end"; taken: boolean };

/** Whether the session is recorded. */
export interface RecordState {
  /** Whether this person may begin, end and fetch recordings. */
  allowed: boolean;
  recording: { by: string; since: number } | null;
  /** Why the last one ended, where nobody asked for that. */
  reason: string;
}

export interface MediaState {
  codec: string | undefined;
  encoder: string | undefined;
  /** Why each encoder that would be better is not used. */
  declined: string[];
  size: Size | undefined;
  fps: number | undefined;
  bitrate: number | undefined;
  /** Whether the server listens to this client. */
  mic: boolean | undefined;
  /** How long stages take in milliseconds: half of the pictures are faster, 95 %, 99 %. */
  latency: { [stage: string]: Quantiles };
}

/** Half are below the first, 95 % below the second, 99 % below the third. */
export type Quantiles = [p50: number, p95: number | null, p99: number | null];

/** The client's VROOM_HANDSHAKE; always JSON, members in the order of the specification's example. */
export function handshake(capabilities: string[], viewport: Size, mode: Mode): Fields {
  return {
    version: "0.1.0",
    control_encoding: ["cbor", "json"],
    capabilities,
    viewport: { width: viewport.width, height: viewport.height },
    mode,
  };
}

/** RESIZE in logical pixels. */
export function resize(size: Size, scale: number, pixelRatio: number): Fields {
  return { width: size.width, height: size.height, scale: new Float(scale), pixelRatio: new Float(pixelRatio) };
}

/** DRAG of the server; null where it says something unknown. */
export function readDrag(fields: Fields): DragNews | null {
  const action = text(fields, "action");
  if (action === "begin") return { action };
  if (action === "files") return { action, paths: texts(fields, "paths"), elsewhere: integer(fields, "elsewhere", 0) ?? 0 };
  return action === "end" ? { action, taken: flag(fields, "taken") === true } : null;
}

/** RECORD of the server. */
export function readRecord(fields: Fields): RecordState {
  return { allowed: flag(fields, "allowed") === true, recording: readRecording(fields), reason: text(fields, "reason") ?? "" };
}

/** The recording that is under way, where a message names one. */
export function readRecording(fields: Fields): { by: string; since: number } | null {
  const recording = map(fields, "recording");
  return recording ? { by: text(recording, "by") ?? "", since: integer(recording, "since") ?? 0 } : null;
}

export function readHandshake(body: Bytes): ServerHandshake | null {
  const fields = decodeFields(body);
  const viewport = size(map(fields, "viewport"));
  const version = text(fields, "version");
  if (!viewport || version === undefined) return null;
  const agent = map(fields, "agent");
  return {
    version,
    encoding: text(fields, "control_encoding"),
    capabilities: texts(fields, "capabilities"),
    viewport,
    agent: agent ? text(agent, "name") : undefined,
  };
}

export function readCursor(fields: Fields): Cursor {
  const image = map(fields, "image");
  const id = image ? integer(image, "id") : undefined;
  return {
    type: text(fields, "type") ?? "default",
    x: number(fields, "x") ?? 0,
    y: number(fields, "y") ?? 0,
    visible: flag(fields, "visible") ?? true,
    image: image && id !== undefined ? cursorImage(image, id) : undefined,
    locked: flag(fields, "locked") ?? false,
  };
}

function cursorImage(image: Fields, id: number): CursorImage {
  return {
    id,
    png: bytes(image, "png"),
    width: integer(image, "width") ?? 0,
    height: integer(image, "height") ?? 0,
    hotspotX: integer(image, "hotspotX") ?? 0,
    hotspotY: integer(image, "hotspotY") ?? 0,
  };
}

export function readState(fields: Fields): State {
  const desktop = map(fields, "desktop");
  return {
    state: text(fields, "state") ?? "",
    mode: mode(fields["mode"]),
    viewport: size(map(fields, "viewport")),
    title: text(fields, "title"),
    desktop: desktop && { kind: text(desktop, "kind"), ended: text(desktop, "ended") },
  };
}

export function readNotification(fields: Fields): Notification {
  return {
    type: text(fields, "type") ?? "info",
    text: text(fields, "text") ?? "",
    ref: text(fields, "ref"),
    code: integer(fields, "code"),
    timestamp: integer(fields, "timestamp"),
    notice: notice(map(fields, "notice")),
  };
}

function notice(fields: Fields | undefined): Notice | undefined {
  const id = fields && integer(fields, "id");
  if (!fields || id === undefined) return undefined;
  return {
    id,
    app: text(fields, "app") ?? "",
    title: text(fields, "title") ?? "",
    body: text(fields, "body") ?? "",
    actions: maps(fields, "actions").map((action) => ({ key: text(action, "key") ?? "", label: text(action, "label") ?? "" })),
    urgent: flag(fields, "urgent") ?? false,
    earlier: flag(fields, "earlier") ?? false,
    closed: flag(fields, "closed") ?? false,
  };
}

export function readChat(fields: Fields): Chat {
  return {
    text: text(fields, "text") ?? "",
    from: text(fields, "from") ?? "",
    name: text(fields, "name") ?? "",
    timestamp: integer(fields, "timestamp"),
    id: integer(fields, "id"),
    earlier: flag(fields, "earlier") ?? false,
  };
}

export function readShareState(fields: Fields): ShareState {
  return {
    self: text(fields, "self") ?? "",
    driver: text(fields, "driver"),
    participants: maps(fields, "participants").map((participant) => ({
      id: text(participant, "id") ?? "",
      name: text(participant, "name") ?? "",
      role: text(participant, "role") ?? "",
      mode: text(participant, "mode") ?? "view",
    })),
    reason: text(fields, "reason"),
  };
}

export function readMediaState(fields: Fields): MediaState {
  const latency: { [stage: string]: Quantiles } = {};
  const [p50, p95, p99] = ["latency", "latencyP95", "latencyP99"].map((name) => map(fields, name) ?? {});
  for (const stage of Object.keys(p50 ?? {})) {
    const ms = p50 && number(p50, stage);
    if (ms !== undefined) latency[stage] = [ms, (p95 && number(p95, stage)) ?? null, (p99 && number(p99, stage)) ?? null];
  }
  return {
    codec: text(fields, "codec"),
    encoder: text(fields, "encoder"),
    declined: texts(fields, "declined"),
    size: size(fields),
    fps: number(fields, "fps"),
    bitrate: number(fields, "bitrate"),
    mic: flag(fields, "mic"),
    latency,
  };
}

function size(fields: Fields | undefined): Size | undefined {
  const width = fields && number(fields, "width");
  const height = fields && number(fields, "height");
  if (width === undefined || height === undefined || width < 1 || height < 1) return undefined;
  return { width: Math.trunc(width), height: Math.trunc(height) };
}

function mode(value: Value | undefined): Mode | undefined {
  return value === "view" || value === "interact" || value === "voice" ? value : undefined;
}
