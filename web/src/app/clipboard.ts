/** The remote clipboard on its way to the person's own. */
import type { Announcer } from "../ui/announce.ts";

/** Copies what the desktop put on its clipboard, or offers to where the browser wants a click first. */
export function offerRemoteClipboard(content: string, announcer: Announcer): void {
  if (content === "") return;
  const write = (): Promise<void> => navigator.clipboard?.writeText(content) ?? Promise.reject(new Error("no clipboard"));
  if (!document.hasFocus()) {
    offer(announcer, write);
    return;
  }
  write().catch(() => offer(announcer, write));
}

/** Offers a text for copying, with the click that the browser asks for. */
export function offerCopy(message: string, content: string, announcer: Announcer): void {
  announcer.notice(message, "info", [{ label: "Copy", run: () => void navigator.clipboard?.writeText(content).catch(() => undefined) }]);
}

function offer(announcer: Announcer, write: () => Promise<void>): void {
  announcer.notice("The desktop copied something.", "info", [
    { label: "Copy it here too", run: () => void write().catch(() => announcer.notice("The browser does not allow copying here.", "warning")) },
  ]);
}
