import { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";

import type { LiveEvent, Role } from "../src/connection/facts";
import type { Keeping } from "../src/connection/keeping";
import { Provider } from "../src/connection/provider";
import { sentence } from "../src/connection/save-state";
import { FakeClock } from "./fake-clock";
import type { FakeServer, Line } from "./fake-server";
import { KeptAtOnce } from "./kept-at-once";

/** One open page without a page: a document, a provider and a clock of its own. */
export class Tab {
  readonly doc = new Y.Doc();
  readonly awareness = new Awareness(this.doc);
  readonly events: LiveEvent[] = [];
  readonly provider: Provider;
  readonly device = new KeptAtOnce();

  constructor(
    readonly server: FakeServer,
    role: Role = "editor",
    readonly clock = new FakeClock(),
    keeper: ((doc: Y.Doc) => Keeping) | null = null,
  ) {
    this.provider = new Provider({
      doc: this.doc,
      awareness: this.awareness,
      open: server.transport(),
      keeper: keeper?.(this.doc) ?? this.device,
      upload: (update, signal, progress) => server.upload(update, signal, progress),
      person: server.person,
      role,
      epoch: 1,
      schemaVersion: 1,
      onEvent: (event) => this.events.push(event),
      clock,
    });
  }

  static open(server: FakeServer, role: Role = "editor", clock = new FakeClock()): Tab {
    const tab = new Tab(server, role, clock);
    tab.provider.connect();
    server.settle();
    return tab;
  }

  get text(): string {
    return this.doc.getText("t").toString();
  }

  /** What the person reads about saving. */
  get saying(): string {
    return sentence(this.provider.saving.value);
  }

  get line(): Line {
    const [line, ...others] = [...this.server.lines];
    if (line === undefined || others.length > 0) throw new Error("This test expects exactly one connection");
    return line;
  }

  type(text: string, at = this.text.length): void {
    this.doc.getText("t").insert(at, text);
  }

  erase(at: number, length: number): void {
    this.doc.getText("t").delete(at, length);
  }

  wait(milliseconds: number): void {
    this.server.live(this.clock, milliseconds);
  }

  /** Awareness keeps an interval running, which would keep the test run alive. */
  close(): void {
    this.provider.destroy();
    this.awareness.destroy();
    this.doc.destroy();
  }
}
