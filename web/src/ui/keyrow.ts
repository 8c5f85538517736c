/** The keys that on-screen keyboards lack, with modifiers that stay down until the next key. */
import type { RowKey, Sticky } from "../terminal/view.ts";
import { el } from "./dom.ts";

const KEYS: readonly (RowKey & { label: string; name?: string })[] = [
  { label: "Esc", key: "Escape", code: "Escape", keyCode: 27 },
  { label: "Tab", key: "Tab", code: "Tab", keyCode: 9 },
  { label: "←", name: "Left", key: "ArrowLeft", code: "ArrowLeft", keyCode: 37 },
  { label: "↓", name: "Down", key: "ArrowDown", code: "ArrowDown", keyCode: 40 },
  { label: "↑", name: "Up", key: "ArrowUp", code: "ArrowUp", keyCode: 38 },
  { label: "→", name: "Right", key: "ArrowRight", code: "ArrowRight", keyCode: 39 },
  { label: "Home", key: "Home", code: "Home", keyCode: 36 },
  { label: "End", key: "End", code: "End", keyCode: 35 },
  { label: "PgUp", key: "PageUp", code: "PageUp", keyCode: 33 },
  { label: "PgDn", key: "PageDown", code: "PageDown", keyCode: 34 },
];

/** A held key repeats after this long, and then this often. */
const REPEAT_AFTER_MS = 400;
const REPEAT_MS = 60;

/** `<vroom-keys>`; fires `press` with a key, `sticky` with the modifiers in `detail`, and `paste`. */
export class KeyRow extends HTMLElement {
  readonly #modifiers = new Map<keyof Sticky, HTMLButtonElement>();
  #sticky: Sticky = { ctrl: false, alt: false };
  #repeat: ReturnType<typeof setTimeout> | null = null;

  connectedCallback(): void {
    if (this.childElementCount > 0) return;
    this.setAttribute("role", "toolbar");
    this.setAttribute("aria-label", "Keys");
    const [escape, tab, ...rest] = KEYS.map((key) => this.#key(key));
    if (escape && tab) this.append(escape, tab, this.#modifier("ctrl", "Ctrl"), this.#modifier("alt", "Alt"), ...rest, this.#paste());
  }

  setSticky(sticky: Sticky): void {
    this.#sticky = sticky;
    for (const [name, button] of this.#modifiers) button.setAttribute("aria-pressed", String(sticky[name]));
  }

  #key(key: (typeof KEYS)[number]): HTMLButtonElement {
    const press = (): void => {
      this.dispatchEvent(new CustomEvent("press", { detail: { key: key.key, code: key.code, keyCode: key.keyCode } }));
    };
    const stop = (): void => {
      if (this.#repeat !== null) clearTimeout(this.#repeat);
      this.#repeat = null;
    };
    const again = (): void => {
      press();
      this.#repeat = setTimeout(again, REPEAT_MS);
    };
    return el(
      "button",
      {
        type: "button",
        "aria-label": key.name,
        // The focus stays in the terminal, or the on-screen keyboard would go.
        onpointerdown: (event: PointerEvent) => {
          event.preventDefault();
          stop();
          press();
          this.#repeat = setTimeout(again, REPEAT_AFTER_MS);
        },
        onpointerup: stop,
        onpointercancel: stop,
        onpointerleave: stop,
        onclick: (event: MouseEvent) => event.detail === 0 && press(),
      },
      key.label,
    );
  }

  #paste(): HTMLButtonElement {
    return el("button", { type: "button", onpointerdown: (event: PointerEvent) => event.preventDefault(), onclick: () => this.dispatchEvent(new CustomEvent("paste")) }, "Paste");
  }

  #modifier(name: keyof Sticky, label: string): HTMLButtonElement {
    const toggle = (): void => {
      this.setSticky({ ...this.#sticky, [name]: !this.#sticky[name] });
      this.dispatchEvent(new CustomEvent("sticky", { detail: this.#sticky }));
    };
    const button = el("button", { type: "button", "aria-pressed": "false", onpointerdown: (event: PointerEvent) => (event.preventDefault(), toggle()), onclick: (event: MouseEvent) => event.detail === 0 && toggle() }, label);
    this.#modifiers.set(name, button);
    return button;
  }
}

customElements.define("vroom-keys", KeyRow);
