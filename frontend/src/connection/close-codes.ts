/** What a close code makes the tab do, and what the person is told: the one list of both. */

export type StopReason =
  | "sign-in"
  | "no-access"
  | "not-found"
  | "new-epoch"
  | "trashed"
  | "page-too-old"
  | "other-person"
  | "too-many"
  | "unknown";

/** The one step that helps the person on. */
export type WayOut = "sign-in" | "reload" | "leave";

export interface Stop {
  readonly reason: StopReason;
  readonly told: string;
  /** The reason in a few words, to follow "Not saved: ". */
  readonly short: string;
  readonly wayOut: WayOut;
  /** The server will never take this page's edits: they can only be offered as a copy. */
  readonly forGood: boolean;
}

export type CloseMeaning = { readonly then: "retry" } | { readonly then: "stop"; readonly stop: Stop };

export const STOPS: Readonly<Record<StopReason, Stop>> = {
  "sign-in": {
    reason: "sign-in",
    told: "You have been signed out. Your text stays here, and you can go on writing: sign in again to save it.",
    short: "you are signed out",
    wayOut: "sign-in",
    forGood: false,
  },
  "no-access": {
    reason: "no-access",
    told: "You no longer have access to this document.",
    short: "you no longer have access",
    wayOut: "leave",
    forGood: true,
  },
  "not-found": {
    reason: "not-found",
    told: "This document does not exist, or it has not been shared with you.",
    short: "this document is not there any more",
    wayOut: "leave",
    forGood: true,
  },
  "new-epoch": {
    reason: "new-epoch",
    told: "This document was replaced by another version of itself. Reload to see it.",
    short: "this document was replaced",
    wayOut: "reload",
    forGood: true,
  },
  trashed: {
    reason: "trashed",
    told: "This document is in the trash.",
    short: "this document is in the trash",
    wayOut: "leave",
    forGood: true,
  },
  "page-too-old": {
    reason: "page-too-old",
    told: "Collab has been updated since you opened this page. Reload to go on writing.",
    short: "this page has to be reloaded",
    wayOut: "reload",
    forGood: false,
  },
  "other-person": {
    reason: "other-person",
    told: "Somebody else has signed in to this browser. Reload to go on as that person.",
    short: "somebody else has signed in",
    wayOut: "reload",
    forGood: false,
  },
  "too-many": {
    reason: "too-many",
    told: "This document is open in too many places. Close a tab that is not needed, then reload this one.",
    short: "this document is open in too many places",
    wayOut: "reload",
    forGood: false,
  },
  unknown: {
    reason: "unknown",
    told: "The server has closed this document. Reload to try again.",
    short: "the server has closed this document",
    wayOut: "reload",
    forGood: false,
  },
};

const STOP_CODES: Readonly<Record<number, StopReason>> = {
  4401: "sign-in",
  4403: "no-access",
  4404: "not-found",
  4409: "new-epoch",
  4410: "trashed",
  4426: "page-too-old",
  4429: "too-many",
};

/** 4400 to 4499 stop the tab, even those this page is too old to know; everything else comes back by itself. */
export function meaningOf(code: number): CloseMeaning {
  if (code < 4400 || code > 4499) return { then: "retry" };
  return { then: "stop", stop: STOPS[STOP_CODES[code] ?? "unknown"] };
}
