/** The clipboard channel in use: contents on their way to the desktop, and offers that can be fetched. */
import type { Bytes } from "../bytes.ts";
import { concat } from "../bytes.ts";
import type { Channel } from "../mux/channel.ts";
import { Code } from "../mux/codes.ts";
import type { ClipFormat, ClipNews, Selection } from "./clip.ts";
import { CLIP_PIECE_BYTES, ClipType, clipData, clipGet, clipSet, decodeClip } from "./clip.ts";

/** With more than this waiting to be sent the next piece is not made yet. */
const QUEUE_BYTES = 2 * CLIP_PIECE_BYTES;

/** A content in one format, on its way to the desktop. */
export interface ClipContent {
  type: string;
  bytes: Bytes;
}

/** What the desktop copied, to be fetched format by format. */
export interface ClipOffer {
  selection: Selection;
  formats: ClipFormat[];
  fetch(type: string): Promise<Bytes>;
}

/** Which way clipboards may go. */
export interface ClipRules {
  toDesktop: boolean;
  fromDesktop: boolean;
}

/** The server did not take a content, or did not give one. */
export class ClipRefused extends Error {
  constructor(
    readonly code: number,
    reason: string,
  ) {
    super(reason);
  }
}

interface Pending {
  parts: Bytes[];
  resolve(bytes: Bytes): void;
  reject(error: Error): void;
}

export class Clips {
  /** What the server allows; everything until it has said so. */
  rules: ClipRules = { toDesktop: true, fromDesktop: true };
  readonly #pending = new Map<number, Pending>();
  #ids = 0;
  #open = true;
  /** Goes on with sending once there is room. */
  #room: (() => void) | null = null;

  constructor(
    private readonly channel: Channel,
    private readonly events: { rules(rules: ClipRules): void; offered(offer: ClipOffer): void },
  ) {
    channel.onsent = () => channel.waiting <= QUEUE_BYTES && this.#goOn();
    channel.onclose = () => {
      this.#open = false;
      this.interrupt();
    };
    channel.onmessage = (type, payload) => this.#receive(decodeClip(type, payload));
  }

  /** False once the channel is gone. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** Fills a selection of the desktop; done when the content is in place there. */
  async set(selection: Selection, contents: ClipContent[]): Promise<void> {
    const formats = contents.map(({ type, bytes }) => ({ type, length: bytes.length }));
    const { id, answer } = this.#ask();
    this.channel.send(ClipType.Set, clipSet(id, selection, formats));
    void this.#sendAll(id, contents);
    await answer;
  }

  /** Ends what is under way: the link it came over is gone. */
  interrupt(): void {
    for (const { reject } of this.#pending.values()) reject(new ClipRefused(Code.GoingAway, "the connection was lost meanwhile"));
    this.#pending.clear();
    this.#goOn();
  }

  async #sendAll(id: number, contents: ClipContent[]): Promise<void> {
    for (const { bytes } of contents) {
      for (let at = 0; at < bytes.length; at += CLIP_PIECE_BYTES) {
        while (this.channel.waiting > QUEUE_BYTES && this.#pending.has(id)) await new Promise<void>((resolve) => (this.#room = resolve));
        // Whatever was answered already needs no more of it.
        if (!this.#pending.has(id)) return;
        this.channel.send(ClipType.Data, clipData(id, bytes.subarray(at, at + CLIP_PIECE_BYTES)));
      }
    }
  }

  #fetch(serial: number, type: string): Promise<Bytes> {
    const { id, answer } = this.#ask();
    this.channel.send(ClipType.Get, clipGet(id, serial, type));
    return answer;
  }

  #ask(): { id: number; answer: Promise<Bytes> } {
    const id = ++this.#ids;
    const answer = new Promise<Bytes>((resolve, reject) => {
      if (this.#open) this.#pending.set(id, { parts: [], resolve, reject });
      else reject(new ClipRefused(Code.GoingAway, "the connection was lost"));
    });
    return { id, answer };
  }

  #receive(news: ClipNews | null): void {
    if (news?.kind === "rules") this.events.rules((this.rules = news));
    else if (news?.kind === "offer") this.events.offered({ ...news, fetch: (type) => this.#fetch(news.serial, type) });
    else if (news?.kind === "data") this.#pending.get(news.id)?.parts.push(news.bytes);
    else if (news) this.#answered(news.id, news.code, news.reason);
  }

  #answered(id: number, code: number, reason: string): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (code === 0) pending?.resolve(concat(pending.parts));
    else pending?.reject(new ClipRefused(code, reason));
    this.#goOn();
  }

  #goOn(): void {
    this.#room?.();
    this.#room = null;
  }
}
