/**
 * From keyboard events to keys and text of the wire.
 *
 * Pure: it takes what an event says and a scheduler, and returns nothing but messages to its sink. The held-key ledger
 * lives here, so that every way of leaving releases what is down.
 */
import { Modifier } from "../core/graphical/input.ts";
import type { KeyName } from "../core/graphical/input.ts";
import type { Platform } from "./platform.ts";

/** The members of a KeyboardEvent that are read. */
export interface KeyLike {
  key: string;
  code: string;
  repeat: boolean;
  isComposing: boolean;
  keyCode: number;
  shiftKey: boolean;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
  getModifierState(name: string): boolean;
}

/** Where keys and text go. */
export interface KeySink {
  key(down: boolean, name: KeyName): void;
  text(content: string): void;
  /** What is composed and no text yet; empty when nothing is. Text replaces it. */
  preedit(content: string, begin: number, end: number): void;
}

/** Runs something later; returns how to cancel it. */
export type Later = (run: () => void, ms: number) => () => void;

/** Windows sends Control before AltGr; it is held back this long to see which of the two it is. */
export const ALTGR_MS = 100;

interface Dead {
  down: KeyName;
  /** The modifiers that chose this dead key; they may be up again when it is replayed. */
  chosenBy: KeyName[];
  base: KeyName | null;
  cancel: (() => void) | null;
}

export class Keyboard {
  readonly #held = new Map<string, KeyName>();
  #control: { name: KeyName; cancel: () => void } | null = null;
  #dead: Dead | null = null;
  /** The far side shows what is composed. */
  #composing = false;

  constructor(
    private readonly sink: KeySink,
    private readonly platform: Platform,
    private readonly later: Later,
  ) {}

  /** True when nothing is held down. */
  get idle(): boolean {
    return this.#held.size === 0 && this.#control === null;
  }

  /** Takes a key-down; returns true when the browser must not act on it. */
  down(event: KeyLike): boolean {
    if (event.isComposing || event.keyCode === 229 || event.key === "Process") return false;
    const name = this.#name(event, true);
    if (this.#control && event.code !== "ControlLeft") this.#resolveControl(event.key === "AltGraph");
    if (event.key === "Dead") {
      if (!event.repeat) this.#dead = { down: name, chosenBy: this.#heldLevels(), base: null, cancel: null };
      return false;
    }
    if (this.#dead && !isModifier(event.key)) return this.#afterDead(event, name);
    if (event.repeat) return true;
    if (this.platform.windows && event.code === "ControlLeft") {
      this.#control = { name, cancel: this.later(() => this.#resolveControl(false), ALTGR_MS) };
      return true;
    }
    this.#press(name, event);
    return true;
  }

  /** Takes a key-up; returns true when the browser must not act on it. */
  up(event: KeyLike): boolean {
    if (event.code === "ControlLeft") this.#resolveControl(false);
    const id = event.code || event.key;
    const held = this.#held.get(id);
    if (!held) return event.key !== "Dead" && !event.isComposing;
    this.#held.delete(id);
    if (!this.#isHeld(held)) this.sink.key(false, { key: held.key, code: held.code, modifiers: this.#modifiers(event, false) });
    if (this.platform.mac && event.key === "Meta") this.#releaseOrdinary();
    return true;
  }

  /** Takes what the browser composes: an input method, a dead key, a phone's keyboard. */
  compose(content: string, begin: number, end: number): void {
    if (content === "" && !this.#composing) return;
    this.#composing = content !== "";
    this.sink.preedit(content, begin, end);
  }

  /** Takes text that the browser composed: an input method, a dead key, a phone's keyboard. */
  commit(content: string): void {
    const dead = this.#dead;
    if (dead) {
      this.#dead = null;
      dead.cancel?.();
      // The letter as it was typed means that this browser composes nothing: the remote layout does.
      if (dead.base && content === dead.base.key) {
        this.compose("", 0, 0);
        this.#replay(dead);
        this.#tap(dead.base);
        return;
      }
    }
    if (content === "") return this.compose("", 0, 0);
    this.#composing = false;
    this.sink.text(content);
  }

  /** Releases everything that is down. */
  releaseAll(): void {
    this.#control?.cancel();
    this.#control = null;
    this.#dead?.cancel?.();
    this.#dead = null;
    this.compose("", 0, 0);
    const held = [...this.#held.values()].reverse();
    this.#held.clear();
    for (const name of held) this.sink.key(false, { ...name, modifiers: 0 });
  }

  /** Presses and releases a key that no keyboard event brought, such as one of an on-screen key row. */
  tap(key: string, code: string, modifiers = 0): void {
    this.sink.key(true, { key, code, modifiers });
    this.sink.key(false, { key, code, modifiers });
  }

  #press(name: KeyName, event: KeyLike): void {
    const id = event.code || event.key;
    if (this.#held.has(id)) return;
    if (!this.#isHeld(name)) this.sink.key(true, name);
    // No key-up follows: Caps Lock on macOS toggles, and keys pressed with Cmd stay silent.
    const noKeyUp = this.platform.mac && (name.key === "CapsLock" || (event.metaKey && !isModifier(name.key)));
    if (noKeyUp) this.sink.key(false, name);
    else this.#held.set(id, name);
  }

  /**
   * The key after a dead key. The browser may put the composed text into the field, which {@link commit} takes; if it
   * does not, the two keys are sent as they were pressed and the remote layout composes them.
   */
  #afterDead(event: KeyLike, name: KeyName): boolean {
    const dead = this.#dead;
    if (!dead || event.repeat) return true;
    dead.cancel?.();
    if ([...event.key].length === 1 && event.key.charCodeAt(0) > 0x7f) {
      this.#dead = null;
      this.sink.text(event.key);
      return true;
    }
    if (event.key.length > 1) {
      this.#dead = null;
      this.#replay(dead);
      this.#press(name, event);
      return true;
    }
    dead.base = name;
    dead.cancel = this.later(() => {
      this.#dead = null;
      this.#replay(dead);
      this.#tap(name);
    }, 0);
    return false;
  }

  /** Whether another key holds down the same one over there, as Control and Cmd do. */
  #isHeld({ code }: KeyName): boolean {
    return code !== "" && [...this.#held.values()].some((held) => held.code === code);
  }

  /** Sends a dead key at the level it was pressed at. */
  #replay(dead: Dead): void {
    const lifted = dead.chosenBy.filter((name) => !this.#held.has(name.code));
    for (const name of lifted) this.sink.key(true, name);
    this.#tap(dead.down);
    for (const name of lifted.reverse()) this.sink.key(false, { ...name, modifiers: 0 });
  }

  /** The held keys that choose another level of a key: Shift and AltGr. */
  #heldLevels(): KeyName[] {
    return [...this.#held.values()].filter((name) => name.key === "Shift" || name.key === "AltGraph");
  }

  #tap(name: KeyName): void {
    this.sink.key(true, name);
    this.sink.key(false, name);
  }

  #resolveControl(altGraph: boolean): void {
    const waiting = this.#control;
    if (!waiting) return;
    this.#control = null;
    waiting.cancel();
    if (altGraph) return;
    this.#held.set(waiting.name.code, waiting.name);
    this.sink.key(true, waiting.name);
  }

  /** macOS swallows the key-up of whatever was pressed while Cmd was down. */
  #releaseOrdinary(): void {
    for (const [id, name] of this.#held) {
      if (isModifier(name.key)) continue;
      this.#held.delete(id);
      this.sink.key(false, { ...name, modifiers: 0 });
    }
  }

  #name(event: KeyLike, down: boolean): KeyName {
    const modifiers = this.#modifiers(event, down);
    if (event.key !== "Meta" || !this.#commandIsControl) return { key: event.key, code: event.code, modifiers };
    return { key: "Control", code: event.code === "MetaRight" ? "ControlRight" : "ControlLeft", modifiers };
  }

  get #commandIsControl(): boolean {
    return this.platform.mac && this.platform.superCommand !== true;
  }

  #modifiers(event: KeyLike, down: boolean): number {
    const altGraph = event.getModifierState("AltGraph") || event.key === "AltGraph";
    const option = this.platform.mac && [...event.key].length === 1 && event.altKey && !event.ctrlKey && !event.metaKey;
    let bits = 0;
    if (event.shiftKey || (down && event.key === "Shift")) bits |= Modifier.Shift;
    if ((event.ctrlKey && !(altGraph && this.platform.windows)) || (down && event.key === "Control")) bits |= Modifier.Ctrl;
    if ((event.altKey && !altGraph && !option) || (down && event.key === "Alt")) bits |= Modifier.Alt;
    if (event.metaKey || (down && event.key === "Meta")) bits |= this.#commandIsControl ? Modifier.Ctrl : Modifier.Meta;
    if (event.getModifierState("CapsLock")) bits |= Modifier.CapsLock;
    return bits;
  }
}

function isModifier(key: string): boolean {
  return ["Shift", "Control", "Alt", "AltGraph", "Meta", "CapsLock", "Fn", "Hyper", "Super"].includes(key);
}
