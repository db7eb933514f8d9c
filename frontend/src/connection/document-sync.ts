import * as Y from "yjs";

import { DEFAULT_LIMITS, type RefusalReason } from "./facts";
import { Outbox } from "./outbox";
import { SYNC_OVERHEAD, encodeStep1, encodeStep2, encodeUpdate } from "./protocol";

const EMPTY_UPDATE = new Uint8Array([0, 0]);

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
  private send: ((frame: Uint8Array) => void) | null = null;
  private answered = false;
  private relays = true;

  constructor(
    private readonly doc: Y.Doc,
    private readonly mayWrite: () => boolean,
    private readonly changed: () => void,
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
  }

  destroy(): void {
    this.doc.off("update", this.onUpdate);
  }

  /** The server told its state vector: a reader has nothing to give, and its answer would only be refused. */
  answer(stateVector: Uint8Array): void {
    if (this.send === null || !this.mayWrite()) return;
    this.send(encodeStep2(this.lackedBy(stateVector)));
    this.answered = true;
    this.flush();
  }

  saved(frames: number): void {
    this.outbox.saved(frames);
    this.relays ||= this.outbox.changes === 0;
    this.flush();
  }

  /** False when this connection has to be given up, so that the next can do without other people's edits. */
  refused(frame: number, reason: RefusalReason): boolean {
    if (frame === 1 && reason === "not-yours" && this.relays) {
      this.relays = false;
      return false;
    }
    this.outbox.refused(frame, reason);
    this.changed();
    return true;
  }

  receive(update: Uint8Array): void {
    Y.applyUpdate(this.doc, update, this);
  }

  /** Sends what the window allows. Before the answer to step 1 nothing goes out: the answer carries it. */
  flush(): void {
    if (this.send !== null && this.answered) {
      for (let update = this.outbox.take(this.updateLimit); update !== null; ) {
        this.send(encodeUpdate(update));
        update = this.outbox.take(this.updateLimit);
      }
    }
    this.changed();
  }

  private lackedBy(stateVector: Uint8Array): Uint8Array {
    if (this.relays) {
      const update = Y.encodeStateAsUpdate(this.doc, stateVector);
      if (update.length <= this.updateLimit) {
        this.outbox.takeAll();
        return update;
      }
    }
    const own = this.outbox.take(this.updateLimit);
    if (own !== null) return Y.diffUpdate(own, stateVector);
    this.outbox.takeAll();
    return EMPTY_UPDATE;
  }

  private get updateLimit(): number {
    return this.frameLimit - SYNC_OVERHEAD;
  }

  private readonly onUpdate = (update: Uint8Array, origin: unknown): void => {
    // The editor's binding may tidy a reader's copy too (it drops nodes it cannot show); that must not travel.
    if (origin === this || !this.mayWrite()) return;
    this.outbox.add(update);
    this.flush();
  };
}
