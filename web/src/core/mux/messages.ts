/** The JSON bodies of the mux messages that this client writes and reads. */
import type { Bytes } from "../bytes.ts";
import { utf8 } from "../bytes.ts";
import type { Fields } from "../encoding.ts";
import { jsonFields, toJson } from "../encoding.ts";
import { integer, maps, number, text, texts } from "../fields.ts";
import type { ChannelSpec } from "./channel.ts";
import { reliable } from "./channel.ts";

/** Frame payloads are offered up to this size, and never accepted above it. */
export const MAX_MESSAGE_SIZE = 65_535;
/** Before WELCOME a payload above this is refused. */
export const MAX_MESSAGE_SIZE_EARLY = 16 * 1024;

/** Who asks to connect; the key stays out of every log and of the test hook. */
export type Auth = { type: "session" | "token" | "share"; token: string };

/** Extensions that this client asks for. */
export const EXTENSIONS = ["fragmentation", "session-resume", "vroom-seq-ack", "session-persistence", "file-transfer"] as const;

/** The server's answer to HELLO. */
export interface Welcome {
  maxMessageSize: number;
  pingIntervalMs: number;
  pingTimeoutMs: number;
  extensions: ReadonlySet<string>;
  user: string | undefined;
  role: string | undefined;
}

/** SESSION_ID: what the session is resumed by; a secret that stays in memory. */
export interface SessionGrant {
  sessionId: string;
  /** How long the server keeps the session after a loss; Infinity for ever. */
  timeoutMs: number;
}

/** RESUME_RESPONSE that lets the session go on. */
export interface Resumed {
  lastSequence: number | null;
  /** The channels that are open, or null when the server does not say. */
  channels: { name: string; id: number }[] | null;
  maxMessageSize: number | null;
  pingIntervalMs: number | null;
  pingTimeoutMs: number | null;
}

/** HELLO with the control channel listed, as the seed text does. */
export function hello(auth: Auth): Bytes {
  return body({
    version: [0, 1, 0],
    application: "vroom/0.1",
    extensions: [...EXTENSIONS],
    maxMessageSize: MAX_MESSAGE_SIZE,
    pingInterval: 30,
    pingTimeout: 10,
    channels: [channelFields(reliable("control"))],
    auth: { type: auth.type, token: auth.token },
  });
}

/** Reads WELCOME; null when its major version is not ours. */
export function welcome(payload: Bytes): Welcome | null {
  const fields = jsonFields(payload);
  const version = fields["version"];
  if (!Array.isArray(version) || version[0] !== 0) return null;
  return {
    maxMessageSize: frameMax(integer(fields, "maxMessageSize")) ?? MAX_MESSAGE_SIZE,
    pingIntervalMs: (number(fields, "pingInterval") ?? 30) * 1000,
    pingTimeoutMs: (number(fields, "pingTimeout") ?? 10) * 1000,
    extensions: new Set(texts(fields, "extensions")),
    user: text(fields, "user"),
    role: text(fields, "role"),
  };
}

/** Reads SESSION_ID; null when it names nothing. */
export function sessionGrant(payload: Bytes): SessionGrant | null {
  const fields = jsonFields(payload);
  const sessionId = text(fields, "sessionId");
  const timeout = number(fields, "resumeTimeout") ?? 60;
  return sessionId === undefined || sessionId === "" ? null : { sessionId, timeoutMs: timeout === 0 ? Infinity : timeout * 1000 };
}

/** RESUME_REQUEST. */
export function resumeRequest(sessionId: string, lastSequence: number, auth: Auth): Bytes {
  return body({ sessionId, lastSequence, auth: { type: auth.type, token: auth.token } });
}

/** Reads RESUME_RESPONSE: how the session goes on, or why it does not. */
export function resumeResponse(payload: Bytes): Resumed | { code: number; reason: string } {
  const fields = jsonFields(payload);
  if (fields["success"] !== true) return { code: integer(fields, "code") ?? 0, reason: text(fields, "reason") ?? "" };
  const seconds = (key: string): number | null => {
    const value = number(fields, key);
    return value === undefined ? null : value * 1000;
  };
  return {
    lastSequence: integer(fields, "lastSequence") ?? null,
    channels: Array.isArray(fields["channels"]) ? assigned(maps(fields, "channels")) : null,
    maxMessageSize: frameMax(integer(fields, "maxMessageSize")),
    pingIntervalMs: seconds("pingInterval"),
    pingTimeoutMs: seconds("pingTimeout"),
  };
}

function assigned(listed: Fields[]): { name: string; id: number }[] {
  return listed.flatMap((fields) => {
    const [name, id] = [text(fields, "name"), integer(fields, "id", 1, 254)];
    return name === undefined || id === undefined ? [] : [{ name, id }];
  });
}

/** The largest frame payload from what the server says, where 0 means no limit of its own. */
function frameMax(size: number | undefined): number | null {
  if (size === undefined) return null;
  return size === 0 ? MAX_MESSAGE_SIZE : Math.min(size, MAX_MESSAGE_SIZE);
}

/** OPEN_CHANNEL. */
export function openChannel(requestId: number, spec: ChannelSpec): Bytes {
  return body({ requestId, ...channelFields(spec) });
}

/** CHANNEL_REJECT. */
export function channelReject(requestId: number, code: number, reason: string): Bytes {
  return body({ requestId, code, reason });
}

/** CLOSE_CHANNEL. */
export function closeChannel(id: number, reason?: string): Bytes {
  return body({ id, reason });
}

/** DETACH. */
export function detach(reason: string): Bytes {
  return body({ reason });
}

/** CLOSE. */
export function close(code: number, reason: string): Bytes {
  return body({ code, reason });
}

/** ERROR. */
export function error(code: number, channel: number, reason: string): Bytes {
  return body({ code, channel, reason });
}

/** A code with its reason, as CLOSE, ERROR and CHANNEL_REJECT carry them. */
export function verdict(payload: Bytes): { code: number; reason: string; channel: number | undefined; requestId: number | undefined } {
  const fields = jsonFields(payload);
  return {
    code: integer(fields, "code") ?? 0,
    reason: text(fields, "reason") ?? "",
    channel: integer(fields, "channel", 0, 255),
    requestId: integer(fields, "requestId"),
  };
}

function channelFields(spec: ChannelSpec): Fields {
  return { name: spec.name, reliable: spec.reliable, ordered: spec.ordered, maxRetransmits: spec.maxRetransmits, metadata: spec.metadata };
}

function body(fields: Fields): Bytes {
  return utf8(toJson(fields));
}
