/** Keeps one transport alive: opens it, listens for silence, comes back with backoff, or stops. Knows no Yjs. */

import { delayBefore } from "./backoff";
import type { Clock } from "./clock";
import { type Stop, type StopReason, meaningOf } from "./close-codes";
import { Observable } from "./observable";
import { type Inbound, decode } from "./protocol";
import type { OpenTransport, Transport } from "./transport";

/** The server says something at least every 15 s, so twice that means nobody is there. */
export const SILENCE = 30_000;

/** Milliseconds in which a socket that is asked must say something, or it is dead. */
const ANSWER = 5_000;

/** The same when the browser says that the network is gone, which need not be true of a server on this machine. */
const ANSWER_OFFLINE = 2_000;

/** A socket that spoke so short a while ago needs no asking. */
const FRESH = 2_000;

/** A connection that lasted this long was a good one: the next reconnect starts from the shortest delay. */
const GOOD_LIFE = 10_000;

/** Stops that end elsewhere, in another tab: coming back to this one is reason enough to look again. */
const PASSING: ReadonlySet<StopReason> = new Set<StopReason>(["sign-in", "too-many"]);

export type Status =
  | { readonly kind: "connecting" }
  /** The server has spoken on this transport. */
  | { readonly kind: "open" }
  | { readonly kind: "waiting" }
  | { readonly kind: "stopped"; readonly stop: Stop };

export interface ConnectionHandlers {
  opened(): void;
  /** Send something that the server answers at once. */
  ask(): void;
  received(message: Inbound): void;
  closed(): void;
}

export class Connection {
  readonly status = new Observable<Status>({ kind: "connecting" });
  private transport: Transport | null = null;
  private usable = false;
  private attempt = 0;
  private openedAt = 0;
  private heardAt = 0;
  /** The moment until which a socket that was asked has to say something; null when it was not. */
  private answerBy: number | null = null;
  private cancelTimer = (): void => undefined;

  constructor(
    private readonly open: OpenTransport,
    private readonly handlers: ConnectionHandlers,
    private readonly clock: Clock,
  ) {}

  connect(): void {
    if (this.transport !== null) return;
    this.cancelTimer();
    if (this.status.value.kind !== "stopped") this.status.set({ kind: "connecting" });
    this.heardAt = this.clock.now();
    this.transport = this.open({
      opened: () => this.onOpened(),
      received: (frame) => this.onFrame(frame),
      closed: (code) => this.onClosed(code),
    });
    this.watch();
  }

  /** False when there is nowhere to send it; the caller keeps it. */
  send(frame: Uint8Array): boolean {
    if (!this.usable || this.transport === null) return false;
    this.transport.send(frame);
    return true;
  }

  /** The person or the network came back: no waiting any more, and no trust in a socket that slept. */
  wake(): void {
    if (this.transport !== null && this.silence() >= SILENCE) this.giveUp();
    const status = this.status.value;
    if (this.transport !== null) {
      if (this.silence() >= FRESH) this.ask(ANSWER);
    } else if (status.kind === "waiting" || (status.kind === "stopped" && PASSING.has(status.stop.reason))) {
      this.connect();
    }
  }

  /** The browser says that there is no network. */
  doubt(): void {
    this.ask(ANSWER_OFFLINE);
  }

  /** Gives the transport up and comes back through sync, which mends whatever went wrong. */
  giveUp(): void {
    if (this.transport === null) return;
    this.transport.close();
    this.onClosed(1006);
  }

  stop(stop: Stop): void {
    this.transport?.close();
    this.leaveTransport();
    this.status.set({ kind: "stopped", stop });
  }

  destroy(): void {
    this.transport?.close();
    this.leaveTransport();
  }

  private onOpened(): void {
    this.usable = true;
    this.openedAt = this.clock.now();
    this.heardAt = this.openedAt;
    this.handlers.opened();
  }

  private onFrame(frame: Uint8Array): void {
    this.heardAt = this.clock.now();
    this.answerBy = null;
    const transport = this.transport;
    try {
      const message = decode(frame);
      this.handlers.received(message);
    } catch (error) {
      // A message this tab cannot read or apply leaves a hole; a new connection asks for everything missing.
      console.error("Collab: a message could not be taken in", error);
      this.giveUp();
      return;
    }
    if (this.transport === transport && transport !== null) this.status.set({ kind: "open" });
  }

  private onClosed(code: number): void {
    const meaning = meaningOf(code);
    if (this.openedAt > 0 && this.clock.now() - this.openedAt >= GOOD_LIFE) this.attempt = 0;
    this.leaveTransport();
    if (meaning.then === "stop") {
      this.status.set({ kind: "stopped", stop: meaning.stop });
    } else if (this.status.value.kind !== "stopped") {
      this.status.set({ kind: "waiting" });
      this.cancelTimer = this.clock.after(delayBefore(this.attempt, this.clock.random()), () => this.connect());
      this.attempt += 1;
    }
  }

  private leaveTransport(): void {
    this.cancelTimer();
    const wasUsable = this.usable;
    this.transport = null;
    this.usable = false;
    this.openedAt = 0;
    this.answerBy = null;
    if (wasUsable) this.handlers.closed();
  }

  /** The network may be another one than when the socket was opened: one question tells, long before the silence. */
  private ask(patience: number): void {
    if (!this.usable || this.answerBy !== null) return;
    this.answerBy = this.clock.now() + patience;
    this.handlers.ask();
    this.watch();
  }

  private watch(): void {
    this.cancelTimer();
    const wait = Math.max(this.patience() - this.clock.now(), 0);
    this.cancelTimer = this.clock.after(wait, () => {
      if (this.patience() <= this.clock.now()) this.giveUp();
      else this.watch();
    });
  }

  /** The moment at which the transport counts as dead if nothing has been heard until then. */
  private patience(): number {
    const silent = this.heardAt + SILENCE;
    return Math.min(silent, this.answerBy ?? silent);
  }

  private silence(): number {
    return this.clock.now() - this.heardAt;
  }
}
