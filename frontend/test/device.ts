// The globals as well: key ranges have no factory of their own.
import "fake-indexeddb/auto";

import { IDBFactory } from "fake-indexeddb";
import * as Y from "yjs";

import type { Role } from "../src/connection/facts";
import { Earlier } from "../src/recovery/earlier";
import { type Drafts, openDrafts } from "../src/storage/open-drafts";
import { FakeClock } from "./fake-clock";
import { FakeLocks } from "./fake-locks";
import type { FakeServer } from "./fake-server";
import { Tab } from "./tab";

/** One browser profile: its database and its locks outlive the tabs. */
export class Device {
  readonly factory = new IDBFactory();
  readonly locks = new FakeLocks();
  /** False as on an origin that is not secure. */
  hasLocks = true;
  private tabs = 0;

  /** A tab that has looked for what others left, and is connected. */
  async open(server: FakeServer, options: VisitOptions = {}): Promise<Visit> {
    const visit = new Visit(this, `tab ${(this.tabs += 1)}`, server, options);
    await visit.begin();
    return visit;
  }
}

export interface VisitOptions {
  readonly role?: Role;
  readonly epoch?: number;
  readonly schemaVersion?: number;
  readonly clock?: FakeClock;
}

/** An open page with a device under it. */
export class Visit extends Tab {
  readonly drafts: Drafts;
  readonly earlier: Earlier;

  constructor(
    private readonly on: Device,
    readonly id: string,
    server: FakeServer,
    { role = "editor", epoch = 1, schemaVersion = 1, clock = new FakeClock() }: VisitOptions,
  ) {
    let drafts: Drafts | undefined;
    super(server, role, clock, (doc) => {
      drafts = openDrafts({
        tab: id,
        person: server.person.id,
        document: "d",
        title: () => "Field notes",
        epoch,
        schemaVersion,
        state: () => Y.encodeStateAsUpdate(doc),
        clock,
        factory: on.factory,
        manager: on.hasLocks ? on.locks.of(id) : undefined,
      });
      return drafts.keeper;
    });
    this.drafts = drafts as unknown as Drafts;
    this.earlier = new Earlier({
      page: { epoch, schemaVersion },
      count: (draft) => this.drafts.keeper.adopt(draft),
      send: (edits, past) => this.provider.adopt(edits, past),
      refuse: (draft, reason) => this.drafts.store.refuse(draft, reason),
    });
  }

  async begin(): Promise<void> {
    await this.look();
    this.provider.connect();
    this.server.settle();
  }

  async look(): Promise<void> {
    const take = (orphan: Parameters<Earlier["take"]>[0]): void => this.earlier.take(orphan, this.provider.role.value);
    for (const orphan of await this.drafts.orphans.find(take)) take(orphan);
  }

  /** Lets the device write what is due. */
  async write(): Promise<void> {
    this.clock.advance(50);
    await this.drafts.keeper.flush();
  }

  /** Drafts on the device, of whoever is signed in here. */
  async left(): Promise<number> {
    return (await this.drafts.store.of(this.server.person.id)).length;
  }

  /** The tab is gone without a word: nothing is written or sent any more. */
  crash(): void {
    for (const line of this.server.lines) line.forget();
    this.close();
    this.on.locks.end(this.id);
  }
}
