const APPLE = /mac|iphone|ipad/i;

/** Shortcuts are written once, as `Mod+Shift+8`; `Mod` is Cmd on Apple's machines and Ctrl elsewhere. */
export type Shortcut = string;

export function onApple(): boolean {
  return APPLE.test(navigator.platform);
}

/** For the aria-keyshortcuts attribute, in the words ARIA wants. */
export function ariaShortcut(shortcut: Shortcut): string {
  return shortcut.replace("Mod", onApple() ? "Meta" : "Control");
}

/** For people: `Ctrl+Shift+8`, or `⇧⌘8`. */
export function readableShortcut(shortcut: Shortcut): string {
  if (!onApple()) return shortcut.replace("Mod", "Ctrl");
  const signs: Record<string, string> = { Mod: "⌘", Shift: "⇧", Alt: "⌥" };
  const parts = shortcut.split("+");
  const key = parts.pop() ?? "";
  return [...parts.reverse().map((part) => signs[part] ?? part), key].join("");
}
