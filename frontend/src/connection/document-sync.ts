import * as Y from "yjs";

import { DEFAULT_LIMITS, type RefusalReason } from "./facts";
import type { Edit, Keeping } from "./keeping";
import { buildsOnLost } from "./lost-past";
import { Outbox, merged } from "./outbox";
import { SYNC_OVERHEAD, encodeStep1, encodeStep2, encodeUpdate } from "./protocol";
import type { Upload } from "./upload";

const EMPTY_UPDATE = new Uint8Array([0, 0]);

export interface SyncHandlers {
  mayWrite(): boolean;
  changed(): void;
  /** This connection has to be given up; the next one does better. */
  renew(): void;
}

/**
 * Keeps a Y.Doc and the server's copy the same over one connection after another.
 *
 * The answer to the server's step 1 is all that the server lacks, other people's edits too: after a crash this tab may
 * be the only one that still has them. At other times the server refuses edits under somebody else's id, and this
 * tab's own with them; then the next connection's answer holds only this tab's own.
 */
export class DocumentSync {
  readonly outbox = new Outbox();
  /** Bytes of a whole frame. */
  frameLimit = DEFAULT_LIMITS.frameBytes;
  /** How much of the upload under way has arrived, from 0 to 1; null when there is none. */
  uploaded: number | null = null;
  private send: ((frame: Uint8Array) => void) | null = null;
  private answered = false;
  private relays = true;
  private uploading = new AbortController();

  constructor(
    private readonly doc: Y.Doc,
    private readonly keeper: Keeping,
    private readonly upload: Upload,
    private readonly handlers: SyncHandlers,
  ) {
    doc.on("update", this.onUpdate);
  }

  begin(send: (frame: Uint8Array) => void): void {
    this.send = send;
    this.answered = false;
    this.outbox.restart();
    send(encodeStep1(Y.encodeStateVector(this.doc)));
  }

  end(): void {
    this.send = null;
    this.uploading.abort();
    this.uploaded = null;
    if (this.outbox.changes > 0) this.keeper.settle();
  }

  destroy(): void {
    this.end();
    this.doc.off("update", this.onUpdate);
  }

  /** Edits of this person's earlier tabs, and what they may build on. */
  adopt(edits: readonly Edit[], past: readonly Uint8Array[]): void {
    for (const update of past) Y.applyUpdate(this.doc, update, this);
    // As one: without their past, Yjs would merge each anew with all that wait for it.
    Y.applyUpdate(this.doc, merged(edits), this);
    for (const edit of edits) this.outbox.add(edit);
    this.flush();
  }

  /** The person gives up everything unconfirmed. The document still shows it: the page has to be reloaded. */
  discard(): void {
    this.keeper.forget(this.outbox.clear());
    this.handlers.changed();
  }

  /** The server told its state vector: a reader has nothing to give, and its answer would only be refused. */
  answer(stateVector: Uint8Array): void {
    if (this.send === null || !this.handlers.mayWrite()) return;
    this.send(encodeStep2(this.lackedBy(stateVector)));
    this.answered = true;
    this.flush();
  }

  saved(frames: number): void {
    this.keeper.forget(this.outbox.saved(frames));
    this.relays ||= this.outbox.changes === 0;
    this.flush();
  }

  refused(frame: number, reason: RefusalReason): void {
    if (frame === 1 && reason === "not-yours" && this.relays) {
      this.relays = false;
      return this.handlers.renew();
    }
    this.outbox.refused(frame, reason);
    this.handlers.changed();
  }

  /** All that this tab lacked when it connected. */
  receiveState(update: Uint8Array): void {
    Y.applyUpdate(this.doc, update, this);
  }

  receive(update: Uint8Array): void {
    Y.applyUpdate(this.doc, update, this);
    if (this.handlers.mayWrite()) this.keeper.heard(update);
  }

  /** Sends what the window allows. Before the answer to step 1 nothing goes out: the answer carries it. */
  flush(): void {
    if (this.send !== null && this.answered) {
      for (let update = this.outbox.take(this.updateLimit); update !== null; ) {
        this.send(encodeUpdate(update));
        update = this.outbox.take(this.updateLimit);
      }
      const large = this.outbox.takeLarge(this.updateLimit);
      if (large !== null) void this.uploadNow(large);
    }
    this.handlers.changed();
  }

  private lackedBy(stateVector: Uint8Array): Uint8Array {
    const lacked = this.relays ? Y.encodeStateAsUpdate(this.doc, stateVector) : null;
    if (lacked !== null && lacked.length <= this.updateLimit) {
      this.outbox.takeAll();
      return lacked;
    }
    const { edits } = this.outbox;
    if (edits.length > 0 && buildsOnLost(merged(edits), stateVector)) {
      if (lacked === null) {
        this.outbox.hold("lost-past");
      } else {
        this.outbox.uploadAll();
        void this.uploadNow(lacked, true);
      }
    }
    const own = this.outbox.take(this.updateLimit);
    if (own !== null) return Y.diffUpdate(own, stateVector);
    this.outbox.takeNone();
    return EMPTY_UPDATE;
  }

  private async uploadNow(update: Uint8Array, relaying = false): Promise<void> {
    const { signal } = (this.uploading = new AbortController());
    this.uploaded = 0;
    const outcome = await this.upload(update, signal, (part) => {
      if (signal.aborted) return;
      this.uploaded = part;
      this.handlers.changed();
    });
    // The connection ended meanwhile: all that was uploading waits again, for the next one.
    if (signal.aborted) return;
    this.uploaded = null;
    if (outcome.kind === "saved") {
      this.keeper.forget(this.outbox.uploaded());
    } else if (outcome.kind === "turned-away" || (relaying && outcome.reason === "not-yours")) {
      this.relays &&= outcome.kind === "turned-away";
      return this.handlers.renew();
    } else {
      this.outbox.hold(outcome.reason);
    }
    this.flush();
  }

  private get updateLimit(): number {
    return this.frameLimit - SYNC_OVERHEAD;
  }

  private readonly onUpdate = (update: Uint8Array, origin: unknown): void => {
    // The editor's binding may tidy a reader's copy too (it drops nodes it cannot show); that must not travel.
    if (origin === this || !this.handlers.mayWrite()) return;
    this.outbox.add(this.keeper.add(update));
    this.flush();
  };
}
