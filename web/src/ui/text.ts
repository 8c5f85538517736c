/** The text of a terminal as text: for selecting with a finger, for copying all of it, for saving it. */
import { sheet } from "./dialog.ts";
import { el, save, setText } from "./dom.ts";
import { icon } from "./icons.ts";

/** Shows everything that a terminal can be scrolled to. */
export function showText(title: string, content: string, say: (message: string) => void): void {
  const text = el("pre", { class: "alltext", tabindex: 0, "aria-label": `Text of ${title}` }, content);
  const copy = el("button", { class: "button small primary", type: "button" }, icon("copy"), "Copy all");
  copy.addEventListener("click", () => {
    navigator.clipboard?.writeText(content).then(
      () => setText(copy, "Copied"),
      () => say("The browser does not allow copying here; select the text and copy it by hand."),
    );
  });
  const keep = el("button", { class: "button small", type: "button", onclick: () => save(new Blob([content, "\n"], { type: "text/plain" }), "terminal.txt") }, icon("download"), "Save");
  const dialog = sheet(`Text of ${title}`, text, el("div", { class: "row end" }, keep, copy));
  dialog.classList.add("wide");
  text.scrollTop = text.scrollHeight;
  text.focus({ preventScroll: true });
}
