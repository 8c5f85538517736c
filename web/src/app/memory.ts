/** Which terminals were open: with the tab over a reload, with the browser over its end. The server's list is the truth. */
import type { Arrangement } from "../ui/split.ts";

/** One tab: its panes, each named by the id that joins its terminal. */
export interface RememberedTab {
  arrangement: Arrangement;
  selected: boolean;
}

const KEY = "vroom.terminals";
/** Tabs and nested panes that are read back; more were not written by this page. */
const TABS_MAX = 32;
const DEPTH_MAX = 8;

/** Keeps what is open now. */
export function remember(tabs: RememberedTab[]): void {
  const text = JSON.stringify(tabs);
  sessionStorage.setItem(KEY, text);
  localStorage.setItem(KEY, text);
}

/** Forgets everything; the person signed out. */
export function forget(): void {
  sessionStorage.removeItem(KEY);
  localStorage.removeItem(KEY);
}

/** What was open in this tab, or else in the last one of this browser. */
export function recall(): { tabs: RememberedTab[]; own: boolean } {
  const own = sessionStorage.getItem(KEY);
  return { tabs: read(own ?? localStorage.getItem(KEY)), own: own !== null };
}

/** The ids in an arrangement. */
export function leaves(arrangement: Arrangement): string[] {
  return typeof arrangement === "string" ? [arrangement] : [...leaves(arrangement.first), ...leaves(arrangement.second)];
}

function read(text: string | null): RememberedTab[] {
  try {
    const value: unknown = JSON.parse(text ?? "[]");
    if (!Array.isArray(value)) return [];
    return value.slice(0, TABS_MAX).flatMap((tab: unknown) => {
      const { arrangement, selected } = (tab ?? {}) as { arrangement?: unknown; selected?: unknown };
      const checked = check(arrangement, 0);
      return checked === null ? [] : [{ arrangement: checked, selected: selected === true }];
    });
  } catch {
    return [];
  }
}

function check(value: unknown, depth: number): Arrangement | null {
  if (typeof value === "string") return value === "" ? null : value;
  if (typeof value !== "object" || value === null || depth >= DEPTH_MAX) return null;
  const { direction, ratio, first, second } = value as { [key: string]: unknown };
  const [a, b] = [check(first, depth + 1), check(second, depth + 1)];
  if (!a || !b) return a ?? b;
  return { direction: direction === "column" ? "column" : "row", ratio: typeof ratio === "number" ? ratio : 0.5, first: a, second: b };
}
