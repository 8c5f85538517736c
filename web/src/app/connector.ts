/** Keeps a connection: dials, waits, goes on with the session, and says at every moment which of these it does. */
import type { Closed } from "../core/mux/connection.ts";
import { Code } from "../core/mux/codes.ts";
import { Refused } from "../core/transport/signalling.ts";
import type { Link } from "../ui/status.ts";
import { WEBRTC_RETRY_MS, WEBRTC_TIMEOUT_MS, WEBSOCKET_TIMEOUT_MS, capabilities, dial } from "./dial.ts";
import type { Dialled, Wish } from "./dial.ts";
import type { Live, LineEvents } from "./line.ts";
import { Line } from "./line.ts";

/** Waits between attempts, in milliseconds; the last one repeats. */
const WAITS_MS = [300, 1_000, 2_000, 4_000, 8_000, 15_000];
/** For this long after a connection was lost it may come back any moment, so that no wait is longer than the next. */
const HOPE_MS = 120_000;
const HOPE_WAIT_MS = 500;
/** One that was begun in the dark does not find its way when there is light again; the next one does. */
const HOPE_WEBRTC_MS = 4_000;
/** A connection that held this long starts the waits from the beginning. */
const STABLE_MS = 10_000;
/** After the page was away, silence of this long means that the link is dead. */
const HURRY_MS = 2_500;

const INVALID = "Your session is no longer valid. Open the address that vroomd printed, or enter its token.";

/** What the connector needs from the page. */
export interface ConnectorHost extends Omit<LineEvents, "opened" | "suspended" | "resumed" | "forgotten" | "closed"> {
  wish(): Omit<Wish, "webrtcTimeoutMs">;
  link(link: Link): void;
  /** A new session is up. */
  up(live: Live): void;
  /** The link is gone, the session is kept. */
  away(): void;
  /** The session goes on. */
  back(live: Live): void;
  /** The session is gone. */
  down(): void;
  signedOut(reason: string): void;
}

export class Connector {
  live: Live | null = null;
  link: Link = { kind: "signed-out", reason: "" };
  #line: Line | null = null;
  #attempt = 0;
  #failures = 0;
  #webrtcFailed = false;
  #upSince = 0;
  #lostAt = -Infinity;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly host: ConnectorHost) {}

  /** Dials now, whatever it was doing; a session that is kept goes on. */
  connect(): void {
    const connection = this.#line?.connection;
    if (connection?.isOpen) connection.lost("reconnecting");
    this.#redial();
  }

  /** Dials now and begins a new session. */
  restart(): void {
    this.#drop();
    this.#redial();
  }

  /** The network or the page came back: dials if it was waiting, and doubts a link that is silent. */
  nudge(): void {
    if (this.link.kind === "waiting") this.#redial();
    else if (this.live?.connection.isOpen) this.live.connection.ping(performance.now(), HURRY_MS);
  }

  /** Ends the connection for good. */
  disconnect(reason: string): void {
    this.#drop();
    this.#cancel();
    this.#show({ kind: "signed-out", reason });
  }

  #redial(): void {
    void this.#dial(this.#cancel());
  }

  /** Ends what is being tried and makes the number of what follows. */
  #cancel(): number {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#attempt += 1;
    return this.#attempt;
  }

  /** Ends the session that is. */
  #drop(): void {
    const line = this.#line;
    this.#line = null;
    line?.close(Code.GoingAway, "leaving");
    if (this.live) {
      this.live = null;
      this.host.down();
    }
  }

  async #dial(attempt: number): Promise<void> {
    const current = (): boolean => attempt === this.#attempt;
    const webrtcTimeoutMs = this.#hopes(performance.now()) ? HOPE_WEBRTC_MS : this.#webrtcFailed ? WEBRTC_RETRY_MS : WEBRTC_TIMEOUT_MS;
    const wish: Wish = { ...this.host.wish(), webrtcTimeoutMs };
    try {
      const [able, dialled] = await Promise.all([
        capabilities(wish),
        dial(wish, (step, until, note) => current() && this.#show({ kind: "connecting", step, until, note }), () => !current()),
      ]);
      if (dialled && !current()) dialled.link.close();
      else if (dialled) this.#take(dialled, { ...wish, capabilities: able });
    } catch (error) {
      if (!current()) return;
      if (error instanceof Refused && error.status === 401) this.#signedOut(INVALID);
      else this.#wait(error instanceof Error ? error.message : String(error));
    }
  }

  #take({ link, relay, extra }: Dialled, wish: Wish & { capabilities: string[] }): void {
    this.#show({ kind: "connecting", step: "session", until: performance.now() + WEBSOCKET_TIMEOUT_MS, note: extra.note });
    this.#line ??= this.#newLine(wish);
    this.#line.take(link, relay, extra);
  }

  #newLine(wish: Wish & { capabilities: string[] }): Line {
    const current = (): boolean => this.#line === line;
    const line: Line = new Line(wish, {
      ...this.host,
      opened: (live) => {
        if (!current()) return;
        this.#connected(live);
        this.host.up(live);
      },
      resumed: (live) => {
        if (!current()) return;
        this.#connected(live);
        this.host.back(live);
      },
      suspended: (reason) => {
        if (!current()) return;
        this.host.away();
        this.#wait(reason);
      },
      forgotten: () => {
        if (!current()) return;
        this.live = null;
        this.host.down();
      },
      closed: (closed) => current() && this.#closed(closed),
    });
    return line;
  }

  #connected(live: Live): void {
    this.live = live;
    this.#upSince = performance.now();
    this.#webrtcFailed = live.transport === "websocket" && live.note !== "";
    this.#show({ kind: "connected", transport: live.transport, note: live.note });
  }

  #closed(closed: Closed): void {
    this.#drop();
    if (closed.code === Code.AuthFailed) this.#signedOut(INVALID);
    else if (closed.code === Code.Revoked) this.#signedOut(closed.reason || "Your access was withdrawn.");
    else if (closed.code === Code.VersionMismatch) this.#signedOut("The server speaks another version; reload this page.");
    else this.#wait(closed.reason || "the connection ended");
  }

  #signedOut(reason: string): void {
    this.#drop();
    this.#cancel();
    this.#show({ kind: "signed-out", reason });
    this.host.signedOut(reason);
  }

  #wait(reason: string): void {
    const attempt = this.#cancel();
    const now = performance.now();
    if (this.#upSince > 0 && now - this.#upSince > STABLE_MS) {
      this.#failures = 0;
      this.#lostAt = now;
    }
    this.#upSince = 0;
    const longest = this.#hopes(now) ? HOPE_WAIT_MS : Infinity;
    const wait = Math.min(WAITS_MS[Math.min(this.#failures, WAITS_MS.length - 1)] ?? 1_000, longest);
    this.#failures += 1;
    this.#show({ kind: "waiting", until: now + wait, reason });
    this.#timer = setTimeout(() => void this.#dial(attempt), wait);
  }

  /** Whether a connection was lost lately that may come back any moment. */
  #hopes(now: number): boolean {
    return now - this.#lostAt < HOPE_MS;
  }

  #show(link: Link): void {
    this.link = link;
    this.host.link(link);
  }
}
