/** A connection and what the page holds of it, over one link after another. */
import { EncodingError } from "../core/encoding.ts";
import { GraphicalSession } from "../core/graphical/session.ts";
import type { GraphicalEvents } from "../core/graphical/session.ts";
import type { Size } from "../core/graphical/messages.ts";
import { reliable } from "../core/mux/channel.ts";
import type { Channel } from "../core/mux/channel.ts";
import { Code } from "../core/mux/codes.ts";
import type { Closed } from "../core/mux/connection.ts";
import { Connection } from "../core/mux/connection.ts";
import type { Link, LinkEvents } from "../core/mux/link.ts";
import type { SessionEntry } from "../core/mux/sessions.ts";
import type { WebRtcLink } from "../core/transport/webrtc.ts";

/** Connections are looked after this often. */
const TICK_MS = 500;

/** What a line reports. */
export interface LineEvents extends GraphicalEvents {
  /** A new session is up. */
  opened(live: Live): void;
  /** The link is gone; the session waits for another. */
  suspended(reason: string): void;
  /** The session goes on over another link. */
  resumed(live: Live): void;
  /** The server no longer knows the session; a new one is on its way over the same link. */
  forgotten(): void;
  sessions(entries: SessionEntry[]): void;
  /** An error that closes nothing. */
  refused(code: number, reason: string): void;
  closed(closed: Closed): void;
}

/** What is told of a link besides carrying frames. */
export interface Extra {
  transport: "webrtc" | "websocket";
  webrtc: WebRtcLink | null;
  /** Bytes received so far, where the transport counts them. */
  received(): number;
  /** Why it is not WebRTC, or empty. */
  note: string;
}

/** A connection that is up. */
export interface Live extends Extra {
  connection: Connection;
  graphical: GraphicalSession | null;
  /** Opens the `video` channel, for JPEG even where H264 could be decoded; only without media tracks. */
  openVideo(jpeg: boolean): Promise<Channel>;
  /** Opens the `patches` channel; only where both sides listed it. */
  openPatches(): Promise<Channel>;
}

/** What a line has to know about the page. */
export interface LineWish {
  key: string;
  wantsDesktop: boolean;
  viewport: Size;
  capabilities: string[];
}

export class Line {
  #connection: Connection | null = null;
  #graphical: GraphicalSession | null = null;
  #extra: Extra | null = null;
  readonly #timer = setInterval(() => this.#connection?.tick(performance.now()), TICK_MS);

  constructor(
    private readonly wish: LineWish,
    private readonly events: LineEvents,
  ) {}

  get connection(): Connection | null {
    return this.#connection;
  }

  /** Takes a link that is up: goes on with the session, or begins one. */
  take(link: Link, relay: Relay, extra: Extra): void {
    this.#extra = extra;
    relay.attach(link, () => this.#connection);
    if (this.#connection?.resume(link, this.#auth, performance.now()) !== true) this.#begin(link);
  }

  /** Ends it for good. */
  close(code: number, reason: string): void {
    this.#connection?.close(code, reason);
    clearInterval(this.#timer);
  }

  get #auth(): { type: "session"; token: string } {
    return { type: "session", token: this.wish.key };
  }

  #begin(link: Link): void {
    const { events, wish } = this;
    this.#graphical = null;
    const connection: Connection = new Connection(
      link,
      {
        welcome: () => {
          if (wish.wantsDesktop) {
            this.#graphical = new GraphicalSession(connection, wish.capabilities, wish.viewport, events);
            this.#graphical.start();
          }
          this.#up((live) => events.opened(live));
        },
        suspended: (reason) => events.suspended(reason),
        resumed: () => {
          this.#graphical?.resumed();
          this.#up((live) => events.resumed(live));
        },
        resumeRefused: () => {
          events.forgotten();
          this.#begin(link);
        },
        control: (type, payload) => {
          try {
            this.#graphical?.receive(type, payload);
          } catch (error) {
            // A message of the server that cannot be read is skipped; the next one may be fine.
            if (!(error instanceof EncodingError)) throw error;
          }
        },
        sessions: (entries) => events.sessions(entries),
        error: (code, reason) => {
          this.#graphical?.refused(code);
          events.refused(code, reason);
        },
        closed: (closed) => {
          clearInterval(this.#timer);
          events.closed(closed);
        },
      },
      performance.now(),
    );
    this.#connection = connection;
    connection.start(this.#auth, performance.now());
  }

  #up(report: (live: Live) => void): void {
    const connection = this.#connection;
    if (!connection || !this.#extra) return;
    report({ ...this.#extra, connection, graphical: this.#graphical, openVideo: (jpeg) => connection.open({ ...reliable("video"), ...(jpeg ? { metadata: { codec: "jpeg" } } : {}) }), openPatches: () => connection.open(reliable("patches")) });
  }
}

/** Hands what a link reports to the connection that lives on it, as long as it does. */
export class Relay {
  #link: Link | null = null;
  #find: () => Connection | null = () => null;

  attach(link: Link, find: () => Connection | null): void {
    this.#link = link;
    this.#find = find;
  }

  get #connection(): Connection | null {
    const connection = this.#find();
    return connection && this.#link && connection.isOn(this.#link) ? connection : null;
  }

  readonly events: LinkEvents = {
    message: (lane, frame) => this.#connection?.receive(lane, frame, performance.now()),
    text: () => this.#connection?.close(Code.Unsupported, "text messages are not used"),
    laneClosed: (lane) => this.#connection?.laneClosed(lane, performance.now()),
    writable: () => this.#connection?.flush(),
    closed: (reason) => this.#connection?.lost(reason),
  };
}
