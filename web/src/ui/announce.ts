/** Telling the person something: a live region for screen readers, and notices for everybody. */
import { el } from "./dom.ts";
import { icon } from "./icons.ts";

/** A notice without a question stays this long. */
const NOTICE_MS = 6_000;
/** Notices shown at once; the oldest goes. */
const NOTICES_MAX = 3;

export interface NoticeAction {
  label: string;
  run(): void;
}

export class Announcer {
  readonly region = el("div", { class: "visually-hidden", role: "status", "aria-live": "polite" });
  readonly notices = el("div", { class: "notices", role: "region", "aria-label": "Notices" });

  /** Says something without showing it. */
  say(message: string): void {
    this.region.textContent = message;
  }

  /** Shows and says something; with actions it stays until it is answered. */
  notice(message: string, kind: "info" | "warning" = "info", actions: NoticeAction[] = []): () => void {
    const close = (): void => notice.remove();
    const notice = el(
      "div",
      { class: `notice ${kind}` },
      kind === "warning" && icon("warning"),
      el("p", {}, message),
      ...actions.map((action) =>
        el("button", { class: "button small", type: "button", onclick: () => (close(), action.run()) }, action.label),
      ),
      el("button", { class: "quiet", type: "button", "aria-label": "Dismiss", onclick: close }, icon("close")),
    );
    return this.#show(notice, message, actions.length === 0 ? NOTICE_MS : null);
  }

  /** Shows something that was built elsewhere, for so long or until it is closed, and says it. */
  card(card: HTMLElement, message: string, lastsMs: number | null): () => void {
    return this.#show(card, message, lastsMs);
  }

  #show(shown: HTMLElement, message: string, lastsMs: number | null): () => void {
    this.notices.append(shown);
    while (this.notices.childElementCount > NOTICES_MAX) this.notices.firstElementChild?.remove();
    // Not while somebody reads it or is about to press something in it.
    const close = (): void => {
      if (shown.matches(":hover, :focus-within")) setTimeout(close, NOTICE_MS);
      else shown.remove();
    };
    if (lastsMs !== null) setTimeout(close, lastsMs);
    this.say(message);
    return () => shown.remove();
  }
}
