import { isColour } from "../connection/facts";

const GREY = "#6b7280";

/** A colour that is one: whatever else came from a peer becomes grey. */
export function safeColour(value: unknown): string {
  return isColour(value) ? value : GREY;
}

/** Which text is easier to read on `colour` (`#rrggbb`), by the contrast ratio of WCAG 2. */
export function inkOn(colour: string): "dark" | "light" {
  const luminance = relativeLuminance(colour);
  const withWhite = 1.05 / (luminance + 0.05);
  const withBlack = (luminance + 0.05) / 0.05;
  return withWhite >= withBlack ? "light" : "dark";
}

/** Colours an element in a person's colour, through CSSOM: style attributes are forbidden by the page's CSP. */
export function paint(element: HTMLElement, colour: string): void {
  element.style.setProperty("--person", colour);
  element.dataset["ink"] = inkOn(colour);
}

function relativeLuminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5]
    .map((start) => Number.parseInt(colour.slice(start, start + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
