/** From wheel events to whole pixels of SCROLL, keeping the fractions. */

/** One line in pixels. */
export const LINE_PX = 19;

/** The members of a WheelEvent that are read. */
export interface WheelLike {
  deltaX: number;
  deltaY: number;
  deltaMode: number;
}

export class Wheel {
  #restX = 0;
  #restY = 0;

  /** The whole pixels to scroll by now, or null when it is still less than one. */
  pixels(event: WheelLike, page: { width: number; height: number }): { dx: number; dy: number } | null {
    this.#restX += event.deltaX * unit(event.deltaMode, page.width);
    this.#restY += event.deltaY * unit(event.deltaMode, page.height);
    const dx = Math.trunc(this.#restX);
    const dy = Math.trunc(this.#restY);
    this.#restX -= dx;
    this.#restY -= dy;
    return dx === 0 && dy === 0 ? null : { dx, dy };
  }
}

function unit(deltaMode: number, page: number): number {
  if (deltaMode === 1) return LINE_PX;
  return deltaMode === 2 ? page : 1;
}
