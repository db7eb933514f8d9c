import * as decoding from "lib0/decoding";
import * as encoding from "lib0/encoding";
import * as Y from "yjs";

import type { Role } from "../src/connection/facts";
import type { OpenTransport, TransportHandlers } from "../src/connection/transport";
import type { UploadOutcome } from "../src/connection/upload";
import type { FakeClock } from "./fake-clock";

/** An upload that the tab waits for until the test decides. */
export interface Arriving {
  readonly update: Uint8Array;
  readonly signal: AbortSignal;
  progress(part: number): void;
  /** Resolves when the tab has heard. */
  end(outcome: UploadOutcome): Promise<void>;
}

/** The server's side of the protocol, written from its description and sharing no code with the tab's. */
export class FakeServer {
  readonly doc = new Y.Doc();
  readonly lines = new Set<Line>();
  /** Close code for whoever connects; 0 lets them in. */
  closing = 0;
  refusing = "";
  /** Refuses frames that bring edits under any id but this one; 0 takes everybody's. */
  onlyFrom = 0;
  role: Role = "editor";
  epoch = 1;
  schemaVersion = 1;
  frameBytes = 1_048_576;
  person = { id: "1", name: "Alice", colour: "#112233" };
  seq = 0;
  readonly uploads: Arriving[] = [];
  private queue: (() => void)[] = [];

  transport(): OpenTransport {
    return (handlers) => {
      const line = new Line(this, handlers);
      this.later(() => line.accept());
      return {
        send: (frame) => this.later(() => line.receive(frame.slice())),
        close: () => line.forget(),
      };
    };
  }

  upload(update: Uint8Array, signal: AbortSignal, progress: (part: number) => void): Promise<UploadOutcome> {
    return new Promise((resolve) => {
      const end = async (outcome: UploadOutcome): Promise<void> => {
        if (outcome.kind === "saved") Y.applyUpdate(this.doc, update);
        resolve(outcome);
        // Two turns: the tab awaits the promise, and then acts.
        await Promise.resolve();
        await Promise.resolve();
        this.settle();
      };
      this.uploads.push({ update, signal, progress, end });
    });
  }

  later(action: () => void): void {
    this.queue.push(action);
  }

  /** Lets everything under way arrive, answers included. Nothing is committed by it. */
  settle(): void {
    for (let action = this.queue.shift(); action !== undefined; action = this.queue.shift()) action();
  }

  /** Commits what was taken in and says so, as the saver does. */
  commit(): void {
    this.seq += 1;
    for (const line of this.lines) line.confirm();
    this.settle();
  }

  close(code: number): void {
    for (const line of [...this.lines]) line.drop(code);
    this.settle();
  }

  say(type: number, write: (encoder: encoding.Encoder) => void): void {
    for (const line of this.lines) line.say(type, write);
    this.settle();
  }

  /** Time goes by for `clock`, with a heartbeat now and then. */
  live(clock: FakeClock, milliseconds: number): void {
    for (let passed = 0; passed < milliseconds; passed += 100) {
      if (passed % 10_000 === 0) this.say(104, () => undefined);
      clock.advance(100);
      this.settle();
    }
  }

  event(event: object): void {
    this.say(103, (encoder) => encoding.writeVarString(encoder, JSON.stringify(event)));
  }
}

export class Line {
  /** What the tab sent, decoded: sync frames by step, awareness by its bytes. */
  readonly updates: { step: number; update: Uint8Array }[] = [];
  readonly awareness: Uint8Array[] = [];
  queries = 0;
  /** A network that swallows everything while both ends believe in the socket. */
  muted = false;
  private alive = true;
  private frames = 0;
  private confirmed = 0;

  constructor(
    private readonly server: FakeServer,
    private readonly handlers: TransportHandlers,
  ) {}

  accept(): void {
    const { server } = this;
    if (!this.alive) return;
    if (server.closing !== 0) return this.drop(server.closing);
    server.lines.add(this);
    this.handlers.opened();
    const { role, person, seq, epoch, schemaVersion, frameBytes } = server;
    const hello = { role, person, seq, epoch, schemaVersion, limits: { frameBytes, awarenessBytes: 4096 } };
    this.say(102, (encoder) => encoding.writeVarString(encoder, JSON.stringify(hello)));
    this.sync(0, Y.encodeStateVector(server.doc));
  }

  receive(frame: Uint8Array): void {
    if (!this.alive || this.muted) return;
    const decoder = decoding.createDecoder(frame);
    const type = decoding.readVarUint(decoder);
    if (type === 3) return this.answerQuery();
    if (type === 1) return void this.awareness.push(decoding.readVarUint8Array(decoder));
    const step = decoding.readVarUint(decoder);
    const body = decoding.readVarUint8Array(decoder);
    if (step === 0) return this.sync(1, Y.encodeStateAsUpdate(this.server.doc, body));
    this.updates.push({ step, update: body });
    this.take(body);
  }

  /** Awareness of nobody, which is an answer all the same. */
  private answerQuery(): void {
    this.queries += 1;
    this.say(1, (encoder) => encoding.writeVarUint8Array(encoder, new Uint8Array([0])));
  }

  private take(update: Uint8Array): void {
    this.frames += 1;
    const frame = this.frames;
    const reason = this.reasonAgainst(update);
    if (reason !== "") {
      return this.say(101, (encoder) => {
        encoding.writeVarUint(encoder, frame);
        encoding.writeVarString(encoder, reason);
      });
    }
    Y.applyUpdate(this.server.doc, update);
    for (const other of this.server.lines) if (other !== this) other.sync(2, update);
  }

  private reasonAgainst(update: Uint8Array): string {
    const { refusing, onlyFrom } = this.server;
    const forged = Y.decodeUpdate(update).structs.some((struct) => struct.id.client !== onlyFrom);
    return onlyFrom !== 0 && forged ? "not-yours" : refusing;
  }

  confirm(): void {
    if (this.confirmed === this.frames) return;
    this.confirmed = this.frames;
    this.say(100, (encoder) => {
      encoding.writeVarUint(encoder, this.frames);
      encoding.writeVarUint(encoder, this.server.seq);
    });
  }

  say(type: number, write: (encoder: encoding.Encoder) => void): void {
    const frame = encoding.encode((encoder) => {
      encoding.writeVarUint(encoder, type);
      write(encoder);
    });
    this.server.later(() => this.alive && !this.muted && this.handlers.received(frame));
  }

  sync(step: number, body: Uint8Array): void {
    this.say(0, (encoder) => {
      encoding.writeVarUint(encoder, step);
      encoding.writeVarUint8Array(encoder, body);
    });
  }

  drop(code: number): void {
    if (!this.alive) return;
    this.forget();
    this.handlers.closed(code);
  }

  forget(): void {
    this.alive = false;
    this.server.lines.delete(this);
  }
}
