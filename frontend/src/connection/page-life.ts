import type { Keeping } from "./keeping";
import type { Provider } from "./provider";

/**
 * Tells the provider and the keeper what happens to their page: sleep, network, a visit elsewhere, the end. Answers a
 * reload that does not ask about unsaved edits which this device has: whoever is offered it has just been told of them.
 */
export function followPage(provider: Provider, keeper: Keeping, page: Window): () => void {
  let knows = false;
  page.addEventListener("online", () => provider.wake());
  page.addEventListener("offline", () => provider.doubt());
  page.addEventListener("focus", () => provider.wake());
  page.document.addEventListener("resume", () => provider.wake());
  page.document.addEventListener("freeze", () => keeper.settle());
  page.document.addEventListener("visibilitychange", () => {
    if (page.document.visibilityState === "visible") provider.wake();
    // A phone may end a hidden page without another word.
    else keeper.settle();
  });
  page.addEventListener("pagehide", () => {
    keeper.settle();
    provider.leave();
  });
  page.addEventListener("pageshow", () => provider.arrive());
  page.addEventListener("beforeunload", (event) => {
    if (provider.unconfirmed.length > 0 && !knows) event.preventDefault();
  });
  return () => {
    knows = keeper.state.value.unwritten === 0;
    page.location.reload();
  };
}
