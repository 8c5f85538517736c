/** The panel for files: the folder that is shown, and the transfers under way. */
import type { FileEntry } from "../core/files/messages.ts";
import { el, setText } from "./dom.ts";
import { icon } from "./icons.ts";
import { age } from "./sessions.ts";

/** What the panel asks for. */
export interface FileActions {
  show(path: string): void;
  upload(files: File[]): void;
  download(entry: FileEntry): void;
}

/** One transfer as it is shown. */
export interface TransferRow {
  progress(done: number, total: number): void;
  ended(message: string, failed: boolean, again: (() => void) | null): void;
}

/** Transfers that ended and are still shown; the oldest goes. */
const ENDED_MAX = 12;

/** `<vroom-files>`. */
export class FilesPanel extends HTMLElement {
  readonly #crumbs = el("nav", { class: "crumbs", "aria-label": "Folder" });
  readonly #list = el("ul", { class: "filelist" });
  readonly #message = el("p", { class: "muted", role: "status" });
  readonly #transfers = el("ul", { class: "transfers", "aria-label": "Transfers" });
  readonly #chooser = el("input", { type: "file", multiple: true, hidden: true });
  readonly #upload = el("button", { class: "button small primary", type: "button", onclick: () => this.#chooser.click() }, icon("upload"), "Upload");
  #actions: FileActions | null = null;
  /** What had the keyboard before the panel was opened. */
  #before: Element | null = null;

  connect(actions: FileActions): void {
    this.#actions = actions;
    this.hidden = true;
    this.setAttribute("role", "region");
    this.setAttribute("aria-label", "Files");
    const close = el("button", { class: "quiet", type: "button", "aria-label": "Close files", onclick: () => this.close() }, icon("close"));
    this.append(el("header", { class: "row" }, el("h2", {}, "Files"), this.#upload, close), this.#crumbs, this.#message, this.#list, this.#transfers, this.#chooser);
    this.#chooser.addEventListener("change", () => {
      actions.upload([...(this.#chooser.files ?? [])]);
      this.#chooser.value = "";
    });
    this.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
    this.#acceptDrops();
  }

  /** Shows the panel and puts the keyboard into it. */
  open(): void {
    this.#before = document.activeElement;
    this.hidden = false;
    this.#upload.focus();
  }

  /** Hides the panel; the keyboard goes back to where it was. */
  close(): void {
    const had = this.contains(document.activeElement);
    this.hidden = true;
    if (had && this.#before instanceof HTMLElement) this.#before.focus();
    this.#before = null;
  }

  /** Shows a folder. */
  show(path: string, entries: FileEntry[]): void {
    this.#showCrumbs(path);
    setText(this.#message, entries.length === 0 ? "This folder is empty." : "");
    const sorted = [...entries].sort((a, b) => Number(b.type === "dir") - Number(a.type === "dir") || a.name.localeCompare(b.name));
    this.#list.replaceChildren(...sorted.map((entry) => this.#entry(path, entry)));
  }

  /** Says why there is no folder to show. */
  fail(path: string, reason: string): void {
    this.#showCrumbs(path);
    this.#list.replaceChildren();
    setText(this.#message, reason);
  }

  /** Adds a transfer. */
  add(direction: "upload" | "download", name: string, stop: () => void): TransferRow {
    const bar = el("span", { class: "bar", "aria-hidden": "true" });
    const facts = el("span", { class: "facts muted" }, "Waiting");
    const cancel = el("button", { class: "quiet", type: "button", "aria-label": `Stop ${name}`, title: "Stop", onclick: stop }, icon("close"));
    const row = el("li", {}, icon(direction), el("span", { class: "name" }, name), facts, cancel, bar);
    this.#transfers.prepend(row);
    return {
      progress: (done, total) => {
        setText(facts, total > 0 ? `${Math.floor((done / total) * 100)} % of ${size(total)}` : size(done));
        bar.style.setProperty("--done", String(total > 0 ? done / total : 0));
      },
      ended: (message, failed, again) => {
        setText(facts, message);
        row.toggleAttribute("data-failed", failed);
        row.toggleAttribute("data-ended", true);
        cancel.remove();
        if (again) row.append(el("button", { class: "button small", type: "button", onclick: () => (row.remove(), again()) }, failed ? "Try again" : "Replace"));
        for (const old of [...this.#transfers.querySelectorAll("[data-ended]")].slice(ENDED_MAX)) old.remove();
      },
    };
  }

  #showCrumbs(path: string): void {
    const parts = path.split("/").filter((part) => part !== "" && part !== ".");
    const root = path.startsWith("/") ? "/" : "";
    const crumb = (label: string, to: string, last: boolean): HTMLElement => el("button", { class: "quiet", type: "button", "aria-current": last ? "true" : undefined, onclick: () => this.#actions?.show(to) }, label);
    this.#crumbs.replaceChildren(
      crumb(root === "/" ? "/" : "Home", root === "/" ? "/" : ".", parts.length === 0),
      ...parts.map((part, place) => crumb(part, root + parts.slice(0, place + 1).join("/"), place === parts.length - 1)),
    );
  }

  #entry(path: string, entry: FileEntry): HTMLElement {
    const folder = entry.type === "dir";
    const facts = folder ? "" : `${size(entry.size)} · ${age(Date.now() / 1000 - entry.modified)} ago`;
    const open = (): void => (folder ? this.#actions?.show(join(path, entry.name)) : this.#actions?.download(entry));
    const verb = folder ? "Open" : "Download";
    return el(
      "li",
      {},
      el(
        "button",
        { type: "button", title: `${verb} ${entry.name}`, disabled: entry.type === "other", onclick: open },
        icon(folder ? "files" : "text"),
        el("span", { class: "visually-hidden" }, `${verb} `),
        el("span", { class: "name" }, entry.name),
        el("span", { class: "facts muted" }, facts),
        !folder && icon("download"),
      ),
    );
  }

  #acceptDrops(): void {
    const over = (event: DragEvent): void => {
      if (event.dataTransfer?.types.includes("Files") !== true) return;
      event.preventDefault();
      this.toggleAttribute("data-drop", true);
    };
    this.addEventListener("dragover", over);
    this.addEventListener("dragleave", () => this.removeAttribute("data-drop"));
    this.addEventListener("drop", (event) => {
      event.preventDefault();
      this.removeAttribute("data-drop");
      this.#actions?.upload([...(event.dataTransfer?.files ?? [])]);
    });
  }
}

/** A path below another. */
export function join(path: string, name: string): string {
  return path === "." || path === "" ? name : path.endsWith("/") ? path + name : `${path}/${name}`;
}

/** A number of bytes for people. */
export function size(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  const units = ["kB", "MB", "GB", "TB"];
  let [value, unit] = [bytes / 1_000, 0];
  while (value >= 999.5 && unit < units.length - 1) [value, unit] = [value / 1_000, unit + 1];
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

customElements.define("vroom-files", FilesPanel);
