/** What this person's earlier tabs left unsent in this document: sent now where it can be, offered as a copy where not. */

import { type Role, mayEdit } from "../connection/facts";
import type { Edit } from "../connection/keeping";
import { Observable } from "../connection/observable";
import type { Draft, DraftRecord } from "../storage/draft";
import type { Orphan } from "../storage/orphans";
import { isWhole } from "./readable";

/** The server refused these for what they are: sent again, they would lock the document again. */
const POISON: ReadonlySet<string> = new Set(["malformed", "not-yours", "too-large", "too-costly", "refused"]);

export interface OpenPage {
  readonly epoch: number;
  readonly schemaVersion: number;
}

export interface EarlierOptions {
  readonly page: OpenPage;
  /** Counts the draft's edits as this page's own and answers them. */
  readonly count: (draft: Draft) => Edit[];
  readonly send: (edits: readonly Edit[], past: readonly Uint8Array[]) => void;
  readonly refuse: (id: string, reason: string) => Promise<void>;
}

export class Earlier {
  readonly offered = new Observable<readonly Draft[]>([]);

  constructor(private readonly options: EarlierOptions) {}

  take({ draft }: Orphan, role: Role): void {
    const reason = whyNot(draft, this.options.page, role);
    if (reason === null) return this.send(draft);
    const refused = { ...draft, record: { ...draft.record, refusal: reason } };
    this.offered.set([...this.offered.value, refused]);
    // So that other pages know of it too, when this document can't be opened any more.
    this.options.refuse(draft.record.id, reason).catch((error: unknown) => {
      console.warn("Collab: this device did not note why text could not be saved", error);
    });
  }

  /** The person may write again: what could not be sent for that alone follows now. */
  become(role: Role): void {
    const offered = this.offered.value;
    const sendable = offered.filter((draft) => whyNot(draft, this.options.page, role) === null);
    this.offered.set(offered.filter((draft) => !sendable.includes(draft)));
    for (const draft of sendable) this.send(draft);
  }

  discarded(id: string): void {
    this.offered.set(this.offered.value.filter(({ record }) => record.id !== id));
  }

  private send(draft: Draft): void {
    const theirs = draft.entries.filter(({ own }) => !own).map(({ update }) => update);
    this.options.send(this.options.count(draft), [...(draft.state === null ? [] : [draft.state]), ...theirs]);
  }
}

/** Why a draft can't be sent from this page, as a word; null when it can. */
export function whyNot({ record, entries, state }: Draft, page: OpenPage, role: Role): string | null {
  const outdated = outdatedBy(record, page);
  if (outdated !== null) return outdated;
  if (record.refusal !== null && POISON.has(record.refusal)) return record.refusal;
  const updates = entries.map(({ update }) => update);
  if (!isWhole(state === null ? updates : [state, ...updates])) return "malformed";
  return mayEdit(role) ? null : "read-only";
}

/** An older schema's edits are safe: it knew less, and this page knows all of it. A newer one's are not. */
function outdatedBy({ epoch, schemaVersion }: DraftRecord, page: OpenPage): string | null {
  if (epoch !== page.epoch) return "new-epoch";
  return schemaVersion > page.schemaVersion ? "page-too-old" : null;
}
