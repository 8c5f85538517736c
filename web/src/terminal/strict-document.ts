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
  const element = document.createElement(name);
  if (name === "style") constructedSheet(document, element);
  else if (name === "span") cssomStyle(element);
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

function cssomStyle(element: HTMLElement): void {
  element.setAttribute = (name: string, value: string) => {
    if (name === "style") element.style.cssText = value;
    else Element.prototype.setAttribute.call(element, name, value);
  };
}
