/** The menu of the top bar: how things are shown, and the rarer actions. */
import { FONTS } from "../terminal/theme.ts";
import type { ThemeName } from "../terminal/theme.ts";
import type { Layout } from "./desktop.ts";
import { el, setText } from "./dom.ts";
import type { IconName } from "./icons.ts";
import { icon } from "./icons.ts";
import type { Appearance } from "./theme.ts";

/** What the menu can do. */
export interface MenuActions {
  layout(layout: Layout): void;
  appearance(appearance: Appearance): void;
  screenReader(on: boolean): void;
  superCommand(on: boolean): void;
  terminal(changed: { theme?: ThemeName; font?: string; sizePx?: number }): void;
  screenshot(): void;
  /** Begins a recording, or ends the one there is. */
  record(): void;
  recordings(): void;
  statistics(): void;
  fullscreen(): void;
  help(): void;
  address(): void;
  signOut(): void;
}

/** What the menu shows as chosen. */
export interface MenuChoices {
  layout: Layout;
  appearance: Appearance;
  screenReader: boolean;
  /** Null where there is no Cmd key. */
  superCommand: boolean | null;
  theme: ThemeName;
  font: string;
  sizePx: number;
}

const LAYOUTS: [Layout, string][] = [
  ["fit", "Fit"],
  ["actual", "1:1"],
  ["match", "Match window"],
];
const THEMES: [ThemeName, string][] = [
  ["auto", "Auto"],
  ["dark", "Dark"],
  ["light", "Light"],
  ["contrast", "Contrast"],
];
const SIZES = [10, 11, 12, 13, 14, 15, 16, 18, 20, 24, 28, 32];
const APPEARANCES: [Appearance, string][] = [
  ["system", "System"],
  ["light", "Light"],
  ["dark", "Dark"],
];

/** `<vroom-menu>`. */
export class Menu extends HTMLElement {
  readonly #sheet = el("div", { class: "menu", id: "menu", popover: "auto" });
  readonly #button = el("button", { class: "quiet", type: "button", "aria-label": "Settings and help", title: "Settings and help", popovertarget: "menu" }, icon("settings"));

  readonly #recordLabel = el("span", {});
  #screenshot = el("button");
  #record = el("button");
  #recordings = el("button");

  connect(choices: MenuChoices, actions: MenuActions): void {
    this.#screenshot = this.#item("Save a picture of the desktop", "camera", "P", actions.screenshot);
    this.#record = this.#item(this.#recordLabel, "record", "", actions.record);
    this.#recordings = this.#item("Recordings", "sessions", "", actions.recordings);
    this.#screenshot.dataset["needs"] = "desktop";
    this.setRecording(false, false);
    this.#sheet.append(
      radios("Desktop size", "layout", LAYOUTS, choices.layout, actions.layout),
      radios("Appearance", "appearance", APPEARANCES, choices.appearance, actions.appearance),
      radios("Terminal colours", "theme", THEMES, choices.theme, (theme) => actions.terminal({ theme })),
      el(
        "div",
        { class: "fonts" },
        select("Terminal font", FONTS.map(({ name }) => name), choices.font, (font) => actions.terminal({ font })),
        select("Size", SIZES.map(String), String(choices.sizePx), (size) => actions.terminal({ sizePx: Number(size) })),
      ),
      checkbox("Read terminal output to screen readers", choices.screenReader, actions.screenReader),
      ...(choices.superCommand === null ? [] : [checkbox("Cmd is the Super key of the desktop, not Control", choices.superCommand, actions.superCommand)]),
      el("hr"),
      this.#item("Open address…", "globe", "", actions.address, "navigate"),
      this.#screenshot,
      this.#record,
      this.#recordings,
      this.#item("Statistics", "chart", "S", actions.statistics),
      this.#item("Full screen", "fullscreen", "F", actions.fullscreen),
      this.#item("Help and shortcuts", "help", "H", actions.help),
      el("hr"),
      this.#item("Sign out", "signout", "", actions.signOut),
    );
    this.append(this.#button, this.#sheet);
  }

  /** Offers recordings to those who may make them. */
  setRecording(allowed: boolean, underWay: boolean): void {
    this.#record.hidden = this.#recordings.hidden = !allowed;
    setText(this.#recordLabel, underWay ? "Stop recording" : "Record the session");
  }

  #item(label: string | HTMLElement, symbol: IconName, key: string, run: () => void, needs?: string): HTMLButtonElement {
    const choose = (): void => {
      this.#sheet.hidePopover();
      run();
    };
    const text = typeof label === "string" ? el("span", {}, label) : label;
    return el("button", { class: "item", type: "button", "data-needs": needs, onclick: choose }, icon(symbol), text, key !== "" && el("kbd", {}, key));
  }
}

function radios<T extends string>(label: string, name: string, choices: [T, string][], chosen: T, choose: (value: T) => void): HTMLElement {
  const options = choices.map(([value, title]) =>
    el("label", {}, el("input", { type: "radio", name, value, checked: value === chosen, onchange: () => choose(value) }), el("span", {}, title)),
  );
  return el("fieldset", { class: "choices" }, el("legend", {}, label), el("div", {}, ...options));
}

function select(label: string, values: string[], chosen: string, choose: (value: string) => void): HTMLElement {
  const options = (values.includes(chosen) ? values : [chosen, ...values]).map((value) => el("option", { value, selected: value === chosen }, value));
  return el("label", {}, el("span", {}, label), el("select", { onchange: (event: Event) => choose((event.target as HTMLSelectElement).value) }, ...options));
}

function checkbox(label: string, checked: boolean, change: (on: boolean) => void): HTMLElement {
  return el("label", { class: "check" }, el("input", { type: "checkbox", checked, onchange: (event: Event) => change((event.target as HTMLInputElement).checked) }), el("span", {}, label));
}

customElements.define("vroom-menu", Menu);
