/** What says that the session is recorded, and by whom; nobody is recorded without seeing it. */
import { el, setText } from "./dom.ts";

/** A recording that is under way. */
export interface Recording {
  by: string;
  /** Unix seconds. */
  since: number;
}

/** `<vroom-recording>`: hidden while nothing is recorded; fires `stop` when a person who may wants that. */
export class RecordingSign extends HTMLElement {
  readonly #time = el("span", { class: "time" });
  readonly #who = el("p", {});
  readonly #stop = el("button", { class: "button small danger", type: "button" }, "Stop recording");
  readonly #sheet = el("div", { class: "recordingsheet", id: "recording", popover: "auto" }, this.#who, this.#stop);
  readonly #button = el("button", { class: "quiet recordingbutton", type: "button", popovertarget: "recording" }, el("span", { class: "dot", "aria-hidden": "true" }), el("b", {}, "REC"), " ", this.#time);

  constructor() {
    super();
    this.hidden = true;
    this.#stop.addEventListener("click", () => {
      this.#sheet.hidePopover();
      this.dispatchEvent(new Event("stop"));
    });
  }

  connectedCallback(): void {
    if (this.childElementCount === 0) this.append(this.#button, this.#sheet);
  }

  /** Shows the recording, and the way to end it where the person may. */
  show(recording: Recording | null, mayStop: boolean): void {
    this.hidden = recording === null;
    this.#stop.hidden = !mayStop;
    if (!recording) {
      if (this.#sheet.matches(":popover-open")) this.#sheet.hidePopover();
      return;
    }
    const told = inWords(recording);
    setText(this.#time, clock(recording.since));
    setText(this.#who, `${told} What is typed is not recorded; what the desktop and the terminals show is, and what is heard.`);
    this.#button.setAttribute("aria-label", told);
    this.#button.title = told;
  }
}

/** Who records, and since when. */
export function inWords(recording: Recording): string {
  return `${recording.by || "Somebody"} records this session since ${clock(recording.since)}.`;
}

function clock(unixS: number): string {
  return new Date(unixS * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

customElements.define("vroom-recording", RecordingSign);
