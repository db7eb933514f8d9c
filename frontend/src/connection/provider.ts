/**
 * One open document: the connection, the document's sync and the presence beside it, and what the page may know of
 * them as values to watch. Read `connection.ts`, `document-sync.ts` and `presence.ts` next.
 */

import type { Awareness } from "y-protocols/awareness";
import type * as Y from "yjs";

import { type Clock, systemClock } from "./clock";
import { STOPS } from "./close-codes";
import { Connection } from "./connection";
import { DocumentSync } from "./document-sync";
import { type Hello, type LiveEvent, type Person, type Role, mayEdit } from "./facts";
import type { Edit, Keeping } from "./keeping";
import { Observable } from "./observable";
import { Presence } from "./presence";
import { type Inbound, encodeQueryAwareness } from "./protocol";
import { type SaveState, sameSaveState, saveState } from "./save-state";
import type { OpenTransport } from "./transport";
import type { Upload } from "./upload";

export interface ProviderOptions {
  readonly doc: Y.Doc;
  readonly awareness: Awareness;
  readonly open: OpenTransport;
  readonly keeper: Keeping;
  readonly upload: Upload;
  readonly person: Person;
  readonly role: Role;
  readonly epoch: number;
  readonly schemaVersion: number;
  readonly onEvent?: (event: LiveEvent) => void;
  readonly clock?: Clock;
}

export class Provider {
  readonly saving: Observable<SaveState>;
  readonly role: Observable<Role>;
  /** True once the whole document has arrived, and from then on. */
  readonly synced = new Observable(false);
  /** Whether typing makes sense now: an editor's role, a document that is here, and edits that can still be saved. */
  readonly editable = new Observable(false);
  /** How full the document is, in percent; 0 below one half. */
  readonly fullness = new Observable(0);
  readonly connection: Connection;
  private readonly sync: DocumentSync;
  private readonly presence: Presence;
  private storing = true;

  constructor(private readonly options: ProviderOptions) {
    const { doc, awareness, open, keeper, upload, person, role, clock = systemClock } = options;
    this.role = new Observable<Role>(role);
    this.saving = new Observable<SaveState>({ kind: "opening" }, sameSaveState);
    this.presence = new Presence(awareness, person, clock);
    this.connection = new Connection(
      open,
      {
        opened: () => this.begin(),
        ask: () => this.connection.send(encodeQueryAwareness()),
        received: (message) => this.receive(message),
        closed: () => this.end(),
      },
      clock,
    );
    this.sync = new DocumentSync(doc, keeper, upload, {
      mayWrite: () => mayEdit(this.role.value),
      changed: () => this.reckon(),
      renew: () => this.connection.giveUp(),
    });
    this.connection.status.subscribe(() => this.reckon());
    keeper.state.subscribe(() => this.reckon());
  }

  /** Edits that the server has not confirmed. */
  get unconfirmed(): readonly Edit[] {
    return this.sync.outbox.edits;
  }

  connect(): void {
    this.connection.connect();
  }

  wake(): void {
    this.connection.wake();
  }

  doubt(): void {
    this.connection.doubt();
  }

  /** What an earlier tab of this person left unsent, and the state it was made on. Only for who may write. */
  adopt(edits: readonly Edit[], past: readonly Uint8Array[]): void {
    this.sync.adopt(edits, past);
  }

  /** Gives up what is unconfirmed; the page has to be reloaded, because its document still holds it. */
  discard(): void {
    this.sync.discard();
  }

  leave(): void {
    this.presence.leave();
  }

  arrive(): void {
    this.presence.arrive();
    this.wake();
  }

  destroy(): void {
    this.connection.destroy();
    this.presence.destroy();
    this.sync.destroy();
  }

  private begin(): void {
    const send = (frame: Uint8Array): boolean => this.connection.send(frame);
    this.sync.begin(send);
    this.presence.begin(send);
  }

  private end(): void {
    this.sync.end();
    this.presence.end();
    this.storing = true;
  }

  private receive(message: Inbound): void {
    this.presence.renew();
    switch (message.kind) {
      case "hello":
        return this.welcome(message.hello);
      case "step1":
        return this.sync.answer(message.stateVector);
      case "step2":
        this.sync.receiveState(message.update);
        this.synced.set(true);
        return this.reckon();
      case "update":
        return this.sync.receive(message.update);
      case "awareness":
        return this.presence.receive(message.update);
      case "query-awareness":
        return this.presence.sendNow();
      case "saved":
        return this.sync.saved(message.frames);
      case "refused":
        return this.sync.refused(message.frame, message.reason);
      case "event":
        return this.happen(message.event);
      case "denied":
        return this.connection.stop(STOPS["no-access"]);
      case "heartbeat":
      case "unknown":
        return;
    }
  }

  /** Before anything of the document is taken in: is it still the one this page was made for, and by whom? */
  private welcome(hello: Hello): void {
    if (hello.epoch !== this.options.epoch) return this.connection.stop(STOPS["new-epoch"]);
    if (hello.schemaVersion > this.options.schemaVersion) return this.connection.stop(STOPS["page-too-old"]);
    if (hello.person.id !== this.options.person.id) return this.connection.stop(STOPS["other-person"]);
    this.fullness.set(0);
    this.sync.frameLimit = hello.limits.frameBytes;
    this.role.set(hello.role);
    this.reckon();
  }

  private happen(event: LiveEvent): void {
    if (event.type === "saving") {
      this.storing = event.ok;
      this.reckon();
    } else if (event.type === "size") {
      const percent = Math.floor((event.bytes / event.limit) * 100);
      this.fullness.set(percent >= 50 ? Math.min(percent, 100) : 0);
    }
    this.options.onEvent?.(event);
  }

  private reckon(): void {
    const status = this.connection.status.value;
    const mayWrite = mayEdit(this.role.value);
    const stop = status.kind === "stopped" ? status.stop : null;
    const state = saveState({
      changes: this.sync.outbox.changes,
      keep: this.options.keeper.state.value,
      refusal: this.sync.outbox.refusal,
      stop,
      connected: status.kind === "open",
      synced: this.synced.value,
      mayWrite,
      storing: this.storing,
      uploaded: this.sync.uploaded,
    });
    this.saving.set(state);
    // Whoever was signed out goes on writing: the edits are kept and follow after the sign-in.
    const goesOn = stop === null || stop.reason === "sign-in";
    this.editable.set(mayWrite && this.synced.value && goesOn && state.kind !== "refused");
    this.options.keeper.refuse(lossOf(state));
  }
}

/** Why the edits can only be offered as a copy, as a word; null while they may still be saved. */
function lossOf(state: SaveState): string | null {
  if (state.kind === "refused") return state.reason;
  return state.kind === "stopped" && state.stop.forGood ? state.stop.reason : null;
}
