import assert from "node:assert/strict";
import test from "node:test";

import * as Y from "yjs";

import { Outbox } from "../src/connection/outbox";

const ROOMY = 1_000_000;

/** Updates of one person typing `text`, a letter each. */
function typed(text: string): Uint8Array[] {
  const doc = new Y.Doc();
  const updates: Uint8Array[] = [];
  doc.on("update", (update: Uint8Array) => updates.push(update));
  for (const letter of text) doc.getText("t").insert(doc.getText("t").length, letter);
  return updates;
}

function filled(text: string): Outbox {
  const outbox = new Outbox();
  for (const update of typed(text)) outbox.add(update);
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
  for (const update of typed("abc")) {
    outbox.add(update);
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
  for (const update of typed("abc")) {
    outbox.add(update);
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
  outbox.add(typed("b")[0] as Uint8Array);
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
  for (const update of typed("abcd")) {
    outbox.add(update);
    outbox.take(ROOMY);
  }
  outbox.saved(1);
  outbox.refused(3, "malformed");
  outbox.restart();
  assert.equal(outbox.refusal, null);
  assert.equal(outbox.changes, 3);
  const again = outbox.take(ROOMY);
  assert.equal(textOf([typed("a")[0] ?? null]), "a");
  assert.ok(again !== null);
  outbox.saved(1);
  assert.equal(outbox.changes, 0);
});

test("at most sixteen frames are under way; the rest waits and is merged", () => {
  const outbox = new Outbox();
  const sent: (Uint8Array | null)[] = [];
  for (const update of typed("abcdefghijklmnopqrstuvwxyz")) {
    outbox.add(update);
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

test("one update over the limit is kept, named too large, and holds back what follows", () => {
  const outbox = new Outbox();
  const doc = new Y.Doc();
  doc.on("update", (update: Uint8Array) => outbox.add(update));
  doc.getText("t").insert(0, "x".repeat(500));
  doc.getText("t").insert(500, "y");
  assert.equal(outbox.take(400), null);
  assert.equal(outbox.refusal, "too-large");
  assert.equal(outbox.changes, 2);
});

test("an empty frame keeps the numbers in step and counts as no change", () => {
  const outbox = new Outbox();
  outbox.takeAll();
  outbox.add(typed("a")[0] as Uint8Array);
  outbox.take(ROOMY);
  assert.equal(outbox.changes, 1);
  outbox.saved(1);
  assert.equal(outbox.changes, 1);
  outbox.saved(2);
  assert.equal(outbox.changes, 0);
});
