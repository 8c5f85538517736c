/** The question before a paste that a program could take for typing. */
import { ask } from "./dialog.ts";
import { el } from "./dom.ts";

/** Characters of a paste that are shown; the rest is only counted. */
const PREVIEW_MAX = 2_000;
/** Longer pastes are asked about even where the program brackets them. */
const LARGE_PASTE = 64 * 1024;

/** Whether a paste needs a look before it is sent. */
export function needsLook(content: string, bracketed: boolean): boolean {
  const lines = /[\r\n]/.test(content.replace(/[\r\n]+$/, ""));
  const ends = /[\r\n]$/.test(content);
  return content.length > LARGE_PASTE || (!bracketed && (lines || ends)) || hidden(content) > 0;
}

/** Shows what would be pasted; true when the person wants it. */
export async function lookAtPaste(content: string, bracketed: boolean): Promise<boolean> {
  const lines = content.replace(/[\r\n]+$/, "").split(/\r\n?|\n/).length;
  const invisible = hidden(content);
  const why = bracketed
    ? `${content.length.toLocaleString()} characters in ${lines} ${lines === 1 ? "line" : "lines"}.`
    : `The program takes pasted text for typing: ${lines === 1 ? "this line runs" : `each of the ${lines} lines runs`} as if you had pressed Enter.`;
  const choice = await ask("Paste this?", [
    el("p", {}, why),
    invisible > 0 && el("p", { class: "warning" }, `It holds ${invisible} control or invisible ${invisible === 1 ? "character" : "characters"}, marked below. Control characters are left out.`),
    el("pre", { class: "pastepreview", tabindex: 0, "aria-label": "What would be pasted" }, visible(content.slice(0, PREVIEW_MAX)) + (content.length > PREVIEW_MAX ? `\n… and ${(content.length - PREVIEW_MAX).toLocaleString()} more characters` : "")),
  ], [
    { label: "Cancel", value: false, first: true },
    { label: "Paste", value: true, kind: "primary" },
  ]);
  return choice === true;
}

const CONTROLS = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/g;

function hidden(content: string): number {
  return content.match(CONTROLS)?.length ?? 0;
}

/** The text with marks where something cannot be seen. */
function visible(content: string): string {
  return content.replace(/\r\n?/g, "\n").replace(CONTROLS, (character) => {
    const code = character.charCodeAt(0);
    return code === 0x1b ? "<ESC>" : `<U+${code.toString(16).toUpperCase().padStart(4, "0")}>`;
  });
}
