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
import { Observable } from "./observable";
import { Presence } from "./presence";
import type { Inbound } from "./protocol";
import { type SaveState, sameSaveState, saveState } from "./save-state";
import type { OpenTransport } from "./transport";

export interface ProviderOptions {
  readonly doc: Y.Doc;
  readonly awareness: Awareness;
  readonly open: OpenTransport;
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
  /** Whether typing makes sense now: an editor's role, a document that is here, and a server that takes the edits. */
  readonly editable = new Observable(false);
  readonly connection: Connection;
  private readonly sync: DocumentSync;
  private readonly presence: Presence;
  private storing = true;

  constructor(private readonly options: ProviderOptions) {
    const { doc, awareness, open, person, role, clock = systemClock } = options;
    this.role = new Observable<Role>(role);
    this.saving = new Observable<SaveState>({ kind: "opening" }, sameSaveState);
    this.sync = new DocumentSync(doc, () => mayEdit(this.role.value), () => this.reckon());
    this.presence = new Presence(awareness, person, clock);
    this.connection = new Connection(
      open,
      { opened: () => this.begin(), received: (message) => this.receive(message), closed: () => this.end() },
      clock,
    );
    this.connection.status.subscribe(() => this.reckon());
  }

  /** Edits that the server has not confirmed. */
  get unconfirmed(): number {
    return this.sync.outbox.changes;
  }

  connect(): void {
    this.connection.connect();
  }

  wake(): void {
    this.connection.wake();
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
        this.sync.receive(message.update);
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
        if (!this.sync.refused(message.frame, message.reason)) this.connection.giveUp();
        return;
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
    this.sync.frameLimit = hello.limits.frameBytes;
    this.role.set(hello.role);
    this.reckon();
  }

  private happen(event: LiveEvent): void {
    if (event.type === "saving") {
      this.storing = event.ok;
      this.reckon();
    }
    this.options.onEvent?.(event);
  }

  private reckon(): void {
    const status = this.connection.status.value;
    const mayWrite = mayEdit(this.role.value);
    const stop = status.kind === "stopped" ? status.stop : null;
    const state = saveState({
      changes: this.sync.outbox.changes,
      refusal: this.sync.outbox.refusal,
      stop,
      connected: status.kind === "open",
      synced: this.synced.value,
      mayWrite,
      storing: this.storing,
    });
    this.saving.set(state);
    this.editable.set(mayWrite && this.synced.value && stop === null && state.kind !== "refused");
  }
}
