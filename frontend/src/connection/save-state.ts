import type { Stop } from "./close-codes";
import type { RefusalReason } from "./facts";
import type { KeepState } from "./keeping";

/** Where the unconfirmed edits are meanwhile. */
export interface Unsaved {
  readonly changes: number;
  /** How many of them this device has stored. */
  readonly kept: number;
  /** False when this device takes nothing: they are in this tab alone. */
  readonly keeps: boolean;
}

/** How safe this person's edits are. Only the server's word ever makes it `saved`; no timer does. */
export type SaveState =
  | { readonly kind: "opening" }
  | { readonly kind: "saved" }
  /** `uploaded`: how much of a large change has arrived, in percent. */
  | ({ readonly kind: "saving"; readonly stalled: boolean; readonly uploaded: number | null } & Unsaved)
  | ({ readonly kind: "offline" } & Unsaved)
  | ({ readonly kind: "refused"; readonly reason: RefusalReason } & Unsaved)
  | ({ readonly kind: "stopped"; readonly stop: Stop } & Unsaved);

export interface SaveFacts {
  readonly changes: number;
  readonly keep: KeepState;
  readonly refusal: RefusalReason | null;
  readonly stop: Stop | null;
  readonly connected: boolean;
  readonly synced: boolean;
  readonly mayWrite: boolean;
  /** False while the server says that its database is away. */
  readonly storing: boolean;
  /** From 0 to 1; null when nothing is being uploaded. */
  readonly uploaded: number | null;
}

export function saveState(facts: SaveFacts): SaveState {
  const { changes, keep, refusal, stop, connected, synced, mayWrite, storing, uploaded } = facts;
  const unsaved = { changes, kept: Math.max(0, changes - keep.unwritten), keeps: !keep.failed };
  if (stop !== null) return { kind: "stopped", ...unsaved, stop };
  if (refusal !== null && refusal !== "busy" && changes > 0) return { kind: "refused", ...unsaved, reason: refusal };
  if (changes > 0 && !mayWrite) return { kind: "refused", ...unsaved, reason: "read-only" };
  if (!synced) return { kind: "opening" };
  if (!connected) return { kind: "offline", ...unsaved };
  if (changes === 0) return { kind: "saved" };
  const percent = uploaded === null ? null : Math.floor(uploaded * 100);
  return { kind: "saving", ...unsaved, stalled: !storing || refusal === "busy", uploaded: percent };
}

export function sameSaveState(a: SaveState, b: SaveState): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

export const REFUSED: Readonly<Record<RefusalReason, string>> = {
  "read-only": "you may only read this document now",
  malformed: "the server could not read the last change",
  "not-yours": "the server takes the last change for somebody else’s",
  "too-large": "the last change is too large",
  busy: "the server is busy",
  "document-full": "this document has reached its size limit",
  "too-costly": "the last change is more than the server can work out",
  "lost-past": "the server has lost what your changes build on",
  refused: "the server refused the last change",
};

/** The sentence on the screen, which is also what a screen reader hears. */
export function sentence(state: SaveState): string {
  switch (state.kind) {
    case "opening":
      return "Opening…";
    case "saved":
      return "Saved";
    case "saving":
      if (state.stalled) return `Not saved yet: the server can’t save at the moment${alone(state)}`;
      return state.uploaded === null ? "Saving…" : `Saving a large change… ${state.uploaded} %`;
    case "offline":
      return state.changes === 0 ? "Offline, everything is saved" : `Offline, ${whereabouts(state)}`;
    case "refused":
      return `Not saved: ${REFUSED[state.reason]}`;
    case "stopped":
      if (state.changes === 0) return "Closed";
      return state.stop.reason === "sign-in" ? `Signed out, ${whereabouts(state)}` : `Not saved: ${state.stop.short}`;
  }
}

export function counted(changes: number): string {
  return changes === 1 ? "1 change" : `${changes} changes`;
}

/** Where the changes are, as far as the device's store has said so. */
export function whereabouts({ changes, kept, keeps }: Unsaved): string {
  if (!keeps) return `${counted(changes)} not kept on this device: keep this tab open`;
  return kept === 0 ? `keeping ${counted(changes)} on this device…` : `${counted(kept)} kept on this device`;
}

function alone({ keeps }: Unsaved): string {
  return keeps ? "" : ". Keep this tab open";
}
