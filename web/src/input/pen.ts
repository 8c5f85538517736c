/** A pen: what one event of it says, as the wire says it. */
import { penLeave, penState, PenBit } from "../core/graphical/input.ts";
import type { InputMessage } from "../core/graphical/input.ts";

/** The members of a PointerEvent that are read. */
export interface PenLike {
  /** The one that changed, or -1. */
  button: number;
  buttons: number;
  pressure: number;
  tiltX: number;
  tiltY: number;
  twist: number;
}

/** Bits of `PointerEvent.buttons` as pens use them. */
const Contact = { Tip: 1, Lower: 2, Upper: 4, Eraser: 32 } as const;

export class Pen {
  /** The pointer that the pen is, while it is near. */
  #pointer: number | null = null;
  /** Something of it was pressed since it came or since everything was released. */
  #down = false;
  /** It is turned around; browsers say so only while it touches. */
  #erases = false;

  /** Whether anything of the pen is pressed. */
  get isDown(): boolean {
    return this.#down;
  }

  /** The pen is here; what was let go of is pressed again only when that changes. */
  at(pointer: number, event: PenLike, x: number, y: number): InputMessage {
    this.#pointer = pointer;
    if (event.button !== -1) this.#down = event.buttons !== 0;
    const buttons = this.#down ? event.buttons : 0;
    if (buttons & Contact.Eraser) this.#erases = true;
    else if (buttons & Contact.Tip) this.#erases = false;
    // With a button held, some browsers name only that one and tell the contact by its pressure.
    const touches = (buttons & (Contact.Tip | Contact.Eraser)) !== 0 || (buttons !== 0 && event.pressure > 0);
    let state = touches ? PenBit.Tip : 0;
    if (buttons & Contact.Lower) state |= PenBit.Lower;
    if (buttons & Contact.Upper) state |= PenBit.Upper;
    if (this.#erases) state |= PenBit.Eraser;
    const pressure = touches ? event.pressure : 0;
    return penState({ state, x, y, pressure, tiltX: event.tiltX, tiltY: event.tiltY, twist: event.twist });
  }

  /** The pen left, or must be let go of; null when it was not there. */
  leave(pointer = this.#pointer): InputMessage | null {
    if (this.#pointer === null || pointer !== this.#pointer) return null;
    this.#pointer = null;
    this.#down = false;
    this.#erases = false;
    return penLeave();
  }
}
