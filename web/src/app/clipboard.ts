/** The two clipboards, the person's own and that of the desktop, on their way to each other. */
import type { Bytes } from "../core/bytes.ts";
import { fromUtf8 } from "../core/bytes.ts";
import { CLIP_PATHS } from "../core/graphical/clip.ts";
import type { ClipOffer, ClipRules } from "../core/graphical/clips.ts";
import { ClipRefused } from "../core/graphical/clips.ts";
import type { Clip, GraphicalSession } from "../core/graphical/session.ts";
import { Code } from "../core/mux/codes.ts";
import type { Announcer } from "../ui/announce.ts";
import type { Transfers } from "./transfers.ts";

/** How long the formats of one content may come one after the other. */
const SAME_CONTENT_MS = 80;
/** A paste that takes longer is told of. */
const SLOW_MS = 1_000;

/** Files of one paste; the server takes no more. */
const FILES_MAX = 100;

/** Formats that browsers let a page write, and the order in which they are fetched. */
const WRITABLE = ["text/plain", "text/html", "image/png"];

type Parts = Map<string, Blob | Promise<Blob>>;

/** Copies what the desktop put on its clipboard, or offers to where the browser wants a click first. */
export class RemoteClipboard {
  #parts: Parts = new Map();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly announcer: Announcer,
    /** Downloads files of the desktop. */
    private readonly download: (paths: string[]) => void,
  ) {}

  /** Takes one format that was pushed; text begins a new content, others belong to it. */
  receive(clip: Clip): void {
    if (clip.type === "text/plain") this.#parts = new Map();
    const blob = new Blob([clip.type === "image/png" ? clip.data : clip.text], { type: clip.type });
    if (blob.size > 0) this.#parts.set(clip.type, blob);
    this.#soon(() => void this.#bring(this.#parts, "something"));
  }

  /** Takes an offer; it is fetched at once, or with the click where the browser wants one. */
  offered(offer: ClipOffer): void {
    // Browsers have no primary selection.
    if (offer.selection === "primary") return;
    const formats = offer.formats.filter(({ type }) => WRITABLE.includes(type));
    if (offer.formats.some(({ type }) => type === CLIP_PATHS)) void this.#files(offer);
    this.#soon(() => {
      if (document.hasFocus()) void this.#fetch(offer, formats.map(({ type }) => type));
      else if (formats.length > 0) this.#ask(() => lazy(offer, formats.map(({ type }) => type)), size(formats));
    });
  }

  /** Says what the server does not let through. */
  restricted(rules: ClipRules): void {
    const words = restriction(rules);
    if (words !== null) this.announcer.notice(words);
  }

  #soon(run: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(run, SAME_CONTENT_MS);
  }

  /** Files do not fit into a page's clipboard, but they can be downloaded. */
  async #files(offer: ClipOffer): Promise<void> {
    const list = await offer.fetch(CLIP_PATHS).catch(() => null);
    const paths = list ? fromUtf8(list).split("\n") : [];
    const [first] = paths;
    if (first === undefined) return;
    const what = paths.length === 1 ? first.slice(first.lastIndexOf("/") + 1) : `${paths.length} files`;
    this.announcer.notice(`The desktop copied ${what}.`, "info", [{ label: "Download", run: () => this.download(paths) }]);
  }

  async #fetch(offer: ClipOffer, types: string[]): Promise<void> {
    const parts: Parts = new Map();
    try {
      for (const type of types) parts.set(type, blob(type, await offer.fetch(type)));
    } catch (error) {
      // What was replaced meanwhile comes as an offer of its own.
      const replaced = error instanceof ClipRefused && error.code === Code.NoSuchTarget;
      if (!replaced) this.announcer.notice(`What the desktop copied did not come here: ${reason(error)}.`, "warning");
      return;
    }
    await this.#bring(parts, "something");
  }

  async #bring(parts: Parts, what: string): Promise<void> {
    if (parts.size === 0) return;
    if (!document.hasFocus()) return this.#ask(() => parts, what);
    await write(parts).catch(() => this.#ask(() => parts, what));
  }

  #ask(parts: () => Parts, what: string): void {
    const copy = (): void => void write(parts()).catch((error: unknown) => this.announcer.notice(error instanceof ClipRefused ? `Not copied: ${reason(error)}.` : "The browser does not allow copying here.", "warning"));
    this.announcer.notice(`The desktop copied ${what}.`, "info", [{ label: "Copy it here too", run: copy }]);
  }
}

/** Takes what the person pastes to the desktop. Tells whether the key that pastes may be struck there. */
export async function paste(session: GraphicalSession, announcer: Announcer, transfers: Transfers, contents: (Clip | Promise<Clip>)[], files: File[]): Promise<boolean> {
  // The desktop's own clipboard can still be pasted.
  if (!session.clipRules.toDesktop) return true;
  const stop = new AbortController();
  let close: () => void = () => undefined;
  const slow = setTimeout(() => (close = announcer.notice("What you paste is on its way to the desktop.", "info", [{ label: "Stop", run: () => stop.abort() }])), SLOW_MS);
  try {
    if (files.length > FILES_MAX) throw new Error(`at most ${FILES_MAX} files can be pasted at once`);
    const all = files.length > 0 ? [listOf(await transfers.bring(files, stop))] : await Promise.all(contents);
    await Promise.race([session.setClipboard(all), stopped(stop.signal)]);
    return true;
  } catch (error) {
    if (!stop.signal.aborted) announcer.notice(`Not pasted: ${reason(error)}.`, "warning");
    return false;
  } finally {
    clearTimeout(slow);
    close();
  }
}

function restriction(rules: ClipRules): string | null {
  if (rules.toDesktop && rules.fromDesktop) return null;
  if (rules.toDesktop) return "This server keeps on the desktop what is copied there.";
  if (rules.fromDesktop) return "This server takes nothing that you copied into the desktop.";
  return "This server keeps your clipboard and that of the desktop apart.";
}

function listOf(paths: string[]): Clip {
  return { type: CLIP_PATHS, text: paths.join("\n") };
}

function stopped(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("stopped"))));
}

function write(parts: Parts): Promise<void> {
  if (!navigator.clipboard) return Promise.reject(new Error("no clipboard"));
  // A format that was never fetched fails the item, not the page.
  for (const part of parts.values()) if (part instanceof Promise) part.catch(() => undefined);
  return navigator.clipboard.write([new ClipboardItem(Object.fromEntries(parts))]);
}

function lazy(offer: ClipOffer, types: string[]): Parts {
  return new Map(types.map((type) => [type, offer.fetch(type).then((bytes) => blob(type, bytes))]));
}

function blob(type: string, bytes: Bytes): Blob {
  return new Blob([bytes], { type });
}

/** How much it is, for people. */
function size(formats: { length: number }[]): string {
  const bytes = formats.reduce((sum, { length }) => sum + length, 0);
  return bytes < 100_000 ? "something" : `something of ${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Offers a text for copying, with the click that the browser asks for. */
export function offerCopy(message: string, content: string, announcer: Announcer): void {
  announcer.notice(message, "info", [{ label: "Copy", run: () => void navigator.clipboard?.writeText(content).catch(() => undefined) }]);
}
