/** Exact pictures of what keeps still, laid over the video, which never shows coloured text as it was drawn. */
import type { PatchRect } from "../core/graphical/patches.ts";
import { decodePatch } from "../core/graphical/patches.ts";
import type { Bytes } from "../core/bytes.ts";

/** A picture on its way onto the canvas. */
interface Entry {
  place: PatchRect;
  /** What was cleared since it came. */
  gone: PatchRect[];
  /** Undefined while it is decoded, null when it cannot be. */
  picture?: ImageBitmap | null;
}

export class PatchLayer {
  readonly #context: CanvasRenderingContext2D | null;
  /** Pictures in the order they came in: a small one is decoded sooner than the large one before it. */
  #waiting: Entry[] = [];
  #closed = false;

  constructor(private readonly canvas: HTMLCanvasElement) {
    this.#context = canvas.getContext("2d");
    canvas.hidden = true;
  }

  /** Takes one message of the `patches` channel. */
  receive(type: number, payload: Bytes): void {
    const message = this.#closed ? null : decodePatch(type, payload);
    if (!message) return;
    if (message.kind === "show") void this.#show(message.place, message.png);
    else if (message.kind === "clear") this.#clear(message.places);
    else this.#start(message.width, message.height);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#forget();
    this.canvas.hidden = true;
  }

  #start(width: number, height: number): void {
    this.#forget();
    this.canvas.width = width;
    this.canvas.height = height;
    this.canvas.hidden = true;
  }

  #clear(places: PatchRect[]): void {
    for (const each of this.#waiting) each.gone.push(...places);
    for (const place of places) this.#erase(place);
  }

  async #show(place: PatchRect, png: Bytes): Promise<void> {
    const entry: Entry = { place, gone: [] };
    this.#waiting.push(entry);
    // Colours as they are: the video has not been through a colour profile either.
    const decoded = createImageBitmap(new Blob([png], { type: "image/png" }), { colorSpaceConversion: "none" });
    // What cannot be decoded stays as the video shows it.
    entry.picture = await decoded.catch(() => null);
    if (this.#waiting.includes(entry)) this.#draw();
    else entry.picture?.close();
  }

  /** Draws what is decoded, each over what came before it. */
  #draw(): void {
    for (let entry = this.#waiting[0]; entry?.picture !== undefined; entry = this.#waiting[0]) {
      this.#waiting.shift();
      if (!entry.picture) continue;
      this.#context?.drawImage(entry.picture, entry.place.x, entry.place.y);
      entry.picture.close();
      for (const place of entry.gone) this.#erase(place);
      this.canvas.hidden = false;
    }
  }

  #erase({ x, y, width, height }: PatchRect): void {
    this.#context?.clearRect(x, y, width, height);
  }

  #forget(): void {
    for (const entry of this.#waiting) entry.picture?.close();
    this.#waiting = [];
  }
}
