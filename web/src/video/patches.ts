/** Exact pictures of what keeps still or is scrolled, laid over the video, which never shows coloured text as it was drawn. */
import type { PatchMessage, PatchRect } from "../core/graphical/patches.ts";
import { decodePatch } from "../core/graphical/patches.ts";
import type { Bytes } from "../core/bytes.ts";

/** What is on the page is acknowledged after this long: telling at once would cost the next picture milliseconds. */
const ACKNOWLEDGE_MS = 25;

/** One message on its way onto the canvas. */
interface Entry {
  /** It may be drawn: its picture is decoded, or it has none. */
  ready: boolean;
  /** How many entries that follow are to be seen together with it. */
  follow: number;
  picture?: ImageBitmap;
  draw(context: CanvasRenderingContext2D): void;
}

export class PatchLayer {
  readonly #context: CanvasRenderingContext2D | null;
  /** In the order they came: a small picture is decoded sooner than the large one before it. */
  #waiting: Entry[] = [];
  /** Messages that are on the canvas, or were given up. */
  #done = 0;
  #telling: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly acknowledge: (count: number) => void,
  ) {
    this.#context = canvas.getContext("2d");
    canvas.hidden = true;
  }

  /** Takes one message of the `patches` channel. */
  receive(type: number, payload: Bytes): void {
    if (this.#closed) return;
    const message = decodePatch(type, payload);
    if (message?.kind === "start") this.#start(message.width, message.height);
    else this.#waiting.push(this.#entry(message));
    this.#draw();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#telling);
    this.#forget();
    this.canvas.hidden = true;
  }

  #start(width: number, height: number): void {
    this.#done += this.#waiting.length + 1;
    this.#forget();
    this.canvas.width = width;
    this.canvas.height = height;
    this.canvas.hidden = true;
    this.#tell();
  }

  #entry(message: Exclude<PatchMessage, { kind: "start" }> | null): Entry {
    const entry: Entry = { ready: true, follow: 0, draw: () => {} };
    if (message?.kind === "show") {
      entry.ready = false;
      void this.#decode(entry, message.place, message.png);
    } else if (message?.kind === "clear") {
      entry.draw = (context) => {
        for (const { x, y, width, height } of message.places) context.clearRect(x, y, width, height);
      };
    } else if (message?.kind === "move") {
      const { to, fromX, fromY } = message;
      entry.follow = message.follow;
      entry.draw = (context) => {
        // Only what lies there exactly is moved, so nothing shines through.
        context.drawImage(this.canvas, fromX, fromY, to.width, to.height, to.x, to.y, to.width, to.height);
      };
    }
    return entry;
  }

  async #decode(entry: Entry, place: PatchRect, png: Bytes): Promise<void> {
    // Colours as they are: the video has not been through a colour profile either.
    const decoded = createImageBitmap(new Blob([png], { type: "image/png" }), { colorSpaceConversion: "none" });
    // What cannot be decoded stays as the video shows it.
    const picture = await decoded.catch(() => null);
    entry.ready = true;
    if (!this.#waiting.includes(entry)) picture?.close();
    else if (picture) {
      entry.picture = picture;
      entry.draw = (context) => {
        context.drawImage(picture, place.x, place.y);
        picture.close();
        this.canvas.hidden = false;
      };
    }
    this.#draw();
  }

  /** Draws what is decoded, each over what came before it. */
  #draw(): void {
    const before = this.#done;
    for (let first = this.#waiting[0]; first; first = this.#waiting[0]) {
      const together = this.#waiting.slice(0, 1 + first.follow);
      if (together.length <= first.follow || !together.every((entry) => entry.ready)) break;
      this.#waiting.splice(0, together.length);
      this.#done += together.length;
      if (this.#context) for (const entry of together) entry.draw(this.#context);
    }
    if (this.#done !== before) this.#tell();
  }

  #tell(): void {
    this.#telling ??= setTimeout(() => {
      this.#telling = undefined;
      this.acknowledge(this.#done);
    }, ACKNOWLEDGE_MS);
  }

  #forget(): void {
    for (const entry of this.#waiting) entry.picture?.close();
    this.#waiting = [];
  }
}
