/** The sheet that asks for an address to open on the desktop. */
import { sheet } from "./dialog.ts";
import { el, setText } from "./dom.ts";

/** The whole address that somebody means, or null where it is none of the web. */
export function meantAddress(typed: string): string | null {
  const trimmed = typed.trim();
  // A host with a port looks like a scheme.
  const whole = /^[a-z][a-z0-9+.-]*:(?!\d)/i.test(trimmed) ? trimmed : `https:${"//"}${trimmed}`;
  try {
    const url = new URL(whole);
    return (url.protocol === "http:" || url.protocol === "https:") && url.hostname !== "" ? url.href : null;
  } catch {
    return null;
  }
}

/** Asks for an address; `open` gets it whole. */
export function askAddress(open: (url: string) => void): void {
  const field = el("input", { id: "address", type: "text", inputmode: "url", autocomplete: "url", autocapitalize: "off", spellcheck: "false", placeholder: "example.org", "aria-describedby": "address-message" });
  const message = el("p", { class: "message", id: "address-message", role: "alert" });
  const submit = (event: Event): void => {
    event.preventDefault();
    const url = meantAddress(field.value);
    field.setAttribute("aria-invalid", String(url === null));
    if (url === null) return setText(message, "Only addresses of web pages, with http or https, can be opened.");
    dialog.close();
    open(url);
  };
  const form = el("form", { class: "addressform", onsubmit: submit }, el("label", { for: "address" }, "Address"), el("div", { class: "row" }, field, el("button", { class: "button primary", type: "submit" }, "Open")), message);
  const dialog = sheet("Open an address on the desktop", form);
  field.focus();
}
