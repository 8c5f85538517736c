/** Pointer lock: while a program holds the remote pointer in place, the page gives it distances and no places. */

/** The distance of one event. */
export interface MovementLike {
  movementX: number;
  movementY: number;
}

export class PointerLock {
  #wanted = false;
  #held = false;
  #restX = 0;
  #restY = 0;

  /** `changed` is called when the browser gave the pointer or took it; `lost` when the person took it back. */
  constructor(
    private readonly surface: HTMLElement,
    private readonly changed: () => void,
    private readonly lost: () => void,
  ) {
    document.addEventListener("pointerlockchange", () => this.#follow());
  }

  /** Whether the browser gives distances now. */
  get held(): boolean {
    return this.#held;
  }

  /** Says whether a program wants distances. */
  want(wanted: boolean): void {
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    if (wanted) this.take();
    else this.giveBack();
  }

  /** Gives the pointer back to the person; true when they did not have it. */
  giveBack(): boolean {
    if (this.#held) document.exitPointerLock();
    return this.#held;
  }

  /** Asks the browser for the pointer, if it is wanted; browsers give it after a press only. */
  take(): void {
    if (this.#wanted && !this.#held) void this.#ask();
  }

  /** The whole pixels of a movement, with what was left of those before; null when it is less than one. */
  distance(event: MovementLike): { dx: number; dy: number } | null {
    this.#restX += event.movementX;
    this.#restY += event.movementY;
    const [dx, dy] = [Math.trunc(this.#restX), Math.trunc(this.#restY)];
    this.#restX -= dx;
    this.#restY -= dy;
    return dx === 0 && dy === 0 ? null : { dx, dy };
  }

  /** Distances as the mouse tells them, where the browser has those; otherwise as the person's system moves its pointer. */
  async #ask(): Promise<void> {
    try {
      await this.surface.requestPointerLock({ unadjustedMovement: true });
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== "NotSupportedError") return;
      // Refused without a press before it: the next press asks again.
      await Promise.resolve(this.surface.requestPointerLock()).catch(() => undefined);
    }
  }

  #follow(): void {
    const held = document.pointerLockElement === this.surface;
    if (held === this.#held) return;
    this.#held = held;
    this.#restX = 0;
    this.#restY = 0;
    // It came too late.
    if (held && !this.#wanted) document.exitPointerLock();
    this.changed();
    if (!held && this.#wanted) this.lost();
  }
}
