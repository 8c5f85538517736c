/** The tabs of the top bar: the desktop and the terminals. */
import { el, setText } from "./dom.ts";
import type { IconName } from "./icons.ts";
import { icon } from "./icons.ts";

/** What a tab shows. */
export interface TabLook {
  title: string;
  /** What a pointer that rests on it is told; the title where it is absent. */
  hint?: string;
  /** A short word after the title, such as an exit status. */
  badge?: string | undefined;
  /** `ended` greys the tab; `failed` marks it. */
  tone?: "plain" | "ended" | "failed";
  progress?: number | null;
  /** The program rang and nobody has looked since. */
  bell?: boolean;
}

interface Tab {
  id: string;
  wrapper: HTMLElement;
  button: HTMLButtonElement;
  close: HTMLButtonElement | null;
  title: HTMLElement;
  badge: HTMLElement;
  bell: HTMLElement;
  panel: HTMLElement;
}

/** `<vroom-tabs>`; fires `select`, `closetab` with the tab's id in `detail`, `add` and `sessions`. */
export class Tabs extends HTMLElement {
  /** Owns the tabs for who hears the page: a list of tabs may hold nothing else, and theirs close, too. */
  readonly #owner = el("div", { class: "visually-hidden", role: "tablist", "aria-label": "Desktop and terminals" });
  readonly #list = el("div", { class: "tablist" }, this.#owner);
  readonly #add = el("button", { class: "quiet add", type: "button", "aria-label": "New terminal", title: "New terminal (Ctrl+Alt+Shift+T)", onclick: () => this.#fire("add", "") }, icon("plus"));
  readonly #sessions = el("button", { class: "quiet", type: "button", "aria-label": "Sessions", title: "Sessions (Ctrl+Alt+Shift+L)", disabled: true, onclick: () => this.#fire("sessions", "") }, icon("sessions"));
  readonly #tabs: Tab[] = [];
  #selected = "";

  connectedCallback(): void {
    if (this.#list.isConnected) return;
    this.replaceChildren(this.#list, this.#add, this.#sessions);
    // Where there is room for some tabs only, the selected one is among them.
    new ResizeObserver(() => this.#reveal()).observe(this.#list);
    this.#list.addEventListener("scroll", () => this.#drawEdges());
    // A wheel that turns one way only moves the list all the same.
    this.#list.addEventListener("wheel", (event) => event.deltaX === 0 && this.#list.scrollBy(event.deltaY, 0), { passive: true });
  }

  get selected(): string {
    return this.#selected;
  }

  get ids(): string[] {
    return this.#tabs.map((tab) => tab.id);
  }

  setAddEnabled(enabled: boolean): void {
    this.#add.disabled = !enabled;
  }

  setSessionsEnabled(enabled: boolean): void {
    this.#sessions.disabled = !enabled;
  }

  addTab(id: string, symbol: IconName, look: TabLook, panel: HTMLElement, closable: boolean): void {
    const title = el("span", { class: "title" });
    const badge = el("span", { class: "badge" });
    const bell = el("span", { class: "visually-hidden" });
    const button = el(
      "button",
      { class: "tab", type: "button", role: "tab", id: `tab-${id}`, "aria-controls": panel.id, onclick: () => this.#choose(id), onkeydown: (event: KeyboardEvent) => this.#key(event, id, closable) },
      icon(symbol),
      title,
      " ",
      badge,
      " ",
      bell,
    );
    const close = closable && el("button", { class: "quiet close", type: "button", tabindex: -1, title: "Close (Delete)", onclick: () => this.#fire("closetab", id) }, icon("close"));
    const wrapper = el("div", { class: "tabwrap" }, button, close);
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", `tab-${id}`);
    this.#tabs.push({ id, wrapper, button, close: close || null, title, badge, bell, panel });
    this.#list.append(wrapper);
    this.look(id, look);
    if (this.#selected === "") this.select(id);
    else this.#show();
  }

  look(id: string, look: TabLook): void {
    const tab = this.#find(id);
    if (!tab) return;
    setText(tab.title, look.title);
    setText(tab.badge, look.progress !== undefined && look.progress !== null ? `${look.progress}%` : (look.badge ?? ""));
    tab.button.title = look.hint ?? look.title;
    tab.wrapper.dataset["tone"] = look.tone ?? "plain";
    tab.wrapper.toggleAttribute("data-bell", look.bell === true);
    tab.wrapper.style.setProperty("--progress", String((look.progress ?? 0) / 100));
    tab.wrapper.toggleAttribute("data-progress", look.progress !== undefined && look.progress !== null);
    tab.close?.setAttribute("aria-label", `Close terminal ${look.title}`);
    setText(tab.bell, look.bell === true ? "rang" : "");
    if (id === this.#selected) this.#reveal();
  }

  select(id: string): void {
    if (!this.#find(id) || this.#selected === id) return;
    this.#selected = id;
    this.#show();
    this.#fire("select", id);
  }

  /** A click: says so also when the tab was selected already, so that the panel gets the focus again. */
  #choose(id: string): void {
    if (this.#selected === id) this.#fire("select", id);
    else this.select(id);
  }

  /** Selects the neighbour in a direction, or the tab at a place. */
  step(by: number): void {
    const place = this.#tabs.findIndex((tab) => tab.id === this.#selected);
    const next = this.#tabs[(place + by + this.#tabs.length) % this.#tabs.length];
    if (next) this.select(next.id);
  }

  at(place: number): void {
    const tab = this.#tabs[place];
    if (tab) this.select(tab.id);
  }

  removeTab(id: string): void {
    const place = this.#tabs.findIndex((tab) => tab.id === id);
    const [tab] = place < 0 ? [] : this.#tabs.splice(place, 1);
    if (!tab) return;
    tab.wrapper.remove();
    if (this.#selected !== id) return this.#show();
    this.#selected = "";
    const next = this.#tabs[Math.min(place, this.#tabs.length - 1)];
    if (next) this.select(next.id);
    else {
      this.#show();
      this.#fire("select", "");
    }
  }

  focusSelected(): void {
    this.#find(this.#selected)?.button.focus();
  }

  #find(id: string): Tab | undefined {
    return this.#tabs.find((tab) => tab.id === id);
  }

  #show(): void {
    this.#owner.hidden = this.#tabs.length === 0;
    this.#owner.setAttribute("aria-owns", this.#tabs.map((tab) => tab.button.id).join(" "));
    for (const tab of this.#tabs) {
      const chosen = tab.id === this.#selected;
      tab.button.setAttribute("aria-selected", String(chosen));
      tab.button.tabIndex = chosen ? 0 : -1;
      tab.wrapper.toggleAttribute("data-selected", chosen);
      tab.panel.toggleAttribute("data-hidden", !chosen);
      tab.panel.inert = !chosen;
    }
    this.#reveal();
  }

  #reveal(): void {
    this.#find(this.#selected)?.wrapper.scrollIntoView({ block: "nearest", inline: "nearest" });
    this.#drawEdges();
  }

  /** Says at which ends there is more. */
  #drawEdges(): void {
    const { scrollLeft, scrollWidth, clientWidth } = this.#list;
    this.#list.toggleAttribute("data-before", scrollLeft > 1);
    this.#list.toggleAttribute("data-after", scrollLeft + clientWidth < scrollWidth - 1);
  }

  #key(event: KeyboardEvent, id: string, closable: boolean): void {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      this.step(step);
      this.focusSelected();
    } else if (event.key === "Delete" && closable) this.#fire("closetab", id);
  }

  #fire(name: string, detail: string): void {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

customElements.define("vroom-tabs", Tabs);
