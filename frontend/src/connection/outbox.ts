import * as Y from "yjs";

import type { RefusalReason } from "./facts";
import type { Edit } from "./keeping";

/** Updates merged into one frame, at most: merging costs the square of their number. */
const MERGED = 256;

/** Frames sent and not yet confirmed, at most; what comes after waits and is merged. */
const WINDOW = 16;

/**
 * The edits of this person that the server has not confirmed, in the order they were made. Frames are numbered from 1
 * on every connection. A refused frame keeps all later ones: Yjs cannot apply an edit without the ones before it,
 * so `saved` past a refusal would promise what no other person can see. For the same reason everything waits while
 * an edit too large for a frame is uploaded.
 */
export class Outbox {
  private waiting: Edit[] = [];
  /** Frames under way, each with the edits in it; the first has the number after `confirmed`. */
  private sent: Edit[][] = [];
  private uploading: Edit[] = [];
  private confirmed = 0;
  private refusedFrame = Number.POSITIVE_INFINITY;
  private refusalReason: RefusalReason | null = null;

  /** Edits that are not confirmed, as the person would count them. */
  get changes(): number {
    return this.sent.reduce((sum, frame) => sum + frame.length, this.uploading.length + this.waiting.length);
  }

  get edits(): Edit[] {
    return [...this.sent.flat(), ...this.uploading, ...this.waiting];
  }

  get refusal(): RefusalReason | null {
    return this.refusalReason;
  }

  add(edit: Edit): void {
    this.waiting.push(edit);
  }

  /** The next frame's update of at most `limit` bytes, now counted as sent; null when none can be sent now. */
  take(limit: number): Uint8Array | null {
    const [first] = this.waiting;
    if (first === undefined || first.update.length > limit || this.isHeld || this.sent.length >= WINDOW) return null;
    const frame = this.waiting.splice(0, this.fitting(limit));
    this.sent.push(frame);
    return merged(frame);
  }

  /** Counts a frame that holds everything that waits, possibly nothing: the caller has it from the document. */
  takeAll(): void {
    this.sent.push(this.waiting.splice(0));
  }

  /** Counts a frame that brings nothing. */
  takeNone(): void {
    this.sent.push([]);
  }

  /** The next edit if it is over `limit` and everything before it is confirmed; it now counts as being uploaded. */
  takeLarge(limit: number): Uint8Array | null {
    const [first] = this.waiting;
    if (first === undefined || first.update.length <= limit || this.isHeld) return null;
    if (this.sent.some((frame) => frame.length > 0)) return null;
    this.uploading = this.waiting.splice(0, 1);
    return first.update;
  }

  /** Everything that waits counts as being uploaded: the caller has it from the document. */
  uploadAll(): void {
    this.uploading = this.waiting.splice(0);
  }

  /** The upload was committed; answers what was in it. */
  uploaded(): Edit[] {
    return this.uploading.splice(0);
  }

  /** Answers the edits that this confirms. */
  saved(frames: number): Edit[] {
    const upTo = Math.min(frames, this.refusedFrame - 1);
    if (upTo <= this.confirmed) return [];
    const confirmed = this.sent.splice(0, upTo - this.confirmed);
    this.confirmed = upTo;
    return confirmed.flat();
  }

  refused(frame: number, reason: RefusalReason): void {
    if (frame <= this.confirmed) throw new Error(`Frame ${frame} refused after it was confirmed`);
    this.refusedFrame = Math.min(this.refusedFrame, frame);
    this.refusalReason ??= reason;
  }

  /** Nothing more can be sent on this connection: an upload was refused, or the tab found the reason itself. */
  hold(reason: RefusalReason): void {
    this.refusalReason ??= reason;
  }

  /** Answers all that is given up. */
  clear(): Edit[] {
    const given = this.edits;
    this.restart();
    this.waiting = [];
    return given;
  }

  /** A new connection: everything unconfirmed waits again, the refused too, since the reason may be gone. */
  restart(): void {
    this.waiting = this.edits;
    this.sent = [];
    this.uploading = [];
    this.confirmed = 0;
    this.refusedFrame = Number.POSITIVE_INFINITY;
    this.refusalReason = null;
  }

  private get isHeld(): boolean {
    return this.refusalReason !== null || this.uploading.length > 0;
  }

  private fitting(limit: number): number {
    let bytes = 0;
    let number = 0;
    for (const { update } of this.waiting.slice(0, MERGED)) {
      bytes += update.length;
      // Half the limit, since merging updates that leave gaps may add a few bytes for each.
      if (number > 0 && bytes > limit / 2) break;
      number += 1;
    }
    return number;
  }
}

/** One update with all these edits, at least one; they stay separate until here so that they can be counted and kept one by one. */
export function merged(edits: readonly Edit[]): Uint8Array {
  const [first] = edits;
  if (edits.length === 1 && first !== undefined) return first.update;
  const parts: Uint8Array[] = [];
  for (let start = 0; start < edits.length; start += MERGED) {
    parts.push(Y.mergeUpdates(edits.slice(start, start + MERGED).map(({ update }) => update)));
  }
  return parts.length === 1 ? (parts[0] as Uint8Array) : Y.mergeUpdates(parts);
}
