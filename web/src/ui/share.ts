/** The sheet of a shared terminal: who is there, who drives, and the links that lead to it. */
import type { Participant, ShareAction, ShareLink, ShareState } from "../core/terminal/share.ts";
import { sheet } from "./dialog.ts";
import { el, setText } from "./dom.ts";
import { icon } from "./icons.ts";
import { face } from "./people.ts";
import { age } from "./sessions.ts";

/** Lifetimes that can be chosen for a link, in seconds. */
const LIFETIMES: readonly [label: string, seconds: number][] = [
  ["15 minutes", 900],
  ["1 hour", 3_600],
  ["8 hours", 28_800],
  ["1 day", 86_400],
  ["7 days", 604_800],
];
/** How often a link can be used; null for as often as one likes. */
const USES: readonly [label: string, uses: number | null][] = [
  ["Once", 1],
  ["5 times", 5],
  ["No limit", null],
];

export class ShareSheet {
  readonly #people = el("ul", { class: "sharepeople" });
  readonly #links = el("ul", { class: "sharelinks" });
  readonly #made = el("div", { class: "made", hidden: true });
  readonly #manage = el("section", { "aria-label": "Links" });
  #close: (() => void) | null = null;
  #shownLink = "";

  constructor(
    private readonly ask: (action: ShareAction) => void,
    private readonly say: (message: string) => void,
  ) {}

  /** Opens the sheet for a terminal. */
  open(title: string, state: ShareState | null, role: string): void {
    this.#close?.();
    this.#shownLink = "";
    this.#made.hidden = true;
    this.#manage.replaceChildren(el("h3", {}, "Links"), el("p", {}, "Whoever has a link sees this terminal and cannot type. A link can be ended at any time, which puts out those who came by it."), this.#form(), this.#made, this.#links);
    const dialog = sheet(`Share ${title}`, el("section", { "aria-label": "People" }, el("h3", {}, "Here now"), this.#people), role !== "viewer" && this.#manage);
    dialog.classList.add("wide");
    this.#close = () => dialog.close();
    dialog.addEventListener("close", () => (this.#close = null));
    this.show(state, role);
  }

  /** Shows a new state of the terminal that the sheet was opened for. */
  show(state: ShareState | null, role: string): void {
    if (!this.#close) return;
    const people = state?.participants ?? [];
    this.#people.replaceChildren(...people.map((person, place) => this.#person(person, place, state, role)));
    if (people.length === 0) this.#people.append(el("li", { class: "muted" }, "The server does not say who is here."));
    this.#links.replaceChildren(...(state?.links ?? []).map((link) => this.#link(link)));
    if (state?.invited && state.invited.link !== this.#shownLink) this.#show(state.invited.link, address(state.invited.url, state.invited.token));
  }

  #person(person: Participant, place: number, state: ShareState | null, role: string): HTMLElement {
    const self = person.id === state?.self;
    const drives = person.id === state?.driver;
    const iDrive = state !== null && state.driver === state.self;
    const notes = [drives ? "drives" : person.role, person.typing ? "types" : "", person.lagging ? "is behind" : ""].filter((note) => note !== "").join(", ");
    const act = (label: string, action: ShareAction): HTMLElement => el("button", { class: "button small", type: "button", onclick: () => this.ask(action) }, label);
    return el(
      "li",
      {},
      face(person.name, place, drives),
      el("span", { class: "name" }, self ? `${person.name || "You"} (you)` : person.name || "Somebody"),
      el("span", { class: "muted", "data-typing": person.typing }, notes),
      self && drives && people(state) > 1 && act("Release", { action: "release" }),
      self && !drives && person.role !== "viewer" && act("Take control", { action: "take" }),
      !self && iDrive && person.role !== "viewer" && act("Hand over", { action: "grant", to: person.id }),
      !self && role === "owner" && act("Put out", { action: "kick", to: person.id }),
    );
  }

  #form(): HTMLElement {
    const lifetime = el("select", { id: "share-lifetime" }, ...LIFETIMES.map(([label, seconds]) => el("option", { value: seconds, selected: seconds === 3_600 }, label)));
    const uses = el("select", { id: "share-uses" }, ...USES.map(([label, count]) => el("option", { value: count ?? "" }, label)));
    return el(
      "form",
      {
        class: "shareform",
        onsubmit: (event: SubmitEvent) => {
          event.preventDefault();
          const count = uses.value === "" ? undefined : Number(uses.value);
          this.ask({ action: "invite", ttl: Number(lifetime.value), ...(count === undefined ? {} : { uses: count }) });
        },
      },
      el("label", { for: "share-lifetime" }, "Works for"),
      lifetime,
      el("label", { for: "share-uses" }, "Can be opened"),
      uses,
      el("button", { class: "button small primary", type: "submit" }, "Create view link"),
    );
  }

  #show(link: string, url: string): void {
    this.#shownLink = link;
    const field = el("input", { type: "text", readonly: true, value: url, "aria-label": "The new link", onfocus: (event: Event) => (event.target as HTMLInputElement).select() });
    const copy = el("button", { class: "button small primary", type: "button" }, icon("copy"), "Copy");
    copy.addEventListener("click", () => {
      field.select();
      navigator.clipboard?.writeText(url).then(
        () => setText(copy, "Copied"),
        () => this.say("The browser does not allow copying here; the link is selected, copy it by hand."),
      );
    });
    this.#made.replaceChildren(el("p", {}, "This link is shown once:"), el("div", { class: "row" }, field, copy));
    this.#made.hidden = false;
    copy.focus();
  }

  #link(link: ShareLink): HTMLElement {
    const left = link.expires - Date.now() / 1000;
    const uses = link.uses === null ? times(link.used) : `${times(link.used)}, ${link.uses} left`;
    return el(
      "li",
      {},
      icon("link"),
      el("code", {}, link.link),
      el("span", { class: "muted" }, `${link.role === "viewer" ? "view" : link.role} · ${left > 0 ? `${age(left)} left` : "ended"} · ${uses}`),
      el("button", { class: "button small danger", type: "button", "aria-label": `End link ${link.link}`, onclick: () => this.ask({ action: "revoke", link: link.link }) }, "End"),
    );
  }
}

function people(state: ShareState | null): number {
  return state?.participants.length ?? 0;
}

function times(count: number): string {
  return count === 0 ? "not opened yet" : count === 1 ? "opened once" : `opened ${count} times`;
}

/** The link for people: the server's own, or this page's origin with the token. */
function address(url: string, token: string): string {
  return new URL(url === "" ? `/#share=${encodeURIComponent(token)}` : url, location.origin).href;
}
