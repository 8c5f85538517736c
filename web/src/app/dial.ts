/** One attempt to get a link: WebRTC where a desktop can be shown that way, WebSocket otherwise. */
import type { Size } from "../core/graphical/messages.ts";
import type { Link } from "../core/mux/link.ts";
import { Refused, Signalling, Unreachable } from "../core/transport/signalling.ts";
import { WebRtcLink, receivesH264 } from "../core/transport/webrtc.ts";
import { WebSocketLink, websocketUrl } from "../core/transport/websocket.ts";
import { decodesH264 } from "../video/canvas.ts";
import type { Extra } from "./line.ts";
import { Relay } from "./line.ts";

/** From the offer to the open control channel; after that WebSocket takes over. */
export const WEBRTC_TIMEOUT_MS = 10_000;
/** The same when a connection is made again and WebRTC has failed before. */
export const WEBRTC_RETRY_MS = 5_000;
export const WEBSOCKET_TIMEOUT_MS = 8_000;

/** Capabilities of this page in any case; H264 on the `video` channel is added where it works. */
const CAPABILITIES = [
  "pointer",
  "keyboard",
  "touch",
  "pen",
  "text",
  "clipboard",
  "clipboard-data",
  "clipboard-channel",
  "drag",
  "command",
  "cursor",
  "cursor-image",
  "sharing",
  "media",
  "recording",
  "microphone",
  "notifications",
  "navigate",
  "preedit",
  "chat",
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

/** Tells how far an attempt is, and until when the step may take. */
export type Progress = (step: "webrtc" | "websocket" | "session", until: number, note: string) => void;

/** A link that is up. */
export interface Dialled {
  link: Link;
  relay: Relay;
  extra: Extra;
}

/** Dials once; null when it was cancelled. Throws {@link Refused} or {@link Unreachable}. */
export async function dial(wish: Wish, progress: Progress, cancelled: () => boolean): Promise<Dialled | null> {
  let note = "";
  if (wish.wantsDesktop && wish.transport !== "websocket") {
    if (!receivesH264()) note = "this browser receives no H264 over WebRTC";
    else {
      const attempt = await dialWebRtc(wish, progress);
      if (typeof attempt !== "string") return attempt;
      note = attempt;
    }
    if (wish.transport === "webrtc") throw new Unreachable(note);
  }
  return cancelled() ? null : dialWebSocket(progress, note);
}

/** What the page says it can do. */
export async function capabilities(wish: Wish): Promise<string[]> {
  const h264 = wish.wantsDesktop && !wish.jpeg && (await decodesH264());
  const desktop = wish.wantsDesktop ? ["patches", "video-tiles"] : [];
  return h264 ? [...CAPABILITIES, ...desktop, "video-h264"] : [...CAPABILITIES, ...desktop];
}

/** The link, or in words why there is none. */
async function dialWebRtc(wish: Wish, progress: Progress): Promise<Dialled | string> {
  progress("webrtc", performance.now() + wish.webrtcTimeoutMs, "");
  const relay = new Relay();
  try {
    const link = await WebRtcLink.open(new Signalling(wish.key), wish.webrtcTimeoutMs, () => relay.events);
    return { link, relay, extra: { transport: "webrtc", webrtc: link, received: () => 0, note: "" } };
  } catch (error) {
    if (error instanceof Unreachable || (error instanceof Refused && error.status === 401)) throw error;
    return error instanceof Error ? error.message : String(error);
  }
}

async function dialWebSocket(progress: Progress, note: string): Promise<Dialled> {
  progress("websocket", performance.now() + WEBSOCKET_TIMEOUT_MS, note);
  const relay = new Relay();
  try {
    const link = await WebSocketLink.open(websocketUrl(location.origin), WEBSOCKET_TIMEOUT_MS, () => relay.events);
    return { link, relay, extra: { transport: "websocket", webrtc: null, received: () => link.received, note } };
  } catch (cause) {
    throw new Unreachable("the server does not answer", { cause });
  }
}
