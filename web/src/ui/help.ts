/** The help sheet: what the modes mean and every shortcut. */
import { el } from "./dom.ts";
import { leave } from "./desktop.ts";
import { sheet } from "./dialog.ts";

/** Shortcuts, all with Ctrl+Alt+Shift held: key, KeyboardEvent code, meaning. */
export const SHORTCUTS: readonly { key: string; code: string; meaning: string }[] = [
  { key: "I", code: "KeyI", meaning: "Switch between View and Interact" },
  { key: "D", code: "KeyD", meaning: "Show the desktop" },
  { key: "T", code: "KeyT", meaning: "Open a new terminal" },
  { key: "W", code: "KeyW", meaning: "Close this terminal" },
  { key: "L", code: "KeyL", meaning: "List the sessions of the server" },
  { key: "E", code: "KeyE", meaning: "Split the terminal to the right" },
  { key: "O", code: "KeyO", meaning: "Split the terminal downwards" },
  { key: "Arrows", code: "", meaning: "Go to the terminal in that direction" },
  { key: "/", code: "Slash", meaning: "Search in the terminal" },
  { key: "X", code: "KeyX", meaning: "Show the terminal as text, to select and copy" },
  { key: "U", code: "KeyU", meaning: "Files" },
  { key: "+ - 0", code: "", meaning: "Larger, smaller, usual letters" },
  { key: "1 to 9", code: "", meaning: "Show a tab by its place" },
  { key: "[", code: "BracketLeft", meaning: "Previous tab" },
  { key: "]", code: "BracketRight", meaning: "Next tab" },
  { key: "P", code: "KeyP", meaning: "Save a picture of the desktop" },
  { key: "S", code: "KeyS", meaning: "Statistics" },
  { key: "F", code: "KeyF", meaning: "Full screen" },
  { key: "R", code: "KeyR", meaning: "Reconnect now" },
  { key: "H", code: "KeyH", meaning: "This help" },
];

/** Opens the help sheet. */
export function showHelp(): void {
  const rows = SHORTCUTS.map(({ key, meaning }) => el("tr", {}, el("td", {}, el("kbd", {}, key)), el("td", {}, meaning)));
  sheet(
    "Help",
    el("p", {}, "In View you watch; nothing you press reaches the desktop. In Interact your keyboard, mouse, touch and pen go to it, and an amber frame says so."),
    el("p", {}, "Press ", ...leave(), " together and let go to bring the keyboard back to the buttons of this page. Hold them for a shortcut:"),
    el("table", { class: "shortcuts" }, el("tbody", {}, ...rows)),
    el("p", { class: "muted" }, "In a terminal, Ctrl+Shift+C copies the selection and Ctrl+Shift+V pastes. Tab goes to the program. On a tab above, the arrow keys go to its neighbours and Delete closes it."),
  );
}
