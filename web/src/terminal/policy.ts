/** What output and pasted text may not do. Pure, so that each rule has a test. */

/** OSC 52 writes above this many bytes are ignored. */
export const CLIPBOARD_MAX = 1024 * 1024;
/** Titles are cut to this many characters. */
export const TITLE_MAX = 256;

/** Longer OSC 7 payloads are ignored. */
const FOLDER_MAX = 4_096;

const BRACKET_START = "\x1b[200~";
const BRACKET_END = "\x1b[201~";

/**
 * Text as it may be pasted into a terminal.
 *
 * Every control character but tab and line end goes, so that the text can neither end a bracketed paste nor press keys.
 */
export function pasteText(content: string, bracketed: boolean): string {
  const lines = content.replace(/\r\n?|\n/g, "\r");
  const clean = lines.replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g, "");
  return bracketed ? BRACKET_START + clean + BRACKET_END : clean;
}

/** Text as it may be copied from a terminal: without what changes what one sees when it is pasted elsewhere. */
export function copyText(content: string): string {
  return content.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/g, "");
}

/** A title without control characters and of bounded length. */
export function titleText(title: string): string {
  return [...title.replace(/[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g, "")].slice(0, TITLE_MAX).join("").trim();
}

/** The link in its normal form, or null when its scheme must not be followed. */
export function safeLink(uri: string): string | null {
  try {
    const url = new URL(uri);
    return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** What an OSC 52 payload asks for: text to copy, or nothing when it is a query, malformed or too large. */
export function clipboardWrite(payload: string): string | null {
  const separator = payload.indexOf(";");
  if (separator < 0) return null;
  const data = payload.slice(separator + 1);
  if (data === "?" || data === "" || data.length > Math.ceil(CLIPBOARD_MAX / 3) * 4) return null;
  try {
    const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
    if (bytes.length > CLIPBOARD_MAX) return null;
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Progress of OSC 9;4 in percent, null when it ends, undefined when the payload is something else. */
export function progressOf(payload: string): number | null | undefined {
  const match = /^4;([0-4])(?:;(\d{1,3}))?$/.exec(payload);
  if (!match) return undefined;
  if (match[1] === "0") return null;
  return Math.min(100, Number(match[2] ?? 0));
}

/** The folder of an OSC 7 payload, an absolute path, or null when it is none. */
export function folderOf(payload: string): string | null {
  const match = /^file:\/\/[^/]*(\/.*)$/.exec(payload);
  if (!match || payload.length > FOLDER_MAX) return null;
  try {
    const path = decodeURIComponent(match[1] ?? "");
    return /[\x00-\x1f\x7f]/.test(path) ? null : path;
  } catch {
    return null;
  }
}
