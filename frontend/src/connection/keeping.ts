/** What the connection asks of whoever keeps unconfirmed edits on this device: `storage/keeper.ts`, or a test's. */

import type { Observable } from "./observable";

/** One edit of this person that the server has not confirmed. */
export interface Edit {
  /** The tab that made it, which may have been closed since. */
  readonly draft: string;
  /** Grows with every edit of that tab. */
  readonly number: number;
  readonly update: Uint8Array;
}

export interface KeepState {
  /** Unconfirmed edits that would be lost if the browser crashed now. */
  readonly unwritten: number;
  /** This device takes nothing: no room, or a browser that forbids it. */
  readonly failed: boolean;
}

export interface Keeping {
  readonly state: Observable<KeepState>;
  add(update: Uint8Array): Edit;
  /** Somebody else's edit: ours may build on it, and the server could still lose it in a crash. */
  heard(update: Uint8Array): void;
  /** The server has committed these, or the person has thrown them away. */
  forget(edits: readonly Edit[]): void;
  /** The connection or the page may be gone for long: what the edits build on is kept too. */
  settle(): void;
  /** Why the server will not take the edits, as a word; null while it may still take them. */
  refuse(reason: string | null): void;
}
