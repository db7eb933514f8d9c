/** Everything about unsent text on the document's own page: what earlier tabs left, and what this one can't send. */

import * as Y from "yjs";

import { type Clock, systemClock } from "../connection/clock";
import type { Provider } from "../connection/provider";
import { type SaveState, REFUSED } from "../connection/save-state";
import type { Drafts } from "../storage/open-drafts";
import type { Orphan } from "../storage/orphans";
import { Earlier, type OpenPage } from "./earlier";
import { showEarlier } from "./earlier-notice";
import { RecoveryPanel } from "./panel";
import { readable } from "./readable";
import { type Unsent, unsentDraft } from "./unsent";

/** Milliseconds that the connection waits for this device to say what it has: a stuck disk must not hold up the text. */
const PATIENCE = 2_000;

export interface RecoveryOptions {
  readonly provider: Provider;
  readonly drafts: Drafts;
  readonly doc: Y.Doc;
  readonly page: OpenPage;
  readonly title: () => string;
  readonly banner: HTMLElement;
  readonly reload: () => void;
  readonly clock?: Clock;
}

export class Recovery {
  private readonly earlier: Earlier;
  private readonly panel = new RecoveryPanel();

  constructor(private readonly options: RecoveryOptions) {
    const { provider, drafts, page, banner } = options;
    this.earlier = new Earlier({
      page,
      count: (draft) => drafts.keeper.adopt(draft),
      send: (edits, past) => provider.adopt(edits, past),
      refuse: (id, reason) => drafts.store.refuse(id, reason),
    });
    this.earlier.offered.subscribe((offered) => {
      showEarlier(banner, offered.map(({ record }) => record), () => this.show());
    });
    provider.role.subscribe((role) => this.earlier.become(role));
    provider.connection.status.subscribe(({ kind }) => {
      if (kind === "open") void this.look();
    });
  }

  /** Resolves when it is known what earlier tabs left: their edits then go out with the answer to step 1. */
  begin(): Promise<void> {
    const { clock = systemClock } = this.options;
    const late = new Promise<void>((done) => void clock.after(PATIENCE, done));
    return Promise.race([this.look(), late]);
  }

  show(): void {
    const here = this.ofThisPage();
    const earlier = this.earlier.offered.value.map((draft) => unsentDraft(draft, (id) => this.discard(id)));
    this.panel.show([...(here === null ? [] : [here]), ...earlier]);
  }

  private async look(): Promise<void> {
    const take = (orphan: Orphan): void => this.earlier.take(orphan, this.options.provider.role.value);
    try {
      for (const orphan of await this.options.drafts.orphans.find(take)) take(orphan);
    } catch (error) {
      // The save state says that nothing is kept here as soon as there is something to keep.
      console.warn("Collab: this device could not be asked for unsent text", error);
    }
  }

  private async discard(id: string): Promise<void> {
    await this.options.drafts.store.discard(id);
    this.earlier.discarded(id);
  }

  private ofThisPage(): Unsent | null {
    const { provider, drafts, doc, title, reload } = this.options;
    const edits = provider.unconfirmed.map(({ update }) => update);
    if (edits.length === 0) return null;
    const state = provider.saving.value;
    return {
      title: title(),
      changes: edits.length,
      at: null,
      why: whyNow(state),
      kept: !("keeps" in state) || state.keeps,
      read: () => readable([Y.encodeStateAsUpdate(doc)], edits),
      async discard() {
        provider.discard();
        await drafts.keeper.flush();
        reload();
      },
    };
  }
}

function whyNow(state: SaveState): string {
  if (state.kind === "refused") return REFUSED[state.reason];
  return state.kind === "stopped" ? state.stop.short : "the server has not answered yet";
}
