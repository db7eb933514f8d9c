import { mayEdit } from "../connection/facts";
import type { Provider } from "../connection/provider";
import { sentence } from "../connection/save-state";
import { Announcer } from "./announcer";

/** Shows the save state as it is, at once, and announces it when it has settled. */
export function showSaveState(provider: Provider, mark: HTMLElement, status: HTMLElement): void {
  const announcer = new Announcer((text) => (status.textContent = text));
  const show = (): void => {
    const state = provider.saving.value;
    mark.textContent = sentence(state);
    mark.title = sentence(state);
    mark.dataset["state"] = state.kind === "saving" && state.stalled ? "offline" : state.kind;
    // Who only reads has nothing to save; and of a document that has stopped the notice says all there is to say.
    const nothingToSave = state.kind === "saved" && !mayEdit(provider.role.value);
    mark.hidden = nothingToSave || (state.kind === "stopped" && state.changes === 0);
    if (!mark.hidden) announcer.hear(state);
  };
  provider.saving.subscribe(show);
  provider.role.subscribe(show);
}
