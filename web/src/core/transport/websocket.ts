/** The mux on one WebSocket: binary messages, one frame each. */
import type { Bytes } from "../bytes.ts";
import type { Link, LinkEvents } from "../mux/link.ts";
import { LANE_BUFFER_MAX } from "../mux/link.ts";

const SUBPROTOCOL = "xumux.0.1";
/** The browser tells nothing when a WebSocket has drained, so a full one is looked at again this often. */
const DRAIN_POLL_MS = 20;

/** Address of the WebSocket on the page's own origin. */
export function websocketUrl(origin: string): string {
  const url = new URL("/vroom", origin);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

export class WebSocketLink implements Link {
  readonly kind = "shared";
  /** Bytes received, for the statistics. */
  received = 0;
  #poll: ReturnType<typeof setTimeout> | null = null;

  private constructor(
    private readonly socket: WebSocket,
    private readonly events: () => LinkEvents | null,
  ) {}

  /** Opens a WebSocket; rejects when it does not open within the time. */
  static open(url: string, timeoutMs: number, events: () => LinkEvents | null): Promise<WebSocketLink> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(url, SUBPROTOCOL);
      socket.binaryType = "arraybuffer";
      const link = new WebSocketLink(socket, events);
      const timer = setTimeout(() => fail("the server does not answer"), timeoutMs);
      const fail = (reason: string): void => {
        clearTimeout(timer);
        socket.close();
        reject(new Error(reason));
      };
      socket.onopen = () => {
        clearTimeout(timer);
        link.#listen();
        resolve(link);
      };
      socket.onerror = () => fail("the WebSocket could not be opened");
      socket.onclose = () => fail("the WebSocket was closed");
    });
  }

  writable(): boolean {
    const open = this.socket.readyState === WebSocket.OPEN;
    const room = this.socket.bufferedAmount < LANE_BUFFER_MAX;
    if (open && !room) this.#watchDrain();
    return open && room;
  }

  send(_: string, frame: Bytes): void {
    this.socket.send(frame);
  }

  openLane(): void {}

  closeLane(): void {}

  close(): void {
    this.socket.close(1000);
  }

  #listen(): void {
    this.socket.onmessage = (event: MessageEvent<ArrayBuffer | string>) => {
      if (typeof event.data === "string") {
        this.events()?.text();
        return;
      }
      this.received += event.data.byteLength;
      this.events()?.message(null, new Uint8Array(event.data));
    };
    this.socket.onerror = null;
    this.socket.onclose = (event) => this.events()?.closed(event.reason || "the connection was lost");
  }

  #watchDrain(): void {
    this.#poll ??= setTimeout(() => {
      this.#poll = null;
      this.events()?.writable();
    }, DRAIN_POLL_MS);
  }
}
