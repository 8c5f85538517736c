/** The escape chord and its shortcuts, caught before the desktop or a terminal sees them. */
import { EscapeChord } from "../input/chord.ts";

export interface ShortcutActions {
  /** The chord is down: whatever it pressed on the far side has to be released. */
  begin(): void;
  escape(): void;
  run(code: string): void;
}

/** Listens for the chord on the whole page. */
export function listenShortcuts(actions: ShortcutActions): void {
  const chord = new EscapeChord();
  const stop = (event: Event): void => {
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  window.addEventListener(
    "keydown",
    (event) => {
      const verdict = chord.down(event);
      if (verdict === "none") return;
      stop(event);
      if (verdict === "begin") actions.begin();
      else if (typeof verdict === "object") actions.run(verdict.shortcut);
    },
    true,
  );
  window.addEventListener(
    "keyup",
    (event) => {
      const verdict = chord.up(event);
      if (verdict === "swallow") stop(event);
      if (verdict !== "escape") return;
      stop(event);
      actions.escape();
    },
    true,
  );
  window.addEventListener("blur", () => chord.reset());
}
