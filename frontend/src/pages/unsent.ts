/** Text that could not be saved, told on every page: its document may never open again. */

import { showEarlier } from "../recovery/earlier-notice";
import type { DraftRecord } from "../storage/draft";
import type { DraftStore } from "../storage/draft-store";
import { type Orphan, Orphans } from "../storage/orphans";
import { tabLocks } from "../storage/tab-locks";

/** `missing` is the document that this page says does not exist; null on all other pages. */
export async function offerUnsent(store: DraftStore, person: string, missing: string | null): Promise<void> {
  const banner = document.createElement("aside");
  banner.className = "notice is-apart";
  banner.setAttribute("aria-label", "Text that is not saved");
  document.querySelector("main")?.before(banner);
  const find = (): Promise<Orphan[]> => {
    const isWanted = (record: DraftRecord): boolean => record.refusal !== null || record.document === missing;
    return new Orphans({ store, locks: tabLocks(navigator.locks), person, isWanted }).find();
  };
  const open = async (): Promise<void> => {
    // The document's schema and Yjs come with it: too much for a page that has nothing to show.
    const { recover } = await import("../recovery/recover");
    const orphans = await find();
    recover(orphans, store, () => {
      for (const { release } of orphans) release();
      void show();
    });
  };
  const show = async (): Promise<void> => {
    const orphans = await find();
    for (const { draft, release } of orphans) {
      if (draft.record.refusal === null) await store.refuse(draft.record.id, "not-found");
      // Not held while nobody reads it, or the document's own page could not send it.
      release();
    }
    showEarlier(banner, orphans.map(({ draft }) => draft.record), () => {
      open().catch(() => banner.append("It can’t be shown now: the server cannot be reached. It stays on this device."));
    });
  };
  await show();
}

/** The document whose address led to a page that says there is nothing; null elsewhere. */
export function missingDocument(): string | null {
  if (document.querySelector("[data-fault='404']") === null) return null;
  return /^\/documents\/([0-9a-f-]{36})\//.exec(window.location.pathname)?.[1] ?? null;
}
