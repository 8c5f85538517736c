/** Recordings and pictures of the desktop: begun, ended, listed and fetched by those who may. */
import type { RecordState } from "../core/graphical/messages.ts";
import type { GraphicalSession } from "../core/graphical/session.ts";
import type { StoredRecording } from "../core/transport/kept.ts";
import { listRecordings, recordingFile, screenshot } from "../core/transport/kept.ts";
import { ask, sheet } from "../ui/dialog.ts";
import { el, save } from "../ui/dom.ts";
import { icon } from "../ui/icons.ts";
import type { Recording } from "../ui/recording.ts";
import { inWords } from "../ui/recording.ts";
import type { ShellFrame } from "../ui/shell.ts";

/** What is needed from the page. */
export interface RecordingsHost {
  session(): GraphicalSession | null;
  /** The session key. */
  key(): string;
}

export class Recordings {
  #state: RecordState = { allowed: false, recording: null, reason: "" };
  #terminal: Recording | null = null;
  #shown: Recording | null = null;

  constructor(
    private readonly frame: ShellFrame,
    private readonly host: RecordingsHost,
  ) {
    frame.recording.addEventListener("stop", () => host.session()?.record("stop"));
  }

  /** Takes what the server says of the whole session. */
  show(state: RecordState): void {
    this.#state = state;
    this.#draw();
    if (state.reason !== "") this.frame.announcer.notice(state.reason, "warning");
  }

  /** Takes what the server says of the terminal that is looked at; all there is where there is no desktop. */
  showTerminal(recording: Recording | null): void {
    this.#terminal = recording;
    this.#draw();
  }

  /** The connection is gone. */
  forget(): void {
    this.#state = { allowed: false, recording: null, reason: "" };
    this.#terminal = null;
    this.#draw();
  }

  /** Begins a recording when the person is sure, or ends the one there is. */
  async toggle(): Promise<void> {
    const session = this.host.session();
    if (!session || !this.#state.allowed) return;
    if (this.#state.recording) return session.record("stop");
    const body = "The desktop, its sound, every terminal and who had control are recorded on the server. Everybody here sees that, and that it was you.";
    const sure = await ask("Record this session?", [el("p", {}, body)], [
      { label: "Cancel", value: false, first: true },
      { label: "Record", value: true, kind: "danger" },
    ]);
    if (sure === true) session.record("start");
  }

  /** Saves the desktop as a picture. */
  async picture(): Promise<void> {
    if (!this.host.session()) return;
    try {
      const now = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
      save(await screenshot(this.host.key()), `desktop-${now}.png`);
      this.frame.announcer.say("The picture of the desktop is saved.");
    } catch (error) {
      this.#failed("There is no picture", error);
    }
  }

  /** Lists what was recorded. */
  async list(): Promise<void> {
    try {
      const recordings = await listRecordings(this.host.key());
      const rows = recordings.map((recording) => this.#row(recording));
      sheet("Recordings", rows.length === 0 ? el("p", { class: "muted" }, "Nothing was recorded yet.") : el("ul", { class: "recordinglist" }, ...rows));
    } catch (error) {
      this.#failed("The recordings cannot be listed", error);
    }
  }

  #row(recording: StoredRecording): HTMLElement {
    const began = new Date(recording.began * 1000).toLocaleString();
    const files = recording.files.map(({ name, bytes }) =>
      el("button", { class: "quiet", type: "button", "aria-label": `Download ${name} of ${began}`, onclick: () => void this.#fetch(recording.id, name) }, icon("download"), el("span", {}, name), el("span", { class: "muted" }, size(bytes))),
    );
    return el("li", {}, el("b", {}, began), " ", el("span", { class: "muted" }, `by ${recording.by}`), el("div", { class: "files" }, ...files));
  }

  async #fetch(id: string, name: string): Promise<void> {
    try {
      save(await recordingFile(this.host.key(), id, name), `${id}-${name}`);
    } catch (error) {
      this.#failed(`${name} cannot be fetched`, error);
    }
  }

  #failed(what: string, error: unknown): void {
    this.frame.announcer.notice(`${what}: ${error instanceof Error ? error.message : String(error)}.`, "warning");
  }

  #draw(): void {
    const recording = this.#state.recording ?? this.#terminal;
    this.frame.recording.show(recording, this.#state.allowed && this.#state.recording !== null);
    this.frame.menu.setRecording(this.#state.allowed, this.#state.recording !== null);
    if (recording && !this.#shown) this.frame.announcer.notice(inWords(recording), "warning");
    else if (!recording && this.#shown) this.frame.announcer.notice("This session is not recorded any more.");
    this.#shown = recording;
  }
}

function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1024 * 1024 ? `${Math.round(bytes / 1024)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
