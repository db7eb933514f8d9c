import type { Stop } from "./close-codes";
import type { RefusalReason } from "./facts";

/** How safe this tab's edits are. Only the server's message 100 ever makes it `saved`; no timer does. */
export type SaveState =
  | { readonly kind: "opening" }
  | { readonly kind: "saved" }
  | { readonly kind: "saving"; readonly changes: number; readonly stalled: boolean }
  | { readonly kind: "offline"; readonly changes: number }
  | { readonly kind: "refused"; readonly changes: number; readonly reason: RefusalReason }
  | { readonly kind: "stopped"; readonly changes: number; readonly stop: Stop };

export interface SaveFacts {
  readonly changes: number;
  readonly refusal: RefusalReason | null;
  readonly stop: Stop | null;
  readonly connected: boolean;
  readonly synced: boolean;
  readonly mayWrite: boolean;
  /** False while the server says that its database is away. */
  readonly storing: boolean;
}

export function saveState(facts: SaveFacts): SaveState {
  const { changes, refusal, stop, connected, synced, mayWrite, storing } = facts;
  if (stop !== null) return { kind: "stopped", changes, stop };
  if (refusal !== null && refusal !== "busy" && changes > 0) return { kind: "refused", changes, reason: refusal };
  if (changes > 0 && !mayWrite) return { kind: "refused", changes, reason: "read-only" };
  if (!synced) return { kind: "opening" };
  if (!connected) return { kind: "offline", changes };
  return changes > 0 ? { kind: "saving", changes, stalled: !storing || refusal === "busy" } : { kind: "saved" };
}

export function sameSaveState(a: SaveState, b: SaveState): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

const REFUSED: Readonly<Record<RefusalReason, string>> = {
  "read-only": "you may only read this document now",
  malformed: "the server could not read the last change",
  "not-yours": "the server takes the last change for somebody else’s",
  "too-large": "the last change is too large",
  busy: "the server is busy",
  "document-full": "this document has reached its size limit",
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
      return state.stalled ? `Waiting for the server, ${kept(state.changes)}` : "Saving…";
    case "offline":
      return state.changes === 0 ? "Offline, everything is saved" : `Offline, ${kept(state.changes)}`;
    case "refused":
      return `Not saved: ${REFUSED[state.reason]}`;
    case "stopped":
      return state.changes === 0 ? "Closed" : `Not saved: ${counted(state.changes)}`;
  }
}

export function counted(changes: number): string {
  return changes === 1 ? "1 change" : `${changes} changes`;
}

function kept(changes: number): string {
  return `${counted(changes)} kept on this device`;
}
