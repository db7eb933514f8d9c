import * as Y from "yjs";

import type { RefusalReason } from "./facts";

/** Updates merged into one frame, at most: merging costs the square of their number. */
const MERGED = 256;

/** Frames sent and not yet confirmed, at most; what comes after waits and is merged. */
const WINDOW = 16;

/**
 * The edits of this tab that the server has not confirmed, in the order they were made. Frames are numbered from 1
 * on every connection. A refused frame keeps all later ones: Yjs cannot apply an edit without the ones before it,
 * so `saved` past a refusal would promise what no other person can see.
 */
export class Outbox {
  private waiting: Uint8Array[] = [];
  /** Frames under way, each with the edits in it; the first has the number after `confirmed`. */
  private sent: Uint8Array[][] = [];
  private confirmed = 0;
  private refusedFrame = Number.POSITIVE_INFINITY;
  private refusalReason: RefusalReason | null = null;

  /** Edits that are not confirmed, as the person would count them. */
  get changes(): number {
    return this.sent.reduce((sum, frame) => sum + frame.length, this.waiting.length);
  }

  get refusal(): RefusalReason | null {
    return this.refusalReason;
  }

  add(update: Uint8Array): void {
    this.waiting.push(update);
  }

  /**
   * The next frame's update of at most `limit` bytes, now counted as sent; null when there is nothing to send or
   * nothing may be sent. A single update over the limit is kept and refused here as too large.
   */
  take(limit: number): Uint8Array | null {
    const [first] = this.waiting;
    if (first === undefined || this.refusalReason !== null || this.sent.length >= WINDOW) return null;
    if (first.length > limit) {
      this.refusalReason = "too-large";
      return null;
    }
    const frame = this.waiting.splice(0, this.fitting(limit));
    this.sent.push(frame);
    return frame.length === 1 ? first : Y.mergeUpdates(frame);
  }

  /** Counts a frame that holds everything that waits, possibly nothing: the caller has it from the document. */
  takeAll(): void {
    this.sent.push(this.waiting.splice(0));
  }

  saved(frames: number): void {
    const upTo = Math.min(frames, this.refusedFrame - 1);
    if (upTo <= this.confirmed) return;
    this.sent.splice(0, upTo - this.confirmed);
    this.confirmed = upTo;
  }

  refused(frame: number, reason: RefusalReason): void {
    if (frame <= this.confirmed) throw new Error(`Frame ${frame} refused after it was confirmed`);
    this.refusedFrame = Math.min(this.refusedFrame, frame);
    this.refusalReason ??= reason;
  }

  /** A new connection: everything unconfirmed waits again, the refused too, since the reason may be gone. */
  restart(): void {
    this.waiting = [...this.sent.flat(), ...this.waiting];
    this.sent = [];
    this.confirmed = 0;
    this.refusedFrame = Number.POSITIVE_INFINITY;
    this.refusalReason = null;
  }

  private fitting(limit: number): number {
    let bytes = 0;
    let number = 0;
    for (const update of this.waiting.slice(0, MERGED)) {
      bytes += update.length;
      // Half the limit, since merging updates that leave gaps may add a few bytes for each.
      if (number > 0 && bytes > limit / 2) break;
      number += 1;
    }
    return number;
  }
}
