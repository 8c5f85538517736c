/** The client's side of file transfer: requests in a pipeline, answered in their order. */
import type { Bytes } from "../bytes.ts";
import { EncodingError, jsonFields } from "../encoding.ts";
import { integer, text } from "../fields.ts";
import type { Channel } from "../mux/channel.ts";
import type { FileEntry } from "./messages.ts";
import { FileType, entries, hasMore, readData, readRequest, request, writeRequest } from "./messages.ts";

/** Bytes of one read or write. */
export const CHUNK = 32 * 1024;
/** Reads or writes that are under way at once; the rest waits for an answer. */
export const WINDOW = 8;
/** A download larger than this is refused: the page has to hold it. */
export const DOWNLOAD_MAX = 4 * 1024 * 1024 * 1024;
/** Parts of a download are joined in a blob from this size on, so that the browser can put it on disk. */
const SPILL = 8 * 1024 * 1024;

/** The server could not do what was asked. */
export class FileRefused extends Error {
  constructor(
    readonly code: number,
    reason: string,
  ) {
    super(reason);
  }
}

/** Tells how far a transfer is; `total` is -1 where nobody knows. */
export type Progress = (done: number, total: number) => void;

interface Pending {
  answer: number;
  /** Takes each of several answers. */
  part: ((payload: Bytes) => void) | undefined;
  resolve(payload: Bytes): void;
  reject(error: Error): void;
}

export class FileClient {
  readonly #pending: Pending[] = [];
  #closed = "";

  constructor(private readonly channel: Channel) {
    channel.onmessage = (type, payload) => this.#receive(type, payload);
    channel.onclose = (reason) => this.#end(reason || "the connection ended");
  }

  get isOpen(): boolean {
    return this.#closed === "";
  }

  close(): void {
    this.channel.close("closed by the user");
    this.#end("closed");
  }

  /** Lists a folder; a long one comes in several answers. */
  async list(path: string): Promise<FileEntry[]> {
    const parts: Bytes[] = [];
    await this.#ask(FileType.List, request({ path }), FileType.ListResponse, (part) => parts.push(part));
    return parts.flatMap(entries);
  }

  async makeFolder(path: string): Promise<void> {
    await this.#ask(FileType.MakeFolder, request({ path, parents: true }), FileType.Ok);
  }

  /** Writes a file; an existing one is only replaced when `replace` says so. */
  async upload(path: string, content: Blob, replace: boolean, progress: Progress, signal: AbortSignal): Promise<void> {
    const flags = replace ? ["create", "truncate"] : ["create", "exclusive"];
    const handle = await this.#open(path, "write", flags);
    try {
      const under = new Set<Promise<void>>();
      let done = 0;
      for (let at = 0; at < content.size; at += CHUNK) {
        signal.throwIfAborted();
        const data = new Uint8Array(await content.slice(at, at + CHUNK).arrayBuffer());
        const written = this.#ask(FileType.Write, writeRequest(handle.id, at, data), FileType.WriteAck).then(() => {
          under.delete(written);
          progress((done += data.length), content.size);
        });
        under.add(written);
        written.catch(() => undefined); // Awaited below; until then nobody else has to know.
        if (under.size >= WINDOW) await Promise.race(under);
      }
      await Promise.all(under);
    } finally {
      await this.#release(handle.id);
    }
  }

  /** Reads a whole file. */
  async download(path: string, progress: Progress, signal: AbortSignal): Promise<Blob> {
    const handle = await this.#open(path, "read", []);
    try {
      if (handle.size > DOWNLOAD_MAX) throw new FileRefused(0, "the file is too large to be downloaded through a page; use vroom cp");
      return await this.#read(handle, progress, signal);
    } finally {
      await this.#release(handle.id);
    }
  }

  async #read(handle: { id: number; size: number }, progress: Progress, signal: AbortSignal): Promise<Blob> {
    const under: Promise<Bytes>[] = [];
    let [asked, done, held] = [0, 0, 0];
    let parts: BlobPart[] = [];
    for (;;) {
      signal.throwIfAborted();
      while (under.length < WINDOW) {
        const reading = this.#ask(FileType.Read, readRequest(handle.id, asked, CHUNK), FileType.ReadResponse);
        reading.catch(() => undefined);
        under.push(reading);
        asked += CHUNK;
      }
      const data = readData(await (under.shift() as Promise<Bytes>));
      if (!data || data.length === 0) break;
      parts.push(data.slice());
      done += data.length;
      held += data.length;
      if (done > DOWNLOAD_MAX) throw new FileRefused(0, "the file is too large");
      if (held >= SPILL) [parts, held] = [[new Blob(parts)], 0];
      progress(done, handle.size);
      // A short answer moves what follows: it is asked for again from there.
      if (data.length < CHUNK) {
        await Promise.all(under.splice(0));
        asked = done;
      }
    }
    await Promise.all(under);
    return new Blob(parts);
  }

  async #open(path: string, mode: "read" | "write", flags: string[]): Promise<{ id: number; size: number }> {
    const fields = jsonFields(await this.#ask(FileType.Open, request({ path, mode, flags }), FileType.OpenAck));
    const id = integer(fields, "handle", 0, 0xffff_ffff);
    if (id === undefined) throw new EncodingError("no handle");
    return { id, size: integer(fields, "size", -1) ?? -1 };
  }

  async #release(handle: number): Promise<void> {
    if (this.isOpen) await this.#ask(FileType.Close, request({ handle }), FileType.CloseAck).catch(() => undefined);
  }

  #ask(type: number, payload: Bytes, answer: number, part?: (payload: Bytes) => void): Promise<Bytes> {
    if (!this.isOpen) return Promise.reject(new FileRefused(0, this.#closed));
    return new Promise((resolve, reject) => {
      this.#pending.push({ answer, part, resolve, reject });
      this.channel.send(type, payload);
    });
  }

  #receive(type: number, payload: Bytes): void {
    const [pending] = this.#pending;
    if (type === pending?.answer && pending.part) {
      pending.part(payload);
      if (hasMore(payload)) return;
    }
    this.#pending.shift();
    if (type === pending?.answer) pending.resolve(payload);
    else if (type === FileType.Error) pending?.reject(refusal(payload));
    else {
      pending?.reject(new FileRefused(0, "the server answered out of turn"));
      this.close();
    }
  }

  #end(reason: string): void {
    if (this.#closed !== "") return;
    this.#closed = reason;
    for (const { reject } of this.#pending.splice(0)) reject(new FileRefused(0, reason));
  }
}

function refusal(payload: Bytes): FileRefused {
  try {
    const fields = jsonFields(payload);
    return new FileRefused(integer(fields, "code") ?? 0, text(fields, "reason") ?? "the server could not do that");
  } catch {
    return new FileRefused(0, "the server could not do that");
  }
}
