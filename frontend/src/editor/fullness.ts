import type { Provider } from "../connection/provider";

/** The quiet warning that a document will not grow much further. */
export function showFullness(provider: Provider, mark: HTMLElement): void {
  provider.fullness.subscribe((percent) => {
    mark.hidden = percent === 0;
    if (percent === 0) return;
    mark.textContent = `${percent} % full`;
    mark.title = `This document has reached ${percent} % of the size that it may have. Begin another one in good time.`;
    mark.dataset["near"] = String(percent >= 90);
  });
}
