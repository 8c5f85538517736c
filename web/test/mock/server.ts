/** A small server for developing and checking the page without the daemon: HTTP, WebSocket, and an echo terminal. */
import { readFile } from "node:fs/promises";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import type { WebSocket } from "ws";
import { WebSocketServer } from "ws";
import type { Bytes } from "../../src/core/bytes.ts";
import { MockConversation } from "./conversation.ts";
import type { MockDesktop, MockState } from "./conversation.ts";
import { decodeFrame } from "../../src/core/mux/frame.ts";
import { jsonFields } from "../../src/core/encoding.ts";

/** The policy that the page has to live with. */
export const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "media-src 'self' blob:",
  "connect-src 'self'",
  "font-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

const TYPES: { [extension: string]: string } = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".wasm": "application/wasm" };

export interface MockOptions {
  /** Answers an offer; without it WebRTC is refused. */
  answer?: (offer: { sdp: string; candidates: RTCIceCandidateInit[] }) => Promise<object>;
  desktop?: string;
  /** The built page. */
  dist?: string;
}

export class MockServer {
  readonly desktop: MockDesktop = {
    size: { width: 1280, height: 720 },
    driver: null,
    members: new Map(),
    jpegs: [],
    units: [],
    encoding: "cbor",
    pictureMs: 100,
  };
  readonly state: MockState = {
    programs: new Map(),
    kept: new Map(),
    extensions: ["fragmentation", "session-resume", "vroom-seq-ack", "session-persistence", "file-transfer"],
    flowControl: true,
    keys: new Map([["session-key", { role: "owner" }]]),
    files: new Map(),
  };
  readonly conversations: MockConversation[] = [];
  readonly sockets = new Set<WebSocket>();
  readonly #http: Server;
  #count = 0;

  constructor(private readonly options: MockOptions = {}) {
    this.#http = createServer((request, response) => void this.#handle(request, response));
    const sockets = new WebSocketServer({ server: this.#http, path: "/vroom" });
    sockets.on("connection", (socket) => this.#accept(socket));
  }

  async listen(port = 0): Promise<number> {
    await new Promise<void>((resolve) => this.#http.listen(port, "127.0.0.1", resolve));
    const address = this.#http.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  close(): void {
    for (const socket of this.sockets) socket.terminate();
    this.#http.close();
    this.#http.closeAllConnections();
  }

  /** A conversation for a transport of the caller's own. */
  converse(transmit: (lane: string, frame: Bytes) => void, end: () => void): MockConversation {
    this.#count += 1;
    const conversation = new MockConversation(`p${this.#count}`, this.#count === 1 ? "Alice" : `Ben ${this.#count}`, this.desktop, this.state, transmit, end);
    this.conversations.push(conversation);
    return conversation;
  }

  /** Cuts all sockets, as a network does. */
  cut(): void {
    for (const socket of this.sockets) socket.terminate();
  }

  #accept(socket: WebSocket): void {
    this.sockets.add(socket);
    const transmit = (_: string, frame: Bytes): void => socket.send(frame);
    const end = (): void => socket.close(1000);
    let conversation: MockConversation | null = null;
    socket.on("message", (data: Buffer) => {
      const message = new Uint8Array(data);
      if (!conversation) {
        const { type, payload } = decodeFrame(message);
        if (type === 0x31) {
          const { sessionId, lastSequence } = jsonFields(payload) as { sessionId: string; lastSequence: number };
          conversation = this.state.kept.get(sessionId) ?? null;
          this.state.kept.delete(sessionId);
          if (conversation) conversation.resume(lastSequence, transmit, end);
          else this.converse(transmit, end).json(0x32, { success: false, code: 4100, reason: "no such session" });
          return;
        }
        conversation = this.converse(transmit, end);
      }
      conversation.receive(message);
    });
    socket.on("close", () => {
      this.sockets.delete(socket);
      conversation?.lost();
    });
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    if (path === "/login") await this.#login(request, response);
    else if (path === "/offer") await this.#offer(request, response);
    else if (path === "/ice") json(response, 200, { iceServers: [] });
    else if (path === "/candidate") response.writeHead(204).end();
    else await serve(this.options.dist ?? DIST, path, response);
  }

  async #login(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { token, share } = (await body(request)) as { token?: string; share?: string };
    const program = [...this.state.programs.values()].find(({ links }) => share !== undefined && links.some((link) => link.token === share));
    if (program) {
      this.state.keys.set(`guest-${program.id}`, { role: "viewer", terminal: program.id });
      json(response, 200, { session: `guest-${program.id}`, user: "guest", role: "viewer", desktop: "none", terminal: program.id });
    } else if (token !== "test-token") json(response, 401, { error: { code: 4000, reason: "wrong token" } });
    else json(response, 200, { session: "session-key", user: "alice", role: "owner", desktop: this.options.desktop ?? "headless", size: this.desktop.size });
  }

  async #offer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const offer = (await body(request)) as { sdp: string; candidates: RTCIceCandidateInit[] };
    if (request.headers.authorization !== "Bearer session-key") json(response, 401, { error: { code: 4000, reason: "not signed in" } });
    else if (!this.options.answer) json(response, 503, { error: { code: 1003, reason: "no media in this server" } });
    else json(response, 200, await this.options.answer(offer));
  }
}

async function body(request: IncomingMessage): Promise<unknown> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return JSON.parse(text === "" ? "{}" : text);
}

function json(response: ServerResponse, status: number, value: object): void {
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(value));
}

const DIST = fileURLToPath(new URL("../../dist", import.meta.url));

async function serve(dist: string, path: string, response: ServerResponse): Promise<void> {
  const name = path === "/" ? "index.html" : normalize(path).replace(/^(\.\.[/\\])+/, "");
  try {
    const content = await readFile(join(dist, name));
    response.writeHead(200, { "Content-Type": TYPES[extname(name)] ?? "application/octet-stream", "Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff" }).end(content);
  } catch {
    response.writeHead(404).end();
  }
}
