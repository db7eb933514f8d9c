import type { Draft } from "../storage/draft";

/** The banner that tells of text from earlier visits which could not be saved, on any page. */
export function showEarlier(banner: HTMLElement, drafts: readonly Draft["record"][], read: () => void): void {
  banner.hidden = drafts.length === 0;
  if (drafts.length === 0) return banner.replaceChildren();
  const sentence = document.createElement("p");
  const button = document.createElement("button");
  sentence.textContent = `You have text that could not be saved in ${places(drafts)}.`;
  button.type = "button";
  button.className = "notice-action";
  button.textContent = "See your text";
  button.addEventListener("click", read);
  banner.replaceChildren(sentence, button);
}

function places(drafts: readonly Draft["record"][]): string {
  const [first, second, ...more] = [...new Set(drafts.map(({ title }) => `“${title}”`))];
  if (second === undefined) return String(first);
  return more.length === 0 ? `${first} and ${second}` : `${first}, ${second} and ${more.length} more documents`;
}
