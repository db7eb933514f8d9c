import assert from "node:assert/strict";
import test from "node:test";

import * as Y from "yjs";

import type { Edit } from "../src/connection/keeping";
import { Outbox } from "../src/connection/outbox";

const ROOMY = 1_000_000;

/** Edits of one person typing `text`, a letter each. */
function typed(text: string): Edit[] {
  return edited((body) => {
    for (const letter of text) body.insert(body.length, letter);
  });
}

function edited(write: (body: Y.Text) => void): Edit[] {
  const doc = new Y.Doc();
  const edits: Edit[] = [];
  doc.on("update", (update: Uint8Array) => edits.push({ draft: "d", number: edits.length, update }));
  write(doc.getText("t"));
  return edits;
}

function filled(text: string): Outbox {
  const outbox = new Outbox();
  for (const edit of typed(text)) outbox.add(edit);
  return outbox;
}

function textOf(updates: (Uint8Array | null)[]): string {
  const doc = new Y.Doc();
  for (const update of updates) if (update !== null) Y.applyUpdate(doc, update);
  return doc.getText("t").toString();
}

test("what waits goes out as one merged frame, and counts until it is confirmed", () => {
  const outbox = filled("abc");
  assert.equal(outbox.changes, 3);
  assert.equal(textOf([outbox.take(ROOMY)]), "abc");
  assert.equal(outbox.take(ROOMY), null);
  assert.equal(outbox.changes, 3);
  outbox.saved(1);
  assert.equal(outbox.changes, 0);
});

test("saved covers the frames up to its number and no others", () => {
  const outbox = new Outbox();
  for (const edit of typed("abc")) {
    outbox.add(edit);
    outbox.take(ROOMY);
  }
  outbox.saved(2);
  assert.equal(outbox.changes, 1);
  outbox.saved(1);
  assert.equal(outbox.changes, 1);
  outbox.saved(3);
  assert.equal(outbox.changes, 0);
});

test("a refused frame stays, and with it all that were made after it", () => {
  const outbox = new Outbox();
  for (const edit of typed("abc")) {
    outbox.add(edit);
    outbox.take(ROOMY);
  }
  outbox.refused(2, "malformed");
  outbox.saved(3);
  assert.equal(outbox.changes, 2);
  assert.equal(outbox.refusal, "malformed");
});

test("after a refusal nothing more is sent on this connection", () => {
  const outbox = filled("a");
  outbox.take(ROOMY);
  outbox.refused(1, "document-full");
  outbox.add(typed("b")[0] as Edit);
  assert.equal(outbox.take(ROOMY), null);
  assert.equal(outbox.changes, 2);
});

test("a refusal of what was confirmed is the server's mistake and is not passed over", () => {
  const outbox = filled("a");
  outbox.take(ROOMY);
  outbox.saved(1);
  assert.throws(() => outbox.refused(1, "malformed"));
});

test("a new connection sends everything unconfirmed again, in order, numbered from one", () => {
  const outbox = new Outbox();
  for (const edit of typed("abcd")) {
    outbox.add(edit);
    outbox.take(ROOMY);
  }
  outbox.saved(1);
  outbox.refused(3, "malformed");
  outbox.restart();
  assert.equal(outbox.refusal, null);
  assert.equal(outbox.changes, 3);
  const again = outbox.take(ROOMY);
  assert.ok(again !== null);
  outbox.saved(1);
  assert.equal(outbox.changes, 0);
});

test("at most sixteen frames are under way; the rest waits and is merged", () => {
  const outbox = new Outbox();
  const sent: (Uint8Array | null)[] = [];
  for (const edit of typed("abcdefghijklmnopqrstuvwxyz")) {
    outbox.add(edit);
    const frame = outbox.take(ROOMY);
    if (frame !== null) sent.push(frame);
  }
  assert.equal(sent.length, 16);
  outbox.saved(1);
  const rest = outbox.take(ROOMY);
  assert.equal(outbox.take(ROOMY), null);
  assert.equal(outbox.changes, 25);
  assert.ok(rest !== null && rest.length > (sent[0] as Uint8Array).length);
});

test("a frame stays under the limit: much that waits becomes several frames", () => {
  const text = "x".repeat(600);
  const outbox = filled(text);
  const limit = 200;
  const frames: Uint8Array[] = [];
  for (let sent = 0; outbox.changes > 0; sent += 1) {
    const frame = outbox.take(limit);
    assert.ok(frame !== null && frame.length <= limit);
    frames.push(frame);
    outbox.saved(sent + 1);
  }
  assert.ok(frames.length > 5);
  assert.equal(textOf(frames), text);
});

test("an edit over the limit is no frame: it waits for what was sent, goes alone, and holds back what follows", () => {
  const outbox = new Outbox();
  const edits = edited((body) => {
    body.insert(0, "before");
    body.insert(6, "x".repeat(500));
    body.insert(506, "after");
  });
  for (const edit of edits) outbox.add(edit);
  assert.equal(textOf([outbox.take(400)]), "before");
  assert.equal(outbox.take(400), null);
  assert.equal(outbox.takeLarge(400), null, "before it was confirmed");
  outbox.saved(1);
  assert.equal(outbox.takeLarge(400), edits[1]?.update);
  assert.equal(outbox.takeLarge(400), null);
  assert.equal(outbox.take(400), null, "what follows builds on it");
  assert.equal(outbox.changes, 2);
  assert.deepEqual(outbox.uploaded(), [edits[1]]);
  assert.equal(outbox.take(400), edits[2]?.update);
  assert.equal(outbox.refusal, null);
});

test("an upload that was cut off waits in its place again", () => {
  const outbox = new Outbox();
  const edits = edited((body) => {
    body.insert(0, "x".repeat(500));
    body.insert(0, "y");
  });
  for (const edit of edits) outbox.add(edit);
  outbox.takeLarge(400);
  outbox.restart();
  assert.deepEqual(outbox.edits, edits);
  assert.equal(outbox.takeLarge(400), edits[0]?.update);
});

test("saved names the edits that are safe now", () => {
  const outbox = new Outbox();
  const edits = typed("abc");
  for (const edit of edits) {
    outbox.add(edit);
    outbox.take(ROOMY);
  }
  assert.deepEqual(outbox.saved(2), edits.slice(0, 2));
  assert.deepEqual(outbox.saved(2), []);
  assert.deepEqual(outbox.clear(), edits.slice(2));
  assert.equal(outbox.changes, 0);
});

test("an empty frame keeps the numbers in step and counts as no change", () => {
  const outbox = new Outbox();
  outbox.takeAll();
  outbox.add(typed("a")[0] as Edit);
  outbox.take(ROOMY);
  assert.equal(outbox.changes, 1);
  outbox.saved(1);
  assert.equal(outbox.changes, 1);
  outbox.saved(2);
  assert.equal(outbox.changes, 0);
});
