/** A segmented control: a radio group whose choices sit side by side. */
import { el } from "./dom.ts";
import type { IconName } from "./icons.ts";
import { icon } from "./icons.ts";

export interface Segment<T extends string> {
  value: T;
  label: string;
  icon: IconName;
  hint: string;
}

/** `<vroom-segments>`; fires `choose` with the value in `detail`. */
export class Segments<T extends string> extends HTMLElement {
  #value: T | null = null;
  #buttons = new Map<T, HTMLButtonElement>();

  /** Sets what can be chosen. */
  setSegments(label: string, segments: Segment<T>[]): void {
    this.setAttribute("role", "radiogroup");
    this.setAttribute("aria-label", label);
    this.#buttons = new Map(segments.map((segment) => [segment.value, this.#button(segment)]));
    this.replaceChildren(...this.#buttons.values());
    if (this.#value !== null) this.setValue(this.#value, false);
  }

  /** Shows a value; `pending` while it is asked for but not granted. */
  setValue(value: T, pending: boolean): void {
    this.#value = value;
    this.dataset["value"] = value;
    this.toggleAttribute("data-pending", pending);
    for (const [name, button] of this.#buttons) {
      button.setAttribute("aria-checked", String(name === value));
      button.tabIndex = name === value ? 0 : -1;
    }
  }

  /** Allows or forbids choosing. */
  setEnabled(enabled: boolean): void {
    for (const button of this.#buttons.values()) button.disabled = !enabled;
  }

  override focus(): void {
    (this.#value !== null ? this.#buttons.get(this.#value) : undefined)?.focus();
  }

  #button(segment: Segment<T>): HTMLButtonElement {
    return el(
      "button",
      {
        type: "button",
        role: "radio",
        title: segment.hint,
        "data-value": segment.value,
        onclick: () => this.#choose(segment.value),
        onkeydown: (event: KeyboardEvent) => this.#key(event, segment.value),
      },
      icon(segment.icon),
      el("span", {}, segment.label),
    );
  }

  #choose(value: T): void {
    this.dispatchEvent(new CustomEvent("choose", { detail: value }));
  }

  #key(event: KeyboardEvent, from: T): void {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const values = [...this.#buttons.keys()];
    const next = values[(values.indexOf(from) + step + values.length) % values.length];
    if (next === undefined) return;
    this.#buttons.get(next)?.focus();
    this.#choose(next);
  }
}

customElements.define("vroom-segments", Segments);
