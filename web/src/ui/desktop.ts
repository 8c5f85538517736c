/** The desktop: the picture, its size on the page, and the surface that takes input. */
import type { Cursor, Size } from "../core/graphical/messages.ts";
import type { ControlHost } from "../input/control.ts";
import { Control } from "../input/control.ts";
import { detectPlatform } from "../input/platform.ts";
import { fit, toViewport } from "../input/scale.ts";
import { RemoteCursor } from "./cursor.ts";
import type { Child } from "./dom.ts";
import { el } from "./dom.ts";

/** How the desktop is laid out: scaled to fit, pixel for pixel, or resized to match the window. */
export type Layout = "fit" | "actual" | "match";

/** A window that changes size is followed when it has kept still this long. */
const RESIZE_MS = 250;
/** Until a server has told its viewport this is assumed, so that nothing jumps later. */
const VIEWPORT_GUESS: Size = { width: 1280, height: 720 };

/** What the desktop needs from the page. */
export interface DesktopHost extends Omit<ControlHost, "viewport" | "lockChanged"> {
  /** The space for the desktop changed, in logical pixels. */
  spaceChanged(space: Size): void;
}

/** `<vroom-desktop>`. */
export class DesktopView extends HTMLElement {
  readonly video = el("video", { class: "picture", playsinline: true, autoplay: true, "aria-label": "Remote desktop" });
  readonly canvas = el("canvas", { class: "picture", role: "img", "aria-label": "Remote desktop" });
  readonly field = el("textarea", { class: "keys", "aria-label": "Keyboard of the remote desktop. Press Ctrl, Alt and Shift together to leave.", autocapitalize: "off", autocomplete: "off", spellcheck: "false", tabindex: -1, rows: 1 });
  /** Told whenever the desktop gets the keyboard, for those who see; {@link DesktopView.field} tells the others. */
  readonly #leave = el("p", { class: "leave", "aria-hidden": "true" }, ...leave(), " together bring the keyboard back to the page");
  /** Said while a program drags files. */
  readonly #outside = el("p", { class: "leave outside", role: "status", hidden: true }, "Let go outside of the picture to download");
  readonly #marker = el("div", { class: "remote-cursor", "aria-hidden": "true", hidden: true });
  /** Exact pictures of what keeps still, over either of them. */
  readonly patches = el("canvas", { class: "patches", "aria-hidden": "true", hidden: true });
  readonly #surface = el("div", { class: "surface" }, this.video, this.canvas, this.patches, this.#marker);
  readonly #scroller = el("div", { class: "scroller", tabindex: -1 }, this.#surface, this.field);
  readonly #cursor = new RemoteCursor(this.#surface, this.#marker);
  readonly #platform = detectPlatform(navigator);
  #control: Control | null = null;
  #host: DesktopHost | null = null;
  #layout: Layout = "fit";
  #viewport = VIEWPORT_GUESS;
  #driving = false;
  /** Shown size by remote size. */
  #scale = 1;
  #resizing: ReturnType<typeof setTimeout> | null = null;

  connect(host: DesktopHost): void {
    this.#host = host;
    this.video.muted = true;
    this.append(this.#scroller, this.#leave, this.#outside);
    // A tap must not always raise the on-screen keyboard; its button does.
    if (window.matchMedia("(pointer: coarse)").matches) this.field.inputMode = "none";
    this.#control = new Control(this.#surface, this.field, this.#platform, {
      ...host,
      viewport: () => this.#viewport,
      lockChanged: () => this.renderCursor(),
    });
    new ResizeObserver(() => this.#resized()).observe(this);
    this.showPicture("none");
  }

  get viewport(): Size {
    return this.#viewport;
  }

  /** The space that the desktop could fill, in logical pixels. */
  get space(): Size {
    return { width: Math.max(1, this.clientWidth), height: Math.max(1, this.clientHeight) };
  }

  setLayout(layout: Layout): void {
    this.#layout = layout;
    this.dataset["layout"] = layout;
    this.#scroller.tabIndex = layout === "actual" ? 0 : -1;
    this.#place();
  }

  setViewport(viewport: Size): void {
    this.#viewport = viewport;
    this.#place();
  }

  /** Which of the two pictures is shown. */
  showPicture(which: "video" | "canvas" | "none"): void {
    this.video.hidden = which !== "video";
    this.canvas.hidden = which !== "canvas";
    this.#surface.hidden = which === "none";
  }

  /** Shows that input goes to the desktop, or releases everything and says that it does not. */
  setDriving(driving: boolean): void {
    if (driving === this.#driving) return;
    if (!driving) this.#control?.releaseAll();
    this.#driving = driving;
    this.#followLock();
    this.toggleAttribute("data-driving", driving);
    this.renderCursor();
    if (driving) this.focusKeys();
    else if (document.activeElement === this.field) this.field.blur();
  }

  /** Says what Cmd of macOS is on the desktop: Super, or Control. */
  setSuperCommand(on: boolean): void {
    this.#control?.releaseAll();
    this.#platform.superCommand = on;
  }

  /** Puts the keyboard into the desktop. */
  focusKeys(): void {
    this.field.focus({ preventScroll: true });
  }

  /** Raises or hides the on-screen keyboard of a touch device. */
  toggleKeyboard(): void {
    this.field.inputMode = this.field.inputMode === "none" ? "text" : "none";
    this.field.blur();
    this.focusKeys();
  }

  release(): void {
    this.#control?.releaseAll();
  }

  /** The point of the desktop that is shown at a place of the page, or the nearest. */
  point(place: { clientX: number; clientY: number }): { x: number; y: number } {
    return toViewport(place.clientX, place.clientY, this.#surface.getBoundingClientRect(), this.#viewport);
  }

  /** Says how files that a program drags are taken. */
  setDragging(dragging: boolean): void {
    this.#outside.hidden = !dragging;
  }

  /** Shows that the picture is an old one. */
  setStale(stale: boolean): void {
    this.toggleAttribute("data-stale", stale);
  }

  receiveCursor(cursor: Cursor): void {
    this.#cursor.receive(cursor);
    this.#followLock();
    this.renderCursor();
  }

  /** A program that holds the pointer of whoever drives gets it from the browser, too. */
  #followLock(): void {
    this.#control?.setLocked(this.#driving && this.#cursor.locked);
  }

  renderCursor(): void {
    this.#cursor.render(this.#driving, this.#scale, this.#control?.locked);
  }

  clear(): void {
    this.#cursor.clear();
    this.setDriving(false);
  }

  #resized(): void {
    this.#place();
    if (this.#resizing !== null) clearTimeout(this.#resizing);
    this.#resizing = setTimeout(() => {
      this.#resizing = null;
      if (this.clientWidth > 0 && this.clientHeight > 0) this.#host?.spaceChanged(this.space);
    }, RESIZE_MS);
  }

  #place(): void {
    const ratio = window.devicePixelRatio || 1;
    const actual = { width: this.#viewport.width / ratio, height: this.#viewport.height / ratio };
    const size = this.#layout === "actual" ? actual : fit(this.#viewport, this.space);
    this.#surface.style.width = `${size.width}px`;
    this.#surface.style.height = `${size.height}px`;
    // In the middle, but on whole pixels: between them the browser would blur what is exact.
    const margin = (all: number, own: number): string => `${Math.max(0, Math.floor((all - own) / 2))}px`;
    this.#surface.style.marginLeft = margin(this.clientWidth, size.width);
    this.#surface.style.marginTop = margin(this.clientHeight, size.height);
    this.#scale = size.width / this.#viewport.width;
    this.renderCursor();
  }
}

/** The keys that lead out of the desktop. */
export function leave(): Child[] {
  return ["Ctrl", "Alt", "Shift"].flatMap((key) => [el("kbd", {}, key), " "]).slice(0, -1);
}

customElements.define("vroom-desktop", DesktopView);
