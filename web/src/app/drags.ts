/** Files that are dragged onto the desktop, and out of it. */
import type { DragNews } from "../core/graphical/messages.ts";
import type { GraphicalSession } from "../core/graphical/session.ts";
import { move } from "../core/graphical/input.ts";
import type { Announcer } from "../ui/announce.ts";
import type { DesktopView } from "../ui/desktop.ts";
import type { Transfers } from "./transfers.ts";
import { INBOX, explain } from "./transfers.ts";

/** Files of one drag; the server takes no more. */
const FILES_MAX = 100;

/** What drags need from the page. */
export interface DragsHost {
  session(): GraphicalSession | null;
  transfers(): Transfers;
}

export class Drags {
  /** Files of the person's own are held over the desktop, and where. */
  #over: { x: number; y: number } | null = null;
  /** Dropped files that are on their way. */
  #bringing: AbortController | null = null;
  /** Ours were dropped; the server has not said yet what became of them. */
  #dropped = false;
  /** A program drags files. */
  #out = false;
  #told = false;

  constructor(
    private readonly desktop: DesktopView,
    private readonly announcer: Announcer,
    private readonly host: DragsHost,
  ) {
    const files = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") === true;
    desktop.addEventListener("dragenter", (event) => files(event) && this.#held(event));
    desktop.addEventListener("dragover", (event) => files(event) && this.#held(event));
    desktop.addEventListener("dragleave", (event) => !desktop.contains(event.relatedTarget as Node | null) && this.#left());
    desktop.addEventListener("drop", (event) => files(event) && void this.#drop(event));
    // A file that misses its target would replace this page.
    for (const name of ["dragover", "drop"] as const) {
      window.addEventListener(name, (event) => {
        if (event.defaultPrevented || !files(event)) return;
        event.preventDefault();
        if (event.dataTransfer) event.dataTransfer.dropEffect = "none";
      });
    }
  }

  /** True while dropped files are on their way: what is held over the desktop stays where it is. */
  get busy(): boolean {
    return this.#bringing !== null;
  }

  /** Takes what a program drags, if it does. */
  take(): boolean {
    if (this.#out) this.host.session()?.drag({ action: "take" });
    return this.#out;
  }

  /** Takes what the server says. */
  receive(news: DragNews): void {
    if (news.action === "begin") this.#setOut(true);
    else if (news.action === "files") this.#fetch(news.paths, news.elsewhere);
    else this.#ended(news.taken);
  }

  /** Nothing is dragged any more: the floor is gone, or the connection. */
  stop(): void {
    this.#bringing?.abort();
    this.#over = null;
    this.#dropped = false;
    this.#show();
    this.#setOut(false);
  }

  #held(event: DragEvent): void {
    event.preventDefault();
    const session = this.host.session();
    const refusal = this.#refusal(session);
    if (event.dataTransfer) event.dataTransfer.dropEffect = refusal === "" ? "copy" : "none";
    if (refusal !== "" || !session) {
      if (!this.#told) this.announcer.notice(refusal, "warning");
      this.#told = true;
      return;
    }
    const at = this.desktop.point(event);
    if (!this.#over) session.drag({ action: "enter", ...at });
    else if (this.#over.x !== at.x || this.#over.y !== at.y) session.input(move(at.x, at.y));
    this.#over = at;
    this.#show();
  }

  /** Why files cannot be dropped here now, or empty. The server decides; this only says it sooner. */
  #refusal(session: GraphicalSession | null): string {
    if (session?.has("drag") !== true) return "This desktop takes no files.";
    if (!session.driving) return "You only watch: choose Interact to drag files onto the desktop.";
    return this.busy ? "Other files are still on their way." : "";
  }

  #left(): void {
    this.#told = false;
    if (!this.#over) return;
    this.#over = null;
    this.#show();
    if (!this.busy) this.host.session()?.drag({ action: "leave" });
  }

  async #drop(event: DragEvent): Promise<void> {
    event.preventDefault();
    this.#told = false;
    const session = this.host.session();
    const folders = [...(event.dataTransfer?.items ?? [])].some((item) => item.webkitGetAsEntry()?.isDirectory === true);
    const files = [...(event.dataTransfer?.files ?? [])];
    if (!session || !this.#over || this.busy) return;
    const at = this.#over;
    this.#over = null;
    this.#show();
    if (folders || files.length === 0 || files.length > FILES_MAX) {
      session.drag({ action: "leave" });
      this.announcer.notice(folders ? "Folders cannot be dropped, only files." : `At most ${FILES_MAX} files can be dropped at once.`, "warning");
      return;
    }
    const stop = (this.#bringing = new AbortController());
    const what = files.length === 1 ? (files[0]?.name ?? "") : `${files.length} files`;
    const close = this.announcer.notice(`Uploading ${what}.`, "info", [{ label: "Stop", run: () => stop.abort() }]);
    try {
      const paths = await this.host.transfers().bring(files, stop);
      this.#dropped = true;
      session.drag({ action: "drop", ...at, paths });
    } catch (error) {
      session.drag({ action: "leave" });
      if (!stop.signal.aborted) this.announcer.notice(`Not uploaded: ${explain(error)}`, "warning");
    } finally {
      close();
      this.#bringing = null;
    }
  }

  #ended(taken: boolean): void {
    if (this.#out) {
      this.#setOut(false);
      this.desktop.release();
    }
    if (this.#dropped) {
      if (taken) this.announcer.say("Dropped.");
      else this.announcer.notice(`No program took the files. They are in ${INBOX}.`);
    }
    this.#dropped = false;
  }

  #fetch(paths: string[], elsewhere: number): void {
    if (paths.length > 0) {
      this.announcer.notice(paths.length === 1 ? `Downloading ${paths[0]?.split("/").at(-1) ?? ""}.` : `Downloading ${paths.length} files.`);
      this.host.transfers().fetch(paths);
    }
    if (elsewhere > 0) this.announcer.notice("Files outside of the folder that this server shares cannot be downloaded.", "warning");
    else if (paths.length === 0) this.announcer.notice("The program did not say which files it drags.", "warning");
  }

  #setOut(out: boolean): void {
    this.#out = out;
    this.desktop.setDragging(out);
  }

  #show(): void {
    this.desktop.toggleAttribute("data-drop", this.#over !== null);
  }
}
