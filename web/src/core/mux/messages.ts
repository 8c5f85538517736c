/** The JSON bodies of the mux messages that this client writes and reads. */
import type { Bytes } from "../bytes.ts";
import { utf8 } from "../bytes.ts";
import type { Fields } from "../encoding.ts";
import { jsonFields, toJson } from "../encoding.ts";
import { integer, number, text } from "../fields.ts";
import type { ChannelSpec } from "./channel.ts";
import { reliable } from "./channel.ts";

/** Frame payloads are offered up to this size, and never accepted above it. */
export const MAX_MESSAGE_SIZE = 65_535;
/** Before WELCOME a payload above this is refused. */
export const MAX_MESSAGE_SIZE_EARLY = 16 * 1024;

/** Who asks to connect; the key stays out of every log and of the test hook. */
export type Auth = { type: "session" | "token"; token: string };

/** The server's answer to HELLO. */
export interface Welcome {
  maxMessageSize: number;
  pingIntervalMs: number;
  pingTimeoutMs: number;
  user: string | undefined;
  role: string | undefined;
}

/** HELLO with the control channel listed, as the seed text does. */
export function hello(auth: Auth): Bytes {
  return body({
    version: [0, 1, 0],
    application: "vroom/0.1",
    extensions: ["fragmentation"],
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
  const size = integer(fields, "maxMessageSize") ?? MAX_MESSAGE_SIZE;
  return {
    maxMessageSize: size === 0 ? MAX_MESSAGE_SIZE : Math.min(size, MAX_MESSAGE_SIZE),
    pingIntervalMs: (number(fields, "pingInterval") ?? 30) * 1000,
    pingTimeoutMs: (number(fields, "pingTimeout") ?? 10) * 1000,
    user: text(fields, "user"),
    role: text(fields, "role"),
  };
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
  return { name: spec.name, reliable: spec.reliable, ordered: spec.ordered, maxRetransmits: spec.maxRetransmits };
}

function body(fields: Fields): Bytes {
  return utf8(toJson(fields));
}
