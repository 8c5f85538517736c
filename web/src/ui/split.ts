/** Terminals side by side: a tree of panes with dividers that can be dragged or moved by keys. */
import { el } from "./dom.ts";

/** Where a new pane goes: beside the old one, or below it. */
export type Direction = "row" | "column";

/** The arrangement as it is remembered; leaves are what `name` gives for a pane. */
export type Arrangement = string | { direction: Direction; ratio: number; first: Arrangement; second: Arrangement };

/** Neither side of a divider gets smaller than this share. */
const RATIO_MIN = 0.1;
/** A key on a divider moves it by this share. */
const RATIO_STEP = 0.05;

/** A divider with what it divides. */
class Branch extends HTMLElement {
  ratio = 0.5;
  readonly #divider = el("div", { class: "divider", role: "separator", tabindex: 0, "aria-label": "Move the divider with the arrow keys" });

  constructor(readonly direction: Direction) {
    super();
    this.#divider.setAttribute("aria-orientation", direction === "row" ? "vertical" : "horizontal");
    this.#divider.addEventListener("keydown", (event) => this.#key(event));
    this.#divider.addEventListener("pointerdown", (event) => this.#drag(event));
    this.#divider.addEventListener("dblclick", () => this.setRatio(0.5));
  }

  /** Puts the two sides around the divider. */
  fill(first: HTMLElement, second: HTMLElement, ratio: number): void {
    this.dataset["direction"] = this.direction;
    this.replaceChildren(first, this.#divider, second);
    this.setRatio(ratio);
  }

  get sides(): [HTMLElement, HTMLElement] {
    return [this.firstElementChild as HTMLElement, this.lastElementChild as HTMLElement];
  }

  setRatio(ratio: number): void {
    this.ratio = Math.min(1 - RATIO_MIN, Math.max(RATIO_MIN, ratio));
    this.style.setProperty("--first", `${this.ratio}fr`);
    this.style.setProperty("--second", `${1 - this.ratio}fr`);
    this.#divider.setAttribute("aria-valuenow", String(Math.round(this.ratio * 100)));
    this.dispatchEvent(new CustomEvent("arranged", { bubbles: true }));
  }

  #key(event: KeyboardEvent): void {
    const [less, more] = this.direction === "row" ? ["ArrowLeft", "ArrowRight"] : ["ArrowUp", "ArrowDown"];
    if (event.key !== less && event.key !== more) return;
    event.preventDefault();
    this.setRatio(this.ratio + (event.key === more ? RATIO_STEP : -RATIO_STEP));
  }

  #drag(event: PointerEvent): void {
    event.preventDefault();
    this.#divider.setPointerCapture(event.pointerId);
    this.toggleAttribute("data-dragging", true);
    const move = (at: PointerEvent): void => {
      const box = this.getBoundingClientRect();
      this.setRatio(this.direction === "row" ? (at.clientX - box.left) / box.width : (at.clientY - box.top) / box.height);
    };
    const end = (): void => {
      this.#divider.removeEventListener("pointermove", move);
      this.removeAttribute("data-dragging");
    };
    this.#divider.addEventListener("pointermove", move);
    this.#divider.addEventListener("lostpointercapture", end, { once: true });
  }
}

/** `<vroom-split>`: holds the panes of one tab; fires `arranged` when they were moved. */
export class SplitView extends HTMLElement {
  /** Shows the first pane. */
  place(pane: HTMLElement): void {
    this.replaceChildren(pane);
  }

  /** Puts a new pane beside or below another. */
  split(pane: HTMLElement, added: HTMLElement, direction: Direction): void {
    const branch = new Branch(direction);
    pane.replaceWith(branch);
    branch.fill(pane, added, 0.5);
    this.#changed();
  }

  /** Takes a pane out; its neighbour gets the room. */
  takeOut(pane: HTMLElement): void {
    const branch = pane.parentElement;
    pane.remove();
    if (branch instanceof Branch) {
      const left = [...branch.children].find((child) => !child.classList.contains("divider"));
      if (left) branch.replaceWith(left);
    }
    this.#changed();
  }

  /** Builds a remembered arrangement; `make` gives the pane of a leaf, or null to leave it out. */
  arrange(arrangement: Arrangement, make: (leaf: string) => HTMLElement | null): void {
    const build = (node: Arrangement): HTMLElement | null => {
      if (typeof node === "string") return make(node);
      const [first, second] = [build(node.first), build(node.second)];
      if (!first || !second) return first ?? second;
      const branch = new Branch(node.direction);
      branch.fill(first, second, node.ratio);
      return branch;
    };
    const root = build(arrangement);
    this.replaceChildren(...(root ? [root] : []));
  }

  /** The arrangement of the panes, each by its name; panes without one are left out. */
  arrangement(name: (pane: HTMLElement) => string | null): Arrangement | null {
    const read = (node: Element | null): Arrangement | null => {
      if (!(node instanceof Branch)) return node instanceof HTMLElement ? name(node) : null;
      const [first, second] = node.sides.map(read);
      if (!first || !second) return first ?? second ?? null;
      return { direction: node.direction, ratio: node.ratio, first, second };
    };
    return read(this.firstElementChild);
  }

  /** The pane that lies next in a direction of the arrow keys, or null. */
  neighbour(pane: HTMLElement, panes: HTMLElement[], towards: string): HTMLElement | null {
    const from = pane.getBoundingClientRect();
    const [x, y] = [from.left + from.width / 2, from.top + from.height / 2];
    const ahead: { [key: string]: (box: DOMRect) => number } = {
      ArrowLeft: (box) => from.left - box.right,
      ArrowRight: (box) => box.left - from.right,
      ArrowUp: (box) => from.top - box.bottom,
      ArrowDown: (box) => box.top - from.bottom,
    };
    const gap = ahead[towards];
    if (!gap) return null;
    const candidates = panes
      .filter((other) => other !== pane && gap(other.getBoundingClientRect()) >= -1)
      .map((other) => {
        const box = other.getBoundingClientRect();
        return { other, distance: Math.hypot(box.left + box.width / 2 - x, box.top + box.height / 2 - y) };
      });
    return candidates.sort((a, b) => a.distance - b.distance)[0]?.other ?? null;
  }

  #changed(): void {
    this.dispatchEvent(new CustomEvent("arranged", { bubbles: true }));
  }
}

customElements.define("vroom-branch", Branch);
customElements.define("vroom-split", SplitView);
