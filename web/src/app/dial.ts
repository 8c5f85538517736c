/** One attempt to connect: WebRTC where a desktop can be shown that way, WebSocket otherwise. */
import { EncodingError } from "../core/encoding.ts";
import { GraphicalSession } from "../core/graphical/session.ts";
import type { GraphicalEvents } from "../core/graphical/session.ts";
import type { Size } from "../core/graphical/messages.ts";
import { reliable } from "../core/mux/channel.ts";
import type { Channel } from "../core/mux/channel.ts";
import { Code } from "../core/mux/codes.ts";
import type { Closed } from "../core/mux/connection.ts";
import { Connection } from "../core/mux/connection.ts";
import type { LinkEvents } from "../core/mux/link.ts";
import { Refused, Signalling, Unreachable } from "../core/transport/signalling.ts";
import { WebRtcLink, receivesH264 } from "../core/transport/webrtc.ts";
import { WebSocketLink, websocketUrl } from "../core/transport/websocket.ts";
import { decodesH264 } from "../video/canvas.ts";

/** From the offer to the open control channel; after that WebSocket takes over. */
export const WEBRTC_TIMEOUT_MS = 10_000;
/** The same when a connection is made again and WebRTC has failed before. */
export const WEBRTC_RETRY_MS = 5_000;
const WEBSOCKET_TIMEOUT_MS = 8_000;
/** Connections are looked after this often. */
const TICK_MS = 500;

/** Capabilities of this page in any case; H264 on the `video` channel is added where it works. */
const CAPABILITIES = [
  "pointer",
  "keyboard",
  "touch",
  "text",
  "clipboard",
  "command",
  "cursor",
  "cursor-image",
  "sharing",
  "media",
];

/** What one attempt needs to know. */
export interface Wish {
  key: string;
  wantsDesktop: boolean;
  viewport: Size;
  transport: "webrtc" | "websocket" | null;
  jpeg: boolean;
  webrtcTimeoutMs: number;
}

/** What an attempt and the connection it makes report. */
export interface DialEvents extends GraphicalEvents {
  progress(step: "webrtc" | "websocket" | "session", until: number, note: string): void;
  opened(live: Live): void;
  closed(closed: Closed): void;
}

/** A connection that is up. */
export interface Live {
  transport: "webrtc" | "websocket";
  connection: Connection;
  graphical: GraphicalSession | null;
  webrtc: WebRtcLink | null;
  /** Bytes received so far, where the transport counts them. */
  received(): number;
  /** Why it is not WebRTC, or empty. */
  note: string;
  /** Opens the `video` channel; only without media tracks. */
  openVideo(): Promise<Channel>;
}

/** Dials once; resolves when the transport is up and HELLO is on its way. Throws {@link Refused} or {@link Unreachable}. */
export async function dial(wish: Wish, events: DialEvents, cancelled: () => boolean): Promise<Connection | null> {
  let note = "";
  if (wish.wantsDesktop && wish.transport !== "websocket") {
    if (!receivesH264()) note = "this browser receives no H264 over WebRTC";
    else {
      const attempt = await dialWebRtc(wish, events);
      if (typeof attempt !== "string") return attempt;
      note = attempt;
    }
    if (wish.transport === "webrtc") throw new Unreachable(note);
  }
  if (cancelled()) return null;
  return dialWebSocket(wish, events, note);
}

/** The connection, or in words why there is none. */
async function dialWebRtc(wish: Wish, events: DialEvents): Promise<Connection | string> {
  events.progress("webrtc", performance.now() + wish.webrtcTimeoutMs, "");
  const relay = new Relay();
  try {
    const link = await WebRtcLink.open(new Signalling(wish.key), wish.webrtcTimeoutMs, () => relay.events);
    return start(link, wish, CAPABILITIES, relay, events, { transport: "webrtc", webrtc: link, received: () => 0, note: "" });
  } catch (error) {
    if (error instanceof Unreachable || (error instanceof Refused && error.status === 401)) throw error;
    return error instanceof Error ? error.message : String(error);
  }
}

async function dialWebSocket(wish: Wish, events: DialEvents, note: string): Promise<Connection> {
  events.progress("websocket", performance.now() + WEBSOCKET_TIMEOUT_MS, note);
  const relay = new Relay();
  const h264 = wish.wantsDesktop && !wish.jpeg && (await decodesH264());
  let link: WebSocketLink;
  try {
    link = await WebSocketLink.open(websocketUrl(location.origin), WEBSOCKET_TIMEOUT_MS, () => relay.events);
  } catch (cause) {
    throw new Unreachable("the server does not answer", { cause });
  }
  const capabilities = h264 ? [...CAPABILITIES, "video-h264"] : CAPABILITIES;
  return start(link, wish, capabilities, relay, events, { transport: "websocket", webrtc: null, received: () => link.received, note });
}

type Extra = Pick<Live, "transport" | "webrtc" | "received" | "note">;

function start(link: WebRtcLink | WebSocketLink, wish: Wish, capabilities: string[], relay: Relay, events: DialEvents, extra: Extra): Connection {
  events.progress("session", performance.now() + WEBSOCKET_TIMEOUT_MS, extra.note);
  let graphical: GraphicalSession | null = null;
  const connection: Connection = new Connection(
    link,
    {
      welcome: () => {
        if (wish.wantsDesktop) {
          graphical = new GraphicalSession(connection, capabilities, wish.viewport, events);
          graphical.start();
        }
        events.opened({ ...extra, connection, graphical, openVideo: () => connection.open(reliable("video")) });
      },
      control: (type, payload) => {
        try {
          graphical?.receive(type, payload);
        } catch (error) {
          // A message of the server that cannot be read is skipped; the next one may be fine.
          if (!(error instanceof EncodingError)) throw error;
        }
      },
      error: (code) => graphical?.refused(code),
      closed: (closed) => {
        clearInterval(timer);
        events.closed(closed);
      },
    },
    performance.now(),
  );
  const timer = setInterval(() => connection.tick(performance.now()), TICK_MS);
  relay.connection = connection;
  connection.start({ type: "session", token: wish.key }, performance.now());
  return connection;
}

/** Hands what a link reports to the connection that lives on it. */
class Relay {
  connection: Connection | null = null;
  readonly events: LinkEvents = {
    message: (lane, frame) => this.connection?.receive(lane, frame, performance.now()),
    text: () => this.connection?.close(Code.Unsupported, "text messages are not used"),
    laneClosed: (lane) => this.connection?.laneClosed(lane, performance.now()),
    writable: () => this.connection?.flush(),
    closed: (reason) => this.connection?.lost(reason),
  };
}
