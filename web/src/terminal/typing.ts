/**
 * The input layer in front of the engine.
 *
 * The engine knows keys and compositions. Text that is committed without a key (phones, dictation, emoji pickers, some
 * dead keys), deletions of on-screen keyboards, pastes and drops come here first. Tab belongs to the program.
 */
import type { RowKey, Sticky } from "./view.ts";

/** What the layer does with input. */
export interface TypingEvents {
  text(content: string): void;
  pasted(content: string): void;
  /** What is selected, for the clipboard. */
  selected(): string;
  modifiersUsed(): void;
}

/** What the deletions of an on-screen keyboard send. */
const DELETIONS: { [inputType: string]: string } = {
  deleteContentBackward: "\x7f",
  deleteWordBackward: "\x17",
  deleteSoftLineBackward: "\x15",
  deleteHardLineBackward: "\x15",
  deleteContentForward: "\x1b[3~",
};

export class Typing {
  #sticky: Sticky = { ctrl: false, alt: false };
  /** The engine has taken the present key in its keypress; the text that follows is the same. */
  #taken = false;

  constructor(
    private readonly area: HTMLTextAreaElement,
    surface: HTMLElement,
    private readonly events: TypingEvents,
  ) {
    area.setAttribute("autocapitalize", "off");
    area.setAttribute("autocomplete", "off");
    area.setAttribute("enterkeyhint", "enter");
    const early = { capture: true };
    surface.addEventListener("keydown", (event) => this.#keydown(event), early);
    surface.addEventListener("keypress", () => (this.#taken = true), early);
    surface.addEventListener("beforeinput", (event) => this.#beforeInput(event as InputEvent), early);
    surface.addEventListener("copy", (event) => this.#copy(event), early);
    surface.addEventListener("paste", (event) => this.#transfer(event, event.clipboardData), early);
    surface.addEventListener("drop", (event) => event.dataTransfer?.types.includes("Files") !== true && this.#transfer(event, event.dataTransfer), early);
  }

  setSticky(sticky: Sticky): void {
    this.#sticky = sticky;
  }

  /** Presses a key as a keyboard would, with the sticky modifiers. */
  press(key: RowKey): void {
    const { ctrl, alt } = this.#sticky;
    const init: KeyboardEventInit = { key: key.key, code: key.code, keyCode: key.keyCode, ctrlKey: ctrl, altKey: alt, bubbles: true, cancelable: true };
    this.area.dispatchEvent(new KeyboardEvent("keydown", init));
    this.area.dispatchEvent(new KeyboardEvent("keyup", init));
    this.#used();
  }

  #keydown(event: KeyboardEvent): void {
    this.#taken = false;
    // Ctrl+Alt+Shift is the way out for the keyboard.
    if (event.key === "Tab") event.preventDefault();
    const { ctrl, alt } = this.#sticky;
    if (!event.isTrusted || event.isComposing || (!ctrl && !alt) || event.key === "Unidentified" || /^(Shift|Control|Alt|Meta)/.test(event.key)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    this.press({ key: event.key, code: event.code, keyCode: event.keyCode });
  }

  #beforeInput(event: InputEvent): void {
    if (event.isComposing || event.inputType === "insertCompositionText" || event.target !== this.area) return;
    const deletion = DELETIONS[event.inputType];
    if (deletion !== undefined) this.#take(event, deletion);
    else if (event.inputType === "insertText" && event.data && !this.#taken) this.#committed(event, event.data);
    else if (!this.#taken && (event.inputType === "insertLineBreak" || event.inputType === "insertParagraph")) this.#take(event, "\r");
    else event.preventDefault(); // Corrections and drops would edit text that is not there.
    this.#taken = false;
  }

  /** Text without a key; one letter under a sticky modifier becomes that key. */
  #committed(event: InputEvent, data: string): void {
    const { ctrl, alt } = this.#sticky;
    if ((!ctrl && !alt) || [...data].length !== 1) return this.#take(event, data);
    event.preventDefault();
    const letter = data.toUpperCase();
    this.press({ key: data, code: /^[A-Z]$/.test(letter) ? `Key${letter}` : "", keyCode: letter.charCodeAt(0) });
  }

  #take(event: Event, content: string): void {
    event.preventDefault();
    event.stopImmediatePropagation();
    this.events.text(content);
    this.#used();
  }

  #copy(event: ClipboardEvent): void {
    const content = this.events.selected();
    if (content === "") return;
    event.preventDefault();
    event.stopImmediatePropagation();
    event.clipboardData?.setData("text/plain", content);
  }

  #transfer(event: ClipboardEvent | DragEvent, data: DataTransfer | null): void {
    event.preventDefault();
    event.stopImmediatePropagation();
    const content = data?.getData("text/plain") ?? "";
    if (content !== "") this.events.pasted(content);
  }

  #used(): void {
    if (!this.#sticky.ctrl && !this.#sticky.alt) return;
    this.#sticky = { ctrl: false, alt: false };
    this.events.modifiersUsed();
  }
}
