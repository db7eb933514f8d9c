import type { Draft, DraftRecord } from "./draft";
import type { DraftStore } from "./draft-store";
import type { Release, TabLocks } from "./tab-locks";

/** A draft whose tab is gone. Nobody else takes it while this page holds it. */
export interface Orphan {
  readonly draft: Draft;
  readonly release: Release;
}

export interface OrphanSearch {
  readonly store: Pick<DraftStore, "of" | "load">;
  readonly locks: TabLocks;
  readonly person: string;
  readonly isWanted: (record: DraftRecord) => boolean;
}

/** Finds this person's drafts whose tabs are gone, each for exactly one of the pages that look for it. */
export class Orphans {
  private readonly known = new Set<string>();

  constructor(private readonly search: OrphanSearch) {}

  /** Those that are gone by now; `later` hears of the others when their tabs end. Rejects when nothing can be read. */
  async find(later: (orphan: Orphan) => void = () => undefined): Promise<Orphan[]> {
    const { store, locks, person, isWanted } = this.search;
    const found: Orphan[] = [];
    for (const record of await store.of(person)) {
      const { id } = record;
      if (this.known.has(id) || !isWanted(record)) continue;
      this.known.add(id);
      const release = await locks.claim(id);
      const orphan = release === null ? null : await this.open(id, release);
      if (orphan !== null) found.push(orphan);
      if (release === null) void this.wait(id, later);
    }
    return found;
  }

  private async wait(id: string, later: (orphan: Orphan) => void): Promise<void> {
    try {
      const orphan = await this.open(id, await this.search.locks.outlive(id));
      if (orphan !== null) later(orphan);
    } catch (error) {
      // The next visit finds it.
      console.warn("Collab: what another tab left could not be read", error);
    }
  }

  private async open(id: string, release: Release): Promise<Orphan | null> {
    // The tab may have sent everything and gone, and may come to life again when the browser takes it out of its cache.
    this.known.delete(id);
    const draft = await this.search.store.load(id);
    if (draft === null || !draft.entries.some(({ own }) => own)) {
      release();
      return null;
    }
    this.known.add(id);
    return { draft, release };
  }
}
