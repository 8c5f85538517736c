/** The HTTP side of the connection: login, offer, candidates. All requests go to the page's own origin. */

/** What a login answers. */
export interface Login {
  session: string;
  user: string;
  role: string;
  desktop: string;
  size: { width: number; height: number } | null;
  /** The one terminal that the session is for, or null. */
  terminal: string | null;
}

/** An HTTP answer that was not a success. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: number,
    reason: string,
  ) {
    super(reason);
  }
}

/** The server could not be reached at all. */
export class Unreachable extends Error {}

/** A request that gets no answer within this time counts as unreachable. */
const REQUEST_TIMEOUT_MS = 8_000;
/** The longest the server may hold a poll for candidates, and some reserve. */
const POLL_TIMEOUT_MS = 30_000;

/** Exchanges a token, or that of a share link, for a session key. */
export async function login(credential: { token: string } | { share: string }): Promise<Login> {
  const answer = await request("POST", "/login", null, credential);
  const terminal = typeof answer["terminal"] === "string" ? answer["terminal"] : null;
  const size = answer["size"] as { width?: unknown; height?: unknown } | undefined;
  return {
    session: String(answer["session"] ?? ""),
    user: String(answer["user"] ?? ""),
    role: String(answer["role"] ?? ""),
    desktop: terminal !== null ? "none" : String(answer["desktop"] ?? "headless"),
    size: typeof size?.width === "number" && typeof size.height === "number" ? { width: size.width, height: size.height } : null,
    terminal,
  };
}

/** One WebRTC offer and what follows it, authorised by the session key. */
export class Signalling {
  constructor(private readonly key: string) {}

  /** STUN and TURN servers; none when the server has none to offer. */
  async iceServers(): Promise<RTCIceServer[]> {
    try {
      const answer = await request("GET", "/ice", this.key);
      return Array.isArray(answer["iceServers"]) ? (answer["iceServers"] as RTCIceServer[]) : [];
    } catch (error) {
      if (error instanceof Refused && error.status !== 401) return [];
      throw error;
    }
  }

  async offer(sdp: string, candidates: RTCIceCandidateInit[]): Promise<{ sdp: string; candidates: RTCIceCandidateInit[]; connection: string }> {
    const answer = await request("POST", "/offer", this.key, { type: "offer", sdp, candidates });
    return {
      sdp: String(answer["sdp"] ?? ""),
      candidates: Array.isArray(answer["candidates"]) ? (answer["candidates"] as RTCIceCandidateInit[]) : [],
      connection: String(answer["connection"] ?? ""),
    };
  }

  async candidate(connection: string, candidate: RTCIceCandidateInit): Promise<void> {
    await request("POST", "/candidate", this.key, { ...candidate, connection });
  }

  /** The server's further candidates from number `since` on; waits for some. */
  async candidates(connection: string, since: number): Promise<{ candidates: RTCIceCandidateInit[]; next: number; done: boolean }> {
    const query = new URLSearchParams({ connection, since: String(since) });
    const answer = await request("GET", `/candidate?${query}`, this.key, undefined, POLL_TIMEOUT_MS);
    return {
      candidates: Array.isArray(answer["candidates"]) ? (answer["candidates"] as RTCIceCandidateInit[]) : [],
      next: Number(answer["next"] ?? since),
      done: answer["done"] !== false,
    };
  }
}

type Answer = { [key: string]: unknown };

async function request(method: string, path: string, key: string | null, body?: object, timeoutMs = REQUEST_TIMEOUT_MS): Promise<Answer> {
  const headers: Record<string, string> = {};
  if (key !== null) headers["Authorization"] = `Bearer ${key}`;
  if (body) headers["Content-Type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: body ? JSON.stringify(body) : null,
      cache: "no-store",
      credentials: "omit",
      signal: AbortSignal.timeout(timeoutMs),
    });
  } catch (cause) {
    throw new Unreachable("the server does not answer", { cause });
  }
  const answer = await readJson(response);
  if (response.ok) return answer;
  const error = (answer["error"] ?? {}) as { code?: unknown; reason?: unknown };
  throw new Refused(response.status, Number(error.code ?? 0), String(error.reason ?? `the server answered ${response.status}`));
}

async function readJson(response: Response): Promise<Answer> {
  try {
    const value: unknown = await response.json();
    return typeof value === "object" && value !== null ? (value as Answer) : {};
  } catch {
    return {};
  }
}
