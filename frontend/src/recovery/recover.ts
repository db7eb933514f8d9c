import type { DraftStore } from "../storage/draft-store";
import type { Orphan } from "../storage/orphans";
import { RecoveryPanel } from "./panel";
import { unsentDraft } from "./unsent";

/** Opens the recovery panel on drafts; `closed` is called when the person is done. */
export function recover(orphans: readonly Orphan[], store: DraftStore, closed: () => void): void {
  const panel = new RecoveryPanel(closed);
  panel.show(orphans.map(({ draft }) => unsentDraft(draft, (id) => store.discard(id))));
}
