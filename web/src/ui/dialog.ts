/** Questions and sheets, as native dialogs: the browser keeps the focus inside and Escape leaves. */
import { el } from "./dom.ts";
import type { Child } from "./dom.ts";
import { icon } from "./icons.ts";

export interface Choice<T> {
  label: string;
  value: T;
  /** `drive` marks the choice that takes control, `danger` one that cannot be taken back. */
  kind?: "plain" | "primary" | "drive" | "danger";
  /** Has the focus at first; without one the last choice has. */
  first?: boolean;
}

/** Asks a question; null when the person leaves without an answer. */
export function ask<T>(title: string, body: Child[], choices: Choice<T>[]): Promise<T | null> {
  return new Promise((resolve) => {
    let answer: T | null = null;
    const buttons = choices.map((choice) =>
      el(
        "button",
        {
          class: `button ${choice.kind ?? "plain"}`,
          type: "button",
          onclick: () => {
            answer = choice.value;
            dialog.close();
          },
        },
        choice.label,
      ),
    );
    const dialog = el("dialog", { class: "sheet question", "aria-labelledby": "question-title" }, el("h2", { id: "question-title" }, title), ...body, el("div", { class: "row end" }, ...buttons));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(answer);
    });
    document.body.append(dialog);
    dialog.showModal();
    (buttons[choices.findIndex((choice) => choice.first === true)] ?? buttons.at(-1))?.focus();
  });
}

/** Shows a sheet; it closes by its button, by Escape and by a click beside it. */
export function sheet(title: string, ...body: Child[]): HTMLDialogElement {
  const close = el("button", { class: "quiet", type: "button", "aria-label": "Close", onclick: () => dialog.close() }, icon("close"));
  const dialog = el("dialog", { class: "sheet", "aria-label": title }, el("header", { class: "row" }, el("h2", {}, title), close), ...body);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
