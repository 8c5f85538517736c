/** Building elements without markup strings, so that the page needs no trusted HTML anywhere. */

/** Attributes and listeners of an element; `onNAME` functions become listeners, false and undefined are left out. */
export type Properties = { [name: string]: string | number | boolean | undefined | ((event: never) => void) };
export type Child = Node | string | null | undefined | false;

/** Builds an element. */
export function el<K extends keyof HTMLElementTagNameMap>(name: K, properties: Properties = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(key.slice(2), value as EventListener);
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(...children.filter((child): child is Node | string => child !== null && child !== undefined && child !== false));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** Builds an SVG element. */
export function svg(name: string, attributes: { [name: string]: string | number }, ...children: Node[]): SVGElement {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.append(...children);
  return element;
}

/** Hands a file to the browser's downloads. */
export function save(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  const link = el("a", { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Replaces the children of an element only when the text differs, so that nothing is announced or laid out twice. */
export function setText(element: Element, content: string): void {
  if (element.textContent !== content) element.textContent = content;
}
