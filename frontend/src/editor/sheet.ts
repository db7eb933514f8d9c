import { mayEdit } from "../connection/facts";
import type { Provider } from "../connection/provider";

/** Before the text has arrived the sheet is busy and says what it waits for. */
export function showOpening(provider: Provider, sheet: HTMLElement, opening: HTMLElement): void {
  const sentence = opening.querySelector("p");
  const show = (): void => {
    const { kind } = provider.connection.status.value;
    const busy = !provider.synced.value && kind !== "stopped";
    sheet.setAttribute("aria-busy", String(busy));
    opening.hidden = !busy;
    if (sentence === null) return;
    const waiting = kind === "waiting";
    sentence.textContent = waiting ? "The server cannot be reached. Trying again…" : "Opening the document…";
  };
  provider.synced.subscribe(show);
  provider.connection.status.subscribe(show);
}

/** The quiet mark for those who read. */
export function showReading(provider: Provider, mark: HTMLElement): void {
  provider.role.subscribe((role) => (mark.hidden = mayEdit(role)));
}
