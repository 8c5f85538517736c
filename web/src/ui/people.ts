/** Who is here and who drives, and the buttons for handing over. */
import type { ShareState } from "../core/graphical/messages.ts";
import { el, setText } from "./dom.ts";

/** Tints for participants, chosen by their place; the driver's amber is not among them. */
const TINTS = 6;

/** `<vroom-people>`: an avatar row that opens a list; fires `grant` with a participant's id in `detail`. */
export class People extends HTMLElement {
  readonly #faces = el("span", { class: "faces", "aria-hidden": "true" });
  readonly #driver = el("span", { class: "driver" });
  readonly #count = el("span", { class: "visually-hidden" });
  readonly #list = el("ul", { class: "peoplelist", id: "people", popover: "auto" });
  readonly #button = el("button", { class: "quiet peoplebutton", type: "button", popovertarget: "people" }, this.#faces, this.#driver, " ", this.#count);

  connectedCallback(): void {
    if (this.childElementCount === 0) this.append(this.#button, this.#list);
    if (!this.dataset["known"]) this.hidden = true;
  }

  /** Shows the participants; hidden while nobody is known or one is alone. */
  show(share: ShareState | null): void {
    const alone = share === null || (share.participants.length < 2 && share.driver === undefined);
    this.hidden = alone;
    this.dataset["known"] = String(!alone);
    if (!share) return;
    const driver = share.participants.find((participant) => participant.id === share.driver);
    const mine = driver !== undefined && driver.id === share.self;
    setText(this.#driver, driver ? (mine ? "You drive" : `${driver.name || "Somebody"} drives`) : "Nobody drives");
    this.#button.toggleAttribute("data-mine", mine);
    setText(this.#count, `${share.participants.length} here`);
    this.#faces.replaceChildren(...share.participants.slice(0, 4).map((participant, place) => face(participant.name, place, participant.id === share.driver)));
    this.#list.replaceChildren(
      ...share.participants.map((participant, place) =>
        el(
          "li",
          {},
          face(participant.name, place, participant.id === share.driver),
          el("span", { class: "name" }, participant.id === share.self ? `${participant.name || "You"} (you)` : participant.name || "Somebody"),
          el("span", { class: "muted" }, participant.id === share.driver ? "drives" : participant.role),
          mine && participant.id !== share.self && participant.role !== "viewer" && el("button", { class: "button small", type: "button", onclick: () => this.#grant(participant.id) }, "Hand over"),
        ),
      ),
    );
  }

  #grant(id: string): void {
    this.#list.hidePopover();
    this.dispatchEvent(new CustomEvent("grant", { detail: id }));
  }
}

/** The first letter of a name in a circle; the driver's has a ring. */
export function face(name: string, place: number, drives: boolean): HTMLElement {
  return el("span", { class: "face", "data-tint": place % TINTS, "data-drives": drives }, (name.trim().charAt(0) || "?").toUpperCase());
}

customElements.define("vroom-people", People);
