import type { Provider } from "./provider";

/** Tells the provider what happens to its page: sleep, network, a visit elsewhere, the end. */
export function followPage(provider: Provider, page: Window): void {
  page.addEventListener("online", () => provider.wake());
  page.addEventListener("focus", () => provider.wake());
  page.document.addEventListener("visibilitychange", () => {
    if (page.document.visibilityState === "visible") provider.wake();
  });
  page.addEventListener("pagehide", () => provider.leave());
  page.addEventListener("pageshow", () => provider.arrive());
  page.addEventListener("beforeunload", (event) => {
    if (provider.unconfirmed > 0) event.preventDefault();
  });
}
