import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";

import { type PostPiece, type UploadOutcome, uploadTo } from "../src/connection/upload";
import { FakeClock } from "./fake-clock";

const MIB = 1024 * 1024;
const CLIENT = 7;

/** A server that answers by a script; every piece is noted as `part/parts:bytes`, a new upload id as a bar. */
class Script {
  readonly pieces: string[] = [];
  readonly bodies: Uint8Array[] = [];
  readonly progress: number[] = [];
  readonly clock = new FakeClock();
  readonly abort = new AbortController();
  private id = "";

  constructor(private readonly answers: (() => Response)[]) {}

  async send(bytes: number): Promise<UploadOutcome> {
    const update = new Uint8Array(bytes).map((_, index) => index % 251);
    let outcome: UploadOutcome | null = null;
    const { signal } = this.abort;
    void uploadTo("/documents/d/uploads", CLIENT, this.post, this.clock)(update, signal, (part) => this.progress.push(part)).then(
      (decided) => (outcome = decided),
    );
    for (let turn = 0; outcome === null; turn += 1) {
      assert.ok(turn < 1_000, "the upload never ends");
      await setImmediate();
      this.clock.advance(31_000);
    }
    return outcome;
  }

  private readonly post: PostPiece = async (address, piece) => {
    const url = new URL(address, "http://x.invalid");
    const id = url.pathname.replace("/documents/d/uploads/", "");
    if (this.id !== "" && id !== this.id) this.pieces.push("|");
    this.id = id;
    assert.equal(url.searchParams.get("client"), String(CLIENT));
    this.pieces.push(`${url.searchParams.get("part")}/${url.searchParams.get("parts")}:${piece.length}`);
    this.bodies.push(piece.slice());
    const answer = this.answers.shift();
    assert.ok(answer, "more pieces than the script knows");
    return answer();
  };
}

const more = (): Response => new Response("{}", { status: 202 });
const saved = (): Response => Response.json({ saved: true, seq: 7 });
const away = (): Response => new Response("<html>", { status: 504 });
const broken = (): never => {
  throw new TypeError("network");
};

function refused(status: number, reason: string): () => Response {
  return () => Response.json({ saved: false, reason }, { status });
}

test("five megabytes go in pieces of half of one, in order, and are saved when the last is answered", async () => {
  const script = new Script([...Array.from({ length: 9 }, () => more), saved]);
  assert.deepEqual(await script.send(5 * MIB), { kind: "saved" });
  assert.equal(script.pieces.length, 10);
  assert.ok(script.pieces.every((piece, part) => piece === `${part}/10:${MIB / 2}`));
  assert.equal(script.bodies[9]?.[0], (9 * (MIB / 2)) % 251);
  assert.deepEqual(script.progress.slice(0, 2), [0.1, 0.2]);
});

test("a piece that was lost is sent again, the others are not", async () => {
  const script = new Script([more, broken, refused(503, "busy"), more, saved]);
  assert.deepEqual(await script.send(MIB + 1), { kind: "saved" });
  assert.deepEqual(script.pieces.map((piece) => piece[0]), ["0", "1", "1", "1", "2"]);
});

test("a server that forgot the pieces gets them all again, under a new id", async () => {
  const script = new Script([more, refused(409, "begin-again"), more, saved]);
  assert.deepEqual(await script.send(MIB), { kind: "saved" });
  assert.deepEqual(script.pieces.map((piece) => piece[0]), ["0", "1", "|", "0", "1"]);
});

test("no word about the last piece: whether it was saved is not known, so it is all sent again", async () => {
  const script = new Script([more, away, more, saved]);
  assert.deepEqual(await script.send(MIB), { kind: "saved" });
  assert.deepEqual(script.pieces.map((piece) => piece[0]), ["0", "1", "|", "0", "1"]);
});

test("what the server refuses is told with its reason", async () => {
  for (const [status, reason] of [
    [403, "read-only"],
    [413, "too-large"],
    [422, "document-full"],
    [422, "not-yours"],
    [422, "malformed"],
  ] as const) {
    assert.deepEqual(await new Script([refused(status, reason)]).send(10), { kind: "refused", reason });
  }
});

test("no session, no document and no CSRF cookie look alike here: the connection finds out", async () => {
  const page = (): Response => new Response("<html>", { status: 403, headers: { "Content-Type": "text/html" } });
  for (const answer of [refused(401, "signed-out"), refused(404, "not-found"), page]) {
    assert.deepEqual(await new Script([answer]).send(10), { kind: "turned-away" });
  }
});

test("a server that forgets again and again is not asked for ever", async () => {
  const script = new Script(Array.from({ length: 20 }, () => refused(409, "begin-again")));
  assert.deepEqual(await script.send(10), { kind: "turned-away" });
  assert.equal(script.pieces.filter((piece) => piece !== "|").length, 8);
});

test("an abort ends it between two pieces", async () => {
  const script = new Script([more, () => (script.abort.abort(), more())]);
  assert.deepEqual(await script.send(5 * MIB), { kind: "turned-away" });
  assert.equal(script.pieces.length, 2);
});
