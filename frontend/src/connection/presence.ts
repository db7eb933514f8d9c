import {
  type Awareness,
  applyAwarenessUpdate,
  encodeAwarenessUpdate,
  removeAwarenessStates,
} from "y-protocols/awareness";

import type { Clock } from "./clock";
import type { Person } from "./facts";
import { encodeAwareness } from "./protocol";

/** Milliseconds between two awareness frames of this tab: twenty a second. */
const PACE = 50;

/** Milliseconds after which peers need a sign of life; at 30 s they forget us. */
const RENEWAL = 15_000;

interface Changes {
  readonly added: number[];
  readonly updated: number[];
  readonly removed: number[];
}

/** Sends this tab's awareness state, at most twenty times a second, and takes in everybody else's. */
export class Presence {
  private send: ((frame: Uint8Array) => void) | null = null;
  private cancelTimer: (() => void) | null = null;
  private sentAt = Number.NEGATIVE_INFINITY;
  private owed = false;

  constructor(
    private readonly awareness: Awareness,
    private readonly person: Person,
    private readonly clock: Clock,
  ) {
    awareness.on("update", this.onUpdate);
    this.arrive();
  }

  begin(send: (frame: Uint8Array) => void): void {
    // With the clock that the others last heard they would not believe that we are back.
    this.awareness.setLocalState(this.awareness.getLocalState());
    this.send = send;
    this.sendNow();
  }

  /** Without a connection nobody else is known to be here. */
  end(): void {
    this.send = null;
    const others = [...this.awareness.getStates().keys()].filter((id) => id !== this.awareness.clientID);
    removeAwarenessStates(this.awareness, others, this);
    // Their clocks go too, or the same states would be ignored as old news after the reconnect.
    for (const id of [...this.awareness.meta.keys()]) {
      if (id !== this.awareness.clientID) this.awareness.meta.delete(id);
    }
  }

  receive(update: Uint8Array): void {
    applyAwarenessUpdate(this.awareness, update, this);
  }

  /** Hidden tabs have their timers slowed beyond the 30 s, but messages still arrive on time: they set the pace. */
  renew(): void {
    const own = this.awareness.meta.get(this.awareness.clientID);
    if (own !== undefined && this.clock.now() - own.lastUpdated >= RENEWAL) {
      this.awareness.setLocalState(this.awareness.getLocalState());
    }
  }

  sendNow(): void {
    this.cancelTimer?.();
    this.cancelTimer = null;
    this.owed = false;
    if (this.send === null) return;
    this.sentAt = this.clock.now();
    this.send(encodeAwareness(encodeAwarenessUpdate(this.awareness, [this.awareness.clientID])));
  }

  /** The page is going away: the caret disappears for the others now and not after half a minute. */
  leave(): void {
    this.awareness.setLocalState(null);
    if (this.owed) this.sendNow();
  }

  arrive(): void {
    if (this.awareness.getLocalState()?.["user"] === undefined) this.awareness.setLocalState({ user: this.person });
  }

  destroy(): void {
    this.cancelTimer?.();
    this.awareness.off("update", this.onUpdate);
  }

  private readonly onUpdate = ({ added, updated, removed }: Changes, origin: unknown): void => {
    if (origin === this || this.send === null) return;
    if (![...added, ...updated, ...removed].includes(this.awareness.clientID)) return;
    this.owed = true;
    const wait = this.sentAt + PACE - this.clock.now();
    if (wait <= 0) this.sendNow();
    else this.cancelTimer ??= this.clock.after(wait, () => this.sendNow());
  };
}
