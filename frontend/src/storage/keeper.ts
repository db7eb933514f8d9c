import type { Clock } from "../connection/clock";
import type { Edit, KeepState, Keeping } from "../connection/keeping";
import { Observable } from "../connection/observable";
import type { Batch, Draft, DraftRecord, Entry } from "./draft";
import { type Held, Work } from "./work";

/** Milliseconds in which edits are gathered for one write. */
const PACE = 30;

/** Milliseconds that others' edits are remembered: the server commits within a tenth of a second, or says that it can't. */
const COMMITTED_BY_THEN = 1_000;

/** Milliseconds that edits stay unconfirmed before the whole document is kept beside them. */
const LONG = 1_000;

/** Milliseconds before a device that took nothing is asked again. */
const RETRY = 5_000;

export interface KeeperOptions {
  readonly write: (batch: Batch) => Promise<void>;
  readonly clock: Clock;
  /** The draft of this tab as it would begin now. */
  readonly record: () => DraftRecord;
  /** The whole document as a Yjs update. */
  readonly state: () => Uint8Array;
}

/**
 * Writes edits to this device as they are made and removes them when the server has them. What is taken out to be
 * written is taken out before the write, and put back if the write fails.
 */
export class Keeper implements Keeping {
  readonly state = new Observable<KeepState>({ unwritten: 0, failed: false }, sameKeepState);
  private readonly held = new Map<string, Held>();
  private due = new Work();
  private next = 0;
  private refusal: string | null = null;
  private recent: { readonly at: number; readonly update: Uint8Array }[] = [];
  private hasState = false;
  private failed = false;
  private underWay: ReadonlySet<Entry> = new Set();
  private writing: Promise<void> = Promise.resolve();
  private cancelWrite: (() => void) | null = null;
  private cancelLong = (): void => undefined;

  constructor(private readonly options: KeeperOptions) {}

  add(update: Uint8Array): Edit {
    const own = this.own ?? this.begin();
    const edit: Edit & Entry = { draft: own.record.id, number: this.next++, own: true, update };
    own.edits.add(edit);
    this.due.entries.add(edit);
    this.writeSoon();
    return edit;
  }

  heard(update: Uint8Array): void {
    // A copy: the bytes are a part of a frame, which would be stored whole.
    const copy = update.slice();
    const own = this.own;
    if (own === undefined) return this.remember(copy);
    this.due.entries.add({ draft: own.record.id, number: this.next++, own: false, update: copy });
    this.writeSoon();
  }

  /** Counts an earlier tab's edits, which this device has. */
  adopt({ record, entries }: Draft): Edit[] {
    const edits = entries.filter(({ own }) => own);
    const now = { ...record, refusal: this.refusal };
    this.held.set(record.id, { record: now, edits: new Set(edits), stored: true, adopted: true });
    if (record.refusal !== this.refusal) this.due.records.add(record.id);
    return edits;
  }

  forget(edits: readonly Edit[]): void {
    for (const edit of edits) {
      const held = this.held.get(edit.draft);
      if (held?.edits.delete(edit) !== true) continue;
      if (!this.due.entries.delete(edit as Edit & Entry)) this.due.gone.push(edit);
      if (held.edits.size === 0) this.empty(held);
    }
    if (edits.length > 0) this.writeSoon();
  }

  settle(): void {
    if (this.own !== undefined && !this.hasState) this.due.state = true;
    if (this.held.size > 0) void this.flush();
  }

  refuse(reason: string | null): void {
    if (reason === this.refusal) return;
    this.refusal = reason;
    for (const held of this.held.values()) {
      held.record = { ...held.record, refusal: reason };
      this.due.records.add(held.record.id);
    }
    if (this.held.size > 0) this.writeSoon();
  }

  /** Everything was taken from this device; what is still unconfirmed is written again. */
  rewrite(): void {
    for (const [id, held] of this.held) {
      this.due.records.add(id);
      for (const edit of held.edits) this.due.entries.add(edit as Edit & Entry);
    }
    this.due.state = this.own !== undefined;
    if (this.held.size > 0) this.writeSoon();
  }

  /** Writes what is due; resolves when this device has it, or has refused. */
  flush(): Promise<void> {
    this.cancelWrite?.();
    this.cancelWrite = null;
    this.writing = this.writing.then(() => this.write());
    return this.writing;
  }

  private get own(): Held | undefined {
    return [...this.held.values()].find(({ adopted }) => !adopted);
  }

  private begin(): Held {
    const record = { ...this.options.record(), refusal: this.refusal };
    const own = { record, edits: new Set<Edit>(), stored: false, adopted: false };
    this.held.set(record.id, own);
    this.due.records.add(record.id);
    this.remember(null);
    for (const { update } of this.recent) {
      this.due.entries.add({ draft: record.id, number: this.next++, own: false, update });
    }
    this.hasState = false;
    this.cancelLong = this.options.clock.after(LONG, () => this.settle());
    return own;
  }

  private remember(update: Uint8Array | null): void {
    const now = this.options.clock.now();
    this.recent = this.recent.filter(({ at }) => now - at < COMMITTED_BY_THEN);
    if (update !== null) this.recent.push({ at: now, update });
  }

  private empty({ record, stored, adopted }: Held): void {
    this.held.delete(record.id);
    this.due.drop(record.id);
    if (stored) this.due.emptied.add(record.id);
    if (adopted) return;
    this.due.state = false;
    this.cancelLong();
  }

  private writeSoon(): void {
    this.reckon();
    this.cancelWrite ??= this.options.clock.after(this.failed ? RETRY : PACE, () => {
      this.cancelWrite = null;
      void this.flush();
    });
  }

  private async write(): Promise<void> {
    const work = this.due;
    const own = this.own;
    const state = work.state && own !== undefined ? { draft: own.record.id, state: this.options.state() } : null;
    const batch = work.batch(this.held, state);
    if (batch === null) return;
    this.due = new Work();
    this.underWay = work.entries;
    for (const { id } of batch.records) (this.held.get(id) as Held).stored = true;
    try {
      await this.options.write(batch);
      this.failed = false;
      if (batch.state !== null && this.own === own) this.hasState = true;
    } catch (error) {
      // Whatever came due meanwhile comes after it.
      this.due = work.before(this.due, this.held);
      // A whole document may be too much for a device that still has room for the edits.
      if (batch.state !== null) return this.write();
      if (!this.failed) console.warn("Collab: this device keeps nothing", error);
      this.failed = true;
    }
    this.underWay = new Set();
    this.reckon();
    if (this.failed) this.writeSoon();
  }

  private reckon(): void {
    const entries = [...this.due.entries, ...this.underWay];
    const edits = entries.filter((entry) => this.held.get(entry.draft)?.edits.has(entry) === true);
    this.state.set({ unwritten: new Set(edits).size, failed: this.failed });
  }
}

function sameKeepState(a: KeepState, b: KeepState): boolean {
  return a.unwritten === b.unwritten && a.failed === b.failed;
}
