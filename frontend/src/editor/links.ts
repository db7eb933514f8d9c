const SCHEMES: readonly string[] = ["http:", "https:", "mailto:", "tel:"];

/** Relative addresses are resolved against this; it stands for the page's own origin. */
const HERE = "https://relative.invalid/";

const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/**
 * The address as it may be rendered or opened, or null. Asked for every link, at render and again at click, since a
 * peer may write any value into the document. The browser's own parser decides what the scheme is: it removes tabs,
 * newlines and leading control characters, which lists of forbidden prefixes overlook.
 */
export function safeHref(value: unknown): string | null {
  if (typeof value !== "string") return null;
  const href = value.trim();
  if (href === "" || CONTROL.test(href) || !URL.canParse(href, HERE)) return null;
  return SCHEMES.includes(new URL(href, HERE).protocol) ? href : null;
}

/** What a person typed into the link field: `example.org` means https, `ana@example.org` means mailto. */
export function hrefFromInput(text: string): string | null {
  const typed = text.trim();
  if (/^[^\s@/:]+@[^\s@/:]+\.[^\s@/:]+$/.test(typed)) return safeHref(`mailto:${typed}`);
  if (/^[^\s/:?#.]+(\.[^\s/:?#.]+)+(:\d+)?([/?#]|$)/.test(typed)) return safeHref(`https://${typed}`);
  return safeHref(typed);
}
