/** The search bar of a terminal: a field, the count, and the two directions. */
import { el, setText } from "./dom.ts";
import { icon } from "./icons.ts";

/** What the bar asks for. */
export interface SearchActions {
  search(term: string, direction: "next" | "previous" | "here"): void;
  closed(): void;
}

/** `<vroom-search>`; hidden until it is opened. */
export class SearchBar extends HTMLElement {
  readonly #field = el("input", { type: "search", "aria-label": "Search in this terminal", placeholder: "Search", autocomplete: "off", spellcheck: "false" });
  readonly #count = el("span", { class: "count", role: "status" });
  #actions: SearchActions | null = null;

  connect(actions: SearchActions): void {
    this.#actions = actions;
    this.hidden = true;
    this.setAttribute("role", "search");
    this.append(
      this.#field,
      this.#count,
      el("button", { class: "quiet", type: "button", "aria-label": "Previous match", title: "Previous match (Enter)", onclick: () => this.#find("previous") }, icon("up")),
      el("button", { class: "quiet", type: "button", "aria-label": "Next match", title: "Next match (Shift+Enter)", onclick: () => this.#find("next") }, icon("down")),
      el("button", { class: "quiet", type: "button", "aria-label": "Close search", title: "Close (Escape)", onclick: () => this.close() }, icon("close")),
    );
    this.#field.addEventListener("input", () => this.#find("here"));
    this.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Shows the bar with its text selected. */
  open(): void {
    this.hidden = false;
    this.#field.select();
    this.#field.focus();
    if (this.#field.value !== "") this.#find("here");
  }

  close(): void {
    if (this.hidden) return;
    this.hidden = true;
    this.#actions?.search("", "here");
    this.#actions?.closed();
  }

  /** Shows which match is marked, of how many. */
  found(place: number, count: number): void {
    const term = this.#field.value;
    setText(this.#count, term === "" ? "" : count === 0 ? "None" : place > 0 ? `${place} of ${count}` : `${count} or more`);
    this.toggleAttribute("data-none", term !== "" && count === 0);
  }

  #find(direction: "next" | "previous" | "here"): void {
    this.#actions?.search(this.#field.value, direction);
    if (this.#field.value === "") this.found(0, 0);
  }

  #key(event: KeyboardEvent): void {
    if (event.key === "Escape") this.close();
    // Up is where older output is, which is what one looks for.
    else if (event.key === "Enter" && event.target === this.#field) this.#find(event.shiftKey ? "next" : "previous");
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

customElements.define("vroom-search", SearchBar);
