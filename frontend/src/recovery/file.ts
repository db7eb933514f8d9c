import { DOMSerializer, Fragment, type Node } from "@tiptap/pm/model";

import { plainText } from "./blocks";

/** Nodes as the schema renders them, which is also what makes them safe: links are checked, nothing else runs. */
export function render(nodes: readonly Node[]): DocumentFragment {
  const [first] = nodes;
  const fragment = document.createDocumentFragment();
  if (first !== undefined) {
    fragment.append(DOMSerializer.fromSchema(first.type.schema).serializeFragment(Fragment.from([...nodes])));
  }
  return fragment;
}

export function htmlOf(nodes: readonly Node[], pieces: string): string {
  const body = document.createElement("div");
  if (nodes.length > 0) body.append(render(nodes));
  else body.append(...pieces.split("\n").map(paragraph));
  return body.innerHTML;
}

export function textOf(nodes: readonly Node[], pieces: string): string {
  return nodes.length > 0 ? plainText(nodes) : pieces;
}

export function webPage(title: string, body: string): string {
  const head = document.createElement("title");
  head.textContent = title;
  return `<!doctype html>\n<html>\n<meta charset="utf-8">\n${head.outerHTML}\n<body>\n${body}\n</body>\n</html>\n`;
}

/** Offers a file to the browser's downloads. */
export function download(name: string, type: string, content: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type: `${type};charset=utf-8` }));
  link.download = name;
  link.click();
  // Not at once: some browsers read the address only after the click has been handled.
  window.setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** A file's name out of a title, for every file system. */
export function fileName(title: string, extension: string): string {
  const plain = title
    .replace(/[\\/:*?"<>|\s\u0000-\u001f]+/g, " ")
    .trim()
    .slice(0, 80);
  return `${plain === "" ? "Document" : plain} (not saved).${extension}`;
}

/** Puts formatted and plain text on the clipboard; false when the browser does not let us. */
export async function copy(html: string, text: string, shown: HTMLElement): Promise<boolean> {
  try {
    const parts = { "text/html": html, "text/plain": text };
    const blobs = Object.entries(parts).map(([type, part]) => [type, new Blob([part], { type })]);
    await navigator.clipboard.write([new ClipboardItem(Object.fromEntries(blobs) as Record<string, Blob>)]);
    return true;
  } catch {
    return copyBySelection(html, text, shown);
  }
}

/** The clipboard's own interface exists on secure origins only; the copy command exists everywhere. */
function copyBySelection(html: string, text: string, shown: HTMLElement): boolean {
  const fill = (event: ClipboardEvent): void => {
    event.preventDefault();
    event.clipboardData?.setData("text/html", html);
    event.clipboardData?.setData("text/plain", text);
  };
  shown.addEventListener("copy", fill);
  getSelection()?.selectAllChildren(shown);
  const copied = document.execCommand("copy");
  getSelection()?.removeAllRanges();
  shown.removeEventListener("copy", fill);
  return copied;
}

export function paragraph(text: string): HTMLElement {
  const element = document.createElement("p");
  element.textContent = text;
  return element;
}
