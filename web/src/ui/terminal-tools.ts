/** What can be done with the terminal that is shown: search, split, files, share. */
import { el, setText } from "./dom.ts";
import type { IconName } from "./icons.ts";
import { icon } from "./icons.ts";

export type Tool = "search" | "text" | "splitright" | "splitdown" | "files" | "share";

const TOOLS: readonly { tool: Tool; icon: IconName; label: string; keys: string }[] = [
  { tool: "search", icon: "search", label: "Search", keys: "Ctrl+Alt+Shift+/" },
  { tool: "text", icon: "text", label: "Show as text", keys: "Ctrl+Alt+Shift+X" },
  { tool: "splitright", icon: "splitright", label: "Split to the right", keys: "Ctrl+Alt+Shift+E" },
  { tool: "splitdown", icon: "splitdown", label: "Split downwards", keys: "Ctrl+Alt+Shift+O" },
  { tool: "files", icon: "files", label: "Files", keys: "Ctrl+Alt+Shift+U" },
  { tool: "share", icon: "share", label: "Share", keys: "" },
];

/** `<vroom-tools>`; fires `tool` with a {@link Tool} in `detail`. */
export class TerminalTools extends HTMLElement {
  readonly #buttons = new Map<Tool, HTMLButtonElement>();
  readonly #count = el("span", { class: "count", "aria-hidden": "true" });

  connectedCallback(): void {
    if (this.childElementCount > 0) return;
    this.setAttribute("role", "toolbar");
    this.setAttribute("aria-label", "Terminal");
    for (const { tool, icon: symbol, label, keys } of TOOLS) {
      const title = keys === "" ? label : `${label} (${keys})`;
      const button = el("button", { class: "quiet", type: "button", "aria-label": label, title, "data-tool": tool, onclick: () => this.dispatchEvent(new CustomEvent("tool", { detail: tool })) }, icon(symbol), tool === "share" && this.#count);
      this.#buttons.set(tool, button);
      this.append(button);
    }
    this.hidden = true;
  }

  /** Shows the tools that this terminal has; `people` is how many are at it. */
  show(tools: readonly Tool[], people: number): void {
    this.hidden = tools.length === 0;
    for (const [tool, button] of this.#buttons) button.hidden = !tools.includes(tool);
    setText(this.#count, people > 1 ? String(people) : "");
    this.#buttons.get("share")?.setAttribute("aria-label", people > 1 ? `Share, ${people} people here` : "Share");
  }
}

customElements.define("vroom-tools", TerminalTools);
