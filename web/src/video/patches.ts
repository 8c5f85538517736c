/** Exact pictures of what keeps still, laid over the video, which never shows coloured text as it was drawn. */
import type { PatchRect } from "../core/graphical/patches.ts";
import { decodePatch } from "../core/graphical/patches.ts";
import type { Bytes } from "../core/bytes.ts";

export class PatchLayer {
  readonly #context: CanvasRenderingContext2D | null;
  /** Pictures that are being decoded, and what was cleared since they came. */
  readonly #decoding = new Set<{ gone: PatchRect[] }>();
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
    this.#decoding.clear();
    this.canvas.hidden = true;
  }

  #start(width: number, height: number): void {
    this.#decoding.clear();
    this.canvas.width = width;
    this.canvas.height = height;
    this.canvas.hidden = true;
  }

  #clear(places: PatchRect[]): void {
    for (const each of this.#decoding) each.gone.push(...places);
    for (const place of places) this.#context?.clearRect(place.x, place.y, place.width, place.height);
  }

  async #show(place: PatchRect, png: Bytes): Promise<void> {
    const entry = { gone: [] };
    this.#decoding.add(entry);
    try {
      // Colours as they are: the video has not been through a colour profile either.
      const picture = await createImageBitmap(new Blob([png], { type: "image/png" }), { colorSpaceConversion: "none" });
      // Gone when everything started over meanwhile.
      if (this.#decoding.delete(entry)) {
        this.#context?.drawImage(picture, place.x, place.y);
        this.#clear(entry.gone);
        this.canvas.hidden = false;
      }
      picture.close();
    } catch {
      // What cannot be decoded stays as the video shows it.
      this.#decoding.delete(entry);
    }
  }
}
