import type { Edit, KeepState, Keeping } from "../src/connection/keeping";
import { Observable } from "../src/connection/observable";

/** A device that stores at once, for tests about anything else. */
export class KeptAtOnce implements Keeping {
  readonly state = new Observable<KeepState>({ unwritten: 0, failed: false });
  readonly kept = new Set<Edit>();
  refusal: string | null = null;
  settled = 0;
  readonly heardUpdates: Uint8Array[] = [];
  private next = 0;

  add(update: Uint8Array): Edit {
    const edit = { draft: "this tab", number: this.next++, update };
    this.kept.add(edit);
    return edit;
  }

  heard(update: Uint8Array): void {
    this.heardUpdates.push(update);
  }

  forget(edits: readonly Edit[]): void {
    for (const edit of edits) this.kept.delete(edit);
  }

  settle(): void {
    this.settled += 1;
  }

  refuse(reason: string | null): void {
    this.refusal = reason;
  }
}
