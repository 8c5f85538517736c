/**
 * A document for the terminal engine under a strict content policy.
 *
 * The engine writes style elements and style attributes, both of which such a policy forbids. This stand-in gives it
 * elements that put the same rules into constructed style sheets and the same declarations through the CSSOM, which the
 * policy allows. Everything else is the real document.
 */
export function strictDocument(document: Document): Document {
  return new Proxy(document, {
    get(target, property) {
      if (property === "createElement") return (name: string) => createElement(target, name);
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === "function" ? (value as (...args: unknown[]) => unknown).bind(target) : value;
    },
    set(target, property, value) {
      return Reflect.set(target, property, value, target);
    },
  });
}

function createElement(document: Document, name: string): HTMLElement {
  if (name !== "style") return document.createElement(name);
  // An inert element takes the place, since even an empty style element is an offence.
  const element = document.createElement("template");
  constructedSheet(document, element);
  return element;
}

function constructedSheet(document: Document, element: HTMLElement): void {
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets.push(sheet);
  Object.defineProperty(element, "textContent", {
    get: () => "",
    set: (rules: string) => sheet.replaceSync(rules),
  });
  element.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((adopted) => adopted !== sheet);
    Element.prototype.remove.call(element);
  };
}

/**
 * The engine makes its cells with the page's own document and colours them through the `style` attribute. Spans
 * therefore take that attribute by way of the CSSOM, on this page, from the moment the engine is loaded.
 */
HTMLSpanElement.prototype.setAttribute = function (this: HTMLSpanElement, name: string, value: string): void {
  if (name === "style") this.style.cssText = value;
  else Element.prototype.setAttribute.call(this, name, value);
};
