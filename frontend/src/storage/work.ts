import type { Edit } from "../connection/keeping";
import type { Batch, DraftRecord, Entry } from "./draft";

/** A draft of which something is unconfirmed. */
export interface Held {
  record: DraftRecord;
  readonly edits: Set<Edit>;
  /** Whether this device may have something of it. */
  stored: boolean;
  /** Of a draft adopted from another tab, which has its own. */
  readonly adopted: boolean;
}

/** What has to be written to this device. */
export class Work {
  readonly emptied = new Set<string>();
  readonly records = new Set<string>();
  readonly entries = new Set<Entry>();
  gone: Edit[] = [];
  /** Whether the whole document is due. */
  state = false;

  /** Nothing of this draft needs to be written or removed one by one any more. */
  drop(draft: string): void {
    this.records.delete(draft);
    this.gone = this.gone.filter((edit) => edit.draft !== draft);
    for (const entry of this.entries) if (entry.draft === draft) this.entries.delete(entry);
  }

  /** As one change of the device; null when there is nothing to do. */
  batch(held: ReadonlyMap<string, Held>, state: Batch["state"]): Batch | null {
    const records = [...this.records].flatMap((id) => held.get(id)?.record ?? []);
    const batch = { emptied: [...this.emptied], gone: this.gone, records, entries: [...this.entries], state };
    const parts = [batch.emptied, batch.gone, batch.records, batch.entries];
    return state === null && parts.every((part) => part.length === 0) ? null : batch;
  }

  /** This work, which failed, and what came due after it; without what nobody needs any more, and without the state. */
  before(later: Work, held: ReadonlyMap<string, Held>): Work {
    const both = new Work();
    for (const { emptied, records, entries, gone } of [this, later]) {
      for (const draft of emptied) both.emptied.add(draft);
      for (const draft of records) if (held.has(draft)) both.records.add(draft);
      for (const entry of entries) if (isWanted(entry, held)) both.entries.add(entry);
      both.gone.push(...gone);
    }
    both.state = later.state;
    return both;
  }
}

function isWanted(entry: Entry, held: ReadonlyMap<string, Held>): boolean {
  const draft = held.get(entry.draft);
  return draft !== undefined && (!entry.own || draft.edits.has(entry));
}
