/** The remote cursor: the browser's own pointer while driving, a drawn one while watching. */
import type { Bytes } from "../core/bytes.ts";
import type { Cursor, CursorImage } from "../core/graphical/messages.ts";
import { svg } from "./dom.ts";

/** CSS cursor names that a server may choose; anything else becomes `default`. */
const NAMES = new Set(
  (
    "default none context-menu help pointer progress wait cell crosshair text vertical-text alias copy move no-drop " +
    "not-allowed grab grabbing e-resize n-resize ne-resize nw-resize s-resize se-resize sw-resize w-resize ew-resize " +
    "ns-resize nesw-resize nwse-resize col-resize row-resize all-scroll zoom-in zoom-out"
  ).split(" "),
);
/** Cursor pictures kept; the oldest go, and a server that names one of them again is shown the default. */
const IMAGES_MAX = 64;

interface Picture {
  url: string;
  hotspotX: number;
  hotspotY: number;
}

export class RemoteCursor {
  readonly #images = new Map<number, Picture>();
  readonly #arrow = svg("path", { d: "M1 1v14.2l3.9-3.3 2.5 5.6 2.4-1.1-2.4-5.4 5-.3z", fill: "#111", stroke: "#fff", "stroke-width": 1.2, "stroke-linejoin": "round" });
  readonly #picture = document.createElement("img");
  #cursor: Cursor | null = null;

  constructor(
    private readonly surface: HTMLElement,
    private readonly marker: HTMLElement,
  ) {
    this.#picture.alt = "";
    marker.append(svg("svg", { viewBox: "0 0 16 20", width: 16, height: 20 }, this.#arrow), this.#picture);
  }

  /** Takes a CURSOR message. */
  receive(cursor: Cursor): void {
    if (cursor.image?.png) this.#keep(cursor.image, cursor.image.png);
    this.#cursor = cursor;
  }

  /** Whether a program holds the remote pointer in place. */
  get locked(): boolean {
    return this.#cursor?.locked === true;
  }

  /** Draws the cursor; `scale` is shown size by remote size, `given` says that the browser gave the pointer away. */
  render(driving: boolean, scale: number, given = false): void {
    const cursor = this.#cursor;
    const picture = cursor?.image ? this.#images.get(cursor.image.id) : undefined;
    this.surface.style.cursor = driving && cursor ? css(cursor, picture, given) : "";
    const shown = !driving && cursor !== null && cursor.visible;
    this.marker.hidden = !shown;
    if (!shown) return;
    if (picture && this.#picture.src !== picture.url) this.#picture.src = picture.url;
    this.marker.toggleAttribute("data-picture", picture !== undefined);
    const [x, y] = [cursor.x * scale - (picture?.hotspotX ?? 1), cursor.y * scale - (picture?.hotspotY ?? 1)];
    this.marker.style.transform = `translate(${x}px, ${y}px)`;
  }

  /** Forgets everything; the connection ended. */
  clear(): void {
    this.#cursor = null;
    for (const picture of this.#images.values()) URL.revokeObjectURL(picture.url);
    this.#images.clear();
    this.render(false, 1);
  }

  #keep(image: CursorImage, png: Bytes): void {
    const known = this.#images.get(image.id);
    if (known) URL.revokeObjectURL(known.url);
    this.#images.set(image.id, {
      url: URL.createObjectURL(new Blob([png], { type: "image/png" })),
      hotspotX: image.hotspotX,
      hotspotY: image.hotspotY,
    });
    const [oldest] = this.#images.keys();
    if (this.#images.size <= IMAGES_MAX || oldest === undefined) return;
    URL.revokeObjectURL(this.#images.get(oldest)?.url ?? "");
    this.#images.delete(oldest);
  }
}

function css(cursor: Cursor, picture: Picture | undefined, given: boolean): string {
  // Who took the pointer back from a program has to see it, whatever the program shows.
  if (cursor.locked && !given) return "default";
  if (!cursor.visible) return "none";
  const name = NAMES.has(cursor.type) ? cursor.type : "default";
  return picture ? `url("${picture.url}") ${picture.hotspotX} ${picture.hotspotY}, ${name}` : name;
}
