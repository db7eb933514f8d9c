/** The drafts of one open document: this tab's own, and those that other tabs left. */

import { type Clock, systemClock } from "../connection/clock";
import { DraftStore } from "./draft-store";
import { Keeper } from "./keeper";
import { Orphans } from "./orphans";
import { tabLocks } from "./tab-locks";

export interface DraftsOptions {
  /** A new id for every page that is loaded. */
  readonly tab: string;
  readonly person: string;
  readonly document: string;
  readonly title: () => string;
  readonly epoch: number;
  readonly schemaVersion: number;
  /** The whole document as a Yjs update. */
  readonly state: () => Uint8Array;
  /** Undefined where the browser has none. */
  readonly factory: IDBFactory | undefined;
  readonly manager: LockManager | undefined;
  readonly clock?: Clock;
}

export interface Drafts {
  readonly keeper: Keeper;
  readonly store: DraftStore;
  readonly orphans: Orphans;
}

export function openDrafts(options: DraftsOptions): Drafts {
  const { tab, person, document, title, epoch, schemaVersion, state, clock = systemClock } = options;
  const locks = tabLocks(options.manager);
  const store = new DraftStore(options.factory, () => keeper.rewrite());
  // Without the lock, what is written could be taken for a dead tab's. Where locks fail, that does no harm.
  const held = locks.hold(tab).catch(() => undefined);
  const keeper: Keeper = new Keeper({
    clock,
    state,
    record: () => ({
      id: tab,
      person,
      document,
      title: title(),
      epoch,
      schemaVersion,
      at: clock.now(),
      refusal: null,
    }),
    write: async (batch) => {
      await held;
      await store.write(batch);
    },
  });
  const isWanted = (record: { readonly id: string; readonly document: string }): boolean =>
    record.document === document && record.id !== tab;
  return { keeper, store, orphans: new Orphans({ store, locks, person, isWanted }) };
}
