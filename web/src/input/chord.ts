/**
 * The escape chord: Ctrl+Alt+Shift belongs to this page and never reaches the far side as a whole.
 *
 * Pressed and released alone it moves the keyboard back to the page's own controls; with another key it is a shortcut.
 */
export interface ChordKey {
  key: string;
  code: string;
  ctrlKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
  repeat: boolean;
}

/** What a key event means to the chord. */
export type ChordVerdict = "none" | "begin" | "escape" | { shortcut: string } | "swallow";

const MODIFIERS = new Set(["Control", "Alt", "Shift", "Meta", "AltGraph"]);

export class EscapeChord {
  #armed = false;
  #used = false;

  down(event: ChordKey): ChordVerdict {
    const held = (event.ctrlKey || event.key === "Control") && (event.altKey || event.key === "Alt" || event.key === "Meta");
    const all = held && (event.shiftKey || event.key === "Shift");
    if (!all) return "none";
    if (MODIFIERS.has(event.key)) {
      if (this.#armed) return "swallow";
      this.#armed = true;
      this.#used = false;
      return "begin";
    }
    if (event.repeat) return "swallow";
    this.#armed = true;
    this.#used = true;
    return { shortcut: event.code };
  }

  up(event: ChordKey): ChordVerdict {
    if (!this.#armed) return "none";
    if (!MODIFIERS.has(event.key)) return "swallow";
    this.#armed = false;
    return this.#used ? "none" : "escape";
  }

  /** Forgets a chord that was begun; the page lost the keyboard. */
  reset(): void {
    this.#armed = false;
  }
}
