/** Keeps a connection: dials, waits, dials again, and says at every moment which of these it does. */
import type { Closed } from "../core/mux/connection.ts";
import { Code } from "../core/mux/codes.ts";
import type { Connection } from "../core/mux/connection.ts";
import { Refused } from "../core/transport/signalling.ts";
import type { Link } from "../ui/status.ts";
import { WEBRTC_RETRY_MS, WEBRTC_TIMEOUT_MS, dial } from "./dial.ts";
import type { DialEvents, Live, Wish } from "./dial.ts";

/** Waits between attempts, in milliseconds; the last one repeats. */
const WAITS_MS = [300, 1_000, 2_000, 4_000, 8_000, 15_000];
/** A connection that held this long starts the waits from the beginning. */
const STABLE_MS = 10_000;

/** What the connector needs from the page. */
export interface ConnectorHost extends Omit<DialEvents, "progress" | "opened" | "closed"> {
  wish(): Omit<Wish, "webrtcTimeoutMs">;
  link(link: Link): void;
  up(live: Live): void;
  down(): void;
  signedOut(reason: string): void;
}

export class Connector {
  live: Live | null = null;
  link: Link = { kind: "signed-out", reason: "" };
  #connection: Connection | null = null;
  #attempt = 0;
  #failures = 0;
  #webrtcFailed = false;
  #upSince = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly host: ConnectorHost) {}

  /** Dials now, whatever it was doing. */
  connect(): void {
    const attempt = this.#drop();
    void this.#dial(attempt);
  }

  /** Ends the connection for good. */
  disconnect(reason: string): void {
    this.#drop();
    this.#show({ kind: "signed-out", reason });
  }

  /** Ends what is and makes the attempt number of what follows. */
  #drop(): number {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#attempt += 1;
    const [connection, wasLive] = [this.#connection, this.live !== null];
    this.#connection = null;
    this.live = null;
    connection?.close(Code.GoingAway, "leaving");
    if (wasLive) this.host.down();
    return this.#attempt;
  }

  async #dial(attempt: number): Promise<void> {
    const current = (): boolean => attempt === this.#attempt;
    const wish: Wish = { ...this.host.wish(), webrtcTimeoutMs: this.#webrtcFailed ? WEBRTC_RETRY_MS : WEBRTC_TIMEOUT_MS };
    try {
      const connection = await dial(wish, this.#events(current), () => !current());
      if (current()) this.#connection = connection;
      else connection?.close(Code.GoingAway, "leaving");
    } catch (error) {
      if (!current()) return;
      if (error instanceof Refused && error.status === 401) this.#signedOut("Your session is no longer valid. Open the address that vroomd printed, or enter its token.");
      else this.#wait(error instanceof Error ? error.message : String(error));
    }
  }

  #events(current: () => boolean): DialEvents {
    return {
      ...this.host,
      progress: (step, until, note) => current() && this.#show({ kind: "connecting", step, until, note }),
      opened: (live) => {
        if (!current()) return;
        this.live = live;
        this.#upSince = performance.now();
        this.#webrtcFailed = live.transport === "websocket" && live.note !== "";
        this.#show({ kind: "connected", transport: live.transport, note: live.note });
        this.host.up(live);
      },
      closed: (closed) => current() && this.#closed(closed),
    };
  }

  #closed(closed: Closed): void {
    const held = this.live !== null && performance.now() - this.#upSince > STABLE_MS;
    if (held) this.#failures = 0;
    this.#drop();
    if (closed.code === Code.AuthFailed) this.#signedOut("Your session is no longer valid. Open the address that vroomd printed, or enter its token.");
    else if (closed.code === Code.Revoked) this.#signedOut(closed.reason || "Your access was withdrawn.");
    else if (closed.code === Code.VersionMismatch) this.#signedOut("The server speaks another version; reload this page.");
    else this.#wait(closed.reason || "the connection ended");
  }

  #signedOut(reason: string): void {
    this.#drop();
    this.#show({ kind: "signed-out", reason });
    this.host.signedOut(reason);
  }

  #wait(reason: string): void {
    const attempt = this.#drop();
    const wait = WAITS_MS[Math.min(this.#failures, WAITS_MS.length - 1)] ?? 1_000;
    this.#failures += 1;
    this.#show({ kind: "waiting", until: performance.now() + wait, reason });
    this.#timer = setTimeout(() => void this.#dial(attempt), wait);
  }

  #show(link: Link): void {
    this.link = link;
    this.host.link(link);
  }
}
