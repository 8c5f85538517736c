/** Following a link of a terminal: it is shown before anything opens. */
import { ask } from "./dialog.ts";
import { el } from "./dom.ts";
import { icon } from "./icons.ts";

/** Shows where a link leads and asks what to do with it. */
export async function followLink(url: string): Promise<void> {
  const choice = await ask("Open this link?", [el("p", { class: "address" }, icon("link"), el("span", {}, url)), el("p", { class: "muted" }, "The terminal shows it; its text may say something else than its address.")], [
    { label: "Copy", value: "copy" as const },
    { label: "Cancel", value: null },
    { label: "Open", value: "open" as const, kind: "primary" },
  ]);
  if (choice === "open") window.open(url, "_blank", "noopener,noreferrer");
  if (choice === "copy") await navigator.clipboard?.writeText(url).catch(() => undefined);
}
