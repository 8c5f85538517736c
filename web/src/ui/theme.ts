/** Light or dark: the system's choice unless the person made one. */
export type Appearance = "system" | "light" | "dark";

const KEY = "vroom.appearance";
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<(isDark: boolean) => void>();

/** The person's choice. */
export function appearance(): Appearance {
  const stored = localStorage.getItem(KEY);
  return stored === "light" || stored === "dark" ? stored : "system";
}

/** True when the page is dark now. */
export function isDark(): boolean {
  const choice = appearance();
  return choice === "system" ? dark.matches : choice === "dark";
}

/** Keeps a choice and applies it. */
export function setAppearance(choice: Appearance): void {
  localStorage.setItem(KEY, choice);
  apply();
}

/** Calls back at once and whenever the appearance changes. */
export function onAppearance(listener: (isDark: boolean) => void): void {
  listeners.add(listener);
  listener(isDark());
}

/** Applies the appearance to the page; called once at the start. */
export function apply(): void {
  document.documentElement.dataset["appearance"] = isDark() ? "dark" : "light";
  for (const listener of listeners) listener(isDark());
}

dark.addEventListener("change", apply);
