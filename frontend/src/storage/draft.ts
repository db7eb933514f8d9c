/** What one tab has left on this device: the edits that the server has not confirmed, and whose they are. */

export interface DraftRecord {
  /** Of the tab that made the edits. */
  readonly id: string;
  readonly person: string;
  readonly document: string;
  readonly title: string;
  readonly epoch: number;
  readonly schemaVersion: number;
  /** When the first of the edits was made, in milliseconds. */
  readonly at: number;
  /** Why the server will not take them, as a word; null while it may still take them. */
  readonly refusal: string | null;
}

export interface Entry {
  readonly draft: string;
  readonly number: number;
  /** False for an edit of somebody else that the draft's own may build on. */
  readonly own: boolean;
  readonly update: Uint8Array;
}

export interface Draft {
  readonly record: DraftRecord;
  /** In the order they were made. */
  readonly entries: readonly Entry[];
  /** The whole document as the tab had it at some moment after the first edit; null if it had no time for that. */
  readonly state: Uint8Array | null;
}

/** Changes that are made together or not at all, in this order. */
export interface Batch {
  /** Drafts of which nothing is left. */
  readonly emptied: readonly string[];
  readonly gone: readonly { readonly draft: string; readonly number: number }[];
  readonly records: readonly DraftRecord[];
  readonly entries: readonly Entry[];
  readonly state: { readonly draft: string; readonly state: Uint8Array } | null;
}
