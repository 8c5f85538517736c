/** The remote clipboard on its way to the person's own. */
import type { Clip } from "../core/graphical/session.ts";
import type { Announcer } from "../ui/announce.ts";

/** How long the formats of one content may come one after the other. */
const SAME_CONTENT_MS = 80;

/** Copies what the desktop put on its clipboard, or offers to where the browser wants a click first. */
export class RemoteClipboard {
  #parts = new Map<Clip["type"], Clip>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly announcer: Announcer) {}

  /** Takes one format; text begins a new content, others belong to it. */
  receive(clip: Clip): void {
    if (clip.type === "text/plain") this.#parts = new Map();
    if (clip.type === "image/png" ? clip.data.length > 0 : clip.text !== "") this.#parts.set(clip.type, clip);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#offer([...this.#parts.values()]), SAME_CONTENT_MS);
  }

  #offer(parts: Clip[]): void {
    if (parts.length === 0) return;
    const write = (): Promise<void> => writeClipboard(parts);
    if (document.hasFocus()) write().catch(() => this.#ask(write));
    else this.#ask(write);
  }

  #ask(write: () => Promise<void>): void {
    this.announcer.notice("The desktop copied something.", "info", [
      { label: "Copy it here too", run: () => void write().catch(() => this.announcer.notice("The browser does not allow copying here.", "warning")) },
    ]);
  }
}

function writeClipboard(parts: Clip[]): Promise<void> {
  const clipboard = navigator.clipboard;
  if (!clipboard) return Promise.reject(new Error("no clipboard"));
  const [first] = parts;
  if (parts.length === 1 && first?.type === "text/plain") return clipboard.writeText(first.text);
  const blobs = parts.map((clip): [string, Blob] => [
    clip.type,
    new Blob([clip.type === "image/png" ? clip.data : clip.text], { type: clip.type }),
  ]);
  return clipboard.write([new ClipboardItem(Object.fromEntries(blobs))]);
}

/** Offers a text for copying, with the click that the browser asks for. */
export function offerCopy(message: string, content: string, announcer: Announcer): void {
  announcer.notice(message, "info", [{ label: "Copy", run: () => void navigator.clipboard?.writeText(content).catch(() => undefined) }]);
}
