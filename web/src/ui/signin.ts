/** The sign-in card: shown when there is no session, says what to do when a token is wrong. */
import { el, setText } from "./dom.ts";
import { icon } from "./icons.ts";

/** `<vroom-signin>`; fires `token` with the entered token in `detail`. */
export class SignIn extends HTMLElement {
  readonly #field = el("input", { id: "token", name: "token", type: "password", autocomplete: "off", spellcheck: "false", autocapitalize: "off", required: true, "aria-describedby": "signin-message" });
  readonly #message = el("p", { id: "signin-message", class: "message", role: "alert" });
  readonly #submit = el("button", { class: "button primary", type: "submit" }, "Sign in");

  connectedCallback(): void {
    if (this.childElementCount > 0) return;
    const form = el(
      "form",
      { class: "card signin", onsubmit: (event: SubmitEvent) => this.#send(event) },
      el("span", { class: "emblem" }, icon("mark")),
      el("h1", {}, "Sign in to this desktop"),
      el("p", {}, "Open the address that vroomd printed when it started, or paste its token here."),
      el("label", { for: "token" }, "Token"),
      this.#field,
      this.#message,
      this.#submit,
    );
    this.append(form);
  }

  /** Shows why signing in is needed or did not work. */
  show(message: string): void {
    setText(this.#message, message);
    this.#busy(false);
    this.#field.focus();
    if (message !== "") this.#field.select();
  }

  #send(event: SubmitEvent): void {
    event.preventDefault();
    const token = tokenIn(this.#field.value);
    if (token === "") return;
    this.#busy(true);
    this.dispatchEvent(new CustomEvent("token", { detail: token }));
  }

  #busy(busy: boolean): void {
    this.#submit.disabled = busy;
    setText(this.#submit, busy ? "Signing in" : "Sign in");
  }
}

/** The token in what was pasted, which may be the whole address. */
export function tokenIn(pasted: string): string {
  const trimmed = pasted.trim();
  const mark = trimmed.indexOf("#token=");
  return mark < 0 ? trimmed : decodeURIComponent(trimmed.slice(mark + "#token=".length));
}

customElements.define("vroom-signin", SignIn);
