/** Files up and down: keeps the channel, the folder that is shown, and the transfers in their order. */
import { FileClient, FileRefused } from "../core/files/client.ts";
import { FileCode } from "../core/files/messages.ts";
import { ChannelRejected, reliable } from "../core/mux/channel.ts";
import type { Connection } from "../core/mux/connection.ts";
import type { FilesPanel, TransferRow } from "../ui/files.ts";
import { save } from "../ui/dom.ts";
import { join } from "../ui/files.ts";

/** Transfers that wait; more are refused with a word. */
const WAITING_MAX = 500;
/** Where files come to lie that are dropped on the desktop. */
export const INBOX = "Downloads";
/** Names that are tried for a file where others lie already. */
const NAMES_MAX = 100;

/** What transfers need from the page. */
export interface TransfersHost {
  connection(): Connection | null;
  notice(message: string): void;
}

type Job = (client: FileClient, row: TransferRow, signal: AbortSignal) => Promise<string>;

export class Transfers {
  /** Where uploads go and what the panel shows. */
  #folder = ".";
  #client: { connection: Connection; opening: Promise<FileClient> } | null = null;
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(
    private readonly panel: FilesPanel,
    private readonly host: TransfersHost,
  ) {
    panel.connect({
      show: (path) => void this.show(path),
      upload: (files) => this.upload(files),
      download: (entry) => this.#download(join(this.#folder, entry.name)),
    });
  }

  /** True where the server takes files. */
  get isOffered(): boolean {
    return this.host.connection()?.has("file-transfer") === true;
  }

  /** Opens the panel at a folder, or closes it. */
  toggle(folder: string | null): void {
    if (!this.panel.hidden) return this.panel.close();
    this.panel.open();
    void this.show(folder ?? this.#folder);
  }

  /** Opens the panel and uploads there. */
  drop(files: File[], folder: string | null): void {
    if (!this.isOffered) return this.host.notice("This server takes no files.");
    this.panel.hidden = false;
    void this.show(folder ?? this.#folder).then(() => this.upload(files));
  }

  /** Shows a folder; one that cannot be listed gives way to the first. */
  async show(path: string): Promise<void> {
    try {
      const entries = await (await this.#open()).list(path);
      this.#folder = path;
      this.panel.show(path, entries);
    } catch (error) {
      const outside = error instanceof FileRefused && (error.code === FileCode.PermissionDenied || error.code === FileCode.NotFound);
      if (outside && path.startsWith("/") && path !== "/") return this.show(".");
      this.panel.fail(path, explain(error));
    }
  }

  upload(files: File[]): void {
    const folder = this.#folder;
    for (const file of files) this.#upload(file, folder, false);
  }

  /** Uploads files beside what lies there, under another name where theirs is taken; gives their paths. */
  async bring(files: File[], stop: AbortController): Promise<string[]> {
    const client = await this.#open();
    await client.makeFolder(INBOX);
    const paths: string[] = [];
    for (const file of files) paths.push(await this.#bring(client, file, stop));
    return paths;
  }

  async #bring(client: FileClient, file: File, stop: AbortController): Promise<string> {
    const row = this.panel.add("upload", file.name, () => stop.abort());
    for (let count = 1; ; count += 1) {
      const path = join(INBOX, numbered(file.name, count));
      try {
        await client.upload(path, file, false, (done, total) => row.progress(done, total), stop.signal);
        row.ended("Uploaded", false, null);
        return path;
      } catch (error) {
        if (error instanceof FileRefused && error.code === FileCode.Exists && count < NAMES_MAX) continue;
        row.ended(stop.signal.aborted ? "Stopped" : explain(error), true, null);
        throw error;
      }
    }
  }

  /** Downloads files by their paths. */
  fetch(paths: string[]): void {
    for (const path of paths) this.#download(path);
  }

  #upload(file: File, folder: string, replace: boolean): void {
    this.#queue("upload", file.name, () => this.#upload(file, folder, true), async (client, row, signal) => {
      await client.upload(join(folder, file.name), file, replace, (done, total) => row.progress(done, total), signal);
      if (folder === this.#folder) void this.show(folder);
      return "Uploaded";
    });
  }

  #download(path: string): void {
    const name = path.slice(path.lastIndexOf("/") + 1);
    this.#queue("download", name, () => this.#download(path), async (client, row, signal) => {
      const content = await client.download(path, (done, total) => row.progress(done, total), signal);
      save(content, name);
      return "Downloaded";
    });
  }

  /** Runs jobs one after another, so that one file has the whole line. */
  #queue(direction: "upload" | "download", name: string, again: () => void, job: Job): void {
    if (this.#waiting >= WAITING_MAX) return this.host.notice(`${WAITING_MAX} transfers wait already; ${name} was not added.`);
    const stop = new AbortController();
    const row = this.panel.add(direction, name, () => stop.abort());
    this.#waiting += 1;
    this.#last = this.#last.then(async () => {
      this.#waiting -= 1;
      try {
        stop.signal.throwIfAborted();
        row.ended(await job(await this.#open(), row, stop.signal), false, null);
      } catch (error) {
        const exists = error instanceof FileRefused && error.code === FileCode.Exists;
        row.ended(stop.signal.aborted ? "Stopped" : exists ? "Is there already" : explain(error), !exists, stop.signal.aborted ? null : again);
      }
    });
  }

  #open(): Promise<FileClient> {
    const connection = this.host.connection();
    if (!connection || !this.isOffered) return Promise.reject(new FileRefused(0, "This server takes no files."));
    if (this.#client?.connection !== connection) {
      const opening = connection.open(reliable("file-transfer")).then((channel) => new FileClient(channel));
      this.#client = { connection, opening };
      opening.catch(() => (this.#client = null));
    }
    return this.#client.opening.then((client) => {
      if (client.isOpen) return client;
      this.#client = null;
      return this.#open();
    });
  }
}

/** The name of the second, third, … file of the same name. */
export function numbered(name: string, count: number): string {
  if (count === 1) return name;
  const dot = name.lastIndexOf(".");
  return dot > 0 ? `${name.slice(0, dot)} (${count})${name.slice(dot)}` : `${name} (${count})`;
}

/** Why something did not work, as a sentence begins. */
export function explain(error: unknown): string {
  const reason = error instanceof ChannelRejected ? error.reason : error instanceof Error ? error.message : String(error);
  return reason === "" ? "The server could not do that." : reason.charAt(0).toUpperCase() + reason.slice(1);
}
