/** Text that the server does not have, wherever it is: what the recovery panel shows and can throw away. */

import { STOPS } from "../connection/close-codes";
import { REFUSED } from "../connection/save-state";
import type { Draft } from "../storage/draft";
import { type Readable, isWhole, readable } from "./readable";

export interface Unsent {
  /** Of the document. */
  readonly title: string;
  readonly changes: number;
  /** Milliseconds; null for changes of this very page. */
  readonly at: number | null;
  /** Why the server does not take it, to follow a colon. */
  readonly why: string;
  /** Whether it is still there after the tab is closed. */
  readonly kept: boolean;
  read(): Readable;
  discard(): Promise<void>;
}

/** The reason behind the word that a draft carries. */
export function whyRefused(word: string | null): string {
  const known: Readonly<Record<string, string>> = REFUSED;
  const stops: Readonly<Record<string, { readonly short: string }>> = STOPS;
  return (word === null ? undefined : (known[word] ?? stops[word]?.short)) ?? "the server did not take them";
}

export function unsentDraft({ record, entries, state }: Draft, discard: (id: string) => Promise<void>): Unsent {
  const past = [...(state === null ? [] : [state]), ...entries.filter(({ own }) => !own).map(({ update }) => update)];
  const edits = entries.filter(({ own }) => own).map(({ update }) => update);
  return {
    title: record.title,
    changes: edits.length,
    at: record.at,
    why: whyRefused(record.refusal),
    kept: true,
    // What a damaged disk gives back is shown as far as it can be read.
    read: () => readable(past.filter((update) => isWhole([update])), edits.filter((update) => isWhole([update]))),
    discard: () => discard(record.id),
  };
}
