/** The toolbar's drawings: strokes on a 20 × 20 field, taking the colour of the text around them. */

export type IconName = keyof typeof STROKES;

const STROKES = {
  undo: "M7.5 4.5 4 8l3.5 3.5M4 8h7.5a4.5 4.5 0 0 1 0 9H8",
  redo: "M12.5 4.5 16 8l-3.5 3.5M16 8H8.5a4.5 4.5 0 0 0 0 9H12",
  paragraph: "M15.5 4H9a3.5 3.5 0 0 0 0 7h2M11 4v12M14 4v12",
  heading1: "M3 5v10M10 5v10M3 10h7M13.5 8.5 16 7v8",
  heading2: "M3 5v10M9.5 5v10M3 10h6.5M12.5 8.8c.3-2.4 4.3-2.4 4.3.1 0 2-4.3 3.4-4.3 6.1h4.5",
  heading3: "M3 5v10M9.5 5v10M3 10h6.500M12.6 7h4.200l-2.5 3.200c3.6 0 3.4 4.8 0 4.8-1 0-1.7-.4-2.1-1.1",
  bold: "M6 4h4.700a3 3 0 0 1 0 6H6zM6 10h5.500a3 3 0 0 1 0 6H6z",
  italic: "M8.5 4h6M5.5 16h6M11.8 4 8.2 16",
  strike: "M3.5 10h13M13.7 6.300C13 4.8 11.7 4 10 4 7.9 4 6.3 5.2 6.3 7c0 1.3.8 2.3 2.4 3M6 13.300c.5 1.7 2 2.7 4 2.7 2.3 0 4-1.2 4-3.1 0-.6-.1-1.1-.4-1.6",
  code: "m7 6-4 4 4 4M13 6l4 4-4 4",
  bullets: "M8 5h9M8 10h9M8 15h9M3.7 5h.01M3.7 10h.01M3.7 15h.01",
  numbers: "M8.5 5H17M8.5 10H17M8.5 15H17M3 4l1.2-.7V8M2.8 12.700c.2-1.5 2.4-1.4 2.4 0 0 1.1-2.3 2-2.3 3.600h2.4",
  quote: "M4 4.500v11M8 7h8.500M8 10h8.500M8 13h5.5",
  codeBlock: "M3 3.500h14v13H3zM8 7.5 5.7 10 8 12.500M12 7.500l2.3 2.500L12 12.5",
  rule: "M3 10h14M6 5.500h8M6 14.500h8",
  link: "M8.5 11.500a3 3 0 0 0 4.3 0l2.9-2.900a3 3 0 0 0-4.3-4.300L10 5.700M11.5 8.500a3 3 0 0 0-4.3 0l-2.9 2.900a3 3 0 0 0 4.3 4.300l1.4-1.4",
};

const SVG = "http://www.w3.org/2000/svg";

export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("icon");
  path.setAttribute("d", STROKES[name]);
  svg.append(path);
  return svg;
}
